// What values come to: their range, mean and spread, without what attention hides.

/** What values come to; of all that are finite and not masked. Where there are none, NaN, and an L2 norm of 0. */
export interface Stats {
  /** The smallest. */
  readonly min: number;
  /** The largest. */
  readonly max: number;
  /** The mean. */
  readonly mean: number;
  /** Standard deviation, of all there are. */
  readonly std: number;
  /** The largest |value|. */
  readonly maxAbs: number;
  /** L2 norm. */
  readonly l2: number;
  /** How many are NaN; they are left out of the others. */
  readonly nans: number;
  /** How many are +∞ or −∞; they are left out of the others. */
  readonly infinite: number;
  /** Values attention hides (−3.4e38); they are left out of the others. */
  readonly masked: number;
}

/** What a score is that the mask hides: the lowest f32. */
export const MASKED = -3.4028234663852886e38;
/** Values at or below this are masked attention scores. */
export const MASK_LIMIT = -1e30;
/** −∞ is none: that is what a computation came to. */
export const isMasked = (value: number): boolean => value <= MASK_LIMIT && value !== Number.NEGATIVE_INFINITY;

export function statsOf(data: Float32Array): Stats {
  let [min, max, sum, squares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  let [nans, infinite, masked] = [0, 0, 0];
  for (const value of data) {
    if (Number.isNaN(value)) nans += 1;
    else if (isMasked(value)) masked += 1;
    else if (!Number.isFinite(value)) infinite += 1;
    else {
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
      squares += value * value;
    }
  }
  const n = data.length - nans - infinite - masked;
  if (n === 0) [min, max] = [Number.NaN, Number.NaN];
  const mean = sum / n;
  const std = Math.sqrt(Math.max(0, squares / n - mean * mean));
  return {
    min,
    max,
    mean,
    std,
    maxAbs: Math.max(Math.abs(min), Math.abs(max)),
    l2: Math.sqrt(squares),
    nans,
    infinite,
    masked,
  };
}
