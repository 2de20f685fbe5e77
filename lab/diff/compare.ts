// The comparison itself: every stage that a plan leaves, in the run and alone, and the verdict.

import type { PlanKind } from '../../engine/fuse.js';
import type { Model } from '../../engine/model.js';
import { type Stage, windowOfPairs } from '../../engine/plan.js';
import { feedsOf, givesOf, readsOf, type Step } from '../../engine/step.js';
import type { Accuracy } from '../../engine/accuracy.js';
import { OptionError } from '../../engine/errors.js';
import type { Golden } from '../values/golden.js';
import { type Selector, select } from '../values/select.js';
import { checkGolden } from './check.js';
import type { DiffLimits, DiffOptions } from './diff.js';
import { derivedLimit } from './derived.js';
import { layerKindsOf } from './layers.js';
import { locate } from './locate.js';
import { compare, type Metrics } from './metrics.js';
import { nearerOf } from './nearer.js';
import { passingOf } from './passing.js';
import type { DiffRow } from './row.js';
import { ACCUMULATED_LIMIT, CACHE_LIMITS, LOCAL_LIMIT } from './tolerance.js';
import { verdictOf } from './verdict.js';

/** What a plan computes of a golden's stages, each with the step that leaves it. */
export function compared(model: Model, plan: PlanKind): Map<Stage, Step> {
  const stages = model.plan.stages.filter(({ state }) => !state);
  // By the exact plan too: what runs alone must be what runs in the run, or an edit in it has no source.
  const steps = new Map(model.steps(plan).flatMap(step => givesOf(step).map(stage => [stage, step] as const)));
  return new Map(stages.flatMap(stage => (steps.has(stage) ? [[stage, steps.get(stage)!] as const] : [])));
}

/** Those of them that are wanted, and the stages whose values that takes: themselves, and what they are fed. */
export function wanted(model: Model, plan: PlanKind, stages: Selector | undefined): Wanted {
  const all = compared(model, plan);
  if (stages === undefined) return { stages: all, read: [...all.keys()], of: all.size };
  const chosen = new Set(select(model.plan, stages));
  const some = new Map([...all].filter(([stage]) => chosen.has(stage)));
  if (some.size === 0)
    throw new OptionError(
      `The ${plan} plan leaves none of the stages that were chosen: ${[...chosen].map(({ name }) => name).join(', ')}. Choose others, or leave the plan out.`,
    );
  const fed = new Set([...some.values()].flatMap(step => feedsOf(model.plan, step).map(({ name }) => name)));
  return { stages: some, read: [...all.keys()].filter(stage => some.has(stage) || fed.has(stage.name)), of: all.size };
}

/** What of a diff is wanted. */
export interface Wanted {
  readonly stages: ReadonlyMap<Stage, Step>;
  /** In the plan's order. */
  readonly read: readonly Stage[];
  /** How many stages the plan leaves. */
  readonly of: number;
}

/** Values of a stage by itself, or with the others of its step, on the golden's inputs. */
export type Alone = (stage: Stage, step: Step) => Promise<Float32Array>;

/** A stage in float64 on the golden's inputs, the others of its step with it. */
export type Exact = (stage: Stage, step: Step) => Promise<Float64Array | null>;

