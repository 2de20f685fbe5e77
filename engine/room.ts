// How many sequences can be read and continued at once: what their caches, next to the model and what a chunk needs, leave in the budget, and
// what one binding holds.

import { slotsOf } from './buffers.js';
import { CACHE_BYTES } from './cache-format.js';
import { Executor } from './execute.js';
import type { PlanKind } from './fuse.js';
import type { LoadedModel } from './loaded.js';
import { valuesPerToken } from './recorder.js';
import { TOP_ROW_BYTES } from './top.js';

export interface BatchSize {
  /** Longest sequence in tokens. */
  readonly length: number;
  /** Most tokens of a chunk. */
  readonly chunk: number;
  readonly plan: PlanKind;
}

/** Of what is free, the part that is left for what is made on the way: readbacks, tables, steps that are opened. */
const SPARE = 1 / 16;

/** Bytes of the caches of one sequence, and of the largest of them. */
export function cacheBytes({ plan, cache }: LoadedModel, { length, chunk }: Pick<BatchSize, 'length' | 'chunk'>) {
  const capacity = { tokens: chunk, positions: length, rows: 1 };
  const each = plan.stages
    .filter(({ state }) => state)
    .map(stage => CACHE_BYTES[cache] * slotsOf(stage, capacity) * valuesPerToken(stage.axes));
  return { all: each.reduce((n, bytes) => n + bytes, 0), largest: Math.max(0, ...each) };
}

/** Rows of logits that a chunk of so many sequences can have. */
export function rowsThatFit(
  { gpu, config }: LoadedModel,
  { chunk }: Pick<BatchSize, 'chunk'>,
  sequences: number,
): number {
  return Math.max(1, Math.min(chunk, sequences, Math.floor(gpu.traits.maxBinding / (4 * config.vocab))));
}

/** Sequences that fit beside what is on the GPU now; 0: not even one. Throws BudgetError where a buffer of one is too large by itself. */
export function roomFor(model: LoadedModel, size: BatchSize): number {
  const { gpu, kernels, plan, config } = model;
  gpu.giveBack();
  const { all, largest } = cacheBytes(model, size);
  const inBinding = Math.floor(gpu.traits.maxBinding / Math.max(1, largest));
  const free = gpu.budgetBytes - gpu.liveBytes;
  const capacity = { tokens: size.chunk, positions: size.length, rows: 1, sequences: 1, cache: model.cache };
  const steps = model.steps(size.plan, true);
  const before = gpu.liveBytes;
  let one: number;
  {
    using _ = new Executor(gpu, kernels, model, plan.stages, capacity, { keep: ['logits'], steps });
    one = gpu.liveBytes - before;
  }
  // A row of logits each, until a chunk has no more, as much again to read them back, and what a search for the largest takes.
  const row = 8 * config.vocab + TOP_ROW_BYTES;
  const logits = row * (rowsThatFit(model, size, Number.POSITIVE_INFINITY) - 1);
  const left = free * (1 - SPARE) - one - largest;
  const withLogits = Math.floor(left / (all + row));
  const most = withLogits < size.chunk ? withLogits : Math.floor((left - logits) / all);
  return Math.max(0, Math.min(inBinding, 1 + most));
}
