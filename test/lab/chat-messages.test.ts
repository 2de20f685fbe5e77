// Conversations that begin with what others have written: roles, parts, system texts in odd places; templates of a folder; and where the
// settings of a chat come from.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import type { ChatMessage } from '../../engine/tokenizer/messages.js';
import { openModelFiles } from '../../engine/weights/open.js';
import { type Chat, runCommand } from '../../lab/chat/commands.js';
import { chosen } from '../../lab/chat/settings.js';
import { DISPLAY } from '../../lab/values/shown.js';
import { open } from '../../lab/session/open.js';
import { freshFolder } from '../fixtures/folder.js';

const session = await open('atlas', { quiet: true, context: 300 });
afterAll(() => session[Symbol.dispose]());
const folder = freshFolder();
const LIKE_A_LOG =
  '{{ bos_token }}{% for m in messages %}[{{ m.role }}]{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}{{ p.text }};{% endfor %}{% endif %}{% endfor %}';
const user = (content: unknown): ChatMessage => ({ role: 'user', content });

test('what the template knows is taken and shown whole; nothing is left out', async () => {
  const call = { role: 'assistant', content: null, tool_calls: [{ name: 'look' }] } as ChatMessage;
  const messages = [
    user([
      { type: 'text', text: 'One' },
      { type: 'text', text: '<b>two</b>' },
    ]),
    call,
    { role: 'tool', content: '42' },
    user(7),
  ];
  using talk = session.chat({
    template: LIKE_A_LOG.replace(
      '{% endfor %}{% endif %}',
      '{% endfor %}{% endif %}{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}',
    ),
    messages: messages.slice(0, 3),
  });
  expect(talk.messages).toEqual(messages.slice(0, 3));
  const { 'text/plain': text, 'text/html': page } = talk[DISPLAY]();
  expect(text).toBe('user: One\n<b>two</b>\nassistant: {"tool_calls":[{"name":"look"}]}\ntool: 42\n(0 of 300 tokens)');
  expect(page).toContain('One\n&lt;b&gt;two&lt;/b&gt;');
  expect(`${text}${page}`).not.toContain('[object');
  for await (const _ of talk.say('So?', { maxTokens: 2 }));
  expect(talk.messages).toHaveLength(5);
});

test('system texts: one in front is the conversation’s, another beside it or later is refused, none is dropped', () => {
  using talk = session.chat({ messages: [{ role: 'system', content: 'S' }, user('Hi')] });
  expect([talk.system, talk.messages]).toEqual(['S', [user('Hi')]]);
  talk.messages = [{ role: 'system', content: 'T' }, user('Hi')];
  expect(talk.system).toBe('T');
  talk.messages = [user('Hi')];
  expect(talk.system).toBe('T');
  const begin = (messages: unknown, system?: string) => () =>
    session.chat({ messages: messages as ChatMessage[], system });
  expect(begin([{ role: 'system', content: 'A' }, user('Hi')], 'B')).toThrow(
    /begins with a system text, and another was given/,
  );
  expect(begin([{ role: 'system', content: 'A' }, user('Hi')], 'A')).not.toThrow();
  expect(begin([user('Hi'), { role: 'assistant', content: 'Yes' }, { role: 'system', content: 'Late' }])).toThrow(
    /Turn 3 .* the role 'system'/,
  );
  expect(begin([{ role: 'system', content: 'A' }, { role: 'system', content: 'B' }, user('Hi')])).toThrow(
    /Turn 2 .* the role 'system'/,
  );
  using log = session.chat({ template: LIKE_A_LOG, messages: [user('Hi'), { role: 'system', content: 'Late' }] });
  expect(log[DISPLAY]()['text/plain']).toContain('system: Late');
  for (const messages of ['Hi', 5, {}, [5], [null], [{}], [{ role: 'user', content: 5n }]]) {
    expect(begin(messages)).toThrow(/list of messages|is no message|no role|has .* for its content/);
  }
  expect(begin([user([{ type: 'image_url', image_url: 'x' }])])).toThrow(
    /Turn 1 \(user\) .* "image_url", and Loupe reads text alone/,
  );
  expect(talk.messages).toEqual([user('Hi')]);
});

