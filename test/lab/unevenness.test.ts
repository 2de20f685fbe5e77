// Whether a difference follows the value, which a wrong function does and rounding does not: also where there are few values.

import { expect, test } from 'vitest';
import { type Difference, explained } from '../../lab/diff/noise.js';
import { FOLLOWS, unevenness } from '../../lab/diff/unevenness.js';

/** Uniform in [0, 1), the same again for a seed. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Normal values, as scores are. */
function values(n: number, seed: number): Float32Array {
  const random = uniform(seed);
  return Float32Array.from(
    { length: n },
    () => 3 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}
const bf16 = (x: number): number => {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  const half = 0x7fff + ((bits[0] >>> 16) & 1);
  bits[0] = (bits[0] + half) & 0xffff0000;
  return new Float32Array(bits.buffer)[0];
};

test.each([64, 100, 220, 256, 1000, 20_000])('%i values', n => {
  let most = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const right = values(n, seed);
    const random = uniform(seed + 1000);
    for (const rounded of [
      right.map(bf16),
      right.map(x => x + 1e-3 * (random() - 0.5)), // of a sum
      right.map(x => x * (1 + 1e-3 * (random() - 0.5))),
    ])
      most = Math.max(most, unevenness(rounded, right, [n]).follows);
    for (const wrong of [right.map(x => 50 * Math.tanh(x / 50)), right.map(x => x * 1.002), right.map(x => x + 1e-3)])
      expect(unevenness(wrong, right, [n]).follows).toBeGreaterThan(FOLLOWS);
  }
  expect(most).toBeLessThan(FOLLOWS);
});

test('of fewer values nothing is said', () => {
  const right = values(63, 1);
  expect(
    unevenness(
      right.map(x => x * 1.002),
      right,
      [63],
    ).follows,
  ).toBe(0);
});

test('what one kind of stage alone differs by is no rounding where it follows the value, however even it is in most layers', () => {
  const shape = (follows: number) => ({ sticksOut: 1, worst: 1e-4, follows, relL2: 3e-4 });
  const gelu = (follows: number): Difference => ({
    group: 'gelu',
    wider: null,
    products: 0,
    tells: true,
    alone: 3e-4,
    stored: [],
    shape: shape(follows),
  });
  const right: Difference = {
    group: 'linear',
    wider: null,
    products: 1,
    tells: true,
    stored: [],
    alone: 1e-7,
    shape: null,
  };
  const all = [...Array.from({ length: 12 }, () => gelu(0.1)), ...Array.from({ length: 6 }, () => gelu(0.9))];
  const formats = explained([...all, right, right, right], () => 5e-6);
  expect(formats.slice(12, 18)).toEqual(Array(6).fill(null));
  // In an engine whose products round, the same is what a rounded factor comes to.
  const rounds: Difference = {
    group: 'linear',
    wider: null,
    products: 1,
    tells: true,
    stored: [],
    alone: 2e-3,
    shape: shape(0.1),
  };
  expect(explained([...all, rounds, rounds, rounds], () => 5e-6).slice(12, 18)).not.toContain(null);
});
