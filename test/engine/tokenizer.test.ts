// atlas' vocabulary against Python's sentencepiece (golden/atlas/tokens.jsonl); the real one is in test/slow.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { openTokenizerFile } from '../../engine/tokenizer/open.js';
import { vocabularyFromModel } from '../../engine/tokenizer/sentencepiece-model.js';

const path = join(packageRoot(), 'golden/atlas/tokenizer.model');
const tokenizer = await openTokenizerFile(path);
const cases = readFileSync(join(packageRoot(), 'golden/atlas/tokens.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as { text: string; ids: number[]; back: string });

test('1500 strings of 30 scripts, code, emoji, control characters and random bytes', () => {
  for (const { text, ids, back } of cases) {
    expect({ text, ids: tokenizer.encode(text) }).toEqual({ text, ids });
    expect({ text, back: tokenizer.decode(ids) }).toEqual({ text, back });
  }
  expect(cases).toHaveLength(1500);
});

test('a stream gives the same text as decoding at once, and never half a character', () => {
  for (const { ids, back } of cases) {
    const stream = tokenizer.stream();
    const parts = ids.map(id => stream.push(id));
    expect(parts.join('') + stream.end()).toBe(back);
  }
  const stream = tokenizer.stream();
  const bytes = tokenizer.encode('👍');
  expect(bytes).toHaveLength(4);
  expect(bytes.map(id => stream.push(id))).toEqual(['', '', '', '👍']);
});

test('bos only when asked for; lone surrogates become U+FFFD; a megabyte of one letter ends', () => {
  expect(tokenizer.encode('a', { bos: true })[0]).toBe(2);
  expect(tokenizer.encode('a')[0]).not.toBe(2);
  expect(tokenizer.encode('a\ud800b')).toEqual(tokenizer.encode('a\ufffdb'));
  expect(tokenizer.decode(tokenizer.encode('a'.repeat(1_000_000)))).toHaveLength(1_000_000);
});

test('broken files and ids are refused in one sentence', () => {
  const bytes = new Uint8Array(readFileSync(path));
  expect(() => vocabularyFromModel(bytes.subarray(0, 5000), 'm')).toThrow(
    /m is not a sound SentencePiece model|has no pieces/,
  );
  expect(() => vocabularyFromModel(new Uint8Array(), 'm')).toThrow(/it has no pieces/);
  expect(() => vocabularyFromModel(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0x7f), 'm')).toThrow(
    /claims \d+ bytes where 0 are left/,
  );
  expect(() => tokenizer.decode([512])).toThrow(/Token id 512 is not in the vocabulary; ids go from 0 to 511/);
});
