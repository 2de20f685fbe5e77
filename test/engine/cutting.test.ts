// How text is cut into pieces and replaced before that, on small vocabularies. What right is, was asked of sentencepiece 0.2.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TokenizerError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { BytePairs } from '../../engine/tokenizer/bpe.js';
import { Charsmap } from '../../engine/tokenizer/charsmap.js';
import { Matcher } from '../../engine/tokenizer/matcher.js';
import { normaliser } from '../../engine/tokenizer/normalise.js';
import { PairsByScore } from '../../engine/tokenizer/pairs.js';
import { PieceTokenizer } from '../../engine/tokenizer/piece-tokenizer.js';
import { type PieceKind, PLAIN, type Vocabulary } from '../../engine/tokenizer/vocabulary.js';

type Piece = readonly [piece: string, score: number, kind?: PieceKind];
const vocabulary = (kind: 'bpe' | 'unigram', listed: readonly Piece[]): Vocabulary => {
  const all: Piece[] = [['<unk>', 0, 'unknown'], ...listed];
  return {
    source: 'sentencepiece',
    pieces: all.map(([piece]) => piece),
    scores: all.map(([, score]) => score),
    kinds: all.map(([, , kind]) => kind ?? 'normal'),
    bosId: -1,
    eosId: -1,
    unkId: 0,
    algorithm: { kind },
    normalisation: PLAIN,
    byteFallback: false,
    added: null,
    unkSurface: ' ⁇ ',
  };
};
const single = (letters: string): Piece[] => Array.from(letters, letter => [letter, -9]);
type Case = readonly [name: string, pieces: readonly Piece[], cases: readonly (readonly [string, number[]])[]];
const asked = (kind: 'bpe' | 'unigram', pieces: readonly Piece[], cases: Case[2]) => {
  const tokenizer = new PieceTokenizer(vocabulary(kind, pieces));
  const found = cases.map(([text]) => [text, tokenizer.encode(text)]);
  expect(found).toEqual(cases);
};

const CUTS: Case[] = [
  // Piece 1 in each place where a pair is given up for a better one.
  [
    'the better pair first',
    [['ab', -2], ['bc', -1], ...single('abc')],
    [
      ['abc', [3, 2]],
      ['ab', [1]],
      ['abcab', [3, 2, 1]],
      ['bcabc', [2, 3, 2]],
    ],
  ],
  [
    'a pair that lost one of its two',
    [['bc', -2], ['ab', -1], ['de', -3], ['cde', -4], ...single('abcde')],
    [
      ['abcde', [2, 4]],
      ['bcde', [1, 3]],
      ['abcdeabcde', [2, 4, 2, 4]],
    ],
  ],
  [
    'of equal scores, the left first',
    [...single('abc'), ['ab', -1], ['bc', -1], ['abc', -1], ['bcb', -1]],
    [
      ['abc', [6]],
      ['abcbc', [6, 5]],
      ['bcbc', [7, 3]],
      ['abcabcbcb', [6, 6, 7]],
    ],
  ],
  [
    'spaces within pieces and before them, and characters at the edges of one unit',
    [
      ['a', -9],
      ['b', -9],
      ['\uffff', -9],
      ['👍', -9],
      ['aa', -1],
      ['aaaa', -2],
      ['▁a', -3],
      ['▁', -9],
      ['a▁b', -4],
      ['▁b', -9],
      ['b▁', -9],
      ['▁▁', -5],
      ['a▁', -3.5],
    ],
    [
      ['a\uffffb', [1, 3, 2]],
      ['\uffff', [3]],
      ['a👍b', [1, 4, 2]],
      ['𐀀a', [0, 1]],
      ['a b', [9]],
      ['a b a  b', [9, 7, 12, 2]],
      [' a', [7]],
      [' a a', [7, 7]],
      ['b  a b ', [11, 7, 10, 8]],
      ['aaaaaa', [6, 5]],
      ['b a', [2, 7]],
      ['aa b', [5, 10]],
    ],
  ],
  [
    'unused pieces are formed and taken apart again',
    [
      ['a', -9],
      ['b', -9],
      ['c', -9],
      ['▁', -9],
      ['ab', -1, 'unused'],
      ['bc', -2],
      ['abc', -3, 'unused'],
      ['▁a', -4, 'unused'],
      ['▁ab', -5],
      ['cab', -6, 'unused'],
    ],
    [
      ['ab', [1, 2]],
      ['abc', [1, 2, 3]],
      [' ab', [9]],
      [' abc', [4, 1, 2, 3]],
      ['a b', [1, 4, 2]],
      ['abcab', [1, 2, 3, 1, 2]],
      ['cab', [3, 1, 2]],
      ['ccabc', [3, 3, 1, 2, 3]],
      [' a ab abc a', [4, 1, 9, 4, 1, 2, 3, 4, 1]],
      ['b abc', [2, 4, 1, 2, 3]],
    ],
  ],
  [
    'user pieces are never cut, nor joined',
    [
      ['a', -9],
      ['b', -9],
      ['ab', -1],
      ['ba', -1, 'user'],
      ['aba', -2],
      ['▁', -9],
      ['a▁b', 0, 'user'],
      ['▁a', -1],
    ],
    [
      ['aba', [1, 4]],
      ['ab', [3]],
      ['bab', [4, 2]],
      ['abba', [3, 4]],
      ['a b', [7]],
      ['aab', [1, 3]],
      ['xa b a', [0, 7, 8]],
    ],
  ],
];
test.each(CUTS)('byte pairs: %s', (_, pieces, cases) => asked('bpe', pieces, cases));

