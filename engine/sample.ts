// From logits to a token: greedy, temperature, top-k, top-p, with a seed that gives the same tokens again.

import { OptionError } from './errors.js';
import { likeliest } from './likeliest.js';

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

/** Candidates that are put in order at first, where only their probability says how many there are. */
const FIRST = 256;

/** One token from logits [V]: the candidates by top-k, then by top-p, then drawn by their probabilities. */
export function sample(logits: Float32Array, { temperature = 0, topK = 0, topP = 1 }: Sampling, draw: number): number {
  if (isGreedy({ temperature, topK })) return argmax(logits);
  const all = topK === 0 || topK >= logits.length;
  // Equal logits keep the order of their ids, so that a seed means the same everywhere.
  if (!all) return drawn(likeliest(logits, topK), logits, temperature, topP, draw);
  if (topP === 1) return drawn(placesOf(logits), logits, temperature, 1, draw);
  const top = logits[argmax(logits)];
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp((logits[i] - top) / temperature);
  for (let many = FIRST; ; many *= 8) {
    const ids = likeliest(logits, many);
    if (ids.length === logits.length || massOf(ids, logits, temperature) >= topP * total)
      return drawn(ids, logits, temperature, topP, draw, total);
  }
}

function placesOf(logits: Float32Array): Uint32Array {
  const ids = new Uint32Array(logits.length);
  for (let i = 0; i < ids.length; i++) ids[i] = i;
  return ids;
}

function massOf(ids: Uint32Array, logits: Float32Array, temperature: number): number {
  return ids.reduce((sum, id) => sum + Math.exp((logits[id] - logits[ids[0]]) / temperature), 0);
}

/** One of `ids`: in the order of their logits where topP is below 1. @param total of the weights of all candidates; by default of these */
function drawn(
  ids: Uint32Array,
  logits: Float32Array,
  temperature: number,
  topP: number,
  draw: number,
  total?: number,
): number {
  // Loops, because there may be a quarter of a million.
  let top = Number.NEGATIVE_INFINITY;
  for (const id of ids) top = Math.max(top, logits[id]);
  const weights = new Float64Array(ids.length);
  let mass = total ?? 0;
  for (let i = 0; i < ids.length; i++) {
    weights[i] = Math.exp((logits[ids[i]] - top) / temperature);
    if (total === undefined) mass += weights[i];
  }
  let kept = ids.length;
  if (topP < 1) {
    const enough = topP * mass;
    mass = 0;
    kept = 0;
    while (kept < ids.length && mass < enough) mass += weights[kept++];
  }
  let left = draw * mass;
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
