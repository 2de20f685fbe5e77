// A trace beside a model: which array is of which stage, in which order its dimensions are, and its values as the stage's own.

import { TraceError } from '../../engine/errors.js';
import { count, type Stage } from '../../engine/plan.js';
import { MASK_LIMIT, MASKED } from '../values/stats.js';
import type { Trace } from '../values/trace.js';
import { type Layout, laidOut, layoutsOf } from './layout.js';
import type { Match } from './match.js';
import { compare } from './metrics.js';

/** One of the ways in which an array may be a stage's value. */
export interface Reading {
  readonly match: Match;
  readonly stage: Stage;
  readonly layout: Layout;
}

/** How many of an array's rows are of no token, and of no padding that an attention_mask tells of: they are compared with nothing. */
export function rowsLeft({ masked }: Trace, { stage, layout }: Reading): number {
  const axis = stage.axes.findIndex(({ size }) => size === 'tokens' || size === 'rows');
  return axis < 0 ? 0 : Math.max(0, layout.sizes[axis] - Math.max(layout.shape[axis], masked ?? 0));
}

/** Gains of a norm by stage, as they multiply: [last axis]. */
export type Gains = (stage: Stage) => Promise<Float32Array>;

/** Every way to read an array that a name says is a stage. Throws TraceError where its shape is none of the stage's. */
export function readingsOf(trace: Trace, match: Match, tokens: number): Reading[] {
  const { shape } = trace.arrays.get(match.theirs)!;
  const readings = match.stages.flatMap(stage => {
    const told = match.layout ?? trace.layoutOf(match.theirs, stage.name);
    return layoutsOf(stage, shape, tokens, trace.offset, told).map(layout => ({ match, stage, layout }));
  });
  if (readings.length > 0) return readings;
  const [stage] = match.stages;
  const told = match.layout ?? trace.layoutOf(match.theirs, stage.name);
  const untold = told === null ? [] : layoutsOf(stage, shape, tokens, trace.offset, null);
  if (untold.length > 0)
    throw new TraceError(
      `'${match.theirs}' [${shape}] is said to be laid out '${told}', and as '${stage.name}' it may be ${[...new Set(untold.map(({ order }) => `'${order}'`))].join(' or ')}. Name its dimensions so.`,
    );
  const expected = stage.axes.map(({ size }) => (typeof size === 'number' ? size : tokens));
  const other = shape.find(
    n =>
      n > 1 && n !== tokens && layoutsOf(stage, shape, n, 0, null).some(({ sizes }) => sizes[0] >= n || sizes[1] >= n),
  );
  const why =
    other === undefined
      ? 'so it is of another model, or in a layout that has to be told'
      : `so it is of ${other} tokens, and there are ${tokens} ids`;
  throw new TraceError(
    `'${trace.name}' has '${match.theirs}' in the shape [${shape}], and of ${tokens} tokens this model's '${stage.name}' is [${expected}], ${why}. Give the trace of this model and these ids.`,
  );
}

/** Values in the stage's own form: its order and its rows, times the factor, with what the stage does last, masked as the stage is. */
export async function valuesOf(trace: Trace, { match, stage, layout }: Reading, gains: Gains): Promise<Float32Array> {
  let data = laidOut(await trace.read(match.theirs), layout);
  if (data.length !== count(layout.shape)) data = data.subarray(0, count(layout.shape));
  const { operation } = stage;
  const { factor, before } = match;
  if (factor !== 1) data = data.map(value => (value <= MASK_LIMIT ? value : value * factor));
  if (operation.kind === 'scores') data = masked(data, layout.shape, operation.window);
  if (before === 'gain') {
    const gain = await gains(stage);
    data = data.map((value, i) => value * gain[i % gain.length]);
  } else if (before !== null) {
    const last =
      before === 'scale' && (operation.kind === 'embed' || operation.kind === 'scores') ? operation.scale : 1;
    const softcap = operation.kind === 'scores' || operation.kind === 'head' ? operation.softcap : null;
    data = data.map(value => {
      if (value <= MASK_LIMIT) return value;
      return softcap === null ? value * last : softcap * Math.tanh((value * last) / softcap);
    });
  }
  return data;
}

/** What engines write where a score is hidden: −∞, the least number of their format, −10⁴ and beyond. */
const HIDDEN = -5e3;

/** Scores that their engine hides by another number are hidden by ours; of scores before the mask, those that the model hides. */
function masked(data: Float32Array, [heads, queries, keys]: readonly number[], window: number | null): Float32Array {
  const first = keys - queries; // of fewer queries than keys, the last
  const hides = (query: number, key: number) =>
    key > query + first || (window !== null && query + first - key >= window);
  const out = data.slice();
  let hidden = 0;
  const all: number[] = [];
  for (let i = 0; i < data.length; i++) {
    const key = i % keys;
    const query = Math.floor(i / keys) % queries;
    if (data[i] <= HIDDEN) {
      out[i] = MASKED;
      hidden += 1;
    } else if (hides(query, key)) all.push(i);
  }
  if (hidden === 0 && heads > 0) for (const i of all) out[i] = MASKED;
  return out;
}

/** How far a reading is from what the model computes, 0 to √2 and more. */
export interface Distance {
  /** Of all rows that are there. */
  readonly whole: number;
  /** Of the first token alone, which reads no other: what is wrong of another token, or of how tokens read each other, has not reached it. Infinite where it is not there. */
  readonly first: number;
}

/** @param tokens of the sequence */
export function distance(
  values: Float32Array,
  ours: Float32Array,
  { stage, layout: { shape } }: Reading,
  tokens: number,
): Distance {
  const away = (a: Float32Array, b: Float32Array, of: readonly number[]) => {
    const { relL2, nonFinite, maskMismatch } = compare(a, b, of);
    return nonFinite + maskMismatch > 0 && !Number.isFinite(relL2) ? 1e9 : relL2;
  };
  const axis = stage.axes.findIndex(({ size }) => size === 'tokens');
  const whole = away(values, ours, shape);
  if (axis < 0 || shape[axis] !== tokens) return { whole, first: Number.POSITIVE_INFINITY };
  const one = shape.map((size, i) => (i === axis ? 1 : size));
  const inner = count(shape.slice(axis + 1));
  const rowOf = (data: Float32Array) => {
    const row = new Float32Array(count(one));
    for (let i = 0; i * inner < row.length; i++)
      row.set(data.subarray(i * tokens * inner, (i * tokens + 1) * inner), i * inner);
    return row;
  };
  return { whole, first: away(rowOf(values), rowOf(ours), one) };
}

/** Readings of one kind, of all layers, in the same order each: the form that agrees with the model, or the natural one where nothing does and nothing is asked. */
export function chosenForm(
  names: readonly string[],
  distances: readonly (readonly Distance[])[],
  natural: boolean,
): number | null {
  const middle = (form: number) => {
    const sorted = distances.map(of => of[form].whole).sort((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)];
  };
  const order = names.map((_, form) => form).sort((a, b) => middle(a) - middle(b));
  const [best, second] = order;
  if (middle(best) < 0.5 && middle(best) < middle(second) / 2) return best;
  // One layer before the first fault is enough, or one token.
  for (const of of ['whole', 'first'] as const) {
    const nearest = names.map((_, form) => Math.min(...distances.map(all => all[form][of])));
    const near = nearest.map((_, form) => form).sort((a, b) => nearest[a] - nearest[b]);
    if (nearest[near[0]] < 0.2 && nearest[near[0]] < nearest[near[1]] / 4) return near[0];
  }
  return natural ? 0 : null;
}
