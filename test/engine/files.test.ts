// What stands in the place of a file: a pipe, a device, a folder, nothing, far too much. Every reader refuses it in words, at once.

import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  GoldenError,
  LoupeError,
  ModelFileError,
  OptionError,
  TokenizerError,
} from '../../engine/errors.js';
import { contentsStamp, openFile, readLines, readWhole } from '../../engine/files.js';
import { openTokenizerFile } from '../../engine/tokenizer/open.js';
import { openGguf } from '../../engine/weights/gguf.js';
import { openModelFiles } from '../../engine/weights/open.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { readJson } from '../../engine/weights/text-files.js';
import { load } from '../../lab/chat/file.js';
import { tokenizeCommand } from '../../lab/cli/tokenize.js';
import { checkTokens } from '../../lab/parity/tokens.js';
import { golden } from '../../lab/values/golden.js';
import { readConnection } from '../../lab/kernel/connection.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();
const tiny = await writeTiny(join(folder, 'tiny'));
const atlas = join(import.meta.dirname, '../../golden/atlas/tokenizer.model');
const run = (...args: string[]) => tokenizeCommand().parseAsync(['--tokenizer', atlas, ...args], { from: 'user' });

/** Opens the model with `path` in the place of one of its files. */
async function inModel(name: string, path: string): Promise<unknown> {
  const at = join(folder, `with-${name}`);
  rmSync(at, { recursive: true, force: true });
  await writeTiny(at);
  rmSync(join(at, name), { force: true });
  if (name === 'model.safetensors.index.json') rmSync(join(at, 'model.safetensors'));
  symlinkSync(path, join(at, name));
  const files = await openModelFiles(at);
  try {
    return files.vocabulary?.kind !== undefined && 'path' in files.vocabulary
      ? await openTokenizerFile(files.vocabulary.path)
      : files;
  } finally {
    await files.close();
  }
}

const READERS: [string, new (text: string) => LoupeError, (path: string) => unknown][] = [
  ['a safetensors file', ModelFileError, openSafetensors],
  ['a GGUF', ModelFileError, openGguf],
  ['a tokenizer', ModelFileError, openTokenizerFile],
  ['config.json', ConfigError, path => inModel('config.json', path)],
  ['generation_config.json', ConfigError, path => inModel('generation_config.json', path)],
  ['tokenizer_config.json', ConfigError, path => inModel('tokenizer_config.json', path)],
  ['chat_template.jinja', TokenizerError, path => inModel('chat_template.jinja', path)],
  ['the index', ConfigError, path => inModel('model.safetensors.index.json', path)],
  ['model.safetensors', ModelFileError, path => inModel('model.safetensors', path)],
  ['tokenizer.json', ModelFileError, path => inModel('tokenizer.json', path)],
  ['tokenizer.model', ModelFileError, path => inModel('tokenizer.model', path)],
  ['a golden', ModelFileError, golden],
  ['a saved chat', OptionError, load],
  ['--file', TokenizerError, path => run('--file', path)],
  ['--jsonl', TokenizerError, path => run('--jsonl', path)],
  ['--check', GoldenError, path => run('--check', path)],
  ['a connection file', LoupeError, readConnection],
];

const fifo = join(folder, 'fifo');
execFileSync('mkfifo', [fifo]);

describe.each(READERS)('%s', (_, type, read) => {
  test.each([
    ['a pipe that nobody writes to', fifo, /it is a pipe, and a file is needed/],
    ['a device without an end', '/dev/zero', /it is a device, and a file is needed/],
    ['a folder', tiny, /it is a folder, and a file is needed/],
  ])('that is %s is refused', { timeout: 20_000 }, async (_kind, path, message) => {
    const found = await Promise.resolve()
      .then(() => read(path))
      .catch((error: Error) => error);
    expect(found).toBeInstanceOf(type);
    expect((found as Error).message).toMatch(message);
  });
});

test.each([
  ['config.json', ConfigError],
  ['generation_config.json', ConfigError],
  ['tokenizer_config.json', ConfigError],
  ['model.safetensors.index.json', ConfigError],
  ['chat_template.jinja', TokenizerError],
  ['tokenizer.json', TokenizerError],
  ['tokenizer.model', TokenizerError],
] as const)('%s of 3 GB is refused before it is read', async (name, type) => {
  const path = join(folder, name === 'tokenizer.json' ? 'huge.json' : 'huge');
  writeFileSync(path, '');
  truncateSync(path, 3e9);
  const found = (await inModel(name, path).catch(error => error)) as Error;
  expect(found).toBeInstanceOf(type);
  expect(found.message).toMatch(/3000000000 bytes/);
});

