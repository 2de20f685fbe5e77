// Attention sinks: a column that holds nearly all of a layer's weight, as the first token often does, and what is left beside it.

import type { Dim } from '../values/dims.js';
import type { AttentionLayer } from '../values/attention.js';
import { label } from '../values/html.js';
import { shortened } from '../values/numbers.js';

/** A column with so much of the weight is a sink: beside it nothing else would be seen. */
const SINK = 0.9;

/** A token by its position and text, a block of them by its first and last position. */
export function blockName(dim: Dim, block: number, by: number): string {
  const first = block * by;
  const last = Math.min(dim.size, first + by) - 1;
  if (by > 1) return `${dim.from + first}–${dim.from + last}`;
  const text = dim.labels?.[first];
  return text === undefined ? String(dim.from + first) : `${dim.from + first} ${label(shortened(text, 12))}`;
}

export interface Sink {
  /** Place of its column in the pattern. */
  readonly key: number;
  readonly name: string;
  /** Of the weight of all queries that can read another. */
  readonly share: number;
}

/** The column that holds nearly all of a layer's weight, as the first token often does; null where none is. */
export function sinkOf({ pattern }: AttentionLayer): Sink | null {
  const [heads, T, S] = pattern.shape;
  const [, query, key] = pattern.dims;
  const sums = new Float64Array(S);
  let total = 0;
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < T; i++) {
      if (query.from + i === 0) continue; // it has none but itself
      for (let j = 0; j < S; j++) {
        const weight = pattern.data[(head * T + i) * S + j];
        sums[j] += weight;
        total += weight;
      }
    }
  }
  const most = sums.indexOf(Math.max(...sums));
  const share = sums[most] / total;
  return S > 1 && share > SINK ? { key: most, name: blockName(key, most, 1), share } : null;
}

/** Where all weights are below it, as in a part of a long text, a scale to 1 would show nothing of them. */
const LOW = 0.5;

/** The first queries of a text have few keys and give each much. Colours that end where this share of all queries does are not theirs. */
const NEARLY_ALL = 0.9;

/** Of weights beside a sink, or of all where there is none. */
export interface Reach {
  /** What nearly all queries give a token at most; the largest weight, where that is less than twice as much. */
  readonly most: number;
  /** The share of queries, over all heads, that give a token more. */
  readonly beyond: number;
}

/** @param first place in the pattern of the first query that counts */
export function reachOf({ pattern }: AttentionLayer, sink: Sink | null, first = 0): Reach {
  const [heads, T, S] = pattern.shape;
  const { from } = pattern.dims[1];
  const largest: number[] = [];
  for (let row = 0; row < heads * T; row++) {
    const query = row % T;
    if (query < first || (sink !== null && from + query === 0)) continue;
    let most = 0;
    for (let j = 0; j < S; j++) if (j !== sink?.key) most = Math.max(most, pattern.data[row * S + j] || 0);
    largest.push(most);
  }
  largest.sort((a, b) => a - b);
  const all = largest[largest.length - 1] ?? 0;
  const nearly = largest[Math.ceil(NEARLY_ALL * (largest.length - 1))] ?? 0;
  const most = nearly > 0 && all > 2 * nearly ? nearly : all;
  const end = (1 + 1e-6) * roundedUp(most); // f32 has 0.1 a little above it
  return { most, beyond: largest.filter(weight => weight > end).length / Math.max(1, largest.length) };
}

/** Where the colours of a layer end. */
export interface Rest {
  readonly end: number;
  readonly beyond: number;
}

/**
 * Where a layer's colours end: at the largest weight outside of its sink, and where it has none, at the largest of all if that is small; to two digits upwards. A few queries that
 * give much more do not count. Null where nothing is gained.
 */
export function restOf(layer: AttentionLayer, sink: Sink | null): Rest | null {
  const { most, beyond } = reachOf(layer, sink);
  return most === 0 || most > (sink === null ? LOW : 0.95) ? null : { end: roundedUp(most), beyond };
}

/** A number above zero, to two digits upwards: where colours end. */
export function roundedUp(most: number): number {
  if (most === 0) return 0;
  const unit = 10 ** (Math.floor(Math.log10(most)) - 1);
  return Number((Math.ceil(most / unit - 1e-6) * unit).toPrecision(2));
}
