// GGUF's block formats to f32, in the order of operations of the reference (ggml-quants.c, the Python package gguf), so that the
// results are equal bit by bit. Every block holds a scale in f16 and its values in few bits.

import { bf16ToF32, f16ToF32, f16Values } from './safetensors.js';

export interface BlockFormat {
  /** Values in a block. */
  readonly values: number;
  /** Bytes of a block. */
  readonly bytes: number;
}

export const BLOCKS: Readonly<Record<string, BlockFormat>> = {
  F32: { values: 1, bytes: 4 },
  F16: { values: 1, bytes: 2 },
  BF16: { values: 1, bytes: 2 },
  Q8_0: { values: 32, bytes: 34 },
  Q4_0: { values: 32, bytes: 18 },
  Q4_1: { values: 32, bytes: 20 },
  Q5_0: { values: 32, bytes: 22 },
  Q5_1: { values: 32, bytes: 24 },
  Q2_K: { values: 256, bytes: 84 },
  Q3_K: { values: 256, bytes: 110 },
  Q4_K: { values: 256, bytes: 144 },
  Q5_K: { values: 256, bytes: 176 },
  Q6_K: { values: 256, bytes: 210 },
  IQ4_NL: { values: 32, bytes: 18 },
  IQ4_XS: { values: 256, bytes: 136 },
  MXFP4: { values: 32, bytes: 17 },
};

const f32 = Math.fround;
type Block = (b: Uint8Array, at: number, out: Float32Array, to: number, half: (at: number) => number) => void;

/** All values of whole blocks. Throws for a format that BLOCKS does not list. */
export function dequantise(format: string, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  if (format === 'F32') return new Float32Array(bytes.buffer);
  if (format === 'F16') return f16ToF32(new Uint16Array(bytes.buffer));
  if (format === 'BF16') return bf16ToF32(new Uint16Array(bytes.buffer));
  const block = blocks[format];
  if (!block) throw new Error(`No dequantiser for ${format}.`);
  const { values, bytes: size } = BLOCKS[format];
  const n = bytes.length / size;
  const out = new Float32Array(n * values);
  const halves = f16Values();
  const half = (at: number) => halves[bytes[at] | (bytes[at + 1] << 8)];
  for (let i = 0; i < n; i++) block(bytes, i * size, out, i * values, half);
  return out;
}

