// Where in a tensor an error sits: its size along every dimension by itself, so that one wrong head, position or channel stands out.

import type { AxisName } from '../../engine/plan.js';
import { MASK_LIMIT } from '../values/stats.js';

/** The error along one dimension. */
export interface Spread {
  /** The dimension. */
  readonly axis: AxisName;
  /** By index: the part of the whole squared error that is there, 0 to 1. Values that are broken on one side count alone. */
  readonly share: Float32Array;
}

/** @returns one spread a dimension of more than one entry; all zero where nothing differs */
export function locate(
  actual: Float32Array,
  expected: Float32Array,
  shape: readonly number[],
  axes: readonly AxisName[],
): Spread[] {
  const finite = shape.map(size => new Float64Array(size));
  const broken = shape.map(size => new Float64Array(size));
  let [finiteSum, brokenSum] = [0, 0];
  const index = shape.map(() => 0);
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i], expected[i]];
    const masks = Number(a <= MASK_LIMIT) + Number(e <= MASK_LIMIT);
    if (
      masks === 1 ||
      (masks === 0 && (Number.isNaN(a - e) || Math.abs(a - e) === Number.POSITIVE_INFINITY) && a !== e)
    ) {
      brokenSum += 1;
      for (let d = 0; d < shape.length; d++) broken[d][index[d]] += 1;
    } else if (masks === 0 && a !== e) {
      const square = (a - e) ** 2;
      finiteSum += square;
      for (let d = 0; d < shape.length; d++) finite[d][index[d]] += square;
    }
    for (let d = shape.length - 1; d >= 0 && ++index[d] === shape[d]; d--) index[d] = 0;
  }
  const [sums, total] = brokenSum > 0 ? [broken, brokenSum] : [finite, finiteSum];
  return axes.flatMap((axis, d) =>
    shape[d] > 1 ? [{ axis, share: Float32Array.from(sums[d], sum => (total > 0 ? sum / total : 0)) }] : [],
  );
}

/** The entries with the largest shares, largest first. */
export function largest({ share }: Spread, many: number): { readonly index: number; readonly share: number }[] {
  const order = [...share.keys()].sort((a, b) => share[b] - share[a] || a - b).slice(0, many);
  return order.filter(index => share[index] > 0).map(index => ({ index, share: share[index] }));
}

/** A share that rounding alone may have, beside a fault. */
const ROUNDING = 1e-6;

/** In words: `all of it in head 2`, `61 % in token 0`, `only in query 16–27`, or that it is everywhere. */
export function locationText(spreads: readonly Spread[]): string {
  const parts = spreads.flatMap(spread => {
    const { axis, share } = spread;
    const [first] = largest(spread, 1);
    if (!first) return [];
    // Twice what an even spread would give, and a third of it at least.
    if (first.share >= Math.max(1 / 3, 2 / share.length)) {
      return [`${first.share > 0.995 ? 'all of it' : `${Math.round(100 * first.share)} %`} in ${axis} ${first.index}`];
    }
    const from = share.findIndex(part => part > ROUNDING);
    const to = share.findLastIndex(part => part > ROUNDING);
    return to - from + 1 <= 0.75 * share.length ? [`only in ${axis} ${from}–${to}`] : [];
  });
  return parts.length > 0 ? parts.join(', ') : 'spread over everything';
}
