// Ways to colour the plan: by a kind, whose colours the bar names, or by an amount, on a logarithmic scale.

import { CIVIDIS, scaleThrough } from './chart.js';
import type { Block } from './plan-blocks.js';

/** A way to colour blocks, with what a colour bar says of it. */
export interface Way {
  readonly name: string;
  /** NaN: it has no such thing. */
  readonly of: (block: Block) => number;
  readonly zmin: number;
  readonly zmax: number;
  readonly colorscale: [number, string][];
  readonly title: string;
  readonly tickvals: readonly number[];
  readonly ticktext: readonly string[];
  /** What stands in a block beside its colour. */
  readonly mark?: (block: Block) => string;
}

/** One colour a kind; the bar is their legend. */
export function kinds(
  name: string,
  of: (block: Block) => number,
  all: readonly { name: string; colour: string }[],
): Way {
  const n = all.length;
  return {
    name,
    of,
    zmin: -0.5,
    zmax: n - 0.5,
    colorscale: all.flatMap(({ colour }, i): [number, string][] => [
      [i / n, colour],
      [(i + 1) / n, colour],
    ]),
    title: '',
    tickvals: all.map((_, i) => i),
    ticktext: all.map(kind => kind.name),
  };
}

/** On a logarithmic scale from the least to the most. */
export function amounts(
  name: string,
  title: string,
  blocks: readonly Block[],
  of: (block: Block) => number,
  text: (v: number) => string,
): Way {
  const logs = blocks
    .map(of)
    .filter(v => v > 0)
    .map(Math.log10);
  const [low, high] = logs.length > 0 ? [Math.min(...logs), Math.max(...logs)] : [0, 1];
  const span = high - low || 1;
  const tickvals = [0, 0.25, 0.5, 0.75, 1].map(v => low + v * span);
  return {
    name,
    of: block => (of(block) > 0 ? Math.log10(of(block)) : of(block) === 0 ? low : Number.NaN),
    zmin: low,
    zmax: low + span,
    colorscale: scaleThrough(CIVIDIS),
    title,
    tickvals,
    ticktext: tickvals.map(v => text(10 ** v)),
  };
}
