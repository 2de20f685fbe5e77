// Whatever Loupe reads as a text: bytes that are not UTF-8 are refused with the line, and a byte order mark in front is no character of it. With U+FFFD in
// their place there was another text, of which a perplexity was told.

import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LoupeError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { compileFile } from '../../lab/kernel/local-file.js';
import { readConnection } from '../../lab/kernel/connection.js';
import { prompts } from '../../lab/values/prompt-file.js';
import { readNames } from '../../lab/values/trace-names.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
const at = (name: string) => join(folder, name);
const program = join(packageRoot(), 'dist/lab/cli/loupe.js');
const NOT = /line 2 is not UTF-8, and what stood there would be another text/;
const MARK = Buffer.from('\ufeff');

/** A model folder, in which one file is another. */
const modelWith = (name: string, contents: Buffer) => {
  const model = freshFolder();
  cpSync(join(packageRoot(), 'golden/atlas'), model, { recursive: true });
  writeFileSync(join(model, name), contents);
  return model;
};
const bad = (text: string) => Buffer.from(text.replace('é', '\xe9'), 'latin1');
const config = readFileSync(join(packageRoot(), 'golden/atlas/config.json'), 'utf8');

const chat = JSON.stringify({
  loupe_conversation: 1,
  settings: { temperature: 0, top_k: 1, top_p: 1, seed: 1, max_tokens: 1 },
  messages: [
    { role: 'user', content: 'é' },
    { role: 'assistant', content: 'b' },
  ],
});
/** Files by name, whose second line has an é, and what reads them; the last of the words is the file. */
const READ: readonly (readonly [string, string, ...string[]])[] = [
  ['text.txt', 'The capital\nof é', 'perplexity', '-t'],
  ['ids.txt', '2,3\n,é', 'tokenize', '--decode', '--file'],
  ['text.txt', 'The capital\nof é', 'tokenize', '--file'],
  ['lines.jsonl', '"The capital"\n"of é"', 'tokenize', '--jsonl'],
  [
    'cases.jsonl',
    '{"text":"The","ids":[463],"back":"The"}\n{"text":"é","ids":[463],"back":"The"}',
    'tokenize',
    '--check',
  ],
  ['prompts.txt', 'The capital\nof é', 'generate', '-n', '1', '--prompts'],
  ['prompts.jsonl', '"The capital"\n"of é"', 'generate', '-n', '1', '--prompts'],
  ['prompts.txt', 'The capital\nof é', 'trace', '--out', at('o.parquet'), '--tap', 'final_norm', '--prompts'],
  ['chat.json', `\n${chat}`, 'chat', 'hi', '--load'],
  ['chat.jinja', '{{ bos_token }}\né', 'chat', 'hi', '--chat-template'],
];
for (const [name, text, ...words] of READ)
  test(`${words[0]} ${words.at(-1)} ${name}`, async () => {
    const path = at(name);
    writeFileSync(path, bad(text));
    const { status, stdout, stderr } = await command(...words, path);
    expect(stderr).toMatch(NOT);
    expect(stderr).toContain(name);
    expect([status, stdout]).toEqual([2, words.includes('--jsonl') ? '[274,280]\n' : '']); // a line at a time
  });

test('what is piped into a chat', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'chat'], {
    input: bad('The capital\nof é'),
  });
  expect(stderr.toString()).toMatch(/What is piped in cannot be read: its line 2 is not UTF-8/);
  expect([status, stdout.toString()]).toEqual([2, '']);
});

test.runIf(process.platform === 'linux')('what is typed', () => {
  // A shell hands over bytes; Node's own spawn has texts alone.
  const typed = (octal: string) =>
    spawnSync('sh', ['-c', `exec "$0" "$1" tokenize "$(printf 'a${octal}')"`, process.execPath, program]);
  const { status, stdout, stderr } = typed('\\351');
  expect(stderr.toString()).toMatch(
    /^loupe: 'a\ufffd' is not UTF-8 as it was typed, and would be read as another text\./,
  );
  expect([status, stdout.toString()]).toEqual([2, '']);
  const meant = typed('\\357\\277\\275'); // U+FFFD itself
  expect([meant.status, meant.stderr.toString(), meant.stdout.toString()]).toEqual([0, '', '463,246,198,196\n']);
});

