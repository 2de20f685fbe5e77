// A tokenizer from wherever a vocabulary lies: which reader a file gets by its name, what is too large, and that nothing stays open.

import { copyFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TokenizerError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { openTokenizer, openTokenizerFile } from '../../engine/tokenizer/open.js';
import { vocabularyIn } from '../../engine/weights/text-files.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeGguf } from '../fixtures/gguf.js';
import { openHandles } from '../fixtures/handles.js';
import { vocabularies } from '../fixtures/vocabularies.js';

const folder = freshFolder();
const atlas = join(packageRoot(), 'golden/atlas/tokenizer.model');
const json = Buffer.from(vocabularies.find(one => one.name === "tokenizer.json as Gemma's")!.data, 'base64');
const write = { model: (path: string) => copyFileSync(atlas, path), json: (path: string) => writeFileSync(path, json) };

test.each<[string, keyof typeof write, string]>([
  ['tokenizer.model', 'model', 'sentencepiece'],
  ['a.spm', 'model', 'sentencepiece'],
  ['no-ending', 'model', 'sentencepiece'],
  ['a.json.model', 'model', 'sentencepiece'],
  ['a.gguf.model', 'model', 'sentencepiece'],
  ['tokenizer.json', 'json', 'tokenizer.json'],
  ['A.JSON', 'json', 'tokenizer.json'],
])('%s is read as a %s', async (name, kind, source) => {
  const path = join(folder, name);
  write[kind](path);
  const before = openHandles();
  const tokenizer = await openTokenizerFile(path);
  expect([tokenizer.source, openHandles()]).toEqual([source, before]);
  const same = await openTokenizer({ kind: kind === 'json' ? 'tokenizer.json' : 'sentencepiece', path });
  expect([same.source, same.encode('the quick')]).toEqual([source, tokenizer.encode('the quick')]);
});

test.each(['a.gguf', 'A.GGUF'])('%s is read as a GGUF, and closed', async name => {
  const tokens = { 'tokenizer.ggml.model': 'llama', 'tokenizer.ggml.tokens': ['<unk>', '<s>', '</s>', 'a'] };
  const path = writeGguf(join(folder, name), tokens, []);
  const before = openHandles();
  await expect(openTokenizerFile(path)).rejects.toThrow(/The GGUF has no list 'tokenizer.ggml.(scores|token_type)'/);
  expect(openHandles()).toBe(before);
});

test('the metadata of a GGUF is a vocabulary, and so is a folder', async () => {
  const metadata = new Map<string, unknown>([
    ['tokenizer.ggml.model', 'llama'],
    ['tokenizer.ggml.tokens', ['<unk>', '<s>', '</s>', '▁a']],
    ['tokenizer.ggml.scores', [0, 0, 0, -1]],
    ['tokenizer.ggml.token_type', [2, 3, 3, 1]],
  ]);
  const tokenizer = await openTokenizer({ kind: 'gguf', metadata });
  expect([tokenizer.source, tokenizer.size, tokenizer.idOf('▁a')]).toEqual(['gguf', 4, 3]);
  const both = freshFolder();
  write.model(join(both, 'tokenizer.model'));
  writeFileSync(join(both, 'added_tokens.json'), '{"<THINK>": 512}');
  const found = await openTokenizer(vocabularyIn(both, 520)!);
  expect([found.source, found.idOf('<THINK>')]).toEqual(['sentencepiece', 512]);
  // The same file alone knows nothing of it.
  const alone = await openTokenizer({ kind: 'sentencepiece', path: join(both, 'tokenizer.model') });
  expect(alone.idOf('<THINK>')).toBeNull();
});

test('a fault in a vocabulary is told with its path', async () => {
  const path = join(folder, 'broken.json');
  const { model, ...rest } = JSON.parse(json.toString());
  writeFileSync(path, JSON.stringify({ ...rest, model: { ...model, merges: [['i', 's']] } }));
  expect((await openTokenizerFile(path)).encode('a')).toHaveLength(1);
  writeFileSync(path, JSON.stringify({ ...rest, model: { ...model, merges: [['i', 'i']] } }));
  const broken = await openTokenizerFile(path);
  expect(() => broken.encode('ii')).toThrow(`${path} makes 'ii' by a merge, and has no such piece.`);
});

const MB = 2 ** 20;
test.each<[string, number, RegExp]>([
  [
    'large.model',
    64 * MB + 1,
    /large.model has 67108865 bytes, far more than a vocabulary. Give a tokenizer.model, .spm, /,
  ],
  [
    'large.json',
    192 * MB + 1,
    /large.json has 201326593 bytes, far more than a vocabulary. Give a tokenizer.model, .spm, /,
  ],
  ['just.model', 64 * MB, /just.model is not a sound SentencePiece model/],
  ['just.json', 64 * MB + 1, /just.json is no tokenizer.json/],
])('%s of %i bytes', async (name, bytes, message) => {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, bytes);
  const before = openHandles();
  const fault = await openTokenizerFile(path).catch(error => error);
  expect(fault).toBeInstanceOf(TokenizerError);
  expect(fault.message).toMatch(message);
  expect(openHandles()).toBe(before);
});
