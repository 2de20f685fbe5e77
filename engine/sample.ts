// From logits to a token: greedy, temperature, top-k, top-p, with a seed that gives the same tokens again.

import { OptionError } from './errors.js';
import { likeliest } from './likeliest.js';
import { MOST_TOP, REST_ERROR, type Top, type TopWanted } from './top.js';

/** How a token is drawn from logits. */
export interface Sampling {
  /** 0 (default) takes the most likely token; larger is wilder. */
  readonly temperature?: number;
  /** Only the k most likely; 0: all. */
  readonly topK?: number;
  /** Only the most likely that together have this probability; 1: all. */
  readonly topP?: number;
  /** A seed gives the same tokens again; default 0. */
  readonly seed?: number;
}

/** What was given, in a sentence. */
export function told(value: unknown): string {
  if (typeof value === 'number' || value === undefined || value === null) return String(value);
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (Array.isArray(value)) return 'a list';
  let name = 'object';
  try {
    const kind = Object.prototype.toString.call(value).slice(8, -1); // a Set, a Float32Array
    if (/^\w{1,40}$/.test(kind) && kind !== 'Object') name = kind;
  } catch {} // a proxy that does not let itself be looked at
  return `${/^[AEIOo]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** Throws OptionError for values outside their ranges. */
export function checkSampling({ temperature = 0, topK = 0, topP = 1, seed = 0 }: Sampling): void {
  const need = (holds: boolean, name: string, range: string, got: unknown) => {
    if (!holds) throw new OptionError(`${name} must be ${range}, not ${told(got)}.`);
  };
  need(Number.isFinite(temperature) && temperature >= 0, 'temperature', 'a number from 0', temperature);
  need(Number.isInteger(topK) && topK >= 0, 'topK', 'a whole number from 0', topK);
  need(typeof topP === 'number' && topP > 0 && topP <= 1, 'topP', 'above 0 and at most 1', topP);
  need(Number.isSafeInteger(seed), 'seed', 'a whole number', seed);
}

export const isGreedy = ({ temperature = 0, topK = 0 }: Sampling): boolean => temperature === 0 || topK === 1;

/** Uniform numbers in [0, 1) from a seed (splitmix32). */
export function uniform(seed: number): () => number {
  // What lies above 32 bits counts too: no two seeds are one for being 2³² apart. For seeds below it is 0.
  const high = Math.floor(seed / 2 ** 32);
  const mixed = Math.imul(high ^ (high >>> 15), 0x85ebca6b);
  let state = seed ^ mixed ^ (mixed >>> 13);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/**
 * What is asked of the GPU for a draw from `vocab` logits; null where nothing less than all of them will do: to draw from all by temperature alone, and
 * for more than MOST_TOP.
 */
export function topWanted({ temperature = 0, topK = 0, topP = 1 }: Sampling, vocab: number): TopWanted | null {
  if (topK > 0 && topK < vocab) return topK <= MOST_TOP ? { many: topK } : null;
  const sane = temperature > 1e-6 && temperature < 1e6; // f32 on the GPU divides by it
  return topP < 1 && vocab > MOST_TOP && sane ? { many: MOST_TOP, temperature } : null;
}

/**
 * The token that `sample` gives for the same draw, from the largest logits as topWanted asks for them; null where it cannot be told from them: top-p alone
 * needs more, or ends so close to a candidate that it takes all logits to say on which side.
 */
export function sampleTop({ ids, logits, rest }: Top, { temperature = 0, topP = 1 }: Sampling, draw: number) {
  const weights = weightsOf(logits, temperature);
  if (rest === null) return ids[drawn(weights, topP, draw)];
  const known = sumOf(weights);
  // `sample` adds up all weights in f64, in another order.
  const [low, high] = [(known + rest * (1 - REST_ERROR)) * (1 - 1e-9), (known + rest * (1 + REST_ERROR)) * (1 + 1e-9)];
  const kept = keptOf(weights, topP * low);
  return kept.mass >= topP * high ? ids[drawn(weights, topP, draw, low)] : null;
}

/** One token from logits [V]: the candidates by top-k, then by top-p, then drawn by their probabilities. */
export function sample(logits: Float32Array, { temperature = 0, topK = 0, topP = 1 }: Sampling, draw: number): number {
  if (isGreedy({ temperature, topK })) return argmax(logits);
  const weightsFor = (ids: Uint32Array) =>
    weightsOf(
      Float32Array.from(ids, id => logits[id]),
      temperature,
    );
  const all = topK === 0 || topK >= logits.length;
  // Equal logits keep the order of their ids, so that a seed means the same everywhere.
  if (!all) {
    const ids = likeliest(logits, topK);
    return ids[drawn(weightsFor(ids), topP, draw)];
  }
  const weights = weightsOf(logits, temperature);
  if (topP === 1) return drawn(weights, 1, draw);
  const total = sumOf(weights);
  for (let many = MOST_TOP; ; many *= 8) {
    const ids = likeliest(logits, many);
    const largest = weightsFor(ids);
    if (ids.length === logits.length || sumOf(largest) >= topP * total) return ids[drawn(largest, topP, draw, total)];
  }
}

/** What logits weigh against the largest of them. */
function weightsOf(logits: Float32Array, temperature: number): Float64Array {
  // Loops, because there may be a quarter of a million.
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) top = Math.max(top, logits[i]);
  const weights = new Float64Array(logits.length);
  for (let i = 0; i < weights.length; i++) weights[i] = Math.exp((logits[i] - top) / temperature);
  return weights;
}

function sumOf(weights: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i];
  return sum;
}

/** How many of the first weigh as much as `enough`, all where they do not, and what these weigh. */
function keptOf(weights: Float64Array, enough: number): { many: number; mass: number } {
  let [many, mass] = [0, 0];
  while (many < weights.length && mass < enough) mass += weights[many++];
  return { many, mass };
}

/** A place by its weight: of those that come first, where topP is below 1. @param total of the weights of all candidates */
function drawn(weights: Float64Array, topP: number, draw: number, total = sumOf(weights)): number {
  const kept = topP < 1 ? keptOf(weights, topP * total) : { many: weights.length, mass: total };
  let left = draw * kept.mass;
  for (let i = 0; i < kept.many; i++) {
    left -= weights[i];
    if (left < 0) return i;
  }
  return kept.many - 1;
}

function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}
