// What rounding explains of a stage alone: two right engines in f32 on equal inputs, one on this adapter as it was measured, the other as IEEE has it. Derived from the stage's
// operation, from how long its sums are and from how our shader adds them up; a relative L2 error, as all limits are.
//
// The bound is statistical. A worst case takes every rounding to have the same sign and multiplies u by the length of a sum and by how much of it cancels: for a sum of 2048 that
// is 10⁻⁴ and more, where right engines are 10⁻⁷ apart, and a bug of 10⁻⁵ would pass. Roundings are as often up as down, so they add up as their squares do, and a norm over thousands of
// values does not stray from its mean. What is left to chance is how much of a sum cancels, which the data decides: MARGIN allows for it.

import type { Accuracy, MeasuredOperation } from '../../engine/accuracy.js';
import type { Dispatch, Setting } from '../../engine/dispatch.js';
import type { Model } from '../../engine/model.js';
import type { Stage } from '../../engine/plan.js';
import { exactStep, type Step } from '../../engine/step.js';
import { MASK_LIMIT } from '../values/stats.js';
import { LOCAL_LIMIT } from './tolerance.js';

/** How many times what rounding comes to on average is explained by it. Of atlas' 540 stages, four goldens, the farthest off is 0.81 times, on SwiftShader and on lavapipe. */
export const MARGIN = 4;

/** A rounding to the nearest in the root mean square, ULP. */
const NEAREST = 1 / Math.sqrt(12);
/** A ULP is at most this share of a value. */
const ULP = 2 ** -23;

/** How an engine rounds: by operation, relative; and the growth of that over a sum of n products. */
interface Engine {
  of(operation: MeasuredOperation): number;
  growth(n: number): number;
}

/** Its order is not known: one sum after the other is the farthest off. Its exp and tanh are a library's, right to a ULP. */
const THEIRS: Engine = {
  of: operation => ULP * (operation === 'exp' || operation === 'tanh' ? 2 * NEAREST : NEAREST),
  growth: n => sequential(n),
};

/**
 * A sum of n like terms of random sign: partial sum k is √k terms large, rounded by u of itself, so that squares come to n/2 of u² of the whole. Where lanes have a share of it each and add
 * theirs as a tree, a share is shorter and each level of the tree is one rounding of all there is.
 */
const sequential = (n: number): number => n / 2 + 1;
const inLanes = (n: number, lanes: number): number => sequential(n / lanes) + Math.log2(lanes);

/** How our shaders sum, of n terms. */
const ORDERS: Readonly<Record<string, (n: number, constants: Dispatch['constants']) => number>> = {
  // Four columns in the four numbers of a vector, then those.
  linear_quads: n => inLanes(n, 4),
  linear_lanes: n => inLanes(n, 4),
  matvec_lanes: n => inLanes(n, 4),
  linear: n => inLanes(n, 4),
  scores: n => inLanes(n, 4),
  // Blocks of 32 columns, which are then summed.
  linear_broadcast: n => sequential(Math.min(n, 32)) + sequential(n / 32),
  matvec_broadcast: n => sequential(Math.min(n, 32)) + sequential(n / 32),
  // A workgroup's lanes, eight of which have one block.
  matvec: (n, { WG }) => inLanes(n, Math.min(n, 4 * Math.max(1, Number(WG) / 8))),
  linear_few: (n, { WG }) => inLanes(n, Math.min(n, 4 * Math.max(1, Number(WG) / 8))),
  rms_norm: (n, { WG }) => inLanes(n, Math.min(n, Number(WG))),
  softmax: (n, { WG }) => inLanes(n, Math.min(n, Number(WG))),
};

/** What is known of where a stage runs. */
export interface Where {
  readonly model: Pick<Model, 'gpu' | 'cache' | 'shards'>;
  readonly accuracy: Accuracy;
  /** Of the sequence: the longest sum over keys. */
  readonly tokens: number;
  /** Its values: what tanh loses, it loses of the cap, and they may be less. */
  readonly values: Float32Array;
}

