// The parts that every vocabulary is cut and put together with, each alone. What right is, is said by plain code beside them: the platform's
// UTF-8 decoder, a search through all pieces, a sorted list.

import { expect, test } from 'vitest';
import { ADDED, AddedTokens } from '../../engine/tokenizer/added-tokens.js';
import { Agenda } from '../../engine/tokenizer/agenda.js';
import { DecodedText } from '../../engine/tokenizer/decode.js';
import { Matcher } from '../../engine/tokenizer/matcher.js';
import { normaliser } from '../../engine/tokenizer/normalise.js';
import { PairsByList, PairsByScore } from '../../engine/tokenizer/pairs.js';
import { halfOf, quoted } from '../../engine/tokenizer/quoted.js';
import { PLAIN } from '../../engine/tokenizer/vocabulary.js';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const valid = (bytes: readonly number[]): string | null => {
  const text = utf8.decode(Uint8Array.from(bytes));
  return text.includes('\ufffd') && String(bytes) !== '239,191,189' ? null : text;
};
/** As SentencePiece: characters, and U+FFFD for each byte that is in none. */
const whole = (bytes: readonly number[]): string => {
  if (bytes.length === 0) return '';
  for (let n = 1; n <= Math.min(4, bytes.length); n++) {
    const text = valid(bytes.slice(0, n));
    if (text !== null) return text + whole(bytes.slice(n));
  }
  return `\ufffd${whole(bytes.slice(1))}`;
};
const EDGES = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xff];

test('bytes become characters as UTF-8 has them: every first byte with every second, and the edges of three and four', () => {
  const all: number[][] = [];
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) if (a >= 0xc0 || EDGES.includes(b)) all.push([a, b]);
    for (const b of a >= 0xdf ? EDGES : []) for (const c of EDGES) all.push(a < 0xf0 ? [a, b, c] : [a, b, c, 0x80]);
    for (const b of a >= 0xf0 ? EDGES : []) for (const c of EDGES) all.push([a, b, 0xa0, c]);
  }
  for (const bytes of all) {
    const text = new DecodedText();
    const got = bytes.map(byte => text.byte(byte)).join('') + text.end();
    if (got !== whole(bytes)) expect({ bytes, got }).toEqual({ bytes, got: whole(bytes) });
  }
  expect(all.length).toBeGreaterThan(25_000);
});

test.each<[number[], string[], string]>([
  [[0xf0, 0x9f, 0x91, 0x8d], ['', '', '', '👍'], ''],
  [[0xe2, 0x96], ['', ''], '\ufffd\ufffd'],
  [[0xe2, 0x41], ['', '\ufffdA'], ''],
  [[0xc3, 0xc3, 0xa9], ['', '\ufffd', 'é'], ''],
  [[0xf5], ['\ufffd'], ''],
  [[0xef, 0xbb, 0xbf], ['', '', '\ufeff'], ''],
  // What cannot become a character is said at once: bytes that begin none, and those that would be overlong, a surrogate, or beyond U+10FFFF.
  [[0x80], ['\ufffd'], ''],
  [[0xc1], ['\ufffd'], ''],
  [[0xe0, 0x9f], ['', '\ufffd\ufffd'], ''],
  [[0xe0, 0xa0, 0x80], ['', '', '\u0800'], ''],
  [[0xed, 0xa0], ['', '\ufffd\ufffd'], ''],
  [[0xed, 0x9f, 0xbf], ['', '', '\ud7ff'], ''],
  [[0xf0, 0x8f], ['', '\ufffd\ufffd'], ''],
  [[0xf0, 0x90, 0x80, 0x80], ['', '', '', '\u{10000}'], ''],
  [[0xf4, 0x90], ['', '\ufffd\ufffd'], ''],
  [[0xf4, 0x8f, 0xbf, 0xbf], ['', '', '', '\u{10ffff}'], ''],
  [[0xe0, 0xa0, 0x7f], ['', '', '\ufffd\ufffd\x7f'], ''],
  [[0xed, 0x80, 0xbf], ['', '', '\ud03f'], ''],
])('bytes %j come as %j, then %j', (bytes, parts, end) => {
  const text = new DecodedText();
  expect(bytes.map(byte => text.byte(byte))).toEqual(parts);
  expect(text.end()).toBe(end);
  expect(text.end()).toBe('');
});

