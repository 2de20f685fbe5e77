// The dimensions of an activation: what each counts, and where in the model its entries are. One rule everywhere: an index is the position
// in the model. Head 2 is head 2 in an activation of all heads, in one that holds heads 2 and 3, and in what is cut out of that.

import { OptionError } from '../../engine/errors.js';
import { type AxisName, nearest } from '../../engine/plan.js';
import { attempt } from './plain.js';
import { kindOf } from './record.js';
import { eachPlace } from './strided.js';

/** One dimension of an activation. */
export interface Dim {
  /** What it counts. */
  readonly name: AxisName;
  /** Entries that are here. */
  readonly size: number;
  /** Position in the model of the first of them: which head, token or channel it is. */
  readonly from: number;
  /** Entries that there are in all, in the model or in the sequence. */
  readonly of: number;
  /** A text for each entry, where they are tokens. */
  readonly labels?: readonly string[];
  /** Of keys whose one query was cut out: its position in the sequence, which says what of them it may read. */
  readonly query?: number;
  /** Of keys of a sliding layer: how many a query sees at most, itself included. */
  readonly window?: number;
}

/** Values with named dimensions, row by row: what pictures and tables are made of. */
export interface Values {
  /** Stage name, with the cuts made since in brackets. */
  readonly name: string;
  /** From the outermost to the innermost. */
  readonly dims: readonly Dim[];
  /** Row by row. */
  readonly data: Float32Array;
}

/** A dimension as it may be given: from the first entry on, and whole, unless it says otherwise; a query beside a key is at the end of the keys, as in decode. */
export type DimSpec = Omit<Dim, 'from' | 'of'> & Partial<Pick<Dim, 'from' | 'of'>>;

/** An index, or a range [first, one past the last]. Negative ones count from the end; a range to Infinity goes to it. */
export type Cut = number | readonly [number, number];
/** Cuts by dimension: `{ head: 2, query: [4, 8] }`. */
export type Cuts = Partial<Record<AxisName, Cut>>;

export interface Range {
  readonly from: number;
  readonly to: number;
  /** An index and not a range: the dimension goes. */
  readonly drop: boolean;
}

/** Dimensions with all they need. A query that does not say where it is belongs to the last of its keys, as in decode. */
export function completed(dims: readonly DimSpec[]): Dim[] {
  const key = dims.find(({ name }) => name === 'key');
  return dims.map(dim => {
    const behind = dim.name === 'query' && key ? Math.max(0, (key.from ?? 0) + key.size - dim.size) : 0;
    const from = dim.from ?? behind;
    return { ...dim, from, of: dim.of ?? from + dim.size };
  });
}

/** Where a cut is, in positions of the model. Throws OptionError that names the axis, its size and what was asked for. */
export function rangeOf(who: string, { name, size, from }: Dim, cut: Cut): Range {
  const end = from + size;
  const has = `${who} has ${size} ${size === 1 ? 'entry' : 'entries'} along '${name}'`;
  const isRange = Array.isArray(cut) && cut.length === 2;
  if (!isRange && typeof cut !== 'number') throw new OptionError(`${has}; ${FORM}, not ${said(cut)}.`);
  const [a, b] = typeof cut === 'number' ? [cut, cut] : cut;
  const wholeEnd = Number.isInteger(b) || b === Number.POSITIVE_INFINITY;
  if (isRange && !(Number.isInteger(a) && wholeEnd)) throw new OptionError(`${has}; ${FORM}, not ${said(cut)}.`);
  const first = a < 0 ? a + end : a;
  const last = isRange ? (b === Number.POSITIVE_INFINITY ? end : b < 0 ? b + end : b) : first + 1;
  if (Number.isInteger(first) && first >= from && last > first && last <= end)
    return { from: first, to: last, drop: !isRange };
  const where = from > 0 ? `, ${from} to ${end - 1}` : '';
  const what = `${said(cut)} is ${isRange && last <= first ? 'empty' : 'outside'}`;
  const allowed = size === 1 ? `${from}` : `${from} to ${end - 1}`;
  throw new OptionError(
    `${has}${where}, so ${what}. Take ${allowed}${isRange ? `, as a range [first, one past the last] within [${from}, ${end}]` : ''}.`,
  );
}

/** The values within a range of each dimension, row by row. */
export function cutOut({ dims, data }: Values, ranges: readonly Range[]): Float32Array {
  const strides = dims.map((_, i) => dims.slice(i + 1).reduce((n, { size }) => n * size, 1));
  const shape = ranges.map(({ from, to }) => to - from);
  const out = new Float32Array(shape.reduce((n, size) => n * size, 1));
  const start = ranges.reduce((at, { from }, i) => at + (from - dims[i].from) * strides[i], 0);
  eachPlace(shape, strides, start, (from, to) => {
    out[to] = data[from];
  });
  return out;
}