/**
 * Relative L2 that rounding explains of a stage alone, and never more than LOCAL_LIMIT; null where something else rounds, a cache in f16 or products in int8, and of a stage that is computed in one step with what it reads.
 */
export function derivedLimit(stage: Stage, step: Step, { model, accuracy, tokens, values }: Where): number | null {
  const own = step.stages.filter(({ state }) => !state).map(({ name }) => name);
  if (stage.inputs.some(({ name }) => own.includes(name))) return null;
  const { kind } = stage.operation;
  if (model.cache !== 'f32' && (kind === 'cache' || kind === 'scores' || kind === 'mix')) return null;
  if (step.activations !== 'f32') return null;
  const setting: Setting = {
    traits: model.gpu.traits,
    cache: model.cache,
    oneToken: tokens === 1,
    oneRow: tokens === 1,
    shards: name => model.shards(name),
    ring: () => tokens,
  };
  const { dispatches } = exactStep(stage).work(setting);
  const summing = dispatches.find(({ shader }) => shader in ORDERS);
  const ours: Engine = {
    of: operation => ULP * accuracy.operations[operation].rms,
    growth: n => Math.min(sequential(n), summing ? ORDERS[summing.shader](n, summing.constants) : sequential(n)),
  };
  const size = sizeOf(values);
  const both = Math.hypot(errorOf(stage, ours, tokens, size), errorOf(stage, THEIRS, tokens, size));
  return Math.min(LOCAL_LIMIT, MARGIN * both);
}

/** Root mean square of what is not masked. */
function sizeOf(values: Float32Array): number {
  let [squares, many] = [0, 0];
  for (const value of values) {
    if (value <= MASK_LIMIT) continue;
    squares += value * value;
    many += 1;
  }
  return Math.sqrt(squares / Math.max(1, many));
}

/** Relative error of one engine, in the root mean square. */
function errorOf({ operation, inputs, weight }: Stage, { of, growth }: Engine, tokens: number, size: number): number {
  const sum = (n: number) => of('fma') * Math.sqrt(growth(n));
  // A value below a quarter of the cap goes by the series: tanh's own error is at most four times as large a share of any.
  const capped = (cap: number | null) =>
    cap === null
      ? []
      : [of('divide'), of('multiply'), (of('tanh') / 2) * Math.min(4, cap / Math.max(size, Number.MIN_VALUE))];
  const last = (ref: { readonly axes: Stage['axes'] }) => Number(ref.axes[ref.axes.length - 1].size);
  switch (operation.kind) {
    case 'embed':
      return of('multiply');
    case 'rmsNorm': // of the mean of squares half is left by the root
      return Math.hypot(
        sum(weight!.shape[0]) / 2,
        of('divide') / 2,
        of('sqrt'),
        of('divide'),
        of('multiply'),
        of('multiply'),
      );
    case 'linear':
      return sum(weight!.shape[1]);
    case 'head':
      return Math.hypot(sum(weight!.shape[1]), ...capped(operation.softcap));
    case 'rope': // cosine and sine are rounded by either, each for itself
      return Math.hypot(NEAREST * ULP, of('multiply'), of('add'));
    case 'cache':
      return 0;
    case 'scores':
      return Math.hypot(sum(last(inputs[0])), of('multiply'), ...capped(operation.softcap));
    case 'softmax': // what counts in a row lies within some units of its largest score, where the difference is rounded by as many u
      return Math.hypot(2 * of('add'), of('exp'), of('add') * Math.sqrt(growth(tokens)), of('divide'), of('multiply'));
    case 'mix':
      return sum(tokens);
    case 'geluTanh': // a cubic, and 1 + tanh, of which the smallest that counts is a half
      return Math.hypot(3 * of('multiply'), of('add'), of('tanh'), of('add'), of('multiply'));
    case 'mul':
      return of('multiply');
    case 'add':
      return of('add');
  }
}
