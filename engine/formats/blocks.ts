// GGUF's blocks of 32: a scale in f16, or a scale and a least value, and 32 values of 8, 4 or 5 bits. Read as dequantise.ts reads them, and laid as
// shaders/formats says; no value changes.

import { halfAt, putBytes, putFives, putHalf, putNibbles, values } from './fields.js';
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
  putHalf(turn, 0, block, halfAt(turn, at));
  for (let i = 0; i < 32; i++) values[i] = turn.bytes[at + 2 + i];
  putBytes(turn, 1 + 4 * block);
});

export const Q4_0 = format('q4_0', 9, 18, (turn, block, at) => {
  putHalf(turn, 0, block, halfAt(turn, at));
  nibbles(turn, at + 2);
  putNibbles(turn, 1 + 2 * block);
});

export const Q4_1 = format('q4_1', 10, 20, (turn, block, at) => {
  putHalf(turn, 0, block, halfAt(turn, at));
  putHalf(turn, 1, block, halfAt(turn, at + 2));
  nibbles(turn, at + 4);
  putNibbles(turn, 2 + 2 * block);
});

export const Q5_0 = format('q5_0', 12, 22, (turn, block, at) => {
  nibbles(turn, at + 6);
  fifthBits(turn, at + 2);
  putFives(turn, block, halfAt(turn, at));
});

export const Q5_1 = format('q5_1', 13, 24, (turn, block, at) => {
  nibbles(turn, at + 8);
  fifthBits(turn, at + 4);
  putFives(turn, block, halfAt(turn, at));
  putHalf(turn, 12, block, halfAt(turn, at + 2));
});

/** Q4_0 and Q5_0 are Q8_0 with few of its values. */
export const Q4_0_AS_Q8_0 = format('q8_0', 17, 18, (turn, block, at) => {
  putHalf(turn, 0, block, halfAt(turn, at));
  nibbles(turn, at + 2);
  for (let i = 0; i < 32; i++) values[i] -= 8;
  putBytes(turn, 1 + 4 * block);
});

export const Q5_0_AS_Q8_0 = format('q8_0', 17, 22, (turn, block, at) => {
  putHalf(turn, 0, block, halfAt(turn, at));
  nibbles(turn, at + 6);
  fifthBits(turn, at + 2);
  for (let i = 0; i < 32; i++) values[i] -= 16;
  putBytes(turn, 1 + 4 * block);
});

/** Q4_1 is Q5_1 with half of its values. */
export const Q4_1_AS_Q5_1 = format('q5_1', 13, 20, (turn, block, at) => {
  nibbles(turn, at + 4);
  putFives(turn, block, halfAt(turn, at));
  putHalf(turn, 12, block, halfAt(turn, at + 2));
});

/** The lower four bits of a byte are a column of the first half of the block, the upper four one of the second. */
function nibbles({ bytes }: Turn, at: number): void {
  for (let i = 0; i < 16; i++) {
    values[i] = bytes[at + i] & 15;
    values[i + 16] = bytes[at + i] >> 4;
  }
}

function fifthBits({ bytes }: Turn, at: number): void {
  for (let i = 0; i < 32; i++) values[i] |= ((bytes[at + (i >> 3)] >> (i & 7)) & 1) << 4;
}
