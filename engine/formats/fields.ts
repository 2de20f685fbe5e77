// Small numbers into the words of a lane's texels.

import { STEP, type Turn } from './tile.js';

/** A half float for block `block` of four: two of a row in a word, the row's two words first. */
export function putHalf({ bytes, half, out, to }: Turn, texel: number, block: number, at: number): void {
  out[to + STEP * texel + 2 * half + (block >> 1)] |= (bytes[at] | (bytes[at + 1] << 8)) << (16 * (block & 1));
}

/** 32 columns of 8 bits into two texels of the row's, from `texel`. */
export function putBytes({ half, out, to }: Turn, texel: number, value: (i: number) => number): void {
  for (let i = 0; i < 32; i++)
    out[to + STEP * (texel + 2 * half + (i >> 4)) + ((i >> 2) & 3)] |= value(i) << (8 * (i & 3));
}

/** 32 columns of 4 bits into one texel. */
export function putNibbles({ half, out, to }: Turn, texel: number, value: (i: number) => number): void {
  for (let i = 0; i < 32; i++) out[to + STEP * (texel + half) + (i >> 3)] |= value(i) << (4 * (i & 7));
}

/** 32 columns of 5 bits into eleven and 16 bits more into the twelfth of a block's words, of which each row has a half. */
export function putFives({ half, out, to }: Turn, block: number, value: (i: number) => number, last: number): void {
  const at = (word: number) => to + STEP * (3 * block + (word >> 2)) + (word & 3);
  for (let i = 0; i < 32; i++) out[at(Math.floor(i / 3))] |= value(i) << (5 * (i % 3) + 16 * half);
  out[at(11)] |= last << (16 * half);
}
