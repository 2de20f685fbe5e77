// atlas' vocabulary against Python's sentencepiece (golden/atlas/tokens.jsonl); the real one is in test/slow.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { uniform } from '../../engine/sample.js';
import { openTokenizerFile } from '../../engine/tokenizer/open.js';
import { vocabularyFromModel } from '../../engine/tokenizer/sentencepiece-model.js';
import { vocabularyFromJson } from '../../engine/tokenizer/tokenizer-json.js';
import { opened, vocabularies } from '../fixtures/vocabularies.js';

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
  for (const id of [-1, 1.5, Number.NaN]) {
    expect(() => tokenizer.decode([id])).toThrow(/is no token id; these are whole numbers from 0 to 511/);
  }
});

test('decoding what was encoded gives any text back, with Gemma’s rules', () => {
  const random = uniform(5);
  const pick = (n: number) => Math.floor(random() * n);
  const point = (): string => {
    const kind = pick(6);
    if (kind === 0) return ' ';
    if (kind === 1) return '\n';
    const code = kind === 2 ? pick(128) : kind === 3 ? pick(0x800) : kind === 4 ? pick(0x10000) : pick(0x110000);
    return code >= 0xd800 && code < 0xe000 ? '\ufffd' : String.fromCodePoint(code).replace('\u2581', '_');
  };
  const ours = vocabularies.filter(({ name }) => / as Gemma's$/.test(name)).map(opened);
  expect(ours).toHaveLength(3);
  for (let i = 0; i < 2000; i++) {
    const text = Array.from({ length: 1 + pick(40) }, point).join('');
    for (const one of ours) expect(one.decode(one.encode(text))).toBe(text);
  }
});

test('a tokenizer.json that lost any one byte is refused, or read as something else, but never a crash', () => {
  const listed = vocabularies.find(one => one.name === "tokenizer.json as Gemma's")!;
  const text = Buffer.from(listed.data, 'base64').toString();
  for (let at = 0; at < text.length; at += 997) {
    try {
      vocabularyFromJson(new TextEncoder().encode(text.slice(0, at) + text.slice(at + 1)), 'T');
    } catch (error) {
      expect((error as Error).name).toBe('TokenizerError');
    }
  }
});
