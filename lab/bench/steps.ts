// Where the time of a decoded token goes: GPU timestamps around every step, summed by what the steps do.

import type { ContextOptions } from '../../engine/forward.js';
import { costOfStep } from '../../engine/cost.js';
import type { Model } from '../../engine/model.js';

export interface StepTimes {
  /** The rule that made the steps (fuse.ts), or the operation of the stage. */
  readonly operation: string;
  readonly steps: number;
  readonly ms: number;
  readonly share: number;
  readonly gbPerSecond: number;
  readonly gflops: number;
}

/** By operation, the longest first: what one token takes after `ids`, with what it reaches in bandwidth and arithmetic. */
export async function stepTimes(
  model: Model,
  ids: readonly number[],
  plan: NonNullable<ContextOptions['plan']>,
): Promise<StepTimes[]> {
  using context = model.context({ length: ids.length + 8, plan });
  await context.forward(ids);
  await context.forward([ids[0]], { profile: true });
  const { times } = await context.forward([ids[1]], { profile: true });
  const extent = { tokens: 1, keys: context.ids.length, rows: 1 };
  const sums = new Map<string, { steps: number; ns: number; bytes: number; flops: number }>();
  for (const step of model.steps(plan)) {
    const operation = step.rule ?? step.stages[0].operation.kind;
    const sum = sums.get(operation) ?? { steps: 0, ns: 0, bytes: 0, flops: 0 };
    const cost = costOfStep(step, extent, weight => model.bytesOf(weight));
    sum.steps += 1;
    sum.ns += times!.get(step.name)!;
    sum.bytes += cost.bytes;
    sum.flops += cost.flops;
    sums.set(operation, sum);
  }
  const total = [...sums.values()].reduce((n, { ns }) => n + ns, 0);
  return [...sums]
    .map(([operation, { steps, ns, bytes, flops }]) => ({
      operation,
      steps,
      ms: ns / 1e6,
      share: ns / total,
      gbPerSecond: bytes / ns,
      gflops: flops / ns,
    }))
    .sort((a, b) => b.ms - a.ms);
}