test('a whole piece ends what was pending', () => {
  const text = new DecodedText();
  expect([text.byte(0xe2), text.whole('a'), text.byte(0xc3), text.byte(0xa9)]).toEqual(['', '\ufffda', '', 'é']);
});

test('the longest piece at a place, and the first from a place on', () => {
  const pieces = ['<a', '<a>', '<abc>', 'x', '', '👍'];
  const matcher = new Matcher(pieces.map((piece, id) => [piece, id] as const));
  const text = 'x<a><abc<abc>👍<';
  for (let at = 0; at < text.length; at++) {
    const fits = pieces.filter(piece => piece !== '' && text.startsWith(piece, at)).sort((a, b) => b.length - a.length);
    const want = fits.length > 0 ? { piece: fits[0], id: pieces.indexOf(fits[0]) } : undefined;
    expect([at, matcher.at(text, at)]).toEqual([at, want]);
  }
  expect(matcher.next(text, 0)).toEqual({ at: 0, piece: 'x', id: 3 });
  expect(matcher.next(text, 5)).toEqual({ at: 8, piece: '<abc>', id: 2 });
  expect(matcher.next('<b<a', 0)).toEqual({ at: 2, piece: '<a', id: 0 });
  expect(matcher.next(text, 15)).toBeNull();
  expect(matcher.empty).toBe(false);
  const none = new Matcher([['', 0]]);
  expect([none.empty, none.next('a', 0), none.at('a', 0)]).toEqual([true, null, undefined]);
});

test('an agenda gives what is on it by rank, then by place, whatever the order it came in', () => {
  const agenda = new Agenda();
  let state = 7;
  const random = (n: number) => (state = (state * 48271) % 2147483647) % n;
  const waiting: [number, number, number][] = [];
  for (let round = 0; round < 3000; round++) {
    if (random(3) > 0 || round < 200) {
      const one: [number, number, number] = [random(40), round, random(1000)];
      agenda.push(...one);
      waiting.push(one);
    } else {
      waiting.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      const [, left, piece] = waiting.shift()!;
      expect([agenda.pop(), agenda.left, agenda.piece]).toEqual([true, left, piece]);
    }
  }
  for (const [, left, piece] of waiting.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    expect([agenda.pop(), agenda.left, agenda.piece]).toEqual([true, left, piece]);
  }
  expect(agenda.pop()).toBe(false);
});

test.each<[string, object, string, string]>([
  ['as Gemma’s', {}, ' a  b ', '▁a▁▁b▁'],
  ['with spaces kept', { escapeSpaces: false }, ' a ', ' a '],
  ['a space in front', { dummyPrefix: true }, 'a', '▁a'],
  ['a space in front of a space', { dummyPrefix: true }, ' a', '▁▁a'],
  ['nothing in front of nothing', { dummyPrefix: true }, '', ''],
  ['a space behind', { dummyPrefix: true, spaceAsSuffix: true }, 'a', 'a▁'],
  ['a space behind, unescaped', { dummyPrefix: true, spaceAsSuffix: true, escapeSpaces: false }, 'a', 'a '],
  ['no prefix, so no suffix', { spaceAsSuffix: true }, 'a', 'a'],
  ['runs of spaces', { collapseSpaces: true }, '  a   b  ', 'a▁b'],
  ['a ▁ of the text’s own at the end', { collapseSpaces: true }, 'a▁▁', 'a'],
  ['a ▁ at the end where spaces stay', { collapseSpaces: true, escapeSpaces: false }, 'a▁ ', 'a▁'],
  ['spaces alone', { collapseSpaces: true, dummyPrefix: true }, '   ', ''],
  ['an empty table', { charsmap: new Uint8Array() }, ' a', '▁a'],
  ['half a surrogate pair', {}, 'a\ud800', 'a\ufffd'],
])('text is normalised: %s', (_, rules, text, normal) => {
  expect(normaliser({ ...PLAIN, ...rules }, new Matcher([]), 'v')(text)).toBe(normal);
});

