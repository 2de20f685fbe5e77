// Where an error sits, in words: one wrong head, all heads of a KV head, a half of every head, every second channel, positions from one on, or growing with position. A word is said only
// where what it names is nearly all of the error, and what it leaves out is within the limit.

import type { AxisName } from '../../engine/plan.js';
import type { Pairs } from './pairs.js';

/** The error along one dimension, and how large it is beside what should be there. */
export interface Along {
  readonly axis: AxisName;
  /** By index: the part of the whole squared error that is there. */
  readonly share: Float32Array;
  /** By index: the error relative to the values there; infinite where a value is broken on one side. */
  readonly relative: Float64Array;
  /** By index: whether it is beyond the limit. */
  readonly off: readonly boolean[];
}

/** What is known of the model. */
export interface Geometry {
  /** How many key/value heads there are: query heads in a row share one. */
  readonly kvHeads?: number;
  /** What is said of pairs of a query and a key. */
  readonly pairs?: Pairs | null;
}

/** A part that is all there is to say. */
const ALL = 0.995;
/** What a set of entries has to have of the whole error. */
const NEARLY_ALL = 0.99;
/** How much of a half, of every second channel or of a range has to be wrong. */
const FILLED = 0.75;
/** Positions that a growth is seen in, the rank correlation that it has, and how much larger the last third is than the first: weights of an even error in scores come to twice by themselves. */
const GROWTH = { positions: 8, correlation: 0.9, times: 3 };

/** @returns a text a dimension, empty where there is nothing to say */
export function wordsOf(all: readonly Along[], { kvHeads = 0, pairs = null }: Geometry): string[] {
  const heads = all.find(({ axis }) => axis === 'head');
  const keys = all.some(({ axis }) => axis === 'key');
  const words = all.map(one => {
    const first = one.share.reduce((best, share, i) => (share > one.share[best] ? i : best), 0);
    const most = one.share[first];
    if (most > ALL) return `all of it in ${one.axis} ${first}`;
    const set = setOf(one);
    const name = set === null ? '' : named(one, set);
    // Twice what an even spread would give, and a third of it at least; within a part that is named, half of it.
    const least = name === '' ? Math.max(1 / 3, 2 / one.share.length) : Math.max(1 / 2, 3 / set!.length);
    const part = most >= least && set?.length !== 1 ? [`${Math.round(100 * most)} % in ${one.axis} ${first}`] : [];
    // Beyond a window more keys are wrong for each query, and that is no growth.
    const growing = grows(one) && !(keys && name !== '');
    return [...(name === '' ? [] : [name]), ...part, ...(growing ? ['grows with position'] : [])].join(', ');
  });
  return words.map((text, i) =>
    all[i].axis === 'query' ? [pairs?.words ?? '', text].filter(part => part !== '').join(', ') : text,
  );

  function named({ axis, off }: Along, set: readonly number[]): string {
    const [from, to] = [set[0], set[set.length - 1]];
    if (from === to) return `only in ${axis} ${from}`;
    const range = to - from + 1 <= 0.75 * off.length ? `only in ${axis} ${from}–${to}` : '';
    // Keys that lie so far before some query are no more than that says.
    if (axis === 'key' && pairs !== null && from === 0 && to === off.length - 1 - Math.max(0, pairs.from)) return '';
    if (axis === 'head') return groups(set, off.length) ?? range;
    if (axis === 'dim' || axis === 'channel') {
      const part = partOf(set, off.length);
      return part === null ? range : `${part[0]}${axis === 'dim' ? ofHeads() : part[1]}${part[2]}`;
    }
    if (axis !== 'token' && axis !== 'query') return range;
    // The first query sees one key, whose weight is 1 whatever its score.
    const trivial = from === 0 || (from === 1 && keys);
    return to === off.length - 1 && !trivial && set.length >= FILLED * (to - from + 1)
      ? `only positions ≥ ${from}`
      : range;
  }

  /** Query heads that share key/value heads, whole groups of them. */
  function groups(set: readonly number[], heads: number): string | null {
    const size = heads / kvHeads;
    if (!Number.isInteger(size) || size < 2) return null;
    const hit = [...new Set(set.map(head => Math.floor(head / size)))];
    if (hit.length * size !== set.length || hit.length * 2 > kvHeads) return null;
    return `all heads of KV head${hit.length === 1 ? '' : 's'} ${hit.join(', ')}`;
  }

  function ofHeads(): string {
    const wrong = heads?.off.filter(Boolean).length ?? 0;
    if (!heads || wrong === heads.off.length) return ' of every head';
    return wrong === 1 ? ' of that head' : ' of each';
  }
}

/** The entries that are beyond the limit, where they are not all and nearly all of the error is theirs. */
function setOf({ share, off }: Along): number[] | null {
  const set = [...share.keys()].filter(i => off[i]);
  if (set.length === 0 || set.length === share.length) return null;
  return set.reduce((sum, i) => sum + share[i], 0) >= NEARLY_ALL ? set : null;
}

/** `second half`, or `every second channel` and which, of `size` entries. */
function partOf(set: readonly number[], size: number): readonly [name: string, of: string, which: string] | null {
  if (size < 4 || size % 2 !== 0 || set.length < FILLED * (size / 2)) return null;
  if (set.every(i => i < size / 2)) return ['first half', ' of the channels', ''];
  if (set.every(i => i >= size / 2)) return ['second half', ' of the channels', ''];
  if (set.every(i => i % 2 === 0)) return ['every second channel', '', ', the even ones'];
  if (set.every(i => i % 2 === 1)) return ['every second channel', '', ', the odd ones'];
  return null;
}

/** From the first position that is wrong. */
function grows({ axis, relative: all, off }: Along): boolean {
  if ((axis !== 'token' && axis !== 'query') || !off.some(Boolean)) return false;
  const relative = all.subarray(off.indexOf(true));
  const n = relative.length;
  if (n < GROWTH.positions || !relative.every(Number.isFinite)) return false;
  const third = Math.floor(n / 3);
  const mean = (part: Float64Array) => part.reduce((a, b) => a + b, 0) / part.length;
  if (mean(relative.subarray(n - third)) < GROWTH.times * mean(relative.subarray(0, third))) return false;
  const order = [...relative.keys()].sort((a, b) => relative[a] - relative[b] || a - b);
  const squares = order.reduce((sum, i, rank) => sum + (i - rank) ** 2, 0);
  return 1 - (6 * squares) / (n * (n * n - 1)) >= GROWTH.correlation;
}
