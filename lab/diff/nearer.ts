// Who of two is nearer to the exact values, and how far either is: in units of the last place of f32.

import { ulpOf } from '../../engine/ulp.js';
import { MASK_LIMIT } from '../values/stats.js';

type Values = Float32Array | Float64Array;

/** Two engines beside float64. */
export interface Nearer {
  /** Whose values are nearer to float64 of the same inputs; `even` where two digits do not tell them apart. */
  readonly nearer: 'ours' | 'theirs' | 'even';
  /** Distance of ours from float64 in ULP of f32: the norm of the differences over the norm of one ULP of each exact value. Right arithmetic is 0.3 at best, a long sum ten. */
  readonly ours: number;
  /** The same of theirs. */
  readonly theirs: number;
  /** The exact value where the two differ most. */
  readonly exactAtWorst: number;
}

/** @param worst index of the place where the two differ most */
export function nearerOf(ours: Values, theirs: Values, exact: Float64Array, worst: number): Nearer {
  const [a, b] = [ulpsFrom(ours, exact), ulpsFrom(theirs, exact)];
  const [shownA, shownB] = [a, b].map(ulps => Number(ulps.toPrecision(2)));
  const nearer = shownA === shownB ? 'even' : a < b ? 'ours' : 'theirs';
  return { nearer, ours: a, theirs: b, exactAtWorst: exact[worst] };
}

/**
 * ‖values − exact‖ / ‖ulp(exact)‖. One wrong channel of a thousand is seen in it, and a value that is nearly nothing does not drown the rest. Infinite where a value is NaN or infinite
 * and should not be, or masked and should not be.
 */
export function ulpsFrom(values: Values, exact: Float64Array): number {
  if (values.length !== exact.length)
    throw new Error(`${values.length} values cannot be held against ${exact.length} exact ones.`);
  let [off, ulps] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    const [value, right] = [values[i], exact[i]];
    const hidden = [value, right].filter(one => one <= MASK_LIMIT).length;
    if (hidden === 2) continue;
    if (hidden === 1) return Number.POSITIVE_INFINITY;
    // What f32 does not reach is infinite in it, and that is right.
    const rounded = Math.fround(right);
    if (Object.is(value, rounded) || (Number.isNaN(value) && Number.isNaN(right))) {
      if (!Number.isFinite(value)) continue;
    } else if (!Number.isFinite(value) || !Number.isFinite(rounded)) return Number.POSITIVE_INFINITY;
    off += (value - right) ** 2;
    ulps += ulpOf(right) ** 2;
  }
  return off === 0 ? 0 : Math.sqrt(off / ulps);
}
