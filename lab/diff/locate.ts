// Where in a tensor an error sits: its size along every dimension by itself, so that one wrong head, position or channel stands out.

import type { AxisName } from '../../engine/plan.js';
import { MASK_LIMIT } from '../values/stats.js';
import { factorWords } from './factor.js';
import { levelOf } from './level.js';
import { pairWords } from './pairs.js';
import { LOCAL_LIMIT } from './tolerance.js';
import { type Along, type Geometry, wordsOf } from './words.js';

/** Nothing, or no more than where the most of it is. */
const SHARE = /^(\d+ % in \w+ \d+)?$/;

/** The error along one dimension. */
export interface Spread {
  /** The dimension. */
  readonly axis: AxisName;
  /** By index: the part of the whole squared error that is there, 0 to 1. Values that are broken on one side count alone. */
  readonly share: Float32Array;
  /** Where along it: `all of it in head 2`, `second half of every head`, `only positions ≥ 16`; empty where it is spread over the dimension. Of the first dimension, where no other says more than a share, also `ours × 16 throughout`. */
  readonly words: string;
}

/** What words are said by. */
export interface Located extends Geometry {
  /** Relative L2 within which a part of the tensor is right; by default that of a stage alone. */
  readonly limit?: number;
  /** Of scores and weights the tokens that a query sees; null where it sees all. */
  readonly window?: number | null;
  /** Whether the engine rounds: then what lies far above its rounding is wrong, not what is beyond the limit. */
  readonly rounds?: boolean;
}

/** @returns one spread a dimension of more than one entry; all zero where nothing differs */
export function locate(
  actual: Float32Array,
  expected: Float32Array,
  shape: readonly number[],
  axes: readonly AxisName[],
  { limit = LOCAL_LIMIT, window = null, rounds = false, ...geometry }: Located = {},
): Spread[] {
  const sums = () => shape.map(size => new Float64Array(size));
  const [finite, broken, right] = [sums(), sums(), sums()];
  let [finiteSum, brokenSum, rightSum] = [0, 0, 0];
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
    } else if (masks === 0) {
      const [square, value] = [a === e ? 0 : (a - e) ** 2, Number.isFinite(e) ? e * e : 0];
      finiteSum += square;
      rightSum += value;
      for (let d = 0; d < shape.length; d++) {
        finite[d][index[d]] += square;
        right[d][index[d]] += value;
      }
    }
    for (let d = shape.length - 1; d >= 0 && ++index[d] === shape[d]; d--) index[d] = 0;
  }
  const [parts, total] = brokenSum > 0 ? [broken, brokenSum] : [finite, finiteSum];
  const all = axes.flatMap((axis, d): Along[] => {
    if (shape[d] < 2) return [];
    const relative = Float64Array.from(finite[d], (square, i) =>
      broken[d][i] > 0 ? Number.POSITIVE_INFINITY : square === 0 ? 0 : Math.sqrt(square / right[d][i]),
    );
    // Where there is next to nothing, an error counts beside what is there elsewhere.
    const ordinary = rightSum / shape[d];
    const beside = Float64Array.from(finite[d], (square, i) =>
      broken[d][i] > 0 ? Number.POSITIVE_INFINITY : Math.sqrt(square / Math.max(right[d][i], ordinary, 1e-300)),
    );
    const level = rounds ? levelOf(beside, limit) : limit;
    const off = [...beside].map(error => level === null || error > level);
    return [{ axis, share: Float32Array.from(parts[d], sum => (total > 0 ? sum / total : 0)), relative, off }];
  });
  const pairs = pairWords(actual, expected, shape, axes, { limit, window, rounds });
  const words = wordsOf(all, { ...geometry, pairs });
  // What has a large channel has a large share of the error there, whatever the factor.
  if (words.length > 0 && words.every(text => SHARE.test(text))) {
    const factor = factorWords(actual, expected, shape);
    if (factor !== '') words.fill('').splice(0, 1, factor);
  }
  return all.map(({ axis, share }, i) => ({ axis, share, words: words[i] }));
}

/** The entries with the largest shares, largest first. */
export function largest({ share }: Spread, many: number): { readonly index: number; readonly share: number }[] {
  const order = [...share.keys()].sort((a, b) => share[b] - share[a] || a - b).slice(0, many);
  return order.filter(index => share[index] > 0).map(index => ({ index, share: share[index] }));
}

/** In words: `all of it in head 2`, `61 % in token 0`, `second half of every head, only positions ≥ 16`, that it is one factor, or that it is everywhere. */
export function locationText(spreads: readonly Spread[]): string {
  const parts = spreads.flatMap(({ words }) => (words === '' ? [] : [words]));
  return parts.length > 0 ? parts.join(', ') : 'spread over everything';
}
