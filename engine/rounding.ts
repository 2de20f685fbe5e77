// Inputs of products in 8 bits, as engines have them that multiply integers: blocks of 32, each with a scale of its own. What comes out is what such an
// engine computes, but for the order of sums: products of two small integers and two scales are summed in f32. It shows what that does to a model;
// it is no faster, because the products are still those of f32.

import { chunk, type Dispatch, groups, type Setting, type Source, value } from './dispatch.js';
import type { Extent, Ref } from './plan.js';

/** Values of a block. */
const BLOCK = 32;
const LANES = 64;

/** Where the rounded inputs of a product go, where they are rounded. */
export function roundedOf(x: Ref, { activations }: Setting): Ref | null {
  return activations === 'int8' ? { name: `${x.name} in 8 bits`, axes: x.axes } : null;
}

/** What a product is given: its input, or that rounded; and what rounds it first. @param rows how many of them are wanted */
export function inputOf(
  x: Ref,
  columns: number,
  rows: (e: Extent) => number,
  s: Setting,
): { readonly source: Source; readonly first: readonly Dispatch[] } {
  const to = roundedOf(x, s);
  if (!to) return { source: value(x), first: [] };
  const round: Dispatch = {
    shader: 'round8',
    constants: { N: columns },
    reads: { chunk, x: value(x) },
    writes: { y: value(to) },
    grid: e => [groups(columns / BLOCK, LANES), rows(e) > 0 ? e.tokens : 0, 1],
  };
  return { source: value(to), first: [round] };
}
