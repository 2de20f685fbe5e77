// GGUF's super-blocks of 256: scales of sub-blocks in few bits, times one in f16. A turn is half a super-block.

import { subMin, subScale } from '../weights/dequantise.js';
import { halfAt, putBytes, putFives, putNibbles, values } from './fields.js';
import { type Format, type Half, STEP, type Turn } from './tile.js';

/** @param put takes a turn from where its super-block is stored; `second`: the turn is the second half of it */
const format = (
  shader: string,
  texels: number,
  bytes: number,
  put: (turn: Turn, at: number, second: 0 | 1) => void,
): Format => ({
  shader,
  texels,
  values: 256,
  bytes,
  put(turn) {
    put(turn, turn.row + Math.floor(turn.from / 256) * bytes, turn.from % 256 === 0 ? 0 : 1);
  },
});

/** A half float of each row in one word. */
const pair = (value: number, half: Half) => value << (16 * half);

/** Scale and least value of four sub-blocks of 32, 6 bits each in a byte. */
function putParts({ bytes, half, out, to }: Turn, texel: number, at: number, second: number): void {
  for (let block = 0; block < 4; block++) {
    const j = 4 * second + block;
    out[to + STEP * texel + block] |= (subScale(bytes, at, j) | (subMin(bytes, at, j) << 8)) << (16 * half);
  }
}

/** One of the halves, lower or upper, of 32 bytes. */
function nibbles({ bytes }: Turn, at: number, upper: number): void {
  for (let i = 0; i < 32; i++) values[i] = (bytes[at + i] >> (4 * upper)) & 15;
}

export const Q4_K = format('q4_k', 10, 144, (turn, at, second) => {
  const { half, out, to } = turn;
  putParts(turn, 0, at + 4, second);
  out[to + STEP] |= pair(halfAt(turn, at), half);
  out[to + STEP + 1] |= pair(halfAt(turn, at + 2), half);
  for (let block = 0; block < 4; block++) {
    nibbles(turn, at + 16 + 32 * (2 * second + (block >> 1)), block & 1);
    putNibbles(turn, 2 + 2 * block);
  }
});

export const Q5_K = format('q5_k', 13, 176, (turn, at, second) => {
  const { bytes } = turn;
  putParts(turn, 12, at + 4, second);
  const ends = [halfAt(turn, at), halfAt(turn, at + 2), 0, 0];
  for (let block = 0; block < 4; block++) {
    nibbles(turn, at + 48 + 32 * (2 * second + (block >> 1)), block & 1);
    const bit = 4 * second + block;
    for (let i = 0; i < 32; i++) values[i] |= ((bytes[at + 16 + i] >> bit) & 1) << 4;
    putFives(turn, block, ends[block]);
  }
});

/** Q4_K is Q5_K with half of its values. */
export const Q4_K_AS_Q5_K = format('q5_k', 13, 144, (turn, at, second) => {
  putParts(turn, 12, at + 4, second);
  const ends = [halfAt(turn, at), halfAt(turn, at + 2), 0, 0];
  for (let block = 0; block < 4; block++) {
    nibbles(turn, at + 16 + 32 * (2 * second + (block >> 1)), block & 1);
    putFives(turn, block, ends[block]);
  }
});

/** What Q6_K's shader reads beside the values: eight scales with a sign, and a scale of them. */
export function putScales({ half, out, to }: Turn, scale: (sub: number) => number, d: number): void {
  for (let sub = 0; sub < 8; sub++) out[to + (sub >> 1)] |= (scale(sub) & 255) << (8 * (sub & 1) + 16 * half);
  out[to + STEP] |= pair(d, half);
}

export const Q6_K = format('q6_k', 18, 210, (turn, at, second) => {
  const { bytes } = turn;
  putScales(turn, sub => bytes[at + 192 + 8 * second + sub], halfAt(turn, at + 208));
  const high = at + 128 + 32 * second;
  for (let quarter = 0; quarter < 4; quarter++) {
    nibbles(turn, at + 64 * second + 32 * (quarter & 1), quarter >> 1);
    for (let i = 0; i < 32; i++) values[i] = (values[i] | (((bytes[high + i] >> (2 * quarter)) & 3) << 4)) - 32;
    putBytes(turn, 2 + 4 * quarter);
  }
});
