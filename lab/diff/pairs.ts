// Where an error of attention sits by how far a key is before its query: beyond the sliding window, at its edge, or behind the query, where nothing may be read. A window that is ignored or one too long shows so.

import type { AxisName } from '../../engine/plan.js';
import { MASK_LIMIT } from '../values/stats.js';
import { levelOf } from './level.js';

export interface PairsGiven {
  /** Relative L2 within which pairs are right. */
  readonly limit: number;
  /** Tokens that a query sees, itself one of them; null where it sees all, or nobody says. */
  readonly window: number | null;
  /** Whether the engine rounds; see level.ts. */
  readonly rounds: boolean;
}

/** What the distances that are named have to have of the whole error. */
const NEARLY_ALL = 0.99;
/** Of the distances from one on so many have to be wrong. */
const FILLED = 0.75;
/** Distances below which a range of them says nothing. */
const LEAST = 4;
/** How much larger the error is there than elsewhere, relative to what is there: of even noise as large as the limit chance says what is beyond it. */
const CONTRAST = 3;

/** What is said of pairs, and the least distance of those that are wrong. */
export interface Pairs {
  readonly words: string;
  readonly from: number;
}

/** Null where there is nothing to say, and of what has no pairs of a query and a key. */
export function pairWords(
  actual: Float32Array,
  expected: Float32Array,
  shape: readonly number[],
  axes: readonly AxisName[],
  { limit, window, rounds }: PairsGiven,
): Pairs | null {
  const n = axes.length;
  if (n < 2 || axes[n - 2] !== 'query' || axes[n - 1] !== 'key') return null;
  const [queries, keys] = [shape[n - 2], shape[n - 1]];
  const back = keys - queries; // of the last queries alone
  if (back < 0 || keys < 2) return null;
  // By query − key, from 1 − keys on.
  const [square, right, broken] = [0, 1, 2].map(() => new Float64Array(2 * keys));
  const many = new Float64Array(2 * keys);
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i], expected[i]];
    const masks = Number(a <= MASK_LIMIT) + Number(e <= MASK_LIMIT);
    if (masks === 2) continue;
    const at = back + (Math.floor(i / keys) % queries) - (i % keys) + keys;
    if (masks === 1 || (!Number.isFinite(a - e) && a !== e)) broken[at] += 1;
    else {
      many[at] += 1;
      square[at] += a === e ? 0 : (a - e) ** 2;
      right[at] += Number.isFinite(e) ? e * e : 0;
    }
  }
  const sum = (of: Float64Array) => of.reduce((a, b) => a + b, 0);
  const ordinary = sum(right) / Math.max(1, sum(many)); // where there is next to nothing
  const there = (at: number) => Math.max(right[at], ordinary * many[at]);
  const seen = [...many.keys()].filter(at => many[at] + broken[at] > 0);
  const relative = new Map(
    seen.map(at => [
      at,
      broken[at] > 0 ? Number.POSITIVE_INFINITY : Math.sqrt(square[at] / Math.max(there(at), 1e-300)),
    ]),
  );
  const level = rounds ? levelOf([...relative.values()], limit) : limit;
  const off = seen.filter(at => level !== null && relative.get(at)! > level);
  if (off.length === 0 || off.length === seen.length || !isNearlyAll()) return null;
  const distances = off.map(at => at - keys);
  const [from, to] = [Math.min(...distances), Math.max(...distances)];
  const words = said();
  return words === '' ? null : { words, from };

  function said(): string {
    if (to < 0) return 'only in keys after their query';
    if (window !== null && from >= window)
      return to === window
        ? `only in the key just beyond the window, ${window} before the query`
        : `only beyond the window of ${window} tokens`;
    if (window !== null && from === window - 1 && to === from && from > 0)
      return `only in the last key of the window, ${from} before the query`;
    const last = Math.max(...seen) - keys;
    const isRange = from > 0 && to === last && off.length >= Math.max(LEAST, FILLED * (to - from + 1));
    return isRange ? `only in keys ${from} or more before their query` : '';
  }

  function isNearlyAll(): boolean {
    if (off.some(at => broken[at] > 0)) return off.every(at => broken[at] > 0);
    const share = (of: (at: number) => number, part: readonly number[]) => part.reduce((a, at) => a + of(at), 0);
    const rest = seen.filter(at => !off.includes(at));
    const error = (part: readonly number[]) => share(at => square[at], part) / Math.max(share(there, part), 1e-300);
    return share(at => square[at], off) >= NEARLY_ALL * sum(square) && error(off) >= CONTRAST ** 2 * error(rest);
  }
}
