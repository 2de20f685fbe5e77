// The angles of RoPE, as PyTorch computes them: in f32, step by step, because at position 2,000 one rounding of a frequency is
// worth 1e-4 in the angle and the exact value would differ from the model's. The scalings are those of transformers 5.23
// (modeling_rope_utils.py), term by term.

import type { Rope, RopeScaling } from './config.js';

const f32 = Math.fround;

/** Whether the angles of a position depend on how long the sequence is that it stands in. */
export const changesWithLength = ({ scaling }: Rope): boolean =>
  scaling?.kind === 'dynamic' || scaling?.kind === 'longrope';

/** What of a sequence's length its angles depend on: where it is the same, so are they. */
export function lengthThatMatters({ scaling }: Rope, length: number): number {
  if (scaling?.kind === 'dynamic') return Math.max(length, scaling.original);
  return scaling?.kind === 'longrope' ? Number(length > scaling.original) : 0;
}

/**
 * cos and sin of every position from `start` and every pair: [positions, D/2, 2].
 * @param length of the sequence in tokens, for the scalings that change with it
 */
export function ropeTable(rope: Rope, dim: number, positions: number, start = 0, length = 0): Float32Array {
  const pairs = dim / 2;
  const frequencies = ropeFrequencies(rope, dim, length);
  const by = f32(attentionFactor(rope));
  const table = new Float32Array(positions * dim);
  for (let position = start, at = 0; position < start + positions; position++) {
    for (let i = 0; i < pairs; i++, at += 2) {
      const angle = f32(position * frequencies[i]);
      table[at] = f32(Math.cos(angle)) * by;
      table[at + 1] = f32(Math.sin(angle)) * by;
    }
  }
  return table;
}

/** Radians a token of every pair [D/2], in a sequence of `length` tokens. */
export function ropeFrequencies({ base, factor, scaling }: Rope, dim: number, length: number): Float32Array {
  const of = (theta: number) =>
    Float32Array.from({ length: dim / 2 }, (_, i) => f32(1 / f32(theta ** f32((2 * i) / dim))));
  switch (scaling?.kind) {
    case undefined:
      return of(base).map(frequency => frequency / factor);
    case 'yarn':
      return yarn(scaling, base, of(base));
    case 'llama3':
      return llama3(scaling, of(base));
    case 'dynamic':
      return of(length > scaling.original ? grownBase(scaling, base, dim, length) : base);
    case 'longrope': {
      const divisors = length > scaling.original ? scaling.long : scaling.short;
      return Float32Array.from(divisors, (by, i) => f32(1 / f32(f32(by) * f32(base ** f32((2 * i) / dim)))));
    }
  }
}

/** Factor on cos and sin, which scales q·k by its square. */
function attentionFactor({ scaling }: Rope): number {
  return scaling?.kind === 'yarn' || scaling?.kind === 'longrope' ? scaling.attention : 1;
}

type Scaling<K extends RopeScaling['kind']> = Extract<RopeScaling, { kind: K }>;

/** Fast pairs as they are, slow ones stretched whole, a ramp over the pairs in between. */
function yarn(scaling: Scaling<'yarn'>, base: number, plain: Float32Array): Float32Array {
  const { factor, original, betaFast, betaSlow, truncates } = scaling;
  const dim = 2 * plain.length;
  const pairThatTurns = (times: number) => (dim * Math.log(original / (times * 2 * Math.PI))) / (2 * Math.log(base));
  const [from, to] = [pairThatTurns(betaFast), pairThatTurns(betaSlow)];
  const low = Math.max(truncates ? Math.floor(from) : from, 0);
  const high = Math.min(truncates ? Math.ceil(to) : to, dim - 1);
  const span = f32(low === high ? high + 0.001 - low : high - low);
  return plain.map((frequency, i) => {
    const stretched = f32(1 / f32(factor * f32(base ** f32((2 * i) / dim))));
    const kept = f32(1 - Math.min(1, Math.max(0, f32(f32(i - low) / span))));
    return f32(stretched * f32(1 - kept)) + f32(frequency * kept);
  });
}

/** Short waves as they are, long ones stretched whole, a blend for those in between. */
function llama3(scaling: Scaling<'llama3'>, plain: Float32Array): Float32Array {
  const { factor, original, lowFactor, highFactor } = scaling;
  const longest = original / lowFactor;
  const shortest = original / highFactor;
  return plain.map(frequency => {
    const wave = f32(f32(2 * Math.PI) / frequency);
    if (wave > longest) return frequency / factor;
    if (wave < shortest) return frequency;
    const smooth = f32(f32(f32(original / wave) - lowFactor) / f32(highFactor - lowFactor));
    return f32(f32(f32(1 - smooth) * frequency) / factor) + f32(smooth * frequency);
  });
}

/** The base that stretches RoPE over `length` tokens. */
function grownBase({ factor, original }: Scaling<'dynamic'>, base: number, dim: number, length: number): number {
  const stretch = f32(f32(f32(factor * length) / original) - (factor - 1));
  return f32(base * f32(stretch ** (dim / (dim - 2))));
}
