// What a stage costs at least: the bytes it must move if everything is read and written once, and its floating-point
// operations. Of a query and a key that it may not see, nothing is computed. The roofline of `loupe bench` and the colours of the plan's picture
// come from here.

import { count, type Extent, type Ref, type Stage, shapeOf, type WeightRef } from './plan.js';
import { valuesPerToken } from './recorder.js';
import { readsOf, type Step } from './step.js';

export interface Cost {
  /** The weight as it lies on the GPU, f32 inputs and outputs, each once. */
  readonly bytes: number;
  /** Those of them that are outputs. */
  readonly bytesWritten: number;
  /** Multiplications and additions. */
  readonly flops: number;
  readonly weightBytes: number;
}

const F32 = 4;

/** @param bytesOfWeight bytes that a weight takes on the GPU */
export function costOf(stage: Stage, extent: Extent, bytesOfWeight: (weight: WeightRef) => number): Cost {
  const { kind } = stage.operation;
  const output = outputOf(stage, extent);
  const inputs = stage.inputs.reduce((n, input) => n + valuesRead(stage, input, extent), 0);
  const { weight } = stage;
  const share =
    weight && kind === 'embed' ? extent.tokens / weight.shape[0] : kind === 'head' && extent.rows === 0 ? 0 : 1;
  const weightBytes = weight ? share * bytesOfWeight(weight) : 0;
  return {
    weightBytes,
    bytes: weightBytes + F32 * (inputs + output),
    bytesWritten: F32 * output,
    flops: flopsOf(stage, extent),
  };
}

/**
 * What a step costs at least: its stages' weights and arithmetic, and the values that go in and come out.
 * @param cacheBytes of a key's or a value's element in its cache
 */
export function costOfStep(
  step: Step,
  extent: Extent,
  bytesOfWeight: (weight: WeightRef) => number,
  cacheBytes = F32,
): Cost {
  const bytesOf = (ref: Ref) => (ref.state ? cacheBytes : F32);
  const stages = step.stages.map(stage => costOf(stage, extent, bytesOfWeight));
  const weightBytes = stages.reduce((n, cost) => n + cost.weightBytes, 0);
  const flops = step.stages.reduce((n, stage) => n + flopsOf(stage, extent, step), 0);
  const reads = readsOf(step).reduce((n, ref) => {
    const readers = step.stages.filter(({ inputs }) => inputs.some(({ name }) => name === ref.name));
    return n + bytesOf(ref) * Math.max(...readers.map(stage => valuesRead(stage, ref, extent)));
  }, 0);
  const writes = step.writes.reduce((n, stage) => n + bytesOf(stage) * outputOf(stage, extent), 0);
  return { weightBytes, bytes: weightBytes + reads + writes, bytesWritten: writes, flops };
}

const windowOf = ({ operation }: Stage): number =>
  ('window' in operation && operation.window) || Number.POSITIVE_INFINITY;

/** Values that a stage reads of an input: of a cache, what any token of the chunk may see; of a pattern that is mixed, what each may; for logits, the rows wanted. */
function valuesRead(stage: Stage, { axes }: Ref, extent: Extent): number {
  const window = windowOf(stage);
  if (stage.operation.kind === 'head') return count(shapeOf(axes, { ...extent, tokens: extent.rows }));
  if (stage.operation.kind === 'mix' && axes.some(({ size }) => size === 'keys')) {
    return count(shapeOf(axes, { ...extent, tokens: 1, keys: 1 })) * pairsSeen(window, extent);
  }
  return count(shapeOf(axes, extent, Math.min(extent.keys, window + extent.tokens - 1)));
}

/** Pairs of a token of the chunk and a key that it may see: itself, and those before it, no more than `window` in all. */
function pairsSeen(window: number, { tokens, keys }: Extent): number {
  const before = keys - tokens;
  const growing = Math.max(0, Math.min(tokens, window - before)); // tokens that see everything so far
  return growing * before + (growing * (growing + 1)) / 2 + (growing === tokens ? 0 : (tokens - growing) * window);
}

/** Values that a stage writes. */
const outputOf = ({ operation, axes }: Stage, extent: Extent): number =>
  operation.kind === 'cache' ? valuesPerToken(axes) * extent.tokens : count(shapeOf(axes, extent));

/** Multiplications and additions of a stage. @param step which does it, if that stands for more */
export function flopsOf(stage: Stage, extent: Extent, step?: Step): number {
  const { kind } = stage.operation;
  const output = outputOf(stage, extent);
  switch (kind) {
    case 'linear':
    case 'head':
      return 2 * output * stage.weight!.shape[1];
    case 'scores':
      return 2 * valuesPerToken(stage.inputs[0].axes) * pairsSeen(windowOf(stage), extent);
    case 'mix':
      return 2 * valuesPerToken(stage.axes) * pairsSeen(windowOf(stage), extent);
    case 'embed':
    case 'add':
    case 'mul':
      return output;
    case 'rope':
      return 3 * output;
    case 'rmsNorm':
      return 4 * output;
    case 'softmax': {
      // Alone it takes masked scores like any other. Where the scores go nowhere, there are none of those.
      const scores = step?.stages.find(({ name }) => name === stage.inputs[0].name);
      return 5 * (scores ? valuesPerToken(stage.axes) * pairsSeen(windowOf(scores), extent) : output);
    }
    case 'geluTanh':
      return 10 * output;
    case 'cache':
      return 0;
  }
}