test.each<[string, ArrayLike<number>, number[]]>([
  ['numbered as SentencePiece does', [0, -1, -2, -2], [0, 1, 2, 2]],
  ['of parts', [-0.5, -1.25, -0.5, 3], [1, 2, 1, 0]],
  ['further apart than the agenda sorts', [0, -(2 ** 25), -1], [0, 2, 1]],
  ['just not too far apart', [0, 1 - 2 ** 25, -1], [0, 2 ** 25 - 1, 1]],
])('ranks of scores %s', (_, scores, ranks) => {
  const ids = new Map(Array.from(scores, (_, id) => [`a${id}`, id] as const));
  const pairs = new PairsByScore(ids, scores, symbol => (symbol < 100 ? 'a' : String(symbol - 100)));
  for (const [id, rank] of ranks.entries()) {
    for (let again = 0; again < 2; again++) {
      expect([pairs.find(0, 100 + id), pairs.piece, pairs.rank]).toEqual([true, id, rank]);
    }
  }
  expect(pairs.find(100, 100)).toBe(false);
  expect(pairs.find(100, 100)).toBe(false);
});

test('pairs of a list: those alone, by their place in it, also where thousands share few slots', () => {
  const n = 3000;
  const left = Int32Array.from({ length: n }, (_, i) => i % 61);
  const right = Int32Array.from({ length: n }, (_, i) => 61 + Math.floor(i / 61));
  const text = (symbol: number) => `[${symbol}]`;
  const ids = new Map(Array.from(left, (l, i) => [text(l) + text(right[i]), 5000 + i] as const));
  const pairs = new PairsByList({ left, right }, ids, text, 'T');
  const wrong: unknown[] = [];
  for (let i = 0; i < n; i++) {
    if (!pairs.find(left[i], right[i]) || pairs.rank !== i || pairs.piece !== 5000 + i) wrong.push([i, pairs.rank]);
    if (pairs.find(right[i], left[i])) wrong.push([i, 'the other way round']);
  }
  expect(wrong).toEqual([]);
  expect([pairs.find(left[7], right[7]), pairs.piece]).toEqual([true, 5007]);
  const hollow = new PairsByList({ left, right }, new Map(), text, 'T');
  expect(() => hollow.find(0, 61)).toThrow("T makes '[0][61]' by a merge, and has no such piece. Fetch it again.");
});

test('pairs by score are found by both of their symbols, whatever was asked before', () => {
  // Thousands of pairs, so that some share a place in what is remembered.
  const ids = new Map([['7-7', 0]]);
  const text = (symbol: number) => `${symbol}-`;
  for (let i = 0; i < 4000; i += 2) {
    ids.set(`0-${i}-`, i + 1);
    ids.set(`${i}-0-`, i + 2);
  }
  const pairs = new PairsByScore(ids, new Float32Array(4002), text);
  const wrong: unknown[] = [];
  for (let round = 0; round < 2; round++) {
    for (let i = 1; i < 4000; i++) {
      for (const [left, right] of [
        [0, i],
        [i, 0],
      ]) {
        const found = pairs.find(left, right) && pairs.piece;
        if (found !== (ids.get(text(left) + text(right)) ?? false)) wrong.push([left, right, found]);
      }
    }
  }
  expect(wrong).toEqual([]);
});

