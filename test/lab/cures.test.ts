// What a sentence proposes can be done, and what a command is asked for can be had: a longer context where there is none, plans and benches of what
// the model does not read, chats that nothing can be said in, reasons that were not given.

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { orLonger } from '../../engine/longer-context.js';
import { PeerError } from '../../lab/bench/peer.js';
import { startPeer } from '../../lab/bench/process.js';
import { type Chat, runCommand } from '../../lab/chat/commands.js';
import { open } from '../../lab/index.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
const loupe = join(packageRoot(), 'dist/lab/cli/loupe.js');
const LONGER = 'or open the model with a longer context, up to 1024: { context }, or --context in a terminal';

const mistakes: readonly (readonly [string, string[], RegExp])[] = [
  [
    'a plan of more tokens than the model reads',
    ['plan', '--tokens', '1025'],
    /--tokens 1025 are more than this model was made for: 1024\. Give 1024 or fewer/,
  ],
  ['a plan of more keys', ['plan', '--keys', '1025'], /--keys 1025 are more than this model was made for: 1024/],
  ['both', ['plan', '--tokens', '2000', '--keys', '2000'], /--tokens 2000 are more than/],
  [
    'none and some together',
    ['bench', '--batch', '0,1'],
    /--batch 0 is for none, and 1 stands beside it\. Leave the 0 out/,
  ],
  ['some and none together', ['bench', '--batch', '4,1,0'], /--batch 0 is for none, and 1,4 stands beside it/],
  [
    'a reference that ends without a word',
    ['parity', '--python', '/bin/false'],
    /could not run golden\/parity\.py: it ended with 1, without a word\. See/,
  ],
  [
    'a reference that is no program',
    ['parity', '--python', folder],
    /could not run golden\/parity\.py: it cannot be started \(EACCES\)\. See/,
  ],
  [
    'a reference that a signal ends',
    ['parity', '--python', program('killed', 'kill -9 $$')],
    /parity\.py: SIGKILL ended it, without a word\. See/,
  ],
  [
    'a reference that says why',
    ['parity', '--python', program('speaks', 'echo No torch. >&2; exit 3')],
    /parity\.py: No torch\. See/,
  ],
  [
    'a conversation longer than the context',
    ['chat', '--load', saved('long.json', Array(1200).fill('word ').join('')), 'hi'],
    /the context holds 1024\. Begin a new one\.$/m,
  ],
  [
    'the same where there is a longer one',
    ['chat', '--context', '64', '--load', saved('long.json', Array(1200).fill('word ').join('')), 'hi'],
    new RegExp(`the context holds 64\\. Begin a new one, ${LONGER}\\.`),
  ],
  [
    'a chat that ends with the user',
    ['chat', '--load', saved('open.json', 'a', null), 'hi'],
    /open\.json ends with a turn of the user's that was not answered \(turn 1\), and this model's template takes no other behind it\. Write its answer/,
  ],
];
test.each(mistakes)('%s', async (_, words, sentence) => {
  // A chat waits for what is piped in.
  const own = () => spawnSync(process.execPath, [loupe, ...words], { encoding: 'utf8', input: '' });
  const { status, stdout, stderr } = words[0] === 'chat' ? own() : await command(...words);
  expect(stderr).toMatch(sentence);
  expect([status, stdout]).toEqual([2, '']);
});

test('a plan of all that the model reads', async () => {
  for (const words of [
    ['--tokens', '1024'],
    ['--keys', '1024'],
    ['--tokens', '1', '--keys', '1024'],
  ])
    expect((await command('plan', ...words)).status).toBe(0);
});

test.each(['Loading…', 'null', '5', '{'])('a peer that answers with %s', async answer => {
  const started = startPeer('torch', program('peer', `echo '${answer}'; cat`), [], 'Install it.');
  await expect(started).rejects.toThrow(`torch says '${answer}', which is no answer. Install it.`);
  await expect(started).rejects.toBeInstanceOf(PeerError);
});

test('a longer context is a cure where there is one', () => {
  expect([orLonger(1024, 1024), orLonger(1023, 1024)]).toEqual(['', `, ${LONGER}`]);
});