test('byte pairs: texts longer than any before them, then shorter ones', () => {
  const tokenizer = new PieceTokenizer(vocabulary('bpe', [['aa', -1], ['aaaa', -2], ...single('ab')]));
  for (const [n, fours, rest] of [
    [255, 63, [1, 3]],
    [256, 64, []],
    [257, 64, [3]],
    [600, 150, []],
    [3000, 750, []],
    [6, 1, [1]],
    [301, 75, [3]],
  ] as const) {
    expect(tokenizer.encode(`b${'a'.repeat(n)}`)).toEqual([4, ...Array.from({ length: fours }, () => 2), ...rest]);
  }
});

test('byte pairs: words and characters are remembered, long words are not, and only so many', () => {
  const { pieces, scores, ...rest } = vocabulary('bpe', [['ab', -1], ...single('ab')]);
  const ids = new Map(pieces.map((piece, id) => [piece, id] as const));
  const pairs = new PairsByScore(ids, scores, symbol => pieces[symbol] ?? '');
  let merged = 0;
  const counting = {
    get rank() {
      return pairs.rank;
    },
    get piece() {
      return pairs.piece;
    },
    find(left: number, right: number) {
      merged++;
      return pairs.find(left, right);
    },
  };
  const looked: number[] = [];
  const symbolOf = (point: number) => {
    looked.push(point);
    return point === 0x7a ? 0 : (ids.get(String.fromCodePoint(point)) ?? pieces.length + point);
  };
  const segmenter = new BytePairs({ pieces, scores, ...rest }, counting, new Matcher([]), symbolOf);
  const again = (text: string): boolean => {
    merged = 0;
    segmenter.segment(text, []);
    return merged > 0;
  };
  expect([again('▁ab'), again('▁ab'), again('▁ab▁ab')]).toEqual([true, false, false]);
  const word = 'ab'.repeat(24);
  expect([again(word), again(word), again(`${word}a`), again(`${word}a`)]).toEqual([true, false, true, true]);
  looked.length = 0;
  for (let i = 0; i < 2; i++) segmenter.segment(`${'z\uffff'.repeat(2)}👍${i}`, []);
  expect(looked).toEqual([0x7a, 0xffff, 0x1f44d, 0x30, 0x1f44d, 0x31]);
  // Two to the sixteen words, and from the next on anew.
  const fresh = new BytePairs({ pieces, scores, ...rest }, counting, new Matcher([]), symbolOf);
  const many = (from: number, to: number) => {
    let words = '';
    for (let i = from; i < to; i++) words += `▁${String.fromCharCode(0x4e00 + (i >> 8), 0x4e00 + (i & 255))}`;
    merged = 0;
    fresh.segment(words, []);
    return merged;
  };
  expect([many(0, 1), many(1, 1 << 16), many(0, 1 << 16)]).toEqual([2, 2 * 65_535, 0]);
  expect([many(1 << 16, (1 << 16) + 1), many(1 << 16, (1 << 16) + 1), many(0, 1)]).toEqual([2, 0, 2]);
});