test('the files of a model', async () => {
  for (const [name, text] of [
    ['config.json', config.replace('\n', '\n"é": 1,')],
    ['generation_config.json', '{\n"é": 1}'],
    ['tokenizer_config.json', '{\n"é": 1}'],
    ['added_tokens.json', '{\n"é": 511}'],
    ['tokenizer.json', '{"model":\n{"type":"BPE","byte_fallback":true,"vocab":{"é":0},"merges":[]}}'],
    ['chat_template.jinja', '{{ bos_token }}\né'],
  ] as const) {
    const { stderr, stdout } = await command('info', '-m', modelWith(name, bad(text)));
    expect([name, stderr + stdout.replace(/\s+/g, ' ')]).toEqual([name, expect.stringMatching(/not UTF-8/)]);
  }
});

test('files that programs and cells name', async () => {
  writeFileSync(at('map.json'), bad('{\n"é": "final_norm"}'));
  expect(() => readNames(at('map.json'))).toThrow(NOT);
  writeFileSync(at('tools.ts'), bad('export const a = 1;\nexport const b = "é";'));
  expect(() => compileFile(at('tools.ts'), () => {})).toThrow(NOT);
  expect(() => compileFile(at('tools.ts'), () => {})).toThrow(LoupeError);
  writeFileSync(at('kernel.json'), bad('{\n"é": 1}'));
  expect(() => readConnection(at('kernel.json'))).toThrow(NOT);
  writeFileSync(at('p.txt'), bad('a\né'));
  const lines = prompts(at('p.txt'))[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('a');
  await expect(lines.next()).rejects.toThrow(NOT);
});

test('a byte order mark in front is no character, whatever reads the file', async () => {
  const both = async (name: string, text: string, ...words: string[]) => {
    const said = [];
    for (const mark of [Buffer.alloc(0), MARK]) {
      writeFileSync(at(name), Buffer.concat([mark, Buffer.from(text)]));
      // A chat waits for what is piped in.
      const piped = words[0] === 'chat';
      const own = () => spawnSync(process.execPath, [program, ...words, at(name)], { encoding: 'utf8', input: '' });
      said.push(piped ? own() : await command(...words, at(name)));
    }
    expect(said[0].status, said[0].stderr).toBe(0);
    expect([name, said[1].status, said[1].stdout]).toEqual([name, 0, said[0].stdout]);
    return said[1].stdout;
  };
  expect(await both('m.txt', 'The capital', 'tokenize', '--file')).toBe('274,280\n'); // with it in front 246,194,198,274,280
  expect(await both('m.jsonl', '"The capital"\n', 'tokenize', '--jsonl')).toBe('[274,280]\n');
  expect(await both('i.txt', '274,280', 'tokenize', '--decode', '--file')).toBe('The capital\n');
  await both('t.txt', 'The capital of France is Paris.', 'perplexity', '--json', '-t');
  await both('p.txt', 'The capital of', 'generate', '-n', '1', '--prompts');
  await both('c.json', chat, 'chat', 'hi', '--load');
  await both(
    'c.jinja',
    "{{ bos_token }}{{ messages[-1]['content'] }}",
    'chat',
    '--temperature',
    '0',
    '-n',
    '2',
    'hi',
    '--chat-template',
  );
  const names = Buffer.concat([MARK, Buffer.from('{ "l": "final_norm" }')]);
  writeFileSync(at('marked.json'), names);
  expect(readNames(at('marked.json')).ruleOf('l')?.stage).toBe('final_norm');
  const marked = modelWith('config.json', Buffer.concat([MARK, Buffer.from(config)]));
  expect((await command('info', '--json', '-m', marked)).status).toBe(0);
});
