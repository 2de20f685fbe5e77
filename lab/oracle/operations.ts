// Every operation of the plan once more, in float64 and straight from its formula, for all tokens of a sequence from position 0. It shares nothing with the shaders: no
// tables, no order of sums, no clamps. Shapes as gemma.ts has them.

import type { Rope } from '../../engine/config.js';
import { MASK_LIMIT } from '../values/stats.js';
import { anglesOf } from './angles.js';

export type Values = Float32Array | Float64Array;
/** Rows of a weight matrix, in ranges: [count, columns] from row `start` on. */
export type Rows = (start: number, count: number) => Promise<Float32Array>;

/** Values of a weight that are held at once: 8 MB. */
const AT_ONCE = 1 << 21;

/** y[t] = weight[id of t] · scale; ids beyond the vocabulary have none, and are NaN. */
export async function embed(
  ids: readonly number[],
  rows: Rows,
  [vocab, hidden]: readonly number[],
  scale: number,
): Promise<Float64Array> {
  const y = new Float64Array(ids.length * hidden).fill(Number.NaN);
  for (const [t, id] of ids.entries())
    if (id < vocab)
      y.set(
        Float64Array.from(await rows(id, 1), w => w * scale),
        t * hidden,
      );
  return y;
}

/** y = x / √(mean(x²) + eps) · gain, over rows as long as the gain. */
export function rmsNorm(x: Values, gain: Values, eps: number): Float64Array {
  const n = gain.length;
  const y = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += n) {
    let squares = 0;
    for (let i = 0; i < n; i++) squares += x[row + i] * x[row + i];
    const size = Math.sqrt(squares / n + eps);
    for (let i = 0; i < n; i++) y[row + i] = (x[row + i] / size) * gain[i];
  }
  return y;
}

/** y [T,out] = x [T,in] · weightᵀ, some rows of the weight at a time. */
export async function linear(
  x: Values,
  rows: Rows,
  [high, wide]: readonly number[],
  pause: () => Promise<void> = async () => {},
): Promise<Float64Array> {
  const tokens = x.length / wide;
  const y = new Float64Array(tokens * high);
  const most = Math.max(1, Math.floor(AT_ONCE / wide));
  const exact = Float64Array.from(x);
  for (let start = 0; start < high; start += most) {
    const many = Math.min(most, high - start);
    const weight = Float64Array.from(await rows(start, many));
    for (let t = 0; t < tokens; t++) {
      for (let r = 0; r < many; r++) {
        let sum = 0;
        for (let i = 0, at = t * wide, w = r * wide; i < wide; i++) sum += exact[at + i] * weight[w + i];
        y[t * high + start + r] = sum;
      }
    }
    await pause();
  }
  return y;
}

/** cap · tanh(x / cap). */
export const softcapped = (x: Float64Array, cap: number | null): Float64Array =>
  cap === null ? x : x.map(value => cap * Math.tanh(value / cap));

/** Each pair (x[i], x[i + D/2]) of each head [T,heads,D] turned by its position. */
export function rope(x: Values, heads: number, dim: number, how: Rope): Float64Array {
  const tokens = x.length / (heads * dim);
  const { perToken, by } = anglesOf(how, dim, tokens);
  const y = new Float64Array(x.length);
  const half = dim / 2;
  for (let at = 0; at < x.length; at += dim) {
    const position = Math.floor(at / (heads * dim));
    for (let i = 0; i < half; i++) {
      const [cos, sin] = [by * Math.cos(position * perToken[i]), by * Math.sin(position * perToken[i])];
      const [a, b] = [x[at + i], x[at + half + i]];
      y[at + i] = a * cos - b * sin;
      y[at + half + i] = a * sin + b * cos;
    }
  }
  return y;
}

export interface Heads {
  /** Query heads; `kv` of them, one after the other, share a head of keys and values. */
  readonly heads: number;
  readonly kv: number;
  readonly dim: number;
  /** Tokens that are seen, the current one included; null for all. */
  readonly window: number | null;
}

/** [A,T,T] = q [T,A,D] · k [T,K,D] · scale, soft-capped; −∞ where a key is later than the query, or beyond its window. */
export function scores(
  q: Values,
  k: Values,
  { heads, kv, dim, window }: Heads,
  scale: number,
  cap: number | null,
): Float64Array {
  const tokens = q.length / (heads * dim);
  const y = new Float64Array(heads * tokens * tokens).fill(Number.NEGATIVE_INFINITY);
  for (let head = 0; head < heads; head++) {
    const shared = Math.floor((head * kv) / heads);
    for (let query = 0; query < tokens; query++) {
      for (let key = 0; key <= query; key++) {
        if (window !== null && query - key >= window) continue;
        let sum = 0;
        for (let d = 0; d < dim; d++) sum += q[(query * heads + head) * dim + d] * k[(key * kv + shared) * dim + d];
        const score = sum * scale;
        y[(head * tokens + query) * tokens + key] = cap === null ? score : cap * Math.tanh(score / cap);
      }
    }
  }
  return y;
}

/** Over rows of `keys`: exp(x − most) / Σ; nothing of what is masked. */
export function softmax(x: Values, keys: number): Float64Array {
  const y = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += keys) {
    let [most, sum] = [Number.NEGATIVE_INFINITY, 0];
    for (let j = row; j < row + keys; j++) if (!(x[j] <= most)) most = x[j];
    for (let j = row; j < row + keys; j++) sum += y[j] = x[j] <= MASK_LIMIT ? 0 : Math.exp(x[j] - most);
    for (let j = row; j < row + keys; j++) y[j] /= sum;
  }
  return y;
}

/** [T,A,D] = pattern [A,T,T] · v [T,K,D], over what a query sees. */
export function mix(pattern: Values, v: Values, { heads, kv, dim, window }: Heads): Float64Array {
  const tokens = v.length / (kv * dim);
  const y = new Float64Array(tokens * heads * dim);
  for (let head = 0; head < heads; head++) {
    const shared = Math.floor((head * kv) / heads);
    for (let query = 0; query < tokens; query++) {
      const first = window === null ? 0 : Math.max(0, query - window + 1);
      for (let key = first; key <= query; key++) {
        const weight = pattern[(head * tokens + query) * tokens + key];
        for (let d = 0; d < dim; d++) y[(query * heads + head) * dim + d] += weight * v[(key * kv + shared) * dim + d];
      }
    }
  }
  return y;
}

/** x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))), with the tail that 1 + tanh loses. */
export function geluTanh(x: Values): Float64Array {
  return Float64Array.from(x, value => {
    const u = Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3);
    // 1 + tanh(u) = 2 / (1 + e^(−2u))
    return value / (1 + Math.exp(-2 * u));
  });
}
