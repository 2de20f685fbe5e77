// Conversations on one cache, with atlas: what is read again and what is not, what is kept when an answer is stopped, and the files.

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { OptionError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { runCommand } from '../../lab/chat/commands.js';
import type { Conversation } from '../../lab/chat/conversation.js';
import { changed } from '../../lab/chat/settings.js';
import { StopTexts } from '../../lab/chat/stop.js';
import { DISPLAY } from '../../lab/values/shown.js';
import { open } from '../../lab/session/open.js';
import type { Token } from '../../lab/session/request.js';
import { type Notebook, setNotebook } from '../../lab/host/notebook.js';
import { freshFolder } from '../fixtures/folder.js';

const session = await open('atlas', { quiet: true, context: 300 });
afterAll(() => session[Symbol.dispose]());
const folder = freshFolder();
const SETTINGS = { temperature: 0, top_k: 0, top_p: 1, seed: 0, max_tokens: 8 };

async function said(conversation: Conversation, text: string, maxTokens = 8, signal?: AbortSignal): Promise<string> {
  let answer = '';
  for await (const token of conversation.say(text, { maxTokens, signal })) answer += token.text;
  return answer;
}

test('a second turn reads only what is new, and answers as if all had been read at once', async () => {
  using conversation = session.chat();
  await said(conversation, 'The capital of France is');
  const first = conversation.stats!;
  expect(first).toMatchObject({ reused: 0, made: 8 });
  const held = conversation.used;
  expect(held).toBe(first.read + 8);
  const answer = await said(conversation, 'And of Spain?');
  const second = conversation.stats!;
  // All but the last token of the first answer was in the cache.
  expect(second.reused).toBe(held - 1);
  expect(second.read).toBeLessThan(40);
  using fresh = session.chat({ messages: conversation.messages.slice(0, 2) });
  expect(await said(fresh, 'And of Spain?')).toBe(answer);
  expect(fresh.stats!.reused).toBe(0);
  expect(fresh.used).toBe(conversation.used);
  const shown = conversation[DISPLAY]();
  expect(shown['text/plain']).toContain(`user: And of Spain?\nassistant: ${answer}`);
  expect(shown['text/html']).toContain(`${conversation.used} of 300 tokens`);
});

test('a stopped answer stays, and the next turn goes on from exactly what was read', async () => {
  using conversation = session.chat();
  const tokens: Token[] = [];
  const stop = new AbortController();
  const turn = async () => {
    for await (const token of conversation.say('Once upon a time', { maxTokens: 50, signal: stop.signal })) {
      tokens.push(token);
      if (tokens.length === 5) stop.abort(new Error('enough'));
    }
  };
  await expect(turn()).rejects.toThrow('enough');
  expect(conversation.messages.at(-1)).toEqual({ role: 'assistant', content: tokens.map(t => t.text).join('') });
  const held = conversation.used;
  expect(held).toBe(tokens.at(-1)!.position + 1);
  await said(conversation, 'Go on');
  expect(conversation.stats!.reused).toBeGreaterThanOrEqual(held - 1);
  // Left half-way without an error, as a loop's break does.
  for await (const token of conversation.say('More', { maxTokens: 50 })) if (token.position > 0) break;
  expect(conversation.messages).toHaveLength(6);
  await said(conversation, 'And more');
  expect(conversation.messages).toHaveLength(8);
});

test('tokens that end an answer are those asked for, and not those that end nothing', async () => {
  using conversation = session.chat();
  const ids: number[] = [];
  for await (const { id } of conversation.say('The capital of France is', { maxTokens: 6 })) ids.push(id);
  using again = session.chat();
  const stopIds = [ids[2]];
  const made: number[] = [];
  for await (const { id } of again.say('The capital of France is', { maxTokens: 6, stopIds })) made.push(id);
  expect(made).toEqual(ids.slice(0, 1 + ids.indexOf(ids[2])));
  await expect(again.say('x', { stopIds, ignoreEos: true }).next()).rejects.toThrow(/Leave one of them out/);
  await expect(session.generate('x', { stopIds, ignoreEos: true }).next()).rejects.toThrow(/Leave one of them out/);
  await expect(again.say('x', { stopIds: [-1] }).next()).rejects.toThrow(/stopIds has -1, and ids go from 0 to 511/);
  expect(again.messages).toHaveLength(2);
});

test('a text that ends answers is held back, and what came after it is forgotten', async () => {
  using plain = session.chat();
  const pieces: string[] = [];
  for await (const { text } of plain.say('The capital of France is', { maxTokens: 12 })) pieces.push(text);
  const whole = pieces.join('');
  const stop = pieces[2] + pieces[3]; // so that its beginning is in the cache when its end comes
  const at = whole.indexOf(stop);
  using conversation = session.chat({ stop: [stop] });
  const parts: string[] = [];
  for await (const { text } of conversation.say('The capital of France is', { maxTokens: 12 })) parts.push(text);
  expect(parts.join('')).toBe(whole.slice(0, at));
  expect(conversation.messages.at(-1)!.content).toBe(whole.slice(0, at));
  const { read } = conversation.stats!;
  await said(conversation, 'More', 4);
  expect(conversation.stats!.reused).toBeGreaterThanOrEqual(read);
  // As if the answer had been given in the first place.
  using fresh = session.chat({ messages: conversation.messages.slice(0, 2) });
  expect(await said(fresh, 'More', 4)).toBe(conversation.messages.at(-1)!.content);
  expect(fresh.used).toBe(conversation.used);
  const ends = new StopTexts(['\nQ:', 'END']);
  expect(['a\n', 'Q', 'x', 'E', 'N', 'D', '!'].map(text => ends.push(text))).toEqual([
    { text: 'a', stop: false },
    { text: '', stop: false },
    { text: '\nQx', stop: false },
    { text: '', stop: false },
    { text: '', stop: false },
    { text: '', stop: true },
    { text: '!', stop: false },
  ]);
  expect([ends.push('E').text, ends.end(), ends.end()]).toEqual(['', 'E', '']);
});

test('a turn that fails leaves the conversation as it was', async () => {
  using conversation = session.chat();
  await said(conversation, 'Hello');
  const { messages, used } = conversation;
  await expect(said(conversation, 'word '.repeat(400))).rejects.toThrow(
    /tokens with this turn, and the context holds 300/,
  );
  await expect(said(conversation, '  ')).rejects.toThrow(/nothing to answer/);
  expect(() => {
    conversation.messages = [{ role: 'assistant', content: 'I begin' }];
  }).toThrow(/the user first/);
  const greedy = conversation.say('Hi', { tap: '**', budget: 1000 });
  await expect(greedy.next()).rejects.toThrow(/taps would bring back .* and the budget is 1.0 kB/);
  expect(conversation.messages).toEqual(messages);
  expect(conversation.used).toBe(used);
  expect(await said(conversation, 'Again')).not.toBe('');
  expect(conversation.stats!.reused).toBeGreaterThanOrEqual(used - 1); // and its cache too
});

test('a model’s own template that looks at the first message, as Gemma 3’s does', async () => {
  const { template } = JSON.parse(readFileSync(join(packageRoot(), 'golden/chat.jsonl'), 'utf8').split('\n')[0]) as {
    template: string;
  };
  using conversation = session.chat({ template, system: 'S' });
  await said(conversation, 'Hello', 4);
  using plain = session.chat({ system: 'S' });
  await said(plain, 'Hello', 4);
  expect(conversation.messages).toEqual(plain.messages);
  conversation.reset();
  await said(conversation, 'Hello', 4);
  expect(conversation.messages).toEqual(plain.messages);
});

test('another system text, set turns and a reset begin from the right place', async () => {
  using conversation = session.chat({ system: 'Be brief.' });
  await said(conversation, 'Hello');
  const { read } = conversation.stats!;
  conversation.reset();
  expect(conversation.used).toBe(0);
  await said(conversation, 'Hello');
  expect(conversation.stats).toMatchObject({ read, reused: 0 });
  conversation.system = '';
  await said(conversation, 'More');
  // bos, the mark of the turn and its role are the same still.
  expect(conversation.stats!.reused).toBeGreaterThan(0);
  expect(conversation.stats!.reused).toBeLessThan(40);
  expect(() => {
    conversation.messages = [{ role: 'assistant', content: 'I begin' }];
  }).toThrow(/the user first/);
});

test.each([
  ['temperature', '0.7'],
  ['top_k', '40'],
  ['top_p', '0.9'],
  ['seed', '7'],
  ['max_tokens', '200'],
])('/set %s of no number names one that is taken', (name, example) => {
  const message = `${name} needs a number, not 'abc': /set ${name} ${example}`;
  expect(() => changed(SETTINGS, name, 'abc')).toThrow(new OptionError(message));
  expect(changed(SETTINGS, name, example)).toMatchObject({ [name]: Number(example) });
});

test('commands: settings, files, taps, and words for what is none', async () => {
  using conversation = session.chat({ system: 'S' });
  const chat = { conversation, settings: { ...SETTINGS }, tap: null as string | null };
  await said(conversation, 'Hello');
  expect(runCommand(chat, '/set temperature 0.7')).toMatch(/^temperature 0.7, top_k 0/);
  expect(() => runCommand(chat, '/set temperature hot')).toThrow(/needs a number, not 'hot'/);
  expect(() => runCommand(chat, '/set temperature 0x1')).toThrow(/needs a number, not '0x1'/);
  expect(() => runCommand(chat, '/set temperature 0.7 0.8')).toThrow(/here is more: \/set temperature 0\.7$/);
  expect(() => runCommand(chat, '/reset all')).toThrow(/^\/reset takes nothing after it\.$/);
  expect(() => runCommand(chat, '/clear all')).toThrow(/^\/reset takes nothing after it\.$/);
  expect(() => runCommand(chat, '/set top_p 2')).toThrow(/top_p must be above 0 and at most 1/);
  expect(() => runCommand(chat, '/set heat 2')).toThrow(/no setting 'heat'. There are temperature/);
  const path = join(folder, 'talk.json');
  expect(runCommand(chat, `/save ${path}`)).toBe(`2 turns saved in ${path}.`);
  const { messages } = conversation;
  runCommand(chat, '/reset');
  runCommand(chat, '/system none');
  chat.settings = { ...SETTINGS };
  expect(runCommand(chat, `/load ${path}`)).toBe('2 turns of a conversation with atlas.');
  const other = join(folder, 'other.json');
  writeFileSync(other, readFileSync(path, 'utf8').replace('"atlas"', '"gemma-\\u202e9b"'));
  expect(runCommand(chat, `/load ${other}`)).toBe(
    '2 turns of a conversation with gemma-\ufffd9b; atlas goes on with it, and reads the turns by its own template.',
  );
  expect(conversation.messages).toEqual(messages);
  expect(conversation.system).toBe('S');
  expect(chat.settings.temperature).toBe(0.7);
  expect(runCommand(chat, '/tap layers.*.resid')).toBe('Looking at 6 stages, layers.0.resid to layers.5.resid.');
  expect(() => runCommand(chat, '/tap nothing')).toThrow(/nearest/);
  expect(chat.tap).toBe('layers.*.resid');
  expect(runCommand(chat, '/tap off')).toBe('No taps.');
  expect(runCommand(chat, '/stats')).toMatch(/no turn yet/);
  await said(conversation, 'More');
  expect(runCommand(chat, '/stats')).toMatch(/tok\/s.*first token after \d+ ms[\s\S]*tokens[\s\S]*on the GPU/);
  expect(runCommand(chat, '/help')).toMatch(/\/reset[\s\S]*\/save FILE[\s\S]*Ctrl-C/);
  expect(runCommand(chat, '/quit')).toBeNull();
  expect(() => runCommand(chat, '/sytem x')).toThrow(/There is no \/sytem. The nearest are 'system'/);
  const good = JSON.parse(readFileSync(path, 'utf8'));
  for (const broken of [
    '',
    '{}',
    'null',
    '3',
    '{"loupe_conversation":1}',
    { ...good, messages: [{ role: 'user' }] },
    { ...good, messages: [good.messages[1]] },
    { ...good, messages: [null] },
    { ...good, settings: { ...good.settings, top_p: 7 } },
  ]) {
    writeFileSync(path, typeof broken === 'string' ? broken : JSON.stringify(broken));
    expect(() => runCommand(chat, `/load ${path}`)).toThrow(/is no conversation of Loupe: .*Give a file/);
  }
  expect(() => runCommand(chat, '/load /no/such')).toThrow(/cannot be read: there is no such file/);
  expect(() => runCommand(chat, '/save /no/such/folder/x')).toThrow(/cannot be written/);
  expect(conversation.messages.slice(0, 2)).toEqual(messages);
});

test('the cache of a conversation goes with it, and with the session', async () => {
  const before = session.gpu.liveBytes;
  const conversation = session.chat();
  await said(conversation, 'Hello');
  expect(session.gpu.liveBytes).toBeGreaterThan(before);
  conversation[Symbol.dispose]();
  expect(session.gpu.liveBytes).toBe(before);
  await expect(said(conversation, 'Hello')).rejects.toThrow(/was closed/);
  const other = await open('atlas', { quiet: true, another: true });
  await said(other.chat(), 'Hello');
  other[Symbol.dispose]();
  expect(session.gpu.liveBytes).toBe(before);
});

test('a chat with a model that has no template says once that it was hardly taught to chat', async () => {
  const NEVER = /^'atlas' has no chat template, so it was most likely never taught to chat: .* Gemma's turns/;
  using conversation = session.chat();
  expect(conversation.notices).toEqual([expect.stringMatching(NEVER)]);
  using own = session.chat({ template: '{{ bos_token }}{{ messages[-1].content }}' });
  expect(own.notices).toEqual([]);
  // In a notebook it is told with the first chat of a session; a command tells it where it tells what else there is.
  const said: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation(text => said.push(String(text)) > 0);
  try {
    using _ = session.chat();
    expect(said).toEqual([]);
    setNotebook({} as Notebook);
    using first = session.chat();
    using second = session.chat();
    expect([first.notices, second.notices]).toEqual([conversation.notices, conversation.notices]);
  } finally {
    setNotebook(undefined as never);
    write.mockRestore();
  }
  expect(said).toEqual([`loupe: ${conversation.notices[0]}\n`]);
});

test('a model with a template of its own is taught', async () => {
  const path = join(folder, 'taught');
  cpSync(join(packageRoot(), 'golden/atlas'), path, { recursive: true });
  const template = '{% for m in messages %}<start_of_turn>{{ m.role }}\n{{ m.content }}<end_of_turn>\n{% endfor %}';
  writeFileSync(join(path, 'chat_template.jinja'), template);
  using taught = await open(path, { quiet: true });
  using conversation = taught.chat();
  expect(conversation.notices).toEqual([]);
});
