// The rows of a chunk of several sequences: whose tokens they are, in which order, and what taps brought back, sequence by sequence.

import type { Row } from './buffers.js';
import type { Axis } from './plan.js';
import type { Piece, Sequence } from './sequence.js';
import type { Captured, Slice, Tap } from './taps.js';

export interface Part {
  readonly sequence: Sequence;
  readonly piece: Piece;
}

/** Tokens of a sequence once what is read as one with its next token is read. */
export const lengthOf = ({ read, prompt }: Sequence): number => (read < prompt.length ? prompt.length : read + 1);

/** The rows of a chunk, those whose logits are wanted last. */
export function layOut(parts: readonly Part[]): { rows: Row[]; ids: number[]; wanted: Sequence[] } {
  const all = parts.flatMap(({ sequence, piece: { from, tokens } }) =>
    Array.from({ length: tokens }, (_, i) => ({ sequence, position: from + i })),
  );
  const wants = (one: (typeof all)[number]) => one.sequence.wants(one.position);
  const last = all.filter(wants);
  const ordered = [...all.filter(one => !wants(one)), ...last];
  return {
    rows: ordered.map(({ sequence, position }) => ({
      sequence: sequence.slot,
      position,
      keys: sequence.keysAt(position),
    })),
    ids: ordered.map(({ sequence, position }) => sequence.ids[position]),
    wanted: last.map(({ sequence }) => sequence),
  };
}

/** Tokens, and not logits of the last: the axis along which a stage has one entry a row. */
const isRows = ({ size }: Axis): boolean => size === 'tokens' || size === 'rows';

/** Taps that bring back what any of the sequences wants: whole along tokens and keys, which each sequence counts for itself. */
export function allOf(taps: readonly (readonly Tap[])[]): Tap[] {
  const byStage = new Map(taps.flat().map(tap => [tap.stage, tap]));
  return [...byStage.values()].map(({ stage, slice = {} }) => {
    const fixed = stage.axes.flatMap(({ name, size }) => {
      const range = slice[name];
      return range && typeof size === 'number' ? [[name, range] as const] : [];
    });
    return { stage, slice: Object.fromEntries(fixed) };
  });
}

/**
 * What a sequence had a part in, as it would have brought it back alone: a part for every run of its rows that know the same keys.
 * @param captured by `allOf` the taps @param taps of the sequence @param rows of the chunk @param wanted how many of the last rows have logits
 * @param slot of the sequence
 */
export function splitCaptured(
  captured: readonly Captured[],
  taps: readonly Tap[],
  rows: readonly Row[],
  wanted: number,
  slot: number,
): Captured[] {
  const slices = new Map(taps.map(({ stage, slice = {} }) => [stage, slice]));
  return captured.flatMap(whole => {
    const slice = slices.get(whole.stage);
    if (!slice) return [];
    const { axes } = whole.stage;
    const along = axes.findIndex(isRows);
    const first = axes[along].size === 'rows' ? rows.length - wanted : 0;
    const [from, to] = slice[axes[along].name] ?? [0, Number.POSITIVE_INFINITY];
    const runs: Box[] = [];
    for (let at = first; at < rows.length; at++) {
      const { sequence, position, keys } = rows[at];
      if (sequence !== slot || position < from || position >= to) continue;
      const last = runs[runs.length - 1];
      if (last && last.at + last.tokens === at - first && last.keys === keys) last.tokens += 1;
      else runs.push({ at: at - first, tokens: 1, position, keys });
    }
    return runs.flatMap(run => partOf(whole, slice, along, run));
  });
}

/** Rows of a chunk, one after the other, of one sequence. */
interface Box {
  /** The first of them in the chunk, and in the sequence. */
  readonly at: number;
  readonly position: number;
  tokens: number;
  /** That the sequence has: another in the chunk may have more. */
  readonly keys: number;
}

function partOf({ shape, data, from, ...whole }: Captured, slice: Slice, along: number, box: Box): Captured[] {
  const { at, tokens, position, keys } = box;
  const { axes } = whole.stage;
  const begins = axes.map((axis, i) => (i === along ? at : axis.size === 'keys' ? (slice[axis.name]?.[0] ?? 0) : 0));
  const size = axes.map((axis, i) => {
    if (i === along) return tokens;
    if (axis.size !== 'keys') return shape[i];
    return Math.max(0, Math.min(keys, slice[axis.name]?.[1] ?? keys) - begins[i]);
  });
  const values = size.reduce((n, m) => n * m, 1);
  if (values === 0) return [];
  const out = new Float32Array(values);
  const width = size[size.length - 1];
  const index = size.map(() => 0);
  for (let to = 0; to < values; to += width) {
    const begin = index.reduce((place, n, i) => place * shape[i] + n + begins[i], 0);
    out.set(data.subarray(begin, begin + width), to);
    for (let i = index.length - 2; i >= 0 && ++index[i] === size[i]; i--) index[i] = 0;
  }
  const where = from.map((n, i) => (i === along ? position : n + begins[i]));
  return [{ ...whole, shape: size, data: out, from: where, start: position }];
}