test('pairs of a list are found by both of their symbols, and nothing else is', () => {
  const n = 6000;
  const left = Int32Array.from({ length: n }, (_, i) => (i % 2 ? 7 : i + 10));
  const right = Int32Array.from({ length: n }, (_, i) => (i % 2 ? i + 10 : 7));
  const text = (symbol: number) => `${symbol}-`;
  const ids = new Map(Array.from(left, (l, i) => [text(l) + text(right[i]), i] as const));
  const pairs = new PairsByList({ left, right }, ids, text, 'T');
  const wrong: unknown[] = [];
  for (let i = 0; i < n; i++) {
    if (!pairs.find(left[i], right[i]) || pairs.rank !== i || pairs.piece !== i)
      wrong.push([i, pairs.rank, pairs.piece]);
    if (pairs.find(right[i], left[i])) wrong.push([i, 'the other way round']);
  }
  expect(wrong).toEqual([]);
  expect(pairs.find(0, 0)).toBe(false);
});

test.each<[string, string]>([
  ['<THINK>', "'<THINK>'"],
  ['a\nb\u0007', "'a\\u{a}b\\u{7}'"],
  ['\u202eab\u200b', "'\\u{202e}ab\\u{200b}'"],
  ['\u2028\u2029\ud800\u{e0041}', "'\\u{2028}\\u{2029}\\u{d800}\\u{e0041}'"],
  ['é▁👍 ', "'é▁👍 '"],
  ['👍'.repeat(40), `'${'👍'.repeat(40)}'`],
  [`${'👍'.repeat(40)}x`, `'${'👍'.repeat(40)}…'`],
])('%j of a file is shown in a message as %s', (text, shown) => {
  expect(quoted(text)).toBe(shown);
});

const cut = (tokens: readonly object[], text: string): (string | number)[] => {
  const out: (string | number)[] = [];
  const listed = tokens.map((token, id) => ({ ...ADDED, id, content: '<t>', ...token }));
  new AddedTokens(listed).cut(
    text,
    part => out.push(part),
    id => out.push(id),
  );
  return out;
};

test.each<[string, object[], string, (string | number)[]]>([
  ['between texts', [{}], 'a <t> b<t>', ['a ', 0, ' b', 0]],
  ['none', [{}], 'abc', ['abc']],
  ['of nothing', [{}], '', []],
  ['the longest', [{}, { content: '<t><t>' }], '<t><t><t>', [1, 0]],
  ['white space before', [{ lstrip: true }], 'a \t\n<t> b', ['a', 0, ' b']],
  ['white space behind', [{ rstrip: true }], 'a <t> \u00a0\u3000b', ['a ', 0, 'b']],
  ['white space to the ends', [{ lstrip: true, rstrip: true }], '  <t>  ', [0]],
  ['no white space but \u200b', [{ rstrip: true }], '<t>\u200b', [0, '\u200b']],
  ['a word before', [{ content: 'in', singleWord: true }], 'pin in', ['pin ', 0]],
  ['a word behind', [{ content: 'in', singleWord: true }], 'int in', ['int ', 0]],
  [
    'a digit, an underscore, an accent',
    [{ content: 'in', singleWord: true }],
    '1in in_ in\u0301',
    ['1in in_ in\u0301'],
  ],
  ['a letter of two units', [{ content: 'in', singleWord: true }], '𝐚in in𝐚 👍in👍', ['𝐚in in𝐚 👍', 0, '👍']],
  ['a sign is no word', [{ content: 'in', singleWord: true }], '-in-', ['-', 0, '-']],
])('added tokens: %s', (_, tokens, text, parts) => {
  expect(cut(tokens, text)).toEqual(parts);
});

test('half of a surrogate pair that stands alone, as an escape: the first of them', () => {
  expect(halfOf('a\ud83d!')).toBe('\\ud83d');
  expect(halfOf('👍\udc4d')).toBe('\\udc4d');
  expect(halfOf('\udc4d\ud83d')).toBe('\\udc4d');
});