const FORM = 'a cut is an index or a range [first, one past the last] of whole numbers';

/** What was given, as it would be written. */
export function said(value: unknown): string {
  // It may hold itself, or throw when it is looked at.
  if (Array.isArray(value)) return attempt(() => listed(value)) ?? 'a list';
  if (typeof value === 'string') return `'${value.length > 80 ? `${value.slice(0, 80)}…` : value}'`;
  if (typeof value === 'object' && value !== null) {
    const kind = kindOf(value);
    return kind === 'Object' ? 'an object' : `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}`;
  }
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  return String(value);
}

const listed = (values: readonly unknown[]): string =>
  `[${values.slice(0, 8).map(said).join(', ')}${values.length > 8 ? ', …' : ''}]`;

/** Throws OptionError, with the nearest name, for an axis that is none of these. */
export function checkAxis(who: string, name: string, axes: readonly string[]): void {
  if (axes.includes(name)) return;
  const has = axes.length > 0 ? `it has ${axes.join(', ')}. ${nearest(name, axes, 1)}` : 'it is one value.';
  throw new OptionError(`${who} has no dimension '${name}'; ${has}`);
}

export const isWhole = ({ size, of }: Dim): boolean => size === of;

/** `head 4`, or `head 2:4 of 4` where only a part is here. */
export function dimText(dim: Dim): string {
  const { name, size, from, of } = dim;
  return isWhole(dim) ? `${name} ${size}` : `${name} ${from}:${from + size} of ${of}`;
}

/** A name without the ranges of its cuts that its dimensions say too: `resid[token 5:9]` of tokens 5:9 is `resid`; an index, whose dimension is gone, stays. */
export function nameBeside(name: string, dims: readonly Dim[]): string {
  const [, stage, cuts] = /^([^[\]]+)((?:\[[^[\]]*\])+)$/.exec(name) ?? [];
  if (stage === undefined) return name;
  const isSaid = (cut: string) => dims.some(({ name: axis }) => cut.startsWith(`${axis} `) && cut.includes(':'));
  const rest = cuts
    .slice(1, -1)
    .split(/\]\[|, /)
    .filter(cut => !isSaid(cut));
  return rest.length === 0 ? stage : `${stage}[${rest.join(', ')}]`;
}

/** The parts that are not whole, in words: `heads 2 and 3`, `queries 0–9`; empty where all is here. */
export function partText(dims: readonly Dim[]): string {
  return dims
    .filter(dim => !isWhole(dim))
    .map(({ name, size, from }) => `${name} ${size === 1 ? from : `${from}–${from + size - 1}`}`)
    .join(', ');
}

/** Indices of a row, positions in the model, one for each of the leading dimensions. */
export function rowIndex(lead: readonly Dim[], row: number): number[] {
  const out: number[] = [];
  let rest = row;
  for (const { size, from } of [...lead].reverse()) {
    out.unshift(from + (rest % size));
    rest = Math.floor(rest / size);
  }
  return out;
}

/** The row's number in the activation uncut, counted as its rows lie one after the other. */
export const rowNumber = (lead: readonly Dim[], row: number): number =>
  rowIndex(lead, row).reduce((at, index, i) => at * lead[i].of + index, 0);

/** A row by name: `head 2, 12 France`. @param text makes a name or a token’s text fit for where it goes */
export function rowName(lead: readonly Dim[], row: number, text: (label: string) => string): string {
  return rowIndex(lead, row)
    .map((index, i) => {
      const { name, from, labels } = lead[i];
      const known = labels?.[index - from];
      return known === undefined ? `${text(name)} ${index}` : `${index} ${text(known)}`;
    })
    .join(', ');
}

/** Texts of a dimension's entries: tokens, or their positions in the model where there is none. */
export const labelsOf = ({ size, from, labels }: Dim): readonly string[] =>
  Array.from({ length: size }, (_, n) => labels?.[n] ?? String(from + n));

/** Throws OptionError unless `many` is a whole number from 1 to `size`. */
export function checkMany(many: number, size: number, who: string): number {
  if (Number.isInteger(many) && many >= 1 && many <= size) return many;
  throw new OptionError(`${who} gives 1 to ${size} entries, not ${said(many)}. Ask for a whole number of them.`);
}
