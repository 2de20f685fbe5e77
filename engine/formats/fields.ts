// Small numbers into the words of a lane's texels. A format writes the 32 values of a block into `values`, one after the other, and has them packed: on
// the way of hundreds of millions of weights a function for each would be most of the time.

import { STEP, type Turn } from './tile.js';

/** The block on its way, a byte a column, and one zero more, which packing by threes reads. A sign goes in as two's complement. */
export const values = new Uint8Array(33);

/** The half float at `at` of the stored bytes. */
export const halfAt = ({ bytes }: Turn, at: number): number => bytes[at] | (bytes[at + 1] << 8);

/** A half float for block `block` of four: two of a row in a word, the row's two words first. */
export function putHalf({ half, out, to }: Turn, texel: number, block: number, value: number): void {
  out[to + STEP * texel + 2 * half + (block >> 1)] |= value << (16 * (block & 1));
}

/** 32 columns of 8 bits into two texels of the row's, from `texel`. */
export function putBytes({ half, out, to }: Turn, texel: number): void {
  const at = to + STEP * (texel + 2 * half);
  for (let n = 0, i = 0; n < 8; n++, i += 4) {
    out[at + STEP * (n >> 2) + (n & 3)] =
      values[i] | (values[i + 1] << 8) | (values[i + 2] << 16) | (values[i + 3] << 24);
  }
}

/** 32 columns of 4 bits into one texel. */
export function putNibbles({ half, out, to }: Turn, texel: number): void {
  const at = to + STEP * (texel + half);
  for (let n = 0, i = 0; n < 4; n++, i += 8) {
    const low = values[i] | (values[i + 1] << 4) | (values[i + 2] << 8) | (values[i + 3] << 12);
    const high = values[i + 4] | (values[i + 5] << 4) | (values[i + 6] << 8) | (values[i + 7] << 12);
    out[at + n] = low | (high << 16);
  }
}

/** 32 columns of 5 bits into eleven and 16 bits more into the twelfth of a block's words, of which each row has a half. */
export function putFives({ half, out, to }: Turn, block: number, last: number): void {
  const at = to + STEP * 3 * block;
  for (let n = 0, i = 0; n < 11; n++, i += 3) {
    const three = values[i] | (values[i + 1] << 5) | (values[i + 2] << 10);
    out[at + STEP * (n >> 2) + (n & 3)] |= three << (16 * half);
  }
  out[at + STEP * 2 + 3] |= last << (16 * half);
}
