// A difference that is one factor throughout: scores before the scale where they were meant behind it, √H forgotten, a sign.

import { MASK_LIMIT } from '../values/stats.js';

/** What a factor has to explain of the squared error, and of how many values. */
const [ALL, LEAST_VALUES] = [0.995, 8];
/** And what it may leave of theirs: four bits leave a hundredth. Of what is left no dimension's own factors may explain so much. */
const [MOST_LEFT, OWN] = [0.02, 0.5];
/** What f32 and these sums leave. */
const RIGHT = 1e-10;
/** Sizes of a model are not larger, whose roots are told as such. */
const LARGEST_SIZE = 1 << 20;

/**
 * `ours × 16 throughout`, `ours × 0.03953 (1/√640) throughout`; empty where the difference is no factor.
 * @param actual ours
 * @param expected theirs
 * @param shape of both
 */
export function factorWords(actual: Float32Array, expected: Float32Array, shape: readonly number[]): string {
  let [cross, own, theirs, error, many] = [0, 0, 0, 0, 0];
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i], expected[i]];
    if (a <= MASK_LIMIT && e <= MASK_LIMIT) continue;
    if (!Number.isFinite(a) || !Number.isFinite(e)) return ''; // what is no number comes of no factor
    cross += a * e;
    own += a * a;
    theirs += e * e;
    error += (a - e) ** 2;
    many += 1;
  }
  if (many < LEAST_VALUES || own === 0 || theirs === 0) return '';
  const factor = cross / own;
  const left = theirs - factor * cross;
  // Of what is a hundredth of ours nearly all of the error is gone by any small factor: it has to make theirs, too.
  if (error === 0 || left > (1 - ALL) * error || left > MOST_LEFT * theirs) return '';
  return ownFactors(actual, expected, shape, factor, Math.max(left, RIGHT * theirs))
    ? ''
    : `ours × ${told(factor)} throughout`;
}

/** Whether what a factor leaves is that entries of a dimension, heads say, have other factors: of rounding their own explain next to nothing. */
function ownFactors(
  actual: Float32Array,
  expected: Float32Array,
  shape: readonly number[],
  factor: number,
  left: number,
): boolean {
  let inner = 1;
  for (let d = shape.length - 1; d >= 0; inner *= shape[d--]) {
    const size = shape[d];
    if (size < 2 || size * LEAST_VALUES > actual.length) continue;
    const [cross, own] = [new Float64Array(size), new Float64Array(size)];
    for (let i = 0; i < actual.length; i++) {
      const [a, e] = [actual[i], expected[i]];
      if (a <= MASK_LIMIT) continue;
      const at = Math.floor(i / inner) % size;
      cross[at] += a * e;
      own[at] += a * a;
    }
    const explained = own.reduce((sum, o, at) => (o > 0 ? sum + (cross[at] / o - factor) ** 2 * o : sum), 0);
    if (explained > OWN * left) return true;
  }
  return false;
}

/** To four digits, and whose root it is. */
function told(factor: number): string {
  const size = Math.abs(factor);
  const text = String(Number(factor.toPrecision(4))).replace('-', '−');
  const square = size < 1 ? 1 / size ** 2 : size ** 2;
  const whole = Math.round(square);
  const isRoot = whole > 1 && whole <= LARGEST_SIZE && Math.abs(square - whole) <= 1e-4 * whole;
  const root = Math.round(Math.sqrt(whole));
  if (!isRoot || (size >= 1 && root ** 2 === whole)) return text;
  const sign = factor < 0 ? '−' : '';
  const name = root ** 2 === whole ? `${root}` : `√${whole}`;
  return `${text} (${sign}${size < 1 ? `1/${name}` : name})`;
}
