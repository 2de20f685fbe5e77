// RoPE's frequencies in float64, from the formulas of the papers and of transformers' modeling_rope_utils.py, with no rounding between. PyTorch computes them in f32, so that at
// position 2,000 a model's own angles are 1e-4 from these: both engines then stand equally far from the oracle.

import type { Rope } from '../../engine/config.js';

/** Radians a token of every pair [D/2], in a sequence of `length` tokens; and the factor on cos and sin. */
export function anglesOf(rope: Rope, dim: number, length: number): { perToken: Float64Array; by: number } {
  const { base, factor, scaling } = rope;
  const pairs = (of: (i: number) => number) => Float64Array.from({ length: dim / 2 }, (_, i) => of(i));
  const turn = (i: number, theta = base) => theta ** ((-2 * i) / dim);
  if (!scaling) return { perToken: pairs(i => turn(i) / factor), by: 1 };
  const { original } = scaling;
  switch (scaling.kind) {
    case 'yarn': {
      // The pair that turns so many times within the original length.
      const pair = (times: number) => (dim * Math.log(original / (2 * Math.PI * times))) / (2 * Math.log(base));
      const [first, last] = [pair(scaling.betaFast), pair(scaling.betaSlow)];
      const from = Math.max(0, scaling.truncates ? Math.floor(first) : first);
      const to = Math.min(dim - 1, scaling.truncates ? Math.ceil(last) : last);
      const wide = to === from ? 0.001 : to - from;
      const stretched = (i: number) => Math.min(1, Math.max(0, (i - from) / wide));
      const of = (i: number) => turn(i) * (1 - stretched(i)) + (turn(i) / scaling.factor) * stretched(i);
      return { perToken: pairs(of), by: scaling.attention };
    }
    case 'llama3': {
      const of = (i: number) => {
        const turns = (original * turn(i)) / (2 * Math.PI); // within the original length
        if (turns < scaling.lowFactor) return turn(i) / scaling.factor;
        if (turns > scaling.highFactor) return turn(i);
        const kept = (turns - scaling.lowFactor) / (scaling.highFactor - scaling.lowFactor);
        return turn(i) * (kept + (1 - kept) / scaling.factor);
      };
      return { perToken: pairs(of), by: 1 };
    }
    case 'dynamic': {
      const stretch = length > original ? (scaling.factor * length) / original - (scaling.factor - 1) : 1;
      return { perToken: pairs(i => turn(i, base * stretch ** (dim / (dim - 2)))), by: 1 };
    }
    case 'longrope': {
      const divisors = length > original ? scaling.long : scaling.short;
      return { perToken: pairs(i => turn(i) / divisors[i]), by: scaling.attention };
    }
  }
}
