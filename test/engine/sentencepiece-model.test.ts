// Models that sentencepiece (0.2) refuses to load or loads, each asked of the package: Loupe does the same.

import { expect, test } from 'vitest';
import { TokenizerError } from '../../engine/errors.js';
import { PieceTokenizer } from '../../engine/tokenizer/piece-tokenizer.js';
import { vocabularyFromModel } from '../../engine/tokenizer/sentencepiece-model.js';
import { field } from '../fixtures/protobuf.js';

const number = (key: number, value: number) =>
  Buffer.from([...(key > 15 ? [((key * 8) & 127) | 128, key >> 4] : [key * 8]), value]);
const piece = (text: string | Buffer, kind = 1) =>
  field(1, Buffer.concat([field(1, Buffer.from(text)), number(3, kind)]));
const trainer = (fallback: number, kind = 2) => field(2, Buffer.concat([number(3, kind), number(35, fallback)]));
const bytes = (n: number) =>
  Buffer.concat(Array.from({ length: n }, (_, i) => piece(`<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`, 6)));
const unknown = piece('<unk>', 2);
const a = piece('a');

test.each<[string, Buffer[], number[]]>([
  ['a sound one', [unknown, a, piece('b'), trainer(0)], [0, 1, 2, 0]],
  ['without a specification of its training', [unknown, a], [0, 1, 0]],
  ['of the unknown piece alone', [unknown, trainer(0)], [0]],
  ['with bytes to fall back on', [unknown, bytes(256), a, trainer(1)], [227, 151, 130, 257, 99, 123]],
  ['whose piece is no UTF-8', [unknown, piece(Buffer.from([0xff])), a, trainer(0)], [0, 2, 0]],
])('%s is loaded', (_, parts, ids) => {
  const tokenizer = new PieceTokenizer(vocabularyFromModel(Buffer.concat(parts), 'm'));
  expect(tokenizer.encode('abz')).toEqual(ids);
});

test.each<[string, Buffer[], RegExp]>([
  ['without an unknown piece', [a, trainer(0)], /it has 0 unknown pieces, and one is needed/],
  ['with two unknown pieces', [unknown, piece('<u>', 2), a, trainer(0)], /it has 2 unknown pieces/],
  ['with an empty piece', [unknown, piece(''), a, trainer(0)], /piece 1 is empty/],
  ['with a piece twice', [unknown, a, a, trainer(0)], /piece 2, "a", is there twice/],
  ['with a piece of two kinds', [unknown, a, piece('a', 3), trainer(0)], /piece 2, "a", is there twice/],
  ['with a zero character', [unknown, piece('a\0b'), trainer(0)], /piece 1, "a\\u0000b", has a zero character in it/],
  ['that falls back on no bytes', [unknown, a, trainer(1)], /it falls back on bytes, and has 0 of 256/],
  ['that falls back on 255 bytes', [unknown, bytes(255), a, trainer(1)], /has 255 of 256/],
  [
    'with bytes it does not fall back on',
    [unknown, bytes(256), a, trainer(0)],
    /is a byte, and the model does not fall back/,
  ],
  [
    'with a byte that is none',
    [unknown, bytes(256), piece('x', 6), trainer(1)],
    /piece 257, "x", is no byte, and says so/,
  ],
  ['with a field without a number', [unknown, a, trainer(0), Buffer.from([0, 0])], /starts a field without a number/],
])('%s is refused', (_, parts, message) => {
  expect(() => vocabularyFromModel(Buffer.concat(parts), 'm')).toThrow(message);
  expect(() => vocabularyFromModel(Buffer.concat(parts), 'm')).toThrow(TokenizerError);
});
