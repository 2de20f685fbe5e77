// A stage, or several that are computed in one go, in float64 from given values: what both engines should have come to.

import type { Plan, Ref, Stage } from '../../engine/plan.js';
import { valuesPerToken } from '../../engine/recorder.js';
import type { Step } from '../../engine/step.js';
import type { WeightSource } from '../../engine/weights/source.js';
import {
  embed,
  geluTanh,
  type Heads,
  linear,
  mix,
  rmsNorm,
  rope,
  scores,
  softcapped,
  softmax,
  type Values,
} from './operations.js';

export interface Given {
  /** Token ids of the sequence, from position 0. */
  readonly ids: readonly number[];
  /** Rows of logits: one a token, or the last alone. */
  readonly rows: number;
  /** Values of another stage, of all tokens. */
  read(stage: string): Promise<Values>;
  /** Between parts of a large product: to stop, and to let others in. */
  pause?(): Promise<void>;
}

/** What `stage` is, computed with the others of its step from what the step is given. A cache is what was put into it, of all tokens. */
export async function exactly(
  plan: Plan,
  stage: Stage,
  step: Pick<Step, 'stages'>,
  weights: Pick<WeightSource, 'readRows'>,
  given: Given,
): Promise<Float64Array> {
  const inside = new Set(step.stages.map(({ name }) => name));
  const known = new Map<string, Promise<Values>>();
  const wanted = (ref: Ref): Promise<Values> => {
    const found = known.get(ref.name);
    if (found) return found;
    const source = plan.stages.find(({ name }) => name === ref.name);
    const value = !source
      ? Promise.reject(new Error(`'${ref.name}' is no value of this plan.`))
      : source.state
        ? wanted(source.inputs[0])
        : inside.has(source.name)
          ? compute(source, weights, given, wanted)
          : given.read(source.name);
    known.set(ref.name, value);
    return value;
  };
  return compute(stage, weights, given, wanted);
}

async function compute(
  stage: Stage,
  weights: Pick<WeightSource, 'readRows'>,
  { ids, rows, pause }: Given,
  wanted: (ref: Ref) => Promise<Values>,
): Promise<Float64Array> {
  const { operation, inputs, weight } = stage;
  const [a, b] = operation.kind === 'embed' ? [] : await Promise.all(inputs.map(wanted));
  const rowsOf = (start: number, count: number) => weights.readRows(weight!.name, start, count);
  switch (operation.kind) {
    case 'embed':
      return embed(ids, rowsOf, weight!.shape, operation.scale);
    case 'rmsNorm':
      return rmsNorm(a, await rowsOf(0, weight!.shape[0]), operation.eps);
    case 'linear':
      return linear(a, rowsOf, weight!.shape, pause);
    case 'head': {
      const last = a.subarray(a.length - rows * weight!.shape[1]);
      return softcapped(await linear(last, rowsOf, weight!.shape, pause), operation.softcap);
    }
    case 'rope': {
      const dim = sizeOf(stage, 'D');
      return rope(a, valuesPerToken(stage.axes) / dim, dim, operation);
    }
    case 'cache':
      return Float64Array.from(a);
    case 'scores': {
      const [q, k] = inputs;
      const heads = { heads: sizeOf(q, 'A'), kv: sizeOf(k, 'K'), dim: sizeOf(q, 'D'), window: operation.window };
      return scores(a, b, heads, operation.scale, operation.softcap);
    }
    case 'softmax':
      return softmax(a, ids.length);
    case 'mix': {
      const heads: Heads = {
        heads: sizeOf(stage, 'A'),
        kv: sizeOf(inputs[1], 'K'),
        dim: sizeOf(stage, 'D'),
        window: operation.window,
      };
      return mix(a, b, heads);
    }
    case 'geluTanh':
      return geluTanh(a);
    case 'mul':
      return Float64Array.from(a, (value, i) => value * b[i]);
    case 'add':
      return Float64Array.from(a, (value, i) => value + b[i]);
  }
}

function sizeOf({ name, axes }: Ref, wanted: string): number {
  const found = axes.find(({ letter }) => letter === wanted)?.size;
  if (typeof found === 'number') return found;
  throw new Error(`'${name}' has no axis ${wanted} of a fixed size.`);
}
