// One stage alone: its own WGSL on given inputs, nothing before it and nothing after.

import { Executor } from '../engine/execute.js';
import type { Model } from '../engine/model.js';
import type { Ref, Stage } from '../engine/plan.js';
import type { Captured } from '../engine/taps.js';

export interface StageInputs {
  readonly ids: readonly number[];
  /** Rows of the output, where it is logits. */
  readonly rows: number;
  /** Values of an input by stage name: [T,…] for all T tokens. */
  read(name: string): Promise<Float32Array>;
}

/** Names of the stages whose values `stage` needs; what is cached counts as what was put into the cache. */
export function inputsOf(model: Model, stage: Stage): Ref[] {
  return stage.inputs.flatMap(input => {
    const source = model.plan.stages.find(({ name }) => name === input.name);
    return source?.state ? source.inputs : source ? [source] : [];
  });
}

/** Runs `stage` on the inputs, all tokens in one chunk from position 0. The GPU memory it takes is free again afterwards. */
export async function runStage(model: Model, stage: Stage, inputs: StageInputs): Promise<Captured> {
  const T = inputs.ids.length;
  const caches = stage.inputs.flatMap(input => model.plan.stages.filter(s => s.state && s.name === input.name));
  const feeds = inputsOf(model, stage);
  using executor = new Executor(
    model.gpu,
    model.kernels,
    model,
    [...caches, stage],
    { tokens: T, positions: T, rows: inputs.rows },
    { feeds, keep: [stage.name] },
  );
  for (const feed of feeds) executor.feed(feed.name, await inputs.read(feed.name));
  const extent = { tokens: T, keys: T, rows: inputs.rows };
  const { captured } = await executor.run({ extent, ids: inputs.ids, taps: [{ stage }] });
  return captured[0];
}
