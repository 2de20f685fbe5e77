// Whether a difference follows the value, which a wrong function does and rounding does not: also where there are few values.

import { expect, test } from 'vitest';
import { FOLLOWS, unevenness } from '../../lab/diff/noise.js';

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