test.each([
  ['a list', '[]', /it is not a JSON object/],
  ['null', 'null', /it is not a JSON object/],
  ['a text', '"a"', /it is not a JSON object/],
  ['half of JSON', '{"a":', /is not JSON \(/],
  ['nothing', '', /is not JSON \(/],
  ['deep nesting', `{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, /more than 100 brackets within each other/],
])('a configuration that is %s is refused', (_, text, message) => {
  const path = join(folder, 'some.json');
  writeFileSync(path, text);
  expect(() => readJson(path)).toThrow(message);
  expect(() => readJson(path)).toThrow(ConfigError);
});

test.each([
  ['a list', ['a.safetensors']],
  ['a text', 'a.safetensors'],
  ['null', null],
  ['an object of objects', { a: { toString: 1 } }],
  ['an object of lists', { a: ['a.safetensors'] }],
])('an index whose weight_map is %s is refused', async (_, map) => {
  const path = join(folder, 'index.json');
  writeFileSync(path, JSON.stringify({ weight_map: map }));
  const found = (await inModel('model.safetensors.index.json', path).catch(error => error)) as Error;
  expect(found).toBeInstanceOf(ModelFileError);
  expect(found.message).toMatch(/has no 'weight_map' that gives each tensor the name of a file/);
});

test('a name with a zero byte, a loop of links, a file as a folder: words, not a system error', async () => {
  symlinkSync('loop', join(folder, 'loop'));
  for (const path of ['a\0b', join(folder, 'loop'), join(tiny, 'config.json', 'x')]) {
    await expect(openFile(path)).rejects.toThrow(ModelFileError);
    expect(() => load(path)).toThrow(OptionError);
  }
});

test('lines come one by one, with either ending; one without an end is refused', async () => {
  const path = join(folder, 'lines');
  const fault = (what: string) => new GoldenError(what);
  const long = 'x'.repeat(200_000);
  writeFileSync(path, `a\r\n\nb\n${long}\nlast ü`);
  const lines: string[] = [];
  for await (const line of readLines(path, fault)) lines.push(line);
  expect(lines).toEqual(['a', '', 'b', long, 'last ü']);
  await expect(async () => {
    for await (const _ of readLines(path, fault, 100_000));
  }).rejects.toThrow(/it has a line of more than 100000 bytes/);
  writeFileSync(path, 'a\n');
  const two: string[] = [];
  for await (const line of readLines(path, fault)) two.push(line);
  expect(two).toEqual(['a']);
});

test('cases of a tokenizer that are none are refused by their line', async () => {
  const tokenizer = await openTokenizerFile(atlas);
  const path = join(folder, 'cases.jsonl');
  for (const line of ['null', '7', '{}', '{"text":"a","ids":["x"],"back":""}', '{"text":"a","ids":[1],"back":null}']) {
    writeFileSync(path, `{"text":"a","ids":[],"back":""}\n${line}\n`);
    await expect(checkTokens(tokenizer, path, 'sentencepiece')).rejects.toThrow(/cases\.jsonl, line 2 is no case/);
  }
  writeFileSync(path, '{"text":"a","ids":[],"back":"","hf_bakc":"b"}\n');
  await expect(checkTokens(tokenizer, path, 'sentencepiece')).rejects.toThrow(
    /cases\.jsonl, line 1 has the key 'hf_bakc', of which nothing is read\. A case has text, ids, back, hf, hf_back; take it out\./,
  );
});

test('the bytes of a file come whole', () => {
  const path = join(folder, 'bytes');
  writeFileSync(path, Uint8Array.of(0, 255, 10));
  const fault = (what: string) => new OptionError(what);
  expect([...readWhole(path, 3, fault)]).toEqual([0, 255, 10]);
  expect(() => readWhole(path, 2, fault)).toThrow(/^it has 3 bytes, and at most 2 are read$/);
});

// Not in read-files.test.ts: a thread may not change its user, and npm run mutate runs the tests there in one.
test('a file that may not be read, by another than root, whom nothing is refused', () => {
  const fault = (what: string) => new OptionError(what);
  const closed = join(folder, 'closed');
  writeFileSync(closed, 'x');
  chmodSync(closed, 0);
  chmodSync(folder, 0o755);
  const own = process.geteuid?.();
  process.seteuid?.(own === 0 ? 65534 : own!);
  try {
    expect(() => readWhole(closed, 9, fault)).toThrow(new OptionError('you may not read it'));
  } finally {
    process.seteuid?.(own!);
  }
});

test('a pointer of Git LFS in the place of any file is told as one', async () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 99\n`;
  const told = /is a pointer of Git LFS and not the file itself, which `git lfs pull` or `loupe pull` fetches/;
  const at = (name: string) => {
    writeFileSync(join(folder, name), pointer);
    return join(folder, name);
  };
  await expect(openFile(at('model.safetensors'))).rejects.toThrow(told);
  await expect(openSafetensors(at('golden.safetensors'))).rejects.toThrow(told);
  await expect(openTokenizerFile(at('tokenizer.model'))).rejects.toThrow(told);
  expect(() => readWhole(at('tokenizer.json'), 1000, what => new Error(what))).toThrow(told);
  const text = at('about.txt');
  writeFileSync(text, `${pointer}${'x'.repeat(1000)}`);
  expect(readWhole(text, 2000, what => new Error(what)).length).toBeGreaterThan(1000);
});

test('a file that is taken away while it is opened has a stamp all the same, and another than it had', () => {
  const path = join(freshFolder(), 'a');
  writeFileSync(path, 'x');
  const before = contentsStamp(path);
  rmSync(path);
  expect([contentsStamp(path), contentsStamp(path) === before]).toEqual(['ENOENT', false]);
});
