// Files that would cost more than they weigh: each is refused by a bound. Without it they took from three seconds to a minute and a half, and up
// to 3 GB of memory; the limit on the time only tells these apart.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LoupeError } from '../../engine/errors.js';
import { openTokenizerFile } from '../../engine/tokenizer/open.js';
import { freshFolder } from '../fixtures/folder.js';
import { ggufOf, text, u32, u64 } from '../fixtures/gguf-bytes.js';
import { field, varint } from '../fixtures/protobuf.js';

const folder = freshFolder();
const list = (n: number, one: (i: number) => string) => Array.from({ length: n }, (_, i) => one(i)).join();
const json = (model: string, more = '') =>
  `{${more}"normalizer":{"type":"Replace","pattern":{"String":" "},"content":"▁"},"model":{"type":"BPE","byte_fallback":true,"unk_token":"<unk>",${model}}}`;
const unknown = field(1, Buffer.concat([field(1, Buffer.from('<unk>')), Buffer.from([0x18, 2])]));
const piece = field(1, field(1, Buffer.from('a')));
const array = (type: number, n: number, data: Buffer) => Buffer.concat([text('a'), u32(9), u32(type), u64(n), data]);

const CASES: [string, string, () => Buffer | string, RegExp][] = [
  [
    'an id of 2²⁴ in 189 bytes',
    'a.json',
    () => json('"vocab":{"a":16777215},"merges":[]'),
    /gives the piece 'a' the id 16777215, and ids up to 1048575/,
  ],
  [
    'an id of 2²⁰ − 1 for one piece',
    'a.json',
    () => json('"vocab":{"a":1048575},"merges":[]'),
    /has the id 1048575 in a vocabulary of 1 pieces, and ids up to 65551/,
  ],
  [
    'two million pieces',
    'a.json',
    () => json(`"vocab":{${list(2e6, i => `"${i}":${i}`)}},"merges":[]`),
    /ids up to 1048575 are read/,
  ],
  [
    'a piece two million times',
    'a.json',
    () => json(`"vocab":{${list(2e6, () => '"a":0')}},"merges":[]`),
    /ids up to 1048575 are read/,
  ],
  [
    'an added token far away',
    'a.json',
    () => json('"vocab":{"<unk>":0},"merges":[],"fuse_unk":true', '"added_tokens":[{"id":16777215,"content":"b"}],'),
    /the id 16777215/,
  ],
  [
    'three million merges',
    'a.json',
    () => json(`"vocab":{"a":0,"aa":1},"merges":[${list(3e6, () => '"a a"')}]`),
    /more than 2097152 merges/,
  ],
  [
    'thirty million lists beside',
    'a.json',
    () => json('"vocab":{"a":0},"merges":[]', `"x":[${'[],'.repeat(3e7)}[]],`),
    /characters beside its vocabulary and merges/,
  ],
  [
    'brackets within brackets',
    'a.json',
    () => `{"model":${'['.repeat(1e7)}`,
    /more than 100 brackets within each other/,
  ],
  [
    'thirty million empty pieces',
    'a.model',
    () => Buffer.alloc(6e7, Buffer.from([0x0a, 0])),
    /it has more than 1048576 pieces/,
  ],
  [
    'thirty million fields that nobody knows',
    'a.model',
    () => Buffer.alloc(6e7, Buffer.from([0x78, 0])),
    /it has more than 5242880 fields/,
  ],
  [
    'a unigram piece of 20 MB',
    'a.model',
    () => Buffer.concat([unknown, field(1, field(1, Buffer.alloc(2e7, 'ab')))]),
    /more than 2097152 beginnings/,
  ],
  ['100 MB of a model', 'a.model', () => Buffer.alloc(1e8), /far more than a vocabulary/],
  [
    'a GGUF array that claims 10⁸ values',
    'a.gguf',
    () => ggufOf([array(0, 1e8, Buffer.alloc(1e8))]),
    /it claims 100000000 values in the array 'a'/,
  ],
  [
    'GGUF arrays of five million values together',
    'a.gguf',
    () =>
      ggufOf(
        Array.from({ length: 5 }, (_, i) =>
          Buffer.concat([text(`k${i}`), u32(9), u32(0), u64(1e6), Buffer.alloc(1e6)]),
        ),
      ),
    /it claims 1000000 values in the array 'k4'/,
  ],
  [
    'a GGUF string of 10⁸ bytes',
    'a.gguf',
    () => ggufOf([Buffer.concat([text('a'), u32(8), u64(1e8), Buffer.alloc(1e8)])]),
    /a string claims 100000000 bytes, and 16777216 are read at most/,
  ],
  [
    'a GGUF header of 150 MB',
    'a.gguf',
    () =>
      ggufOf(
        Array.from({ length: 10 }, (_, i) => Buffer.concat([text(`k${i}`), u32(8), u64(15e6), Buffer.alloc(15e6)])),
      ),
    /its header has more than 134217728 bytes/,
  ],
  [
    'an empty GGUF array of an unknown type',
    'a.gguf',
    () => ggufOf([array(77, 0, Buffer.alloc(0))]),
    /the array 'a' holds values of the unknown type 77/,
  ],
];

test.each(CASES)('%s is refused', { timeout: 100_000 }, async (_, name, make, message) => {
  const path = join(folder, name);
  writeFileSync(path, make());
  const began = performance.now();
  const found = await openTokenizerFile(path).catch(error => error);
  expect(found).toBeInstanceOf(LoupeError);
  expect(found.message).toMatch(message);
  expect(performance.now() - began).toBeLessThan(15_000); // tenths of a second on an idle machine
});

test('fields of the training that a model lists by the million are passed over', { timeout: 60_000 }, async () => {
  const trained = Buffer.concat(Array.from({ length: 300_000 }, (_, i) => Buffer.from([...varint((i + 100) * 8), 0])));
  const path = join(folder, 'trained.model');
  writeFileSync(
    path,
    Buffer.concat([
      piece,
      field(1, Buffer.concat([field(1, Buffer.from('<unk>')), Buffer.from([0x18, 2])])),
      field(2, trained),
    ]),
  );
  expect((await openTokenizerFile(path)).size).toBe(2);
});

/** A double array whose only node leads back to itself by any byte, with the replacement at 0 as its value. */
const loop = (replacement: string) => {
  // The unit of a byte: it as the label, and as the offset, which leads back to the root.
  const trie = Buffer.from(Uint32Array.from({ length: 256 }, (_, i) => (i << 10) | i).buffer);
  return Buffer.concat([u32(trie.length), trie, Buffer.from(replacement)]);
};

test('a table of replacements that leads back into itself ends', { timeout: 60_000 }, async () => {
  const path = join(folder, 'loop.model');
  writeFileSync(path, Buffer.concat([piece, unknown, field(3, field(2, loop('x\0')))]));
  const tokenizer = await openTokenizerFile(path);
  const began = performance.now();
  tokenizer.encode('a'.repeat(200_000));
  expect(performance.now() - began).toBeLessThan(15_000);
});
