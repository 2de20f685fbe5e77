// In which orders another program may have a stage's dimensions. The offsets are numpy's: np.transpose of an arange, its strides over the item size.

import { expect, test } from 'vitest';
import type { Axis, Stage } from '../../engine/plan.js';
import { laidOut, layoutsOf } from '../../lab/diff/layout.js';
import { eachPlace } from '../../lab/values/strided.js';

const token: Axis = { letter: 'T', name: 'token', size: 'tokens' };
const row: Axis = { letter: 'R', name: 'token', size: 'rows' };
const query: Axis = { letter: 'T', name: 'query', size: 'tokens' };
const key: Axis = { letter: 'S', name: 'key', size: 'keys' };
const head = (size: number): Axis => ({ letter: 'A', name: 'head', size });
const dim = (size: number): Axis => ({ letter: 'D', name: 'dim', size });
const channel = (size: number): Axis => ({ letter: 'H', name: 'channel', size });
const stageOf = (...axes: Axis[]) => ({ axes }) as unknown as Stage;

const Q = stageOf(token, head(2), dim(3)); // of queries
const X = stageOf(token, channel(4)); // of the residual stream
const P = stageOf(head(2), query, key); // of a pattern
const orders = (stage: Stage, shape: number[], tokens: number, told: string | null = null, offset: number | null = 0) =>
  layoutsOf(stage, shape, tokens, offset, told).map(({ order }) => order);

test.each<[string, Stage, number[], number, string[]]>([
  ['as the stage has it', Q, [5, 2, 3], 5, ['token,head,dim']],
  ['with dimensions of one before, behind and between', Q, [1, 5, 1, 2, 3, 1], 5, ['token,head,dim']],
  ['heads and their dimensions as one', Q, [5, 6], 5, ['token,head,dim']],
  ['heads first', Q, [2, 5, 3], 5, ['head,token,dim']],
  ['the other way round', Q, [3, 2, 5], 5, ['dim,head,token']],
  ['one, tokens last', Q, [6, 5], 5, ['head,dim,token']],
  ['dimensions before heads are no one', Q, [5, 3, 2], 5, ['token,dim,head']],
  ['as many tokens as heads', Q, [2, 2, 3], 2, ['token,head,dim', 'head,token,dim']],
  ['one token', Q, [2, 3], 1, ['token,head,dim']],
  ['of one token in another order', Q, [3, 2], 1, ['token,dim,head']],
  ['transposed', X, [4, 5], 5, ['channel,token']],
  ['square', X, [4, 4], 4, ['token,channel', 'channel,token']],
  ['a pattern, whose queries may be its keys', P, [2, 5, 5], 5, ['head,query,key', 'head,key,query']],
  ['heads last', P, [5, 5, 2], 5, ['query,key,head', 'key,query,head']],
  ['too few dimensions', Q, [5, 2], 5, []],
  ['too many', Q, [5, 2, 3, 7], 5, []],
  ['of another width', X, [5, 7], 5, []],
  ['too few tokens, and not the last alone', X, [3, 4], 5, []],
  ['nothing', X, [], 5, []],
])('%s', (_, stage, shape, tokens, found) => expect(orders(stage, shape, tokens)).toEqual(found));

test('one name is no order of two dimensions', () => {
  expect(orders(X, [5, 4], 5, 'token')).toEqual([]);
  expect(orders(X, [5, 4], 5, 'channel')).toEqual([]);
  expect(orders(X, [1, 4], 1, 'channel')).toEqual(['token,channel']);
  expect(orders(P, [2, 5, 5], 5, 'head,token,key')).toEqual(['head,query,key']);
});

test('a layout says where the entries are, in the order of the stage', () => {
  const [layout] = layoutsOf(Q, [2, 5, 3], 5, 0, null);
  expect(layout).toEqual({
    order: 'head,token,dim',
    sizes: [5, 2, 3],
    from: [0, 0, 0],
    shape: [5, 2, 3],
    strides: [3, 15, 1],
  });
  expect([
    ...laidOut(
      Float32Array.from({ length: 30 }, (_, i) => i),
      layout,
    ),
  ]).toEqual([
    0, 1, 2, 15, 16, 17, 3, 4, 5, 18, 19, 20, 6, 7, 8, 21, 22, 23, 9, 10, 11, 24, 25, 26, 12, 13, 14, 27, 28, 29,
  ]);
  const [own] = layoutsOf(Q, [5, 6], 5, 0, null);
  const data = new Float32Array(30);
  expect(laidOut(data, own)).toBe(data); // as it is
});

