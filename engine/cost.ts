// What a stage costs at least: the bytes it must move if everything is read and written once, and its floating-point
// operations. The roofline of `loupe bench` and the colours of the plan's picture come from here.

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
  const inputs = stage.inputs.reduce((n, input) => {
    const slots = keysRead(stage, extent);
    return n + count(shapeOf(input.axes, extent, slots));
  }, 0);
  const { weight } = stage;
  const rows = weight && kind === 'embed' ? extent.tokens / weight.shape[0] : 1;
  const weightBytes = weight ? rows * bytesOfWeight(weight) : 0;
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
  const bytesOf = (ref: Ref) => ((ref as Stage).state ? cacheBytes : F32);
  const stages = step.stages.map(stage => costOf(stage, extent, bytesOfWeight));
  const weightBytes = stages.reduce((n, cost) => n + cost.weightBytes, 0);
  const flops = stages.reduce((n, cost) => n + cost.flops, 0);
  const reads = readsOf(step).reduce((n, ref) => {
    const readers = step.stages.filter(({ inputs }) => inputs.some(({ name }) => name === ref.name));
    const values = count(shapeOf(ref.axes, extent, Math.max(...readers.map(stage => keysRead(stage, extent)))));
    return n + bytesOf(ref) * values;
  }, 0);
  const writes = step.writes.reduce((n, stage) => n + bytesOf(stage) * outputOf(stage, extent), 0);
  return { weightBytes, bytes: weightBytes + reads + writes, bytesWritten: writes, flops };
}

/** Keys or values that attention reads for one token: those in the window, or all. */
function keysRead({ operation }: Stage, { keys, tokens }: Extent): number {
  const window = 'window' in operation ? operation.window : null;
  return Math.min(keys, window === null ? keys : window + tokens - 1);
}

/** Values that a stage writes. */
const outputOf = ({ operation, axes }: Stage, extent: Extent): number =>
  operation.kind === 'cache' ? valuesPerToken(axes) * extent.tokens : count(shapeOf(axes, extent));

/** Multiplications and additions of a stage. */
export function flopsOf(stage: Stage, extent: Extent): number {
  const { kind } = stage.operation;
  const output = outputOf(stage, extent);
  switch (kind) {
    case 'linear':
    case 'head':
      return 2 * output * stage.weight!.shape[1];
    case 'scores':
      return 2 * (valuesPerToken(stage.inputs[0].axes) * extent.tokens) * keysRead(stage, extent);
    case 'mix':
      return 2 * output * keysRead(stage, extent);
    case 'embed':
    case 'add':
    case 'mul':
      return output;
    case 'rope':
      return 3 * output;
    case 'rmsNorm':
      return 4 * output;
    case 'softmax':
      return 5 * output;
    case 'geluTanh':
      return 10 * output;
    case 'cache':
      return 0;
  }
}
