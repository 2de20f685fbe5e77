// f32, f16 and bf16: values of whole bytes, moved and not changed.

import { type Format, STEP } from './tile.js';

export const F32: Format = {
  shader: 'f32',
  texels: 64,
  values: 1,
  bytes: 4,
  put({ bytes, row, from, columns, half, out, to }) {
    const words = wordsOf(bytes);
    const at = (row >> 2) + from;
    for (let i = 0; i < columns; i++) out[to + STEP * (2 * (i >> 2) + half) + (i & 3)] = words[at + i];
  },
};

/** Two columns a word, eight a texel. */
const halves = (shader: string): Format => ({
  shader,
  texels: 32,
  values: 1,
  bytes: 2,
  put({ bytes, row, from, columns, half, out, to }) {
    const at = row + 2 * from;
    for (let i = 0; i < columns; i++) {
      const bits = bytes[at + 2 * i] | (bytes[at + 2 * i + 1] << 8);
      out[to + STEP * (2 * (i >> 3) + half) + ((i & 7) >> 1)] |= bits << (16 * (i & 1));
    }
  },
});

export const F16 = halves('f16');
export const BF16 = halves('bf16');

/** Bytes that begin at a multiple of four, as words. */
const wordsOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  new Uint32Array(buffer, byteOffset, byteLength >> 2);