const SUMS: Case[] = [
  [
    'what is unknown costs ten more than the least of the normal pieces',
    [
      ['a', 15],
      ['ab', -3],
      ['uu', -50, 'user'],
      ['<c>', -90, 'control'],
    ],
    [
      ['ab', [1, 0]],
      ['aab', [1, 1, 0]],
    ],
  ],
  [
    'and no less',
    [
      ['a', 8],
      ['ab', -3],
      ['uu', -50, 'user'],
      ['<c>', -90, 'control'],
    ],
    [
      ['ab', [2]],
      ['aab', [1, 2]],
    ],
  ],
  [
    'a user piece is worth a tenth a byte from the second on',
    [
      ['a', 0.04],
      ['é', 0.04],
      ['aa', -1, 'user'],
      ['éé', -1, 'user'],
      ['aé', -1, 'user'],
      ['n', -9],
    ],
    [
      ['aa', [3]],
      ['éé', [4]],
      ['aé', [5]],
      ['aaa', [1, 3]],
      ['ééé', [2, 4]],
    ],
  ],
  [
    'and pieces worth more are taken instead',
    [
      ['a', 0.06],
      ['é', 0.16],
      ['aa', -1, 'user'],
      ['éé', -1, 'user'],
      ['aé', -1, 'user'],
      ['n', -9],
    ],
    [
      ['aa', [1, 1]],
      ['éé', [2, 2]],
      ['aé', [1, 2]],
    ],
  ],
  [
    'a character that is a piece is never unknown',
    [
      ['a', 20],
      ['b', 20],
      ['x', 0, 'user'],
      ['ax', 15],
    ],
    [
      ['x', [3]],
      ['xa', [3, 1]],
      ['axx', [1, 3, 3]],
      ['qx', [0, 3]],
      ['ax', [1, 3]],
      ['bxb', [2, 3, 2]],
    ],
  ],
  [
    'unused pieces are none',
    [
      ['a', -1],
      ['ab', -1, 'unused'],
      ['b', -1],
      ['abc', -1],
    ],
    [
      ['ab', [1, 3]],
      ['abc', [4]],
      ['abq', [1, 3, 0]],
      ['👍a', [0, 1]],
      ['qq', [0]],
      ['aqqa', [1, 0, 1]],
    ],
  ],
  [
    'of equal sums, the one met first',
    [
      ['a', -1],
      ['b', -1],
      ['ab', -2],
      ['aa', -2],
    ],
    [
      ['ab', [3]],
      ['aab', [1, 3]],
      ['aaa', [1, 4]],
      ['aaaa', [4, 4]],
    ],
  ],
];
test.each(SUMS)('unigram: %s', (_, pieces, cases) => asked('unigram', pieces, cases));

const table = JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/replacements.json'), 'utf8')) as {
  readonly user: readonly string[];
  readonly charsmap: string;
  readonly cases: readonly (readonly [string, string, string])[];
};