test('a turn is numbered as in the list that was given, also after more was said', async () => {
  const system = { role: 'system', content: 'S' };
  const refused = (messages: unknown[], message: RegExp, more: object = {}) =>
    expect(() => session.chat({ messages: messages as ChatMessage[], ...more })).toThrow(message);
  const image = user([{ type: 'image' }]);
  // Two turns of one role in the model's own template and in Gemma's turns; what is no text in all.
  const strict =
    "{% for m in messages %}{% if m.content == 'bad' %}{{ raise_exception('no') }}{% endif %}{{ m.content }}{% endfor %}";
  refused([system, user('a'), user('b')], /Turn 3 of the conversation is the user's/);
  refused([system, system, user('a')], /Turn 2 .* the role 'system'/);
  refused([{ role: 'system', content: '' }, user('a'), user('b')], /Turn 3 of the conversation is the user's/);
  refused([user('a'), user('b')], /Turn 2 of the conversation is the user's/, { system: 'S' });
  for (const more of [{}, { template: strict }]) {
    refused([system, user({ a: 1 })], /Turn 2 \(user\)/, more);
    refused([system, user('a'), image], /Turn 3 \(user\)/, more);
    refused([user('a'), image], /Turn 2 \(user\)/, { system: 'S', ...more });
    refused([system, user('a'), 5], /Turn 3 of the conversation is no message/, more);
  }
  refused([system, user('a'), user('bad')], /Turn 3 \(user\) was read/, { template: strict });
  refused([user('a'), user('bad')], /Turn 2 \(user\) was read/, { template: strict, system: 'S' });
  using talk = session.chat({ messages: [system, user('a')] as ChatMessage[] });
  await expect(talk.say('q').next()).rejects.toThrow(/Turn 3 of the conversation is the user's/);
  using beside = session.chat({ messages: [user('a')] as ChatMessage[], system: 'S' });
  await expect(beside.say('q').next()).rejects.toThrow(/Turn 2 of the conversation is the user's/);
  using own = session.chat({ messages: [system, user('a')] as ChatMessage[], template: strict });
  for await (const _ of own.say('b', { maxTokens: 1 }));
  await expect(own.say('bad').next()).rejects.toThrow(/Turn 5 \(user\) was read/);
});

test('a template that would have the model answer to nothing is refused when something is said', async () => {
  for (const [template, message] of [
    ['', /writes nothing of this conversation/],
    ['{{ bos_token }}', /writes nothing of this conversation/],
    ['<start_of_turn>model\n', /leaves out Turn 1 \(user\)/],
  ] as const) {
    using talk = session.chat({ template, system: 'S' });
    await expect(talk.say('q').next()).rejects.toThrow(message);
    expect(talk.messages).toEqual([]);
  }
});

test('what a template passes over is refused when the conversation begins, and a system text goes in front of the first question', async () => {
  const qa =
    "{% for m in messages %}{% if m.role == 'user' %}U: {{ m.content }}\n{% elif m.role == 'assistant' %}A: {{ m.content }}\n{% endif %}{% endfor %}A:";
  const turns = [user('a'), { role: 'assistant', content: 'b' }];
  const begin = (more: object, messages: unknown[] = turns) =>
    session.chat({ template: qa, messages: messages as ChatMessage[], ...more });
  for (const [late, message] of [
    [{ role: 'system', content: 'Late' }, /leaves out Turn 3 \(system\)/],
    [{ role: 'tool', content: '42' }, /leaves out Turn 3 \(tool\)/],
    [
      { role: 'assistant', content: 'c', tool_calls: [{ name: 'look' }] },
      /leaves out the tool_calls of Turn 3 \(assistant\)/,
    ],
  ] as const)
    expect(() => begin({}, [...turns, late])).toThrow(message);
  expect(() => session.chat({ template: '{{ messages[-1].content }}', messages: turns as ChatMessage[] })).toThrow(
    /leaves out Turn 1 \(user\)/,
  );
  const read = async (more: object, messages: unknown[] = []) => {
    using talk = begin(more, messages);
    for await (const _ of talk.say('Hi', { maxTokens: 1 }));
    return talk.stats!.read;
  };
  const length = (text: string) => session.tokenizer!.encode(text, { special: true }).length;
  // No bos: the template writes none, and transformers adds none.
  expect(await read({})).toBe(length('U: Hi\nA:'));
  expect(await read({ system: 'Be brief.' })).toBe(length('U: Be brief.\n\nHi\nA:'));
  expect(await read({}, [{ role: 'system', content: 'Be brief.' }, ...turns])).toBe(
    length('U: Be brief.\n\na\nA: b\nU: Hi\nA:'),
  );
});

test('a given template without a bos says so; a folder’s own is told by open', async () => {
  using talk = session.chat({ template: '{{ messages[-1].content }}' });
  expect(talk.notices).toEqual([
    expect.stringMatching(/^The chat template does not begin with '<bos>', .* as in transformers/),
  ]);
  using own = session.chat();
  using like = session.chat({ template: LIKE_A_LOG });
  expect(own.notices).toEqual([expect.stringMatching(/no chat template/)]);
  expect([...like.notices, ...session.notices]).toEqual([]);
  const at = atlasWith('no-bos', { 'chat_template.jinja': '{% for m in messages %}{{ m.content }}{% endfor %}' });
  using other = await open(at, { quiet: true });
  expect(other.notices).toEqual(talk.notices);
  using third = await open(atlasWith('odd', { 'chat_template.jinja': '{% nosuch %}' }), { quiet: true });
  expect(third.notices).toEqual([]);
});

test('what the tokenizer puts around a prompt is what the model reads', async () => {
  const ids = [274, 280, 270, 371, 432, 272];
  const config = { add_bos_token: false, add_eos_token: true };
  using other = await open(atlasWith('ends', { 'tokenizer_config.json': config }), { quiet: true });
  expect(other.encode('The capital of France is')).toEqual([...ids, 1]);
  expect((await other.run('The capital of France is')).ids).toEqual([...ids, 1]);
  expect(other.encode('<bos>The capital of France is')).toEqual([2, ...ids, 1]);
  expect(other.encode(ids)).toEqual(ids);
  expect(other.notices).toEqual([
    "By tokenizer_config.json a prompt gets nothing in front and '<eos>' behind; Gemma's own get '<bos>' in front alone. A generation goes on from behind that.",
  ]);
  // Gemma's turns have their bos all the same, and one answer is one token.
  using talk = other.chat();
  for await (const _ of talk.say('Hi', { maxTokens: 1 }));
  using same = session.chat();
  for await (const _ of same.say('Hi', { maxTokens: 1 }));
  expect(talk.stats!.read).toBe(same.stats!.read);
  const found = await other.patching({
    clean: 'The capital of France is',
    corrupt: 'The capital of Italy is',
    answer: ' of',
    wrong: ' is',
    stages: 'layers.0.resid',
  });
  expect(found.tokens).toHaveLength(7);
});

test('what is no text where one is needed is refused in a sentence', async () => {
  using talk = session.chat({ system: 'S' });
  const loose = talk as unknown as { system: unknown; say(text: unknown): AsyncGenerator<unknown> };
  for (const odd of [5, null, undefined, ['a'], {}]) {
    await expect(loose.say(odd).next()).rejects.toThrow(/A turn is a text/);
    expect(() => {
      loose.system = odd;
    }).toThrow(/The system text must be a text/);
  }
  expect(talk.system).toBe('S');
  expect(() => session.chat({ template: 5 as unknown as string })).toThrow(/The template must be a text/);
  expect(() => session.chat({ system: ['x'] as unknown as string })).toThrow(/The system text must be a text/);
});

test('a saved conversation keeps all of its turns, or is refused with the turn named', () => {
  const path = join(folder, 'talk.json');
  const settings = { temperature: 0, top_k: 0, top_p: 1, seed: 0, max_tokens: 8 };
  const messages = [
    user([{ type: 'text', text: 'One' }]),
    { role: 'tool', content: '42', name: 'look' } as ChatMessage,
  ];
  using talk = session.chat({ template: LIKE_A_LOG, messages, system: 'S' });
  const chat: Chat = { conversation: talk, settings, tap: null };
  runCommand(chat, `/save ${path}`);
  talk.reset();
  talk.system = '';
  runCommand(chat, `/load ${path}`);
  expect([talk.system, talk.messages]).toEqual(['S', messages]);
  // The system text may stand in the list, as other programs write it.
  const written = (change: object) =>
    writeFileSync(
      path,
      JSON.stringify({ loupe_conversation: 1, model: 'm', system: '', settings, messages, ...change }),
    );
  written({ messages: [{ role: 'system', content: 'In the list' }, user('Hi')] });
  runCommand(chat, `/load ${path}`);
  expect([talk.system, talk.messages]).toEqual(['In the list', [user('Hi')]]);
  for (const [broken, message] of [
    [
      [user('Hi'), { role: 'assistant', content: [{ type: 'image' }] }],
      /Turn 2 \(assistant\) .* a part of type "image"/,
    ],
    [[{ content: 'x' }], /Turn 1 of the conversation has no role/],
    [[user(null)], /turn 1 has no content/],
    [[{ role: 'assistant', content: 'x' }], /turn 1 is the assistant's/],
    [['x'], /Turn 1 of the conversation is no message/],
  ] as const) {
    written({ messages: broken });
    expect(() => runCommand(chat, `/load ${path}`)).toThrow(message);
    expect(() => runCommand(chat, `/load ${path}`)).toThrow(/is no conversation of Loupe: .*Give a file/);
  }
  written({ messages: [user(7)] }); // which the template refuses
  expect(() => runCommand(chat, `/load ${path}`)).toThrow(`${path} cannot be gone on with: `);
  expect(talk.messages).toEqual([user('Hi')]);
});

const write = (at: string, files: Record<string, unknown>) => {
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(at, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
};
function atlasWith(name: string, files: Record<string, unknown>): string {
  const at = join(folder, name);
  rmSync(at, { recursive: true, force: true });
  mkdirSync(join(at, 'additional_chat_templates'), { recursive: true });
  for (const file of ['config.json', 'model.safetensors', 'tokenizer.model'])
    cpSync(join(packageRoot(), 'golden/atlas', file), join(at, file));
  write(at, files);
  return at;
}

test('which template of a folder is taken, as transformers looks for it', async () => {
  const found = async (files: Record<string, unknown>) => {
    const opened = await openModelFiles(atlasWith('templates', files));
    await opened.close();
    return [opened.chatTemplate, opened.chat.templateFrom ?? opened.chat.templateProblem];
  };
  const extra = { 'additional_chat_templates/tool_use.jinja': 'TOOL' };
  const listed = (...names: string[]) => ({ chat_template: names.map(name => ({ name, template: name })) });
  expect(await found({ 'chat_template.json': { chat_template: 'J' } })).toEqual(['J', 'chat_template.json']);
  expect(
    await found({ 'chat_template.json': { chat_template: 'J' }, 'tokenizer_config.json': { chat_template: 'C' } }),
  ).toEqual(['C', 'tokenizer_config.json']);
  expect(await found({ ...extra, 'chat_template.jinja': 'D' })).toEqual(['D', 'chat_template.jinja']);
  expect(await found({ 'tokenizer_config.json': listed('tool_use', 'default') })).toEqual([
    'default',
    'tokenizer_config.json',
  ]);
  const problem = /has the chat templates .* and none called default, so none is taken/;
  expect(await found({ 'tokenizer_config.json': listed('rag', 'tool_use') })).toEqual([
    null,
    expect.stringMatching(problem),
  ]);
  expect(await found({ ...extra, 'tokenizer_config.json': { chat_template: 'C' } })).toEqual([
    null,
    expect.stringMatching(problem),
  ]);
  expect(await found({ 'tokenizer_config.json': { chat_template: 5 } })).toEqual([
    null,
    expect.stringMatching(/neither a text nor a list/),
  ]);
  expect(await found({})).toEqual([null, null]);
});

test('a model whose templates have no default says so when it is to chat; its other texts are the template’s', async () => {
  const config = {
    chat_template: [{ name: 'rag', template: 'R' }],
    eos_token: '<end_of_turn>',
    bos_token: { content: '<bos>' },
  };
  using other = await open(atlasWith('named', { 'tokenizer_config.json': config }), { quiet: true });
  expect(() => other.chat()).toThrow(/has the chat templates 'rag' .* Give one with --chat-template FILE/);
  using talk = other.chat({ template: '{{ bos_token }}{{ eos_token }}{{ pad_token }}{{ messages[0].content }}' });
  for await (const _ of talk.say('Hi', { maxTokens: 1 }));
  // bos, the end of a turn, the pad and two pieces of the text; transformers 5.23 gives these ids.
  expect(talk.stats!.read).toBe(5);
});

test('generation_config.json’s values are a chat’s defaults, and /set says where each is from', async () => {
  const config = { do_sample: true, temperature: 0.6, top_k: 40, top_p: 'high' };
  using other = await open(atlasWith('generation', { 'generation_config.json': config }), { quiet: true });
  expect(other.chatFiles!.sampling).toEqual({ temperature: 0.6, topK: 40 });
  expect(other.notices).toEqual([
    expect.stringMatching(/generation_config.json has top_p = "high", and a number above 0/),
  ]);
  using talk = other.chat();
  const chat: Chat = { conversation: talk, ...chosen({ top_k: 5 }, null, other.chatFiles!.sampling, 3), tap: null };
  expect(runCommand(chat, '/set')).toBe(
    'temperature 0.6, top_k 5, top_p 0.95, seed 3, max_tokens 0\n' +
      '(temperature: generation_config.json; top_k: command line; top_p, seed, max_tokens: default)',
  );
  expect(runCommand(chat, '/set temperature 0.1')).toMatch(
    /^temperature 0.1, .*\n\(temperature: \/set; top_k: command line;/,
  );
  const path = join(folder, 'saved.json');
  runCommand(chat, `/save ${path}`);
  runCommand(chat, `/load ${path}`);
  expect(runCommand(chat, '/set')).toContain(`max_tokens: ${path})`);
});

test.each([
  [{ do_sample: false, temperature: 0.7 }, { temperature: 0 }, 0],
  [{ temperature: 0, top_k: 0, top_p: 1 }, { temperature: 0, topK: 0, topP: 1 }, 0],
  [{ temperature: null, top_k: null }, {}, 0],
  [{ temperature: -1, top_k: 2.5, top_p: 0, do_sample: 'no' }, {}, 4],
  [{ temperature: '0.7', top_k: [1], top_p: {} }, {}, 3],
])('generation_config.json %o', async (config, sampling, notices) => {
  const opened = await openModelFiles(atlasWith('values', { 'generation_config.json': config }));
  await opened.close();
  expect(opened.chat.sampling).toEqual(sampling);
  expect(opened.chat.notices).toHaveLength(notices);
});
