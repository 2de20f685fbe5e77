// Whether two stored matrices hold the same: the embedding, and a head that a folder stores too though it is the embedding.

import type { Safetensors, SafeTensor } from './safetensors.js';

export interface StoredMatrix extends SafeTensor {
  readonly file: Safetensors;
}

/** Below this a comparison of all bytes takes a fraction of a second. */
const SMALL = 128 << 20; // bytes of one matrix
const CHUNK = 8 << 20;
const SAMPLED = 256;

/**
 * Bytes are compared as they are stored, with no value decoded; only matrices of two formats are compared by value.
 *
 * A large one may be compared in its first and last row and in 256 between. That is enough to say what a model is: a head that was trained
 * apart differs in every row, because the softmax gives every piece a gradient. Where a hundredth of the rows differ, 256 rows miss all of
 * them once in 13 times, and a single row is nearly always missed: what computes with the weights compares whole.
 * @param whole compare everything, however large
 */
export async function sameMatrix(a: StoredMatrix, b: StoredMatrix, whole: boolean): Promise<boolean> {
  if (a.shape.join() !== b.shape.join()) return false;
  const rows = a.shape[0];
  const same = a.dtype === b.dtype ? sameBytes : sameValues;
  if (!whole && Math.max(a.bytes, b.bytes) > SMALL) {
    for (const row of sampled(rows)) if (!(await same(a, b, row, 1))) return false;
    return true;
  }
  const step = Math.max(1, Math.floor(CHUNK / (Math.max(a.bytes, b.bytes) / (rows || 1) || 1)));
  for (let row = 0; row < rows; row += step) {
    if (!(await same(a, b, row, Math.min(step, rows - row)))) return false;
  }
  return true;
}

/** The ends, where added pieces stand, and rows by a fixed seed, so that the answer is always the same. */
function sampled(rows: number): number[] {
  let state = 0x9e3779b9;
  const between = Array.from({ length: SAMPLED }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * rows);
  });
  return [0, rows - 1, ...between];
}

async function sameBytes(a: StoredMatrix, b: StoredMatrix, row: number, count: number): Promise<boolean> {
  const [one, two] = await Promise.all([a, b].map(({ file, name }) => file.readBytes(name, row, count)));
  return Buffer.compare(one, two) === 0;
}

async function sameValues(a: StoredMatrix, b: StoredMatrix, row: number, count: number): Promise<boolean> {
  const [one, two] = await Promise.all([a, b].map(({ file, name }) => file.readF32(name, row, count)));
  for (let i = 0; i < one.length; i++) if (one[i] !== two[i]) return false;
  return true;
}
