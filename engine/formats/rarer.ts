// Formats of GGUF that have no shader of their own: each becomes the next that loses nothing.

import { dequantise, LEVELS } from '../weights/dequantise.js';
import { halfAt, putBytes, putHalf, values } from './fields.js';
import { putScales } from './k-quants.js';
import { type Format, type Turn, TURN } from './tile.js';
import { BF16, F32 } from './whole.js';

/** Scales of 6 bits, values of 3: Q6_K's with room to spare. */
export const Q3_K: Format = {
  shader: 'q6_k',
  texels: 18,
  values: 256,
  bytes: 110,
  put(turn) {
    const { bytes, row, from } = turn;
    const at = row + (from >> 8) * 110;
    const second = (from >> 7) & 1;
    const scale = (sub: number) => {
      const j = 8 * second + sub;
      const low = (bytes[at + 96 + (j & 7)] >> (j < 8 ? 0 : 4)) & 15;
      return (low | (((bytes[at + 104 + (j & 3)] >> (2 * (j >> 2))) & 3) << 4)) - 32;
    };
    putScales(turn, scale, halfAt(turn, at + 108));
    for (let block = 0; block < 4; block++) {
      for (let i = 0; i < 32; i++) {
        const low = (bytes[at + 32 + 32 * second + i] >> (2 * block)) & 3;
        values[i] = low + ((bytes[at + i] >> (4 * second + block)) & 1 ? 0 : -4);
      }
      putBytes(turn, 2 + 4 * block);
    }
  },
};

/** Scales of 6 bits, values of 8. */
export const IQ4_XS: Format = {
  shader: 'q6_k',
  texels: 18,
  values: 256,
  bytes: 136,
  put(turn) {
    const { bytes, row, from } = turn;
    const at = row + (from >> 8) * 136;
    const first = (from >> 7) & 1 ? 4 : 0;
    const high = bytes[at + 2] | (bytes[at + 3] << 8);
    const scale = (sub: number) => {
      const j = first + (sub >> 1);
      return (((bytes[at + 4 + (j >> 1)] >> (4 * (j & 1))) & 15) | (((high >> (2 * j)) & 3) << 4)) - 32;
    };
    putScales(turn, scale, halfAt(turn, at));
    for (let block = 0; block < 4; block++) {
      levels(turn, at + 8 + 16 * (first + block));
      putBytes(turn, 2 + 4 * block);
    }
  },
};

/** As Q8_0 with sixteen of its values. */
export const IQ4_NL: Format = {
  shader: 'q8_0',
  texels: 17,
  values: 32,
  bytes: 18,
  put(turn) {
    const { row, from, columns } = turn;
    for (let block = 0; 32 * block < columns; block++) {
      const at = row + (from / 32 + block) * 18;
      putHalf(turn, 0, block, halfAt(turn, at));
      levels(turn, at + 2);
      putBytes(turn, 1 + 4 * block);
    }
  },
};

/** 32 of sixteen levels. */
function levels({ bytes }: Turn, at: number): void {
  for (let i = 0; i < 16; i++) {
    values[i] = LEVELS[bytes[at + i] & 15];
    values[i + 16] = LEVELS[bytes[at + i] >> 4];
  }
}

/** What has too few bits in a value to lose any. */
function dequantised(name: string, values: number, bytes: number, as: Format): Format {
  return {
    shader: as.shader,
    texels: as.texels,
    values,
    bytes,
    put(turn) {
      // Half of a super-block is no less work than all of it.
      const each = Math.max(values, TURN);
      const first = turn.row + (Math.floor(turn.from / each) * each * bytes) / values;
      const all = dequantise(name, turn.bytes.slice(first, first + (each / values) * bytes));
      const some = all.subarray(turn.from % each, (turn.from % each) + turn.columns);
      as.put({ ...turn, ...stored(some, as), row: 0, from: 0 });
    },
  };
}

/** bf16 is the upper half of an f32. */
function stored(values: Float32Array, { bytes }: Format): { readonly bytes: Uint8Array } {
  const f32 = values.slice();
  if (bytes === 4) return { bytes: new Uint8Array(f32.buffer) };
  const upper = Uint16Array.from(new Uint32Array(f32.buffer), bits => bits >>> 16);
  return { bytes: new Uint8Array(upper.buffer) };
}

/** A power of two times one of sixteen values of three bits. */
export const MXFP4 = dequantised('MXFP4', 32, 17, BF16);
/** Differences of two products, which need all bits of an f32. */
export const Q2_K = dequantised('Q2_K', 256, 84, F32);
