// f32, f16 and bf16: values of whole bytes, moved and not changed.

import { type Format, STEP } from './tile.js';

/** Words of a row, four a texel, the texels of a lane's two rows in turn. @param bytes of a value */
const whole = (shader: string, texels: number, bytes: number): Format => ({
  shader,
  texels,
  values: 1,
  bytes,
  put({ bytes: stored, row, from, columns, half, out, to }) {
    const words = new Uint32Array(stored.buffer, stored.byteOffset + row + from * bytes, (columns * bytes) >> 2);
    const first = to + STEP * half;
    for (let n = 0; n < words.length; n++) out[first + 2 * STEP * (n >> 2) + (n & 3)] = words[n];
  },
});

export const F32 = whole('f32', 64, 4);
export const F16 = whole('f16', 32, 2);
export const BF16 = whole('bf16', 32, 2);