describe('in a session', async () => {
  const copy = freshFolder(); // the same model a second time takes the first one's place
  cpSync(join(packageRoot(), 'golden/atlas'), copy, { recursive: true });
  const [whole, small] = [await open('atlas'), await open(copy, { context: 16 })];
  afterAll(() => {
    whole[Symbol.dispose]();
    small[Symbol.dispose]();
  });
  const said = async (work: () => Promise<unknown>) =>
    (
      await work().then(
        () => expect.fail('taken'),
        error => error as Error,
      )
    ).message;
  const ids = (n: number) => Array(n).fill(5);

  test.each(['run', 'generate', 'several', 'runs'])('%s of too many tokens', async how => {
    for (const [model, longest] of [
      [whole, 1024],
      [small, 16],
    ] as const) {
      const tokens = how === 'run' || how === 'runs' ? longest + 1 : longest;
      const sentence = await said(async () => {
        if (how === 'run') await model.run(ids(tokens));
        else if (how === 'runs') for await (const _ of model.runs([ids(tokens)]));
        else if (how === 'several') await model.generate([ids(tokens), ids(2)], { maxTokens: 1 });
        else for await (const _ of model.generate(ids(tokens), { maxTokens: 1 }));
      });
      expect([how, longest, sentence.includes(LONGER)]).toEqual([how, longest, longest === 16]);
      expect(sentence.includes('longer context')).toBe(longest === 16);
      expect(sentence).toMatch(/Shorten (it|the prompt)(,.*)?\.$/);
    }
  });

  const settings = { temperature: 0, top_k: 1, top_p: 1, seed: 1, max_tokens: 1 };
  test.each([
    [{ temperature: -1 }, 'temperature must be a number from 0, not -1'],
    [{ top_k: 1.5 }, 'top_k must be a whole number from 0, not 1.5'],
    [{ top_p: 2 }, 'top_p must be above 0 and at most 1, not 2'],
    [{ seed: 0.5 }, 'seed must be a whole number, not 0.5'],
    [{ max_tokens: -1 }, 'max_tokens must be a whole number from 0, not -1'],
  ])('/load of a file with the setting %j, and /set', (set, clause) => {
    using conversation = whole.chat();
    const chat: Chat = { conversation, settings, tap: null };
    const path = join(folder, 'set.json');
    writeFileSync(path, JSON.stringify({ loupe_conversation: 1, settings: { ...settings, ...set }, messages: [] }));
    expect(() => runCommand(chat, `/load ${path}`)).toThrow(
      `${path} is no conversation of Loupe: ${clause}. Give a file that /save wrote.`,
    );
    writeFileSync(path, JSON.stringify({ loupe_conversation: 1, settings }));
    expect(() => runCommand(chat, `/load ${path}`)).toThrow(`${path} is no conversation of Loupe: it has no messages.`);
    const [[name, value]] = Object.entries(set);
    expect(() => runCommand(chat, `/set ${name} ${value}`)).toThrow(clause);
  });

  test('/load of a chat that ends with the user leaves the conversation as it was, unless the template hears two in a row', () => {
    const before = [
      { role: 'user', content: 'before' },
      { role: 'assistant', content: 'b' },
    ];
    const path = saved('ends.json', 'a', null);
    const strict: Chat = { conversation: whole.chat({ messages: before, system: 'S' }), settings, tap: null };
    expect(() => runCommand(strict, `/load ${path}`)).toThrow(
      /ends with a turn of the user's that was not answered \(turn 1\)/,
    );
    expect([strict.conversation.messages, strict.conversation.system, strict.settings]).toEqual([
      before,
      'S',
      settings,
    ]);
    const template = "{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}";
    const loose: Chat = { conversation: whole.chat({ messages: before, template }), settings, tap: null };
    expect(runCommand(loose, `/load ${path}`)).toMatch(/^1 turn of a conversation with no model that the file names; /);
    expect(loose.conversation.messages).toEqual([{ role: 'user', content: 'a' }]);
    strict.conversation[Symbol.dispose]();
    loose.conversation[Symbol.dispose]();
  });
});

function program(name: string, script: string): string {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
  return join(folder, name);
}

function saved(name: string, question: string, answer: string | null = 'b'): string {
  const messages = [
    { role: 'user', content: question },
    ...(answer === null ? [] : [{ role: 'assistant', content: answer }]),
  ];
  const settings = { temperature: 0, top_k: 1, top_p: 1, seed: 1, max_tokens: 1 };
  writeFileSync(join(folder, name), JSON.stringify({ loupe_conversation: 1, settings, messages }));
  return join(folder, name);
}
