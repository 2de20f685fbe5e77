// GGUF's blocks of 32: a scale in f16, or a scale and a least value, and 32 values of 8, 4 or 5 bits. Read as dequantise.ts reads them, and laid as
// shaders/formats says; no value changes.

import { putBytes, putFives, putHalf, putNibbles } from './fields.js';
import type { Format, Turn } from './tile.js';

type Put = (turn: Turn, block: number, at: number) => void;

/** @param put takes block `block` of a turn, of four, from where it is stored */
const format = (shader: string, texels: number, bytes: number, put: Put): Format => ({
  shader,
  texels,
  values: 32,
  bytes,
  put(turn) {
    const first = turn.row + (turn.from / 32) * bytes;
    for (let block = 0; 32 * block < turn.columns; block++) put(turn, block, first + block * bytes);
  },
});

export const Q8_0 = format('q8_0', 17, 34, (turn, block, at) => {
  putHalf(turn, 0, block, at);
  putBytes(turn, 1 + 4 * block, i => ((turn.bytes[at + 2 + i] << 24) >> 24) + 128);
});

// The lower four bits of a byte are a column of the first half of the block, the upper one of the second.
export const Q4_0 = format('q4_0', 9, 18, (turn, block, at) => {
  putHalf(turn, 0, block, at);
  putNibbles(turn, 1 + 2 * block, nibble(turn, at + 2));
});

export const Q4_1 = format('q4_1', 10, 20, (turn, block, at) => {
  putHalf(turn, 0, block, at);
  putHalf(turn, 1, block, at + 2);
  putNibbles(turn, 2 + 2 * block, nibble(turn, at + 4));
});

export const Q5_0 = format('q5_0', 12, 22, (turn, block, at) => {
  putFives(turn, block, five(turn, at + 2, at + 6), half(turn, at));
});

export const Q5_1 = format('q5_1', 13, 24, (turn, block, at) => {
  putFives(turn, block, five(turn, at + 4, at + 8), half(turn, at));
  putHalf(turn, 12, block, at + 2);
});

const half = ({ bytes }: Turn, at: number) => bytes[at] | (bytes[at + 1] << 8);
const nibble =
  ({ bytes }: Turn, at: number) =>
  (i: number) =>
    (bytes[at + (i & 15)] >> (i < 16 ? 0 : 4)) & 15;
const five =
  (turn: Turn, high: number, low: number) =>
  (i: number): number =>
    nibble(turn, low)(i) | (((turn.bytes[high + (i >> 3)] >> (i & 7)) & 1) << 4);
