// Arithmetic and reductions by the names of dimensions. Sums are in float64 and what comes out is rounded to f32 once, as all values are. What
// attention hides (−3.4e38) stays hidden: it is no number to add, and is left out of sums, as in stats().

import { NumberError, OptionError } from '../../engine/errors.js';
import { checkAxis, type Dim, dimText, said, type Values } from './dims.js';
import { eitherText } from './html.js';
import { isMasked, MASKED } from './stats.js';

/** What an operation gives: the parts of an activation. */
export interface Result {
  readonly dims: readonly Dim[];
  readonly data: Float32Array;
}

const stridesOf = (dims: readonly Dim[]): number[] =>
  dims.map((_, i) => dims.slice(i + 1).reduce((n, { size }) => n * size, 1));

/**
 * `of` applied to every value of `a` and the one of `b` at the same positions in the model. Dimensions that `b` has not are the same for all of theirs, so that
 * a mean can be taken from what it is the mean of. The labels of tokens that differ are told both.
 * @param what the operation by name, for errors
 * Throws OptionError where `b` has a dimension that `a` has not, or other positions of one.
 */
export function combined(a: Values, b: Values, what: string, of: (x: number, y: number) => number): Result {
  for (const dim of b.dims) checkSame(a, b, dim, what);
  const own = stridesOf(b.dims);
  const steps = a.dims.map(({ name }) => own[b.dims.findIndex(dim => dim.name === name)] ?? 0);
  const data = new Float32Array(a.data.length);
  const index = a.dims.map(() => 0);
  let there = 0;
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [a.data[i], b.data[there]];
    data[i] = isMasked(x) || isMasked(y) ? masked(x, y) : of(x, y);
    for (let d = index.length - 1; d >= 0; d--) {
      there += steps[d];
      if (++index[d] < a.dims[d].size) break;
      there -= steps[d] * index[d];
      index[d] = 0;
    }
  }
  const dims = a.dims.map(dim => {
    const others = b.dims.find(({ name }) => name === dim.name)?.labels;
    if (!dim.labels || !others) return dim;
    return { ...dim, labels: dim.labels.map((text, i) => eitherText(text, others[i])) };
  });
  return { dims, data };
}

/** Not where the other is no number. */
const masked = (x: number, y: number): number => (Number.isNaN(x) || Number.isNaN(y) ? Number.NaN : MASKED);

function checkSame(a: Values, b: Values, dim: Dim, what: string): void {
  const same = a.dims.find(({ name }) => name === dim.name);
  if (!same) {
    const names = a.dims.map(({ name }) => name).join(', ');
    throw new OptionError(
      `${what} of ${a.name} and ${b.name}: the second has the dimension '${dim.name}', and the first has ${names || 'none'}. Slice it to one of its entries, or reduce it.`,
    );
  }
  if (same.from === dim.from && same.size === dim.size) return;
  throw new OptionError(
    `${what} of ${a.name} and ${b.name}: along '${dim.name}' they are of different positions, ${dimText(same)} and ${dimText(dim)}. Slice both to the same.`,
  );
}

/** Whether a name is a sum or a product itself: it has an operator outside of what stands in brackets. */
function operatorsOf(name: string): string {
  let bare = name;
  for (let before = ''; before !== bare; ) {
    before = bare;
    bare = bare.replace(/\([^()[\]]*\)|\[[^()[\]]*\]/g, '');
  }
  return [...bare.matchAll(/ ([-+*/]) /g)].map(([, sign]) => sign).join('');
}

/** A name as one thing: what stands behind it is of all of it. */
export const whole = (name: string): string => (operatorsOf(name) === '' ? name : `(${name})`);

/** What an operation came from, read as it was computed: brackets where the signs alone would say another. */
export function formula(a: string, sign: string, b: string): string {
  const sum = /[-+]/.test(operatorsOf(a));
  return `${sum && /[*/]/.test(sign) ? `(${a})` : a} ${sign} ${whole(b)}`;
}

/** With a number in the place of the second. */
export function combinedWith({ dims, data }: Values, y: number, of: (x: number, y: number) => number): Result {
  return { dims, data: data.map(x => (isMasked(x) ? MASKED : of(x, y))) };
}

