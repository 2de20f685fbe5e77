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

const wide = (key: number, value: bigint) => {
  const bytes = varint(key * 8);
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
};
const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]);
const fixed = (key: number, wire: 1 | 5, bytes: Buffer) => Buffer.concat([Buffer.from([key * 8 + wire]), bytes]);
const score = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return fixed(2, 5, bytes);
};
const text = (key: number, value: string) => {
  const bytes = Buffer.from(value);
  return Buffer.from([...varint(key * 8 + 2), ...varint(bytes.length), ...bytes]);
};
const scored = (name: string, value: number) => field(1, Buffer.concat([text(1, name), score(value)]));
const read = (...parts: Buffer[]) => vocabularyFromModel(Buffer.concat(parts), 'm');

test('pieces, scores and kinds are read whatever order their fields have and whatever stands between', () => {
  const odd = Buffer.concat([
    number(3, 4),
    score(-1.5),
    fixed(9, 1, Buffer.alloc(8)),
    text(7, 'no piece'),
    text(1, 'b'),
    wide(12, 1n << 40n),
  ]);
  const got = read(unknown, field(1, odd), scored('c', 0.25), wide(9, 7n), text(4, 'x'), trainer(0));
  expect(got.pieces).toEqual(['<unk>', 'b', 'c']);
  expect(Array.from(got.scores)).toEqual([0, -1.5, 0.25]);
  expect(got.kinds).toEqual(['unknown', 'user', 'normal']);
  expect([got.source, got.unkId, got.added]).toEqual(['sentencepiece', 0, null]);
});

test('what the file does not say is as sentencepiece has it', () => {
  const { bosId, eosId, unkSurface, algorithm, normalisation } = read(unknown, a);
  expect([bosId, eosId, unkSurface, algorithm]).toEqual([1, 2, ' \u2047 ', { kind: 'unigram' }]);
  expect(normalisation).toEqual({
    charsmap: null,
    dummyPrefix: true,
    collapseSpaces: true,
    escapeSpaces: true,
    spaceAsSuffix: false,
  });
});

test('what the file says is read', () => {
  const none = (1n << 64n) - 1n; // -1
  const train = Buffer.concat([number(3, 2), number(24, 1), wide(41, none), wide(42, 300n), text(44, '??')]);
  const first = read(unknown, a, field(2, train), field(3, Buffer.concat([text(2, 'map!'), number(3, 0)])));
  expect([first.bosId, first.eosId, first.unkSurface, first.algorithm]).toEqual([-1, 300, '??', { kind: 'bpe' }]);
  expect({ ...first.normalisation, charsmap: Buffer.from(first.normalisation.charsmap!).toString() }).toEqual({
    charsmap: 'map!',
    dummyPrefix: false,
    collapseSpaces: true,
    escapeSpaces: true,
    spaceAsSuffix: true,
  });
  const second = read(unknown, a, field(3, Buffer.concat([number(4, 0), number(5, 0)])));
  expect(second.normalisation).toMatchObject({ dummyPrefix: true, collapseSpaces: false, escapeSpaces: false });
  expect(read(unknown, a, field(2, wide(41, 0x7fffffffn))).bosId).toBe(0x7fffffff);
  // A text where a number is meant, and a number where a text is: as if they were not there.
  const odd = read(unknown, a, field(2, Buffer.concat([text(41, 'x'), number(44, 3)])), field(3, number(2, 1)));
  expect([odd.bosId, odd.unkSurface, odd.normalisation.charsmap]).toEqual([1, ' \u2047 ', null]);
});

test.each<[string, Buffer[], string]>([
  ['nothing', [], 'it has no pieces'],
  ['a type that is none', [unknown, piece('b', 7)], 'piece 1 has the type 7'],
  [
    'a score of three bytes',
    [unknown, field(1, Buffer.concat([text(1, 'b'), text(2, 'abc')]))],
    'a score is not four bytes long',
  ],
  ['half a number', [unknown, a, Buffer.from([0x48, 0x80])], 'it ends in the middle of a number'],
  [
    'a number without end',
    [unknown, a, Buffer.from([0x48, ...Array(10).fill(0x80), 1])],
    'a number has more than ten bytes',
  ],
  ['a group', [unknown, a, Buffer.from([0x4b])], 'starts a field of the unknown kind 3'],
  ['a long field', [unknown, a, Buffer.from([0x4a, 5, 1, 2])], 'a field claims 5 bytes where 2 are left'],
  ['a cut score', [unknown, Buffer.from([0x4d, 1, 2, 3])], 'a field claims 4 bytes where 3 are left'],
  ['half a double', [unknown, Buffer.from([0x49, 1, 2, 3])], 'a field claims 8 bytes where 3 are left'],
])('with %s: refused, and told why', (_, parts, why) => {
  const read = () => vocabularyFromModel(Buffer.concat(parts), 'm');
  expect(read).toThrow(/^m is not a sound SentencePiece model: .*\. Fetch it again\.$/);
  expect(read).toThrow(why);
});

test.each([3, 4])('of the kind %i (words, characters): refused', kind => {
  expect(() => read(unknown, a, field(2, number(3, kind)))).toThrow(/^m cuts text by words or characters, and Gemma's/);
});
