// What a run leaves as rows: the values of a stage, token by token, one after the other in memory.

import { OptionError } from '../../engine/errors.js';
import { f16Bits } from '../../engine/weights/quantise.js';
import type { Values } from '../values/dims.js';

/** Rows of a stage, a token each. */
export interface TokenRows {
  /** Position of the first in the prompt. */
  readonly from: number;
  readonly rows: number;
  /** Values of each. */
  readonly width: number;
  /** Row after row. */
  readonly data: Float32Array;
}

/** The values with the tokens' dimension outermost. */
export function tokenRows({ dims, data }: Values): TokenRows {
  const along = dims.findIndex(({ name }) => name === 'token' || name === 'query');
  const { size: rows, from } = dims[along];
  const sizes = dims.map(({ size }) => size);
  // Before the tokens' dimension are `blocks`, behind it `inner` values.
  const blocks = sizes.slice(0, along).reduce((a, b) => a * b, 1);
  const inner = sizes.slice(along + 1).reduce((a, b) => a * b, 1);
  const width = blocks * inner;
  if (blocks === 1) return { from, rows, width, data };
  const out = new Float32Array(data.length);
  for (let block = 0; block < blocks; block++)
    for (let row = 0; row < rows; row++) {
      const at = (block * rows + row) * inner;
      out.set(data.subarray(at, at + inner), row * width + block * inner);
    }
  return { from, rows, width, data: out };
}

/** The largest that f16 has. What rounds to more would be infinite. */
const F16_MOST = 65504;
const F16_ENDS = 65520;

/** The bits of the values as f16, rounded to the nearest, ties to even. Throws OptionError for a value that f16 does not reach: with its prompt and its token, from 0. */
export function halves({ data, width, from }: TokenRows, stage: string, prompt: number): Uint16Array<ArrayBuffer> {
  const out = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (Math.abs(value) >= F16_ENDS && Number.isFinite(value))
      throw new OptionError(
        `'${stage}' is ${value.toPrecision(4)} at token ${from + Math.floor(i / width)} of prompt ${prompt}, and f16 ends at ±${F16_MOST}. Keep it as { "values": "f32" }.`,
      );
    out[i] = f16Bits(value);
  }
  return out;
}
