// What a stage costs at least: the bytes it must move if everything is read and written once, and its floating-point
// operations. The roofline of `loupe bench` and the colours of the plan's picture come from here.

import { count, type Extent, type Stage, shapeOf } from './plan.js';
import { valuesPerToken } from './recorder.js';

export interface Cost {
  /** f32 weights, inputs and outputs, each once. */
  readonly bytes: number;
  /** Multiplications and additions. */
  readonly flops: number;
  readonly weightBytes: number;
}

const F32 = 4;

export function costOf(stage: Stage, extent: Extent): Cost {
  const { kind } = stage.operation;
  const output = kind === 'cache' ? valuesPerToken(stage.axes) * extent.tokens : count(shapeOf(stage.axes, extent));
  const inputs = stage.inputs.reduce((n, input) => {
    const slots = keysRead(stage, extent);
    return n + count(shapeOf(input.axes, extent, slots));
  }, 0);
  const rows = kind === 'embed' ? extent.tokens : stage.weight ? stage.weight.shape[0] : 0;
  const weightBytes = F32 * rows * (stage.weight?.shape[1] ?? (stage.weight ? 1 : 0));
  return { weightBytes, bytes: weightBytes + F32 * (inputs + output), flops: flopsOf(stage, extent, output) };
}

/** Keys or values that attention reads for one token: those in the window, or all. */
function keysRead({ operation }: Stage, { keys, tokens }: Extent): number {
  const window = 'window' in operation ? operation.window : null;
  return Math.min(keys, window === null ? keys : window + tokens - 1);
}

function flopsOf(stage: Stage, extent: Extent, output: number): number {
  const { kind } = stage.operation;
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