test('replacements: the longest at each place, not in user pieces, with spaces kept or collapsed', () => {
  const charsmap = new Uint8Array(Buffer.from(table.charsmap, 'base64'));
  const user = new Matcher(table.user.map((piece, id) => [piece, id] as const));
  const [kept, collapsed] = [false, true].map(collapseSpaces =>
    normaliser({ ...PLAIN, charsmap, collapseSpaces }, user, 'v'),
  );
  expect(table.cases.map(([text]) => [text, kept(text), collapsed(text)])).toEqual(table.cases);
});

const u32 = (...numbers: number[]) => Buffer.from(Uint32Array.from(numbers).buffer);
/** A trie whose only entry is 'a', with a leaf at `leaf` that says where its replacement is; then the replacements. */
const only = (length: number, leaf: number, value: number, texts: string): Uint8Array => {
  const trie = new Uint32Array(length);
  trie[0] = 1 << 10;
  trie[0x60] = 0x61 | 256 | ((0x60 ^ leaf) << 10); // 1 ^ 'a' is where the entry stands
  trie[leaf] = value;
  return Buffer.concat([u32(4 * length), u32(...trie), Buffer.from(texts)]);
};
const none = new Matcher([]);
const replaced = (bytes: Uint8Array, text: string) => new Charsmap(bytes, 'v').apply(text, none, false);

test('replacements: the last may end with the table, and a leaf outside of the trie is none', () => {
  expect(replaced(only(128, 2, 3, 'no\0yes'), 'bab')).toBe('byesb');
  expect(replaced(only(128, 2, 0, 'no\0yes'), 'bab')).toBe('bnob');
  expect(replaced(only(128, 2, 0x80000003, 'no\0yes'), 'bab')).toBe('byesb');
  expect(replaced(only(0x61, 0x61, 0, 'no\0'), 'bab')).toBe('bab');
  expect(replaced(only(0x61, 0x70, 0, 'no\0'), 'bab')).toBe('bab');
  const long = new Charsmap(only(128, 2, 0, `${'x'.repeat(1024)}\0`), 'v');
  expect([long.apply('a', none, false).length, long.apply('aa', none, false).length]).toEqual([1024, 2048]);
  expect(() => replaced(only(128, 2, 0, `${'x'.repeat(1025)}\0`), 'a')).toThrow(
    new TokenizerError('v replaces a character by 1025 bytes, and at most 1024 are. Fetch it again.'),
  );
});

test.each<[string, Uint8Array, number, number]>([
  ['no length', Buffer.alloc(0), 0, 0],
  ['half a length', Buffer.alloc(3, 4), 0, 0],
  ['a length of nothing', u32(0), 0, 0],
  ['an empty trie', Buffer.concat([u32(0), Buffer.alloc(8)]), 0, 8],
  ['less than a unit', Buffer.concat([u32(3), Buffer.alloc(8)]), 3, 8],
  ['half a unit', Buffer.concat([u32(6), Buffer.alloc(8)]), 6, 8],
  ['a length alone', u32(8), 8, 0],
  ['more than there is', Buffer.concat([u32(8), Buffer.alloc(7)]), 8, 7],
])('replacements: a table of %s is refused', (_, bytes, claimed, left) => {
  expect(() => new Charsmap(bytes, 'v')).toThrow(
    new TokenizerError(
      `v has a table of character replacements that claims ${claimed} bytes where ${left} are left. Fetch it again.`,
    ),
  );
});

test('replacements: a trie of one unit, and one with nothing behind it, replace nothing', () => {
  expect(replaced(Buffer.concat([u32(4), u32(0)]), 'a\0b')).toBe('a\0b');
  // A view into a larger file, as a model's is.
  const inside = Buffer.concat([Buffer.alloc(4, 255), only(128, 2, 3, 'no\0yes')]).subarray(4);
  expect(replaced(new Uint8Array(inside.buffer, inside.byteOffset, inside.length), 'a')).toBe('yes');
});