/** Compares our activations of the golden's ids with the golden's, stage by stage. */
export async function diffRows(
  model: Model,
  golden: Golden,
  ours: { read(stage: string): Promise<Float32Array> },
  alone: Alone | null,
  exact: Exact | null,
  accuracy: Accuracy,
  given: Pick<DiffOptions, 'accumulated' | 'local' | 'oracle' | 'plan' | 'stages' | 'signal' | 'onProgress'>,
): Promise<DiffRow[]> {
  const { accumulated = ACCUMULATED_LIMIT, local = LOCAL_LIMIT, plan = 'exact', signal, onProgress } = given;
  const rounding = CACHE_LIMITS[model.cache];
  checkGolden(model, golden);
  const { stages, read } = wanted(model, plan, given.stages);
  const errors = new Map<string, number>();
  const kinds = layerKindsOf(model.plan);
  const rows: DiffRow[] = [];
  for (const [stage, step] of stages) {
    signal?.throwIfAborted();
    const expected = await golden.read(stage.name);
    const { shape } = golden.stages.get(stage.name)!;
    let incoming = 0; // before the stage's own: values are read in the plan's order
    for (const { name } of feedsOf(model.plan, step)) incoming = Math.max(incoming, await errorOf(name));
    const inRun = await ours.read(stage.name);
    // Logits of the last token alone are that token's, also where the largest error is told.
    const last = stage.axes[0].size === 'rows' ? golden.ids.length - shape[0] : 0;
    const placed = (m: Metrics): Metrics => ({ ...m, worst: m.worst.map((n, d) => (d === 0 ? n + last : n)) });
    const both = placed(compare(inRun, expected, shape));
    errors.set(stage.name, both.relL2);
    let raw: Metrics | null = null;
    let ownData: Float32Array | null = null;
    if (alone) {
      ownData = await alone(stage, step);
      raw = compare(ownData, expected, shape);
    }
    const own = raw && placed(raw);
    const errorsOf = { here: both.relL2, alone: own?.relL2 ?? null, incoming };
    const strict = verdictOf(errorsOf, { accumulated, local });
    const rounded = strict === 'ok' || !rounding ? strict : verdictOf(errorsOf, allowed(step));
    const verdict = strict !== 'ok' && rounded === 'ok' ? 'cache' : rounded;
    const gain = incoming > 0 && Number.isFinite(incoming) ? both.relL2 / incoming : null;
    const pass = verdict === 'ok' || verdict === 'cache';
    const shown = verdict === 'carrier' ? inRun : (ownData ?? inRun);
    const axes = stage.axes.map(({ name }) => name);
    const limit = shown === inRun ? accumulated : local;
    const where = pass
      ? []
      : locate(shown, expected, shape, axes, { limit, kvHeads: model.config.kvHeads, window: windowOfPairs(stage) });
    const layerKind = kinds.get(stage.name);
    const asked = given.oracle ?? (verdict === 'source' || verdict === 'masked');
    const right = exact && asked ? await exact(stage, step) : null;
    const oracle = right && raw ? nearerOf(ownData!, expected, right, indexOf(raw.worst, shape)) : null;
    rows.push({
      ...{ stage: stage.name, shape, accumulated: both, local: own, gain, verdict, pass, where },
      passing: passingOf({ accumulated: both, local: own }),
      derived: derivedLimit(stage, step, { model, accuracy, tokens: golden.ids.length, values: expected }),
      ...(layerKind && { layerKind }),
      ...(oracle && { oracle }),
    });
    onProgress?.(rows.length, stages.size);
  }
  return rows;

  /** What came of a stage in the run, also where it is not compared; 0 of one that the plan does not leave. */
  async function errorOf(name: string): Promise<number> {
    const known = errors.get(name) ?? (read.some(stage => stage.name === name) ? null : 0);
    if (known !== null) return known;
    const { shape } = golden.stages.get(name)!;
    const { relL2 } = compare(await ours.read(name), await golden.read(name), shape);
    errors.set(name, relL2);
    return relL2;
  }

  /** With what the cache's rounding explains, where no limit was asked for. */
  function allowed(step: Step): Required<DiffLimits> {
    const reads = step.cached.size > 0 || readsOf(step).some(ref => ref.state);
    return {
      accumulated: given.accumulated ?? Math.max(accumulated, rounding!.accumulated),
      local: given.local ?? (reads ? Math.max(local, rounding!.local) : local),
    };
  }
}

const indexOf = (place: readonly number[], shape: readonly number[]): number =>
  place.reduce((at, n, d) => at * shape[d] + n, 0);
