// The angles of RoPE, as PyTorch computes them: in f32, step by step, because at position 2,000 one rounding of a frequency is
// worth 1e-4 in the angle and the exact value would differ from the model's.

import type { Rope } from './config.js';

const f32 = Math.fround;

/** cos and sin of pos / factor · base^(−2i/D) for every position and pair: [positions, D/2, 2]. */
export function ropeTable({ base, factor }: Rope, dim: number, positions: number): Float32Array {
  const pairs = dim / 2;
  const frequencies = Array.from({ length: pairs }, (_, i) => {
    const power = f32(base ** f32((2 * i) / dim));
    return f32(f32(1 / power) / factor);
  });
  const table = new Float32Array(positions * dim);
  for (let position = 0, at = 0; position < positions; position++) {
    for (let i = 0; i < pairs; i++, at += 2) {
      const angle = f32(position * frequencies[i]);
      table[at] = Math.cos(angle);
      table[at + 1] = Math.sin(angle);
    }
  }
  return table;
}
