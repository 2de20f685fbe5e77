import { expect, test } from 'vitest';
import { checkSampling, type Sampling, sample, uniform } from '../../engine/sample.js';

const logits = Float32Array.of(1, 3, 2, 3, -1);

test('greedy takes the largest, the first among equals', () => {
  expect(sample(logits, {}, 0.99)).toBe(1);
  expect(sample(logits, { temperature: 5, topK: 1 }, 0.99)).toBe(1);
});

test('frequencies follow the probabilities', () => {
  const random = uniform(7);
  const counts = new Float64Array(5);
  for (let i = 0; i < 40_000; i++) counts[sample(logits, { temperature: 1 }, random())] += 1 / 40_000;
  const weights = [...logits].map(Math.exp);
  const sum = weights.reduce((a, b) => a + b);
  for (const [i, w] of weights.entries()) expect(counts[i]).toBeCloseTo(w / sum, 1.7);
});

test('top-k and top-p leave only what they say', () => {
  const random = uniform(1);
  const seen = (options: object) =>
    new Set(Array.from({ length: 500 }, () => sample(logits, { temperature: 3, ...options }, random())));
  expect(seen({ topK: 2 })).toEqual(new Set([1, 3]));
  expect(seen({ topP: 0.4 })).toEqual(new Set([1, 3]));
  expect(seen({}).size).toBe(5);
});

/** By sorting everything, as it is said. */
function bySorting(logits: Float32Array, { temperature = 1, topK = 0, topP = 1 }: Sampling, draw: number): number {
  let ids = [...logits.keys()];
  if ((topK > 0 && topK < ids.length) || topP < 1) ids.sort((a, b) => logits[b] - logits[a] || a - b);
  if (topK > 0) ids = ids.slice(0, topK);
  const top = Math.max(...logits);
  const weights = ids.map(id => Math.exp((logits[id] - top) / temperature));
  let total = weights.reduce((a, b) => a + b, 0);
  let kept = ids.length;
  if (topP < 1) {
    const enough = topP * total;
    for (total = 0, kept = 0; kept < ids.length && total < enough; ) total += weights[kept++];
  }
  let left = draw * total;
  return ids.find((_, i) => i < kept && (left -= weights[i]) < 0) ?? ids[kept - 1];
}

test.each([5, 300, 5000])('of %i logits, with equal ones among them, the token that sorting them all gives', size => {
  const random = uniform(size);
  for (let round = 0; round < 60; round++) {
    const coarse = round % 3 === 0;
    const many = Float32Array.from({ length: size }, () =>
      coarse ? Math.round(random() * 8) : 12 * (random() - random()),
    );
    for (const options of [
      { temperature: 1 },
      { temperature: 0.7, topK: 2 + round },
      { temperature: 1.3, topP: 0.9 },
      { temperature: 0.5, topK: 64, topP: 0.95 },
      { temperature: 30, topP: 0.999 },
      { temperature: 2, topK: size + 1 },
    ]) {
      const draw = random();
      expect(sample(many, options, draw), JSON.stringify({ round, ...options })).toBe(bySorting(many, options, draw));
    }
  }
});

test('seeds beyond 32 bits, and below 0, are seeds of their own', () => {
  const seeds = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 53 - 1, -1, -(2 ** 32), -(2 ** 53) + 1];
  const firsts = seeds.map(seed => uniform(seed)());
  expect(new Set(firsts).size).toBe(seeds.length);
  // Below 2³² as they always were.
  expect(Array.from({ length: 2 }, uniform(7)).concat(uniform(2 ** 32 - 1)())).toEqual([
    0.8936956545803696, 0.9803904530126601, 0.9197099530138075,
  ]);
});

test('a seed gives the same numbers, another others', () => {
  const take = (seed: number) => Array.from({ length: 5 }, uniform(seed));
  expect(take(3)).toEqual(take(3));
  expect(take(3)).not.toEqual(take(4));
});

test.each([
  [{ temperature: -1 }, /temperature must be a number from 0, not -1/],
  [{ temperature: Number.NaN }, /temperature must be/],
  [{ topK: 1.5 }, /topK must be a whole number/],
  [{ topP: 0 }, /topP must be above 0 and at most 1/],
  [{ seed: 0.5 }, /seed must be a whole number/],
])('%j is refused', (options, message) => expect(() => checkSampling(options)).toThrow(message));
