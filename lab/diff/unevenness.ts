// The shape of a difference: whether it sits somewhere, along one dimension or another, and whether it follows the value. Rounding does neither.

import { MASK_LIMIT } from '../values/stats.js';

/** The shape of a difference. */
export interface Unevenness {
  /** How much worse the worst entry of a dimension is than an ordinary one, relative to what is there. */
  readonly sticksOut: number;
  /** How far off the worst entry of a dimension is, relative to it or to all. */
  readonly worst: number;
  /** How much of it is a function of the value, 0 to 1: all of it for a wrong factor, next to nothing for rounding. */
  readonly follows: number;
  /** Relative L2 of what is a number on both sides; NaN where nothing is. */
  readonly relL2: number;
}

/** Above this a product's difference sits somewhere. */
export const STICKS_OUT = 16;
export const FOLLOWS = 0.3;
/** Of what is looked up: a quantised weight is itself a little of a function of its value, 0.35 of the few of one token. A wrong factor comes to 1. */
export const LOOKED_UP = 0.5;
/** Bins of values of like size, each of this many at least: of fewer than eight bins the chance is too large. */
const [BINS, LEAST_BINS, IN_A_BIN] = [32, 8, 8];
const SAMPLES = 1 << 16;
/** Values of an entry below which its share says nothing. */
const LEAST_VALUES = 4;

/**
 * @param data theirs
 * @param right ours on their inputs
 * @param gained whether a gain was multiplied in behind a product: then its channels are as uneven as the gain
 */
export function unevenness(
  data: Float32Array,
  right: Float32Array,
  shape: readonly number[],
  gained = false,
): Unevenness {
  // Where something is NaN, what is not bears witness of rounding all the same.
  const counted = (i: number) =>
    right[i] > MASK_LIMIT && data[i] > MASK_LIMIT && Number.isFinite(right[i]) && Number.isFinite(data[i]);
  let [sum, errors, n] = [0, 0, 0];
  for (let i = 0; i < right.length; i++) {
    if (!counted(i)) continue;
    sum += right[i] ** 2;
    errors += (data[i] - right[i]) ** 2;
    n += 1;
  }
  const rms = Math.sqrt(sum / Math.max(1, n));
  let [sticksOut, worst] = [0, 0];
  let inner = 1;
  for (let d = shape.length - 1; d >= 0; inner *= shape[d--]) {
    const along = alongAxis(shape[d], inner);
    if (!(gained && d === shape.length - 1)) sticksOut = Math.max(sticksOut, along.sticksOut);
    worst = Math.max(worst, along.worst);
  }
  return {
    sticksOut,
    worst,
    follows: follows(),
    relL2: n === 0 ? Number.NaN : Math.sqrt(errors / Math.max(sum, 1e-300)),
  };

  function alongAxis(size: number, inner: number): Pick<Unevenness, 'sticksOut' | 'worst'> {
    if (size < 2) return { sticksOut: 0, worst: 0 };
    const error = new Float64Array(size);
    const value = new Float64Array(size);
    const many = new Float64Array(size);
    for (let i = 0; i < right.length; i++) {
      if (!counted(i)) continue;
      const at = Math.floor(i / inner) % size;
      error[at] += (data[i] - right[i]) ** 2;
      value[at] += right[i] ** 2;
      many[at] += 1;
    }
    const entries = [...error.keys()].filter(at => many[at] >= LEAST_VALUES);
    // Rounding of a value is relative to it, that of a sum to the sum's terms: what is ordinary by either is no place.
    const scales = [
      (at: number) => Math.max(value[at], 1e-12 * many[at] * rms ** 2),
      (at: number) => Math.max(value[at], many[at] * rms ** 2),
      (at: number) => many[at] * rms ** 2,
    ];
    const relative = scales.map(scale => entries.map(at => Math.sqrt(error[at] / scale(at))));
    return {
      sticksOut: Math.min(...relative.map(outstanding)),
      worst: relative[1].reduce((a, b) => Math.max(a, b), 0),
    };
  }

  function outstanding(relative: readonly number[]): number {
    if (relative.length < 2) return 0;
    const sorted = [...relative].sort((a, b) => a - b);
    const ordinary = sorted[Math.floor(sorted.length / 4)];
    const worst = sorted[sorted.length - 1];
    return worst === 0 ? 0 : worst / Math.max(ordinary, worst * 1e-6);
  }

  /** The share of the error that the mean over values of like size explains, beyond what it would of chance. */
  function follows(): number {
    const step = Math.max(1, Math.ceil(right.length / SAMPLES));
    const pairs: (readonly [value: number, error: number])[] = [];
    for (let i = 0; i < right.length; i += step) {
      if (counted(i)) pairs.push([right[i], (data[i] - right[i]) / (Math.abs(right[i]) + rms)]);
    }
    const bins = Math.min(BINS, Math.floor(pairs.length / IN_A_BIN));
    if (bins < LEAST_BINS) return 0;
    pairs.sort(([a], [b]) => a - b);
    let [explained, all] = [0, 0];
    for (let bin = 0; bin < bins; bin++) {
      const part = pairs.slice(Math.floor((bin * pairs.length) / bins), Math.floor(((bin + 1) * pairs.length) / bins));
      const mean = part.reduce((total, [, error]) => total + error, 0) / part.length;
      explained += part.length * mean ** 2;
      all += part.reduce((total, [, error]) => total + error ** 2, 0);
    }
    return all === 0 ? 0 : Math.max(0, (explained / all - bins / pairs.length) / (1 - bins / pairs.length));
  }
}