const blocks: Readonly<Record<string, Block>> = {
  // d · q
  Q8_0(b, at, out, to, half) {
    const d = half(at);
    for (let i = 0; i < 32; i++) out[to + i] = d * ((b[at + 2 + i] << 24) >> 24);
  },

  // d · (q − 8); low nibbles are the first half of the block
  Q4_0(b, at, out, to, half) {
    const d = half(at);
    for (let i = 0; i < 16; i++) {
      const q = b[at + 2 + i];
      out[to + i] = d * ((q & 15) - 8);
      out[to + 16 + i] = d * ((q >> 4) - 8);
    }
  },

  // d · q + m
  Q4_1(b, at, out, to, half) {
    const d = half(at);
    const m = half(at + 2);
    for (let i = 0; i < 16; i++) {
      const q = b[at + 4 + i];
      out[to + i] = f32(d * (q & 15)) + m;
      out[to + 16 + i] = f32(d * (q >> 4)) + m;
    }
  },

  // as Q4_0 with a fifth bit from a word of 32
  Q5_0(b, at, out, to, half) {
    const d = half(at);
    const high = word(b, at + 2);
    for (let i = 0; i < 16; i++) {
      const q = b[at + 6 + i];
      out[to + i] = d * (((q & 15) | (((high >>> i) & 1) << 4)) - 16);
      out[to + 16 + i] = d * (((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16);
    }
  },

  Q5_1(b, at, out, to, half) {
    const d = half(at);
    const m = half(at + 2);
    const high = word(b, at + 4);
    for (let i = 0; i < 16; i++) {
      const q = b[at + 8 + i];
      out[to + i] = f32(d * ((q & 15) | (((high >>> i) & 1) << 4))) + m;
      out[to + 16 + i] = f32(d * ((q >> 4) | (((high >>> (i + 16)) & 1) << 4))) + m;
    }
  },

  // sixteen sub-blocks of 16: (d · scale) · q − dmin · min, scale and min in 4 bits each, q in 2
  Q2_K(b, at, out, to, half) {
    const d = half(at + 80);
    const dmin = half(at + 82);
    for (let i = 0; i < 256; i++) {
      const scales = b[at + (i >> 4)];
      const q = (b[at + 16 + 32 * (i >> 7) + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3;
      out[to + i] = f32(f32(d * (scales & 15)) * q) - f32(dmin * (scales >> 4));
    }
  },

  // sixteen sub-blocks of 16: (d · (scale − 32)) · (q − 4 where the high bit is clear), scales in 6 bits, q in 2 and 1
  Q3_K(b, at, out, to, half) {
    const d = half(at + 108);
    for (let i = 0; i < 256; i++) {
      const j = i >> 4;
      const low = (b[at + 96 + (j & 7)] >> (j < 8 ? 0 : 4)) & 15;
      const high = (b[at + 104 + (j & 3)] >> (2 * (j >> 2))) & 3;
      const q = (b[at + 32 + 32 * (i >> 7) + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3;
      const set = (b[at + (i & 31)] >> (i >> 5)) & 1;
      out[to + i] = f32(d * ((low | (high << 4)) - 32)) * (q - (set ? 0 : 4));
    }
  },

  // eight sub-blocks of 32: (d · scale) · q − dmin · min, scales and mins in 6 bits
  Q4_K(b, at, out, to, half) {
    const d = half(at);
    const dmin = half(at + 2);
    for (let pair = 0; pair < 4; pair++) {
      const quants = at + 16 + 32 * pair;
      for (let upper = 0; upper < 2; upper++) {
        const j = 2 * pair + upper;
        const scale = f32(d * subScale(b, at + 4, j));
        const min = f32(dmin * subMin(b, at + 4, j));
        const place = to + 32 * j;
        for (let i = 0; i < 32; i++) out[place + i] = f32(scale * ((b[quants + i] >> (4 * upper)) & 15)) - min;
      }
    }
  },

  // as Q4_K with a fifth bit
  Q5_K(b, at, out, to, half) {
    const d = half(at);
    const dmin = half(at + 2);
    for (let j = 0; j < 8; j++) {
      const quants = at + 48 + 32 * (j >> 1);
      const shift = 4 * (j & 1);
      const scale = f32(d * subScale(b, at + 4, j));
      const min = f32(dmin * subMin(b, at + 4, j));
      const place = to + 32 * j;
      for (let i = 0; i < 32; i++) {
        const q = ((b[quants + i] >> shift) & 15) | (((b[at + 16 + i] >> j) & 1) << 4);
        out[place + i] = f32(scale * q) - min;
      }
    }
  },

  // sixteen sub-blocks of 16: (d · scale) · (q − 32), q of 4 low and 2 high bits
  Q6_K(b, at, out, to, half) {
    const d = half(at + 208);
    for (let part = 0; part < 2; part++) {
      for (let quarter = 0; quarter < 4; quarter++) {
        const low = at + 64 * part + 32 * (quarter & 1);
        const high = at + 128 + 32 * part;
        const scales = at + 192 + 8 * part + 2 * quarter;
        const place = to + 128 * part + 32 * quarter;
        for (let i = 0; i < 32; i++) {
          const nibble = (b[low + i] >> (quarter < 2 ? 0 : 4)) & 15;
          const q = (nibble | (((b[high + i] >> (2 * quarter)) & 3) << 4)) - 32;
          const scale = (b[scales + (i >> 4)] << 24) >> 24;
          out[place + i] = f32(d * scale) * q;
        }
      }
    }
  },

  // d · level(q)
  IQ4_NL(b, at, out, to, half) {
    const d = half(at);
    for (let i = 0; i < 16; i++) {
      const q = b[at + 2 + i];
      out[to + i] = d * LEVELS[q & 15];
      out[to + 16 + i] = d * LEVELS[q >> 4];
    }
  },

  // eight sub-blocks of 32: (d · (scale − 32)) · level(q), scales of 4 low and 2 high bits
  IQ4_XS(b, at, out, to, half) {
    const d = half(at);
    const high = b[at + 2] | (b[at + 3] << 8);
    for (let j = 0; j < 8; j++) {
      const low = (b[at + 4 + (j >> 1)] >> (4 * (j & 1))) & 15;
      const scale = f32(d * ((low | (((high >> (2 * j)) & 3) << 4)) - 32));
      for (let i = 0; i < 16; i++) {
        const q = b[at + 8 + 16 * j + i];
        out[to + 32 * j + i] = scale * LEVELS[q & 15];
        out[to + 32 * j + 16 + i] = scale * LEVELS[q >> 4];
      }
    }
  },

  // 2^(e − 128) · twice an FP4
  MXFP4(b, at, out, to) {
    const d = 2 ** (b[at] - 128);
    for (let i = 0; i < 16; i++) {
      const q = b[at + 1 + i];
      out[to + i] = d * FP4[q & 15];
      out[to + 16 + i] = d * FP4[q >> 4];
    }
  },
};

/** What the sixteen codes of IQ4_NL and IQ4_XS stand for: levels that lie closer together near zero. */
export const LEVELS = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
/** Twice the sixteen values of an FP4 (E2M1) number; the block's scale is halved for it. */
const FP4 = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

const word = (b: Uint8Array, at: number): number =>
  (b[at] | (b[at + 1] << 8) | (b[at + 2] << 16) | (b[at + 3] << 24)) >>> 0;

/** Scale j of eight 6-bit scales packed into 12 bytes with eight mins. */
export function subScale(b: Uint8Array, at: number, j: number): number {
  return j < 4 ? b[at + j] & 63 : (b[at + j + 4] & 15) | ((b[at + j - 4] >> 6) << 4);
}

export function subMin(b: Uint8Array, at: number, j: number): number {
  return j < 4 ? b[at + j + 4] & 63 : (b[at + j + 4] >> 4) | ((b[at + j] >> 6) << 4);
}