/** What a reduction makes of the values along the dimensions that go; those that are masked are not among them. */
export type Reduce = (values: Float64Array, positions: Float64Array) => number;

/**
 * Takes dimensions away.
 * @param axes their names; by default the last
 * Throws OptionError for a dimension that is not here, for one that is given twice, and where there is none.
 */
export function reduced(a: Values, axes: unknown, what: string, reduce: Reduce): Result {
  const names = a.dims.map(({ name }) => name as string);
  if (names.length === 0)
    throw new OptionError(`${a.name} is one value and has no dimension, so ${what}() has nothing to go along.`);
  const asked = [axes ?? names[names.length - 1]].flat();
  for (const name of asked) {
    if (typeof name !== 'string')
      throw new OptionError(
        `${what}() goes along a dimension by its name, or a list of them, not ${said(name)}. ${a.name} has ${names.join(', ')}.`,
      );
    checkAxis(a.name, name, names);
  }
  if (asked.length === 0 || new Set(asked).size < asked.length)
    throw new OptionError(
      `${what}() goes along dimensions that differ, and was given ${said(asked)}. ${a.name} has ${names.join(', ')}.`,
    );
  const strides = stridesOf(a.dims);
  const kept = a.dims.flatMap((dim, i) => (asked.includes(dim.name) ? [] : [{ dim, stride: strides[i] }]));
  const gone = a.dims.flatMap((dim, i) => (asked.includes(dim.name) ? [{ dim, stride: strides[i] }] : []));
  const empty = gone.find(({ dim }) => dim.size === 0);
  if (empty)
    throw new OptionError(
      `${a.name} has no entries along '${empty.dim.name}', so ${what}() has nothing to say of them.`,
    );
  const [{ dim: first }] = gone;
  const offsets = placesOf(gone);
  const values = new Float64Array(offsets.length);
  const positions = new Float64Array(offsets.length);
  const data = Float32Array.from(placesOf(kept), base => {
    let n = 0;
    for (let i = 0; i < offsets.length; i++) {
      const value = a.data[base + offsets[i]];
      if (isMasked(value)) continue;
      values[n] = value;
      positions[n++] = first.from + i;
    }
    return reduce(values.subarray(0, n), positions);
  });
  return { dims: kept.map(({ dim }) => dim), data };
}

/** Where the values of these dimensions lie, in order. */
function placesOf(dims: readonly { readonly dim: Dim; readonly stride: number }[]): Float64Array {
  let places = new Float64Array(1);
  for (const { dim, stride } of dims) {
    const more = new Float64Array(places.length * dim.size);
    for (let i = 0; i < more.length; i++) more[i] = places[Math.floor(i / dim.size)] + (i % dim.size) * stride;
    places = more;
  }
  return places;
}

function total(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** Of nothing but masked values there is nothing to say, and what comes out is masked: no zero that looks like a number. */
const ofSeen =
  (reduce: (values: Float64Array) => number): Reduce =>
  values =>
    values.length > 0 ? reduce(values) : MASKED;

/** As numpy's: NaN where a value is. */
export const REDUCTIONS = {
  sum: ofSeen(total),
  mean: ofSeen(values => total(values) / values.length),
  std: ofSeen(values => {
    const mean = total(values) / values.length;
    return Math.sqrt(total(values.map(v => (v - mean) ** 2)) / values.length);
  }),
  norm: ofSeen(values => Math.sqrt(total(values.map(v => v * v)))),
  min: ofSeen(values => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)),
  max: ofSeen(values => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)),
} satisfies Record<string, Reduce>;

/** The position in the model of the largest value, the first of several; throws NumberError where one is NaN, or all are masked. */
export const argmax =
  (name: string, axis: string): Reduce =>
  (values, positions) => {
    const nan = values.findIndex(Number.isNaN);
    if (nan >= 0)
      throw new NumberError(
        `${name} holds NaN at ${axis} ${positions[nan]}, so no value is the largest. See its stats().`,
      );
    if (values.length === 0)
      throw new NumberError(`All of ${name} along '${axis}' is masked, so no value is the largest.`);
    let best = 0;
    for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
    return positions[best];
  };
