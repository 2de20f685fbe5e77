// The instrument itself: every way in which two tensors can differ must show.

import { expect, test } from 'vitest';
import { GoldenError } from '../../engine/errors.js';
import { compare } from '../../lab/diff/metrics.js';

const f = (...values: number[]) => Float32Array.from(values);
const MASK = -3.4028234663852886e38;

test('equal tensors have no error, ulp or doubt', () => {
  const m = compare(f(1, -2, 0, 3), f(1, -2, 0, 3), [2, 2]);
  expect(m).toMatchObject({ maxAbs: 0, relL2: 0, nmse: 0, cosine: 1, ulpP99: 0, maskMismatch: 0, nonFinite: 0 });
});

test('a known difference is measured and placed', () => {
  const m = compare(f(3, 4, 0, 1), f(3, 4, 0, 0), [2, 2]);
  expect(m.maxAbs).toBe(1);
  expect(m.relL2).toBeCloseTo(1 / 5, 12);
  expect(m.nmse).toBeCloseTo(1 / 25, 12);
  expect(m.worst).toEqual([1, 1]);
  expect([m.actualAtWorst, m.expectedAtWorst]).toEqual([1, 0]);
  expect(m.cosine).toBeCloseTo(25 / (5 * Math.sqrt(26)), 12);
});

test('one unit in the last place is one ulp, across zero too', () => {
  const next = Math.fround(1 + 2 ** -23);
  expect(compare(f(next), f(1), [1]).ulpP99).toBe(1);
  expect(compare(f(2 ** -149), f(-(2 ** -149)), [1]).ulpP99).toBe(2);
});

test.each([
  ['NaN here', f(Number.NaN, 1), f(1, 1)],
  ['NaN there', f(1, 1), f(Number.NaN, 1)],
  ['NaN on both sides', f(Number.NaN, 1), f(Number.NaN, 1)],
  ['infinity on one side', f(Number.POSITIVE_INFINITY, 1), f(1, 1)],
  ['infinities of two signs', f(Number.POSITIVE_INFINITY, 1), f(Number.NEGATIVE_INFINITY, 1)],
])('%s is an infinite error', (_, a, e) => {
  const m = compare(a, e, [2]);
  expect([m.relL2, m.maxAbs, m.nonFinite + m.maskMismatch]).toEqual([
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    1,
  ]);
  expect(m.worst).toEqual([0]);
});

test('masked entries are left out when both sides have them, and fail when one has', () => {
  expect(compare(f(MASK, 1, 2), f(MASK, 1, 2.5), [3]).relL2).toBeCloseTo(0.5 / Math.hypot(1, 2.5), 6);
  const m = compare(f(MASK, 1), f(0, 1), [2]);
  expect([m.maskMismatch, m.relL2]).toEqual([1, Number.POSITIVE_INFINITY]);
});

test('nothing to compare is an error, not a pass', () => {
  expect(() => compare(f(), f(), [0])).toThrow(/cannot be compared/);
  expect(() => compare(f(1), f(1, 2), [2])).toThrow(/Tensors of 1 and 2 values/);
  expect(() => compare(f(1, 2), f(1), [2])).toThrow(/Tensors of 2 and 1 values/);
});

test('the same infinity on both sides is equal, and spoils no sum', () => {
  const m = compare(f(Infinity, -1, 2), f(Infinity, -1, 2), [3]);
  expect(m).toMatchObject({ maxAbs: 0, relL2: 0, cosine: 1, maskMismatch: 0, nonFinite: 0 });
  expect(compare(f(Infinity, 1), f(-Infinity, 1), [2])).toMatchObject({
    maxAbs: Infinity,
    nonFinite: 0,
    maskMismatch: 1,
  });
});

test('what is not a number is no mask, and a mask is a number; the first of several is the worst', () => {
  expect(compare(f(1, NaN), f(1, 2), [2])).toMatchObject({
    nonFinite: 1,
    maskMismatch: 0,
    worst: [1],
    relL2: Infinity,
  });
  expect(compare(f(1, MASK), f(1, 2), [2])).toMatchObject({ nonFinite: 0, maskMismatch: 1, worst: [1] });
  expect(compare(f(0, NaN, 2, NaN), f(9, 1, 2, 3), [2, 2]).worst).toEqual([0, 1]);
  expect(compare(f(5, 0, 7), f(6, 0, 6), [3]).worst).toEqual([0]);
});

test('directions: equal zeros are 1, nothing against something is 0', () => {
  expect(compare(f(0, 0), f(0, 0), [2])).toMatchObject({ cosine: 1, relL2: 0 });
  expect(compare(f(0, 0), f(3, 4), [2])).toMatchObject({ cosine: 0, relL2: 1 });
});

test('units of the last place are counted across zero, and the 99th percentile is of the sorted ones', () => {
  const tiny = 2 ** -149;
  expect(compare(f(-tiny), f(tiny), [1]).ulpP99).toBe(2);
  expect(compare(f(0), f(tiny), [1]).ulpP99).toBe(1);
  expect(compare(f(-0), f(0), [1])).toMatchObject({ ulpP99: 0, maxAbs: 0 });
  const expected = new Float32Array(200).fill(1);
  const actual = expected.slice();
  actual[0] = 1 + 5 * 2 ** -23;
  actual[1] = 1 + 2 ** -23;
  actual[2] = 1 + 2 * 2 ** -23;
  expect(compare(actual, expected, [200]).ulpP99).toBe(1); // 198 of 200 are at most that
});

test('what is no list of numbers, and no shape, is refused', () => {
  const one = Float32Array.of(1, 2);
  for (const values of [null, undefined, 7, 'ab', {}, new DataView(new ArrayBuffer(8))]) {
    expect(() => compare(values as never, one, [2])).toThrow(/Tensors are compared as lists of numbers, not /);
    expect(() => compare(one, values as never, [2])).toThrow(/Tensors are compared as lists of numbers, not /);
  }
  for (const shape of [null, 2, '2', [2, 1.5], [-2], [1, Number.NaN], ['2']]) {
    const found = () => compare(one, one, shape as never);
    expect(found).toThrow(GoldenError);
    expect(found).toThrow(/A shape is a list of whole numbers from 0, not /);
  }
});
