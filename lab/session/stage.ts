// One stage alone: its own WGSL on given inputs, or that of the step that it is in; nothing before it and nothing after.

import { BudgetError } from '../../engine/errors.js';
import { Executor } from '../../engine/execute.js';
import type { Shaders } from '../../engine/kernel.js';
import type { Model } from '../../engine/model.js';
import { count, type Extent, type Ref, type Stage, shapeOf } from '../../engine/plan.js';
import type { PlanKind } from '../../engine/fuse.js';
import { exactStep, feedsOf, readsOf, type Step } from '../../engine/step.js';
import type { Captured } from '../../engine/taps.js';
import type { Span } from '../diff/span.js';
import { cut, joined } from './pieces.js';

export interface StageInputs {
  readonly ids: readonly number[];
  /** Rows of the output, where it is logits: one a token, or the last alone. */
  readonly rows: number;
  /** Values of an input by stage name: [T,…] for all T tokens. */
  read(name: string): Promise<Float32Array>;
}

/**
 * Runs `stage`, by itself or with the others of `step`, on the inputs from position 0: all tokens at once, or, where a binding could not hold that, in pieces on a cache, as a long
 * prompt is read. The GPU memory it takes is free again afterwards.
 */
export async function runStage(
  model: Model,
  stage: Stage,
  inputs: StageInputs,
  shaders?: Shaders,
  step = exactStep(stage),
  plan: PlanKind = 'exact',
): Promise<Captured> {
  const caches = readsOf(step).flatMap(input => model.plan.stages.filter(s => s.state && s.name === input.name));
  const stages = [...caches, ...step.stages];
  const steps = [...caches.map(stage => exactStep(stage)), step];
  return await runSteps(
    model,
    stage,
    { stages, steps, feeds: feedsOf(model.plan, step), held: [stage] },
    inputs,
    shaders,
    plan,
  );
}

/** The exact stages of a span, from the values it begins with to that of its last. */
export function runSpan(
  model: Model,
  { stages, feeds }: Span,
  inputs: StageInputs,
  shaders?: Shaders,
): Promise<Captured> {
  const steps = stages.map(stage => exactStep(stage));
  const held = stages.filter(({ state }) => !state);
  return runSteps(model, stages[stages.length - 1], { stages, steps, feeds, held }, inputs, shaders, 'exact');
}

interface Steps {
  readonly stages: readonly Stage[];
  readonly steps: readonly Step[];
  readonly feeds: readonly Ref[];
  /** Stages whose values are written for all tokens at once. */
  readonly held: readonly Stage[];
}

async function runSteps(
  model: Model,
  stage: Stage,
  { stages, steps, feeds, held }: Steps,
  inputs: StageInputs,
  shaders: Shaders | undefined,
  plan: PlanKind,
): Promise<Captured> {
  const T = inputs.ids.length;
  const whole: Extent = { tokens: T, keys: T, rows: inputs.rows };
  const most = tokensAtOnce([...held, ...feeds], whole, model.gpu.traits.maxBinding);
  const allRows = inputs.rows === T;
  using executor = new Executor(
    model.gpu,
    model.kernels,
    model,
    stages,
    { tokens: most, positions: T, rows: allRows ? most : inputs.rows, cache: model.cache },
    { steps, feeds, keep: [stage.name], plan },
  );
  const values = new Map<string, Float32Array>();
  for (const feed of feeds) values.set(feed.name, await inputs.read(feed.name));
  const parts: Captured[] = [];
  for (let start = 0; start < T; start += most) {
    const tokens = Math.min(most, T - start);
    const last = start + tokens === T;
    const extent: Extent = { tokens, keys: start + tokens, rows: allRows ? tokens : last ? inputs.rows : 0 };
    for (const feed of feeds) executor.feed(feed.name, cut(values.get(feed.name)!, feed.axes, whole, extent));
    const ids = inputs.ids.slice(start, start + tokens);
    parts.push(...(await executor.run({ extent, shaders, ids, taps: [{ stage }] })).captured);
  }
  const from = stage.axes.map(({ size }) => (size === 'rows' ? T - inputs.rows : 0));
  return { stage, start: 0, from, recomputed: false, kept: parts[0].kept, ...joined(stage, parts) };
}

/** Tokens for which each value still fits one binding. Throws BudgetError where a single token's does not. */
function tokensAtOnce(values: readonly Ref[], whole: Extent, maxBinding: number): number {
  let most = whole.tokens;
  for (const { name, axes } of values) {
    // Logits of the last row alone do not grow with the tokens.
    if (axes[0].size === 'rows' && whole.rows < whole.tokens) continue;
    const bytes = 4 * count(shapeOf(axes, { ...whole, tokens: 1, rows: 1 }));
    if (bytes > maxBinding) {
      throw new BudgetError(
        `'${name}' has ${bytes} bytes a token, and this adapter binds ${maxBinding} at once. Use a golden of fewer tokens, or another adapter.`,
      );
    }
    most = Math.min(most, Math.floor(maxBinding / bytes));
  }
  return most;
}
