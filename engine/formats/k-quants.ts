// GGUF's super-blocks of 256: scales of sub-blocks in few bits, times one in f16. A turn is half a super-block.

import { subMin, subScale } from '../weights/dequantise.js';
import { putBytes, putFives, putNibbles } from './fields.js';
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

const half = ({ bytes }: Turn, at: number) => bytes[at] | (bytes[at + 1] << 8);
/** A half float of each row in one word. */
const pair = (value: number, which: Half) => value << (16 * which);

/** Scale and least value of four sub-blocks of 32, 6 bits each in a byte. */
function putParts({ bytes, half: which, out, to }: Turn, texel: number, at: number, second: number): void {
  for (let block = 0; block < 4; block++) {
    const j = 4 * second + block;
    out[to + STEP * texel + block] |= (subScale(bytes, at, j) | (subMin(bytes, at, j) << 8)) << (16 * which);
  }
}

export const Q4_K = format('q4_k', 10, 144, (turn, at, second) => {
  const { bytes, half: which, out, to } = turn;
  putParts(turn, 0, at + 4, second);
  out[to + STEP] |= pair(half(turn, at), which);
  out[to + STEP + 1] |= pair(half(turn, at + 2), which);
  for (let block = 0; block < 4; block++) {
    const quants = at + 16 + 32 * (2 * second + (block >> 1));
    putNibbles(turn, 2 + 2 * block, i => (bytes[quants + i] >> (4 * (block & 1))) & 15);
  }
});

export const Q5_K = format('q5_k', 13, 176, (turn, at, second) => {
  const { bytes } = turn;
  putParts(turn, 12, at + 4, second);
  const ends = [half(turn, at), half(turn, at + 2), 0, 0];
  for (let block = 0; block < 4; block++) {
    const quants = at + 48 + 32 * (2 * second + (block >> 1));
    const bit = 4 * second + block;
    const value = (i: number) =>
      ((bytes[quants + i] >> (4 * (block & 1))) & 15) | (((bytes[at + 16 + i] >> bit) & 1) << 4);
    putFives(turn, block, value, ends[block]);
  }
});

/** What Q6_K's shader reads: eight scales with a sign, a scale of them, and values to which `zero` was added. */
export function putSigned(
  turn: Turn,
  scale: (sub: number) => number,
  d: number,
  zero: number,
  value: (i: number) => number,
): void {
  const { half: which, out, to } = turn;
  for (let sub = 0; sub < 8; sub++) out[to + (sub >> 1)] |= (scale(sub) & 255) << (8 * (sub & 1) + 16 * which);
  out[to + STEP] |= pair(d, which);
  out[to + STEP + 1] = bitsOf(zero);
  for (let block = 0; block < 4; block++) putBytes(turn, 2 + 4 * block, i => value(32 * block + i) + zero);
}

const bitsOf = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0];

export const Q6_K = format('q6_k', 18, 210, (turn, at, second) => {
  const { bytes } = turn;
  const low = at + 64 * second;
  const high = at + 128 + 32 * second;
  putSigned(
    turn,
    sub => bytes[at + 192 + 8 * second + sub],
    half(turn, at + 208),
    32,
    i => {
      const [quarter, n] = [i >> 5, i & 31];
      const nibble = (bytes[low + 32 * (quarter & 1) + n] >> (quarter < 2 ? 0 : 4)) & 15;
      return (nibble | (((bytes[high + n] >> (2 * quarter)) & 3) << 4)) - 32;
    },
  );
});
