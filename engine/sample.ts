// From logits to a token: greedy, temperature, top-k, top-p, with a seed that gives the same tokens again.

import { OptionError } from './errors.js';

export interface Sampling {
  /** 0 (default) takes the most likely token; larger is wilder. */
  readonly temperature?: number;
  /** Only the k most likely; 0: all. */
  readonly topK?: number;
  /** Only the most likely that together have this probability; 1: all. */
  readonly topP?: number;
  readonly seed?: number;
}

/** What was given, in a sentence. */
export const told = (value: unknown): string =>
  typeof value === 'number' ? String(value) : typeof value === 'string' ? `'${value}'` : `a ${typeof value}`;

/** Throws OptionError for values outside their ranges. */
export function checkSampling({ temperature = 0, topK = 0, topP = 1, seed = 0 }: Sampling): void {
  const need = (holds: boolean, name: string, range: string, got: unknown) => {
    if (!holds) throw new OptionError(`${name} must be ${range}, not ${told(got)}.`);
  };
  need(temperature >= 0 && Number.isFinite(temperature), 'temperature', 'a number from 0', temperature);
  need(Number.isInteger(topK) && topK >= 0, 'topK', 'a whole number from 0', topK);
  need(typeof topP === 'number' && topP > 0 && topP <= 1, 'topP', 'above 0 and at most 1', topP);
  need(Number.isSafeInteger(seed), 'seed', 'a whole number', seed);
}

export const isGreedy = ({ temperature = 0, topK = 0 }: Sampling): boolean => temperature === 0 || topK === 1;

/** Uniform numbers in [0, 1) from a seed (splitmix32). */
export function uniform(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** One token from logits [V]: the candidates by top-k, then by top-p, then drawn by their probabilities. */
export function sample(logits: Float32Array, { temperature = 0, topK = 0, topP = 1 }: Sampling, draw: number): number {
  if (isGreedy({ temperature, topK })) return argmax(logits);
  let ids = Uint32Array.from(logits.keys());
  const restricted = (topK > 0 && topK < logits.length) || topP < 1;
  // Equal logits keep the order of their ids, so that a seed means the same everywhere.
  if (restricted) ids.sort((a, b) => logits[b] - logits[a] || a - b);
  if (topK > 0) ids = ids.subarray(0, topK) as Uint32Array<ArrayBuffer>;
  const top = restricted ? logits[ids[0]] : logits[argmax(logits)];
  const weights = Float64Array.from(ids, id => Math.exp((logits[id] - top) / temperature));
  let total = weights.reduce((a, b) => a + b, 0);
  let kept = ids.length;
  if (topP < 1) {
    let mass = 0;
    kept = 0;
    while (kept < ids.length && mass < topP * total) mass += weights[kept++];
    total = mass;
  }
  let left = draw * total;
  for (let i = 0; i < kept; i++) {
    left -= weights[i];
    if (left < 0) return ids[i];
  }
  return ids[kept - 1];
}

function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}