test('padded rows: before or behind where it is not known, and at the offset where it is', () => {
  const rows = (offset: number | null) =>
    layoutsOf(X, [7, 4], 5, offset, null).map(({ from, shape, sizes }) => ({ from, shape, sizes }));
  const at = (from: number) => ({ from: [from, 0], shape: [5, 4], sizes: [7, 4] });
  expect(rows(null)).toEqual([at(0), at(2)]);
  for (const offset of [0, 1, 2]) expect(rows(offset)).toEqual([at(offset)]);
  expect(rows(3)).toEqual([]); // the tokens would go beyond its end
  const [, behind] = layoutsOf(X, [7, 4], 5, null, null);
  expect([
    ...laidOut(
      Float32Array.from({ length: 28 }, (_, i) => i),
      behind,
    ),
  ]).toEqual(Array.from({ length: 20 }, (_, i) => i + 8));
  // Keys alone, queries alone, both.
  const pattern = (shape: number[]) =>
    layoutsOf(P, shape, 3, null, 'head,query,key').map(({ from, sizes }) => [from, sizes]);
  expect(pattern([2, 3, 8])).toEqual([
    [
      [0, 0, 0],
      [2, 3, 8],
    ],
    [
      [0, 0, 5],
      [2, 3, 8],
    ],
  ]);
  expect(pattern([2, 8, 8])).toEqual([
    [
      [0, 0, 0],
      [2, 8, 8],
    ],
    [
      [0, 5, 5],
      [2, 8, 8],
    ],
  ]);
  // What is exact is taken before what is padded: 4 tokens of 4 channels, or 4 channels of 4 tokens, and never 4 of 5.
  expect(orders(X, [4, 4], 3, null, null)).toEqual([
    'token,channel',
    'token,channel',
    'channel,token',
    'channel,token',
  ]);
  expect(orders(stageOf(row, channel(4)), [6, 4], 5, null, null)).toEqual(['token,channel', 'token,channel']);
});

test('the last token alone, where neither all nor padded rows fit', () => {
  const last = layoutsOf(X, [1, 4], 5, 0, null);
  expect(last).toMatchObject([{ from: [0, 0], shape: [1, 4], sizes: [1, 4] }]);
  expect(layoutsOf(X, [4], 5, null, null)).toMatchObject([{ shape: [1, 4] }]);
  expect(layoutsOf(P, [2, 1, 5], 5, 0, null)).toMatchObject([{ order: 'head,query,key', shape: [2, 1, 5] }]);
  expect(orders(X, [2, 4], 5)).toEqual([]); // two are not the last
});

test.each<[Stage, number[], string, string[]]>([
  [Q, [2, 2, 3], 'token,head,dim', ['token,head,dim']],
  [Q, [2, 2, 3], 'head,token,dim', ['head,token,dim']],
  [Q, [2, 2, 3], 'dim,token,head', []],
  [Q, [2, 2, 3], 'head,token', ['head,token,dim']], // the dimension that is not said may stand anywhere
  [P, [2, 2, 2], 'head,key,query', ['head,key,query']],
  [P, [2, 2, 2], 'head,token,key', ['head,query,key']], // queries are tokens
  [P, [2, 2, 2], 'key,token,head', ['key,query,head']],
  [X, [4, 4], 'token,vocab', []],
])('told: %#', (stage, shape, told, found) => expect(orders(stage, shape, shape[0], told)).toEqual(found));

test('heads that are one, and dimensions that are one, join with nothing', () => {
  expect(orders(stageOf(token, head(1), dim(3)), [5, 3], 5)).toEqual(['token,head,dim']);
  expect(orders(stageOf(token, head(3), dim(1)), [5, 3], 5)).toEqual(['token,head,dim']);
  expect(orders(stageOf(token, head(1), dim(3)), [5, 1, 3], 5)).toEqual(['token,head,dim']);
});

test('each place of a shape, the last dimension fastest', () => {
  const places = (shape: number[], strides: number[], start = 0) => {
    const found: number[][] = [];
    eachPlace(shape, strides, start, (from, to) => found.push([from, to]));
    return found;
  };
  expect(places([2, 3], [1, 2])).toEqual([
    [0, 0],
    [2, 1],
    [4, 2],
    [1, 3],
    [3, 4],
    [5, 5],
  ]);
  expect(places([2, 2, 2], [10, 1, 100], 5).map(([from]) => from)).toEqual([5, 105, 6, 106, 15, 115, 16, 116]);
  expect(places([], [], 3)).toEqual([[3, 0]]);
  expect(places([2, 0], [1, 1])).toEqual([]);
});
