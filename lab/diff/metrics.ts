// The instrument: how far two tensors are apart. Everything is summed in f64. NaN never passes for equal, and masked attention
// scores are compared as a mask, because one −3.4e38 would drown every other value.

import { GoldenError } from '../../engine/errors.js';
import { MASK_LIMIT } from '../values/stats.js';
import { said } from '../values/dims.js';

/** How far two tensors are apart, summed in f64; masked attention scores are compared as a mask. */
export interface Metrics {
  /** Largest |actual − expected|. */
  readonly maxAbs: number;
  /** ‖actual − expected‖ / ‖expected‖. */
  readonly relL2: number;
  /** relL2². */
  readonly nmse: number;
  /** Of the angle between them; 1 for the same direction. */
  readonly cosine: number;
  /** 99th percentile of the distance in units of the last place of f32. */
  readonly ulpP99: number;
  /** Where the largest difference is, one index a dimension. */
  readonly worst: readonly number[];
  /** Ours there. */
  readonly actualAtWorst: number;
  /** The other there. */
  readonly expectedAtWorst: number;
  /** Positions masked on one side only. */
  readonly maskMismatch: number;
  /** Positions that are NaN on either side, or infinite on one. */
  readonly nonFinite: number;
}

/** Throws GoldenError unless both have as many values as the shape says, and at least one. */
export function compare(actual: Float32Array, expected: Float32Array, shape: readonly number[]): Metrics {
  for (const values of [actual, expected] as unknown[]) {
    if (Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView))) continue;
    throw new GoldenError(
      `Tensors are compared as lists of numbers, not ${said(values)}. Give the data of activations.`,
    );
  }
  if (!Array.isArray(shape) || !shape.every(size => Number.isSafeInteger(size) && size >= 0)) {
    throw new GoldenError(`A shape is a list of whole numbers from 0, not ${said(shape)}. Give e.g. [data.length].`);
  }
  const n = shape.reduce((a, b) => a * b, 1);
  if (n === 0 || actual.length !== n || expected.length !== n) {
    throw new GoldenError(
      `Tensors of ${actual.length} and ${expected.length} values cannot be compared in the shape [${shape}].`,
    );
  }
  let [squaredError, squaredExpected, squaredActual, dot] = [0, 0, 0, 0];
  let [maxAbs, worstAt, maskMismatch, nonFinite] = [-1, 0, 0, 0];
  const ulps = new Uint32Array(n); // a vocabulary's logits are tens of millions
  let measured = 0;
  for (let i = 0; i < n; i++) {
    const a = actual[i];
    const e = expected[i];
    const maskedHere = a <= MASK_LIMIT;
    const maskedThere = e <= MASK_LIMIT;
    if (maskedHere && maskedThere) continue;
    const broken = !Number.isFinite(a) || !Number.isFinite(e);
    if (maskedHere !== maskedThere || (broken && !(a === e))) {
      if (maskedHere !== maskedThere) maskMismatch += 1;
      else nonFinite += 1;
      if (maxAbs !== Number.POSITIVE_INFINITY) worstAt = i;
      maxAbs = Number.POSITIVE_INFINITY;
      continue;
    }
    if (broken) continue; // the same infinity on both sides
    const error = Math.abs(a - e);
    if (error > maxAbs) {
      maxAbs = error;
      worstAt = i;
    }
    squaredError += error * error;
    squaredExpected += e * e;
    squaredActual += a * a;
    dot += a * e;
    ulps[measured++] = ulpDistance(a, e);
  }
  const sorted = ulps.subarray(0, measured).sort();
  const failed = maskMismatch + nonFinite > 0;
  // Where all that is right is 0, any error is infinitely larger.
  const relL2 = failed
    ? Number.POSITIVE_INFINITY
    : squaredError === 0
      ? 0
      : Math.sqrt(squaredError) / Math.sqrt(squaredExpected);
  const norms = Math.sqrt(squaredExpected) * Math.sqrt(squaredActual);
  return {
    maxAbs: Math.max(0, maxAbs),
    relL2,
    nmse: relL2 * relL2,
    cosine: failed ? Number.NaN : squaredError === 0 ? 1 : norms === 0 ? 0 : Math.min(1, dot / norms),
    ulpP99: failed ? Number.POSITIVE_INFINITY : (sorted[Math.ceil(measured * 0.99) - 1] ?? 0),
    worst: unravel(worstAt, shape),
    actualAtWorst: actual[worstAt],
    expectedAtWorst: expected[worstAt],
    maskMismatch,
    nonFinite,
  };
}

function unravel(index: number, shape: readonly number[]): number[] {
  const out: number[] = [];
  let rest = index;
  for (let i = shape.length - 1; i >= 0; i--) {
    out.unshift(rest % shape[i]);
    rest = Math.floor(rest / shape[i]);
  }
  return out;
}

const floats = new Float32Array(2);
const bits = new Int32Array(floats.buffer);

/** Floats between a and b, ordered by their bits. */
function ulpDistance(a: number, b: number): number {
  floats[0] = a;
  floats[1] = b;
  const ordered = (i: number) => (bits[i] < 0 ? -2147483648 - bits[i] : bits[i]);
  return Math.abs(ordered(0) - ordered(1));
}
