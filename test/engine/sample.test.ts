import { expect, test } from 'vitest';
import { checkSampling, sample, uniform } from '../../engine/sample.js';

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
