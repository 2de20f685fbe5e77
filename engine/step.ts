// A step: what is dispatched in one go. In the exact plan it is a stage. In the fast plan it may stand for several (fuse.ts): then it writes some of
// their values, and the others exist only if somebody looks.

import type { Dispatch, Setting } from './dispatch.js';
import { dispatchesOf } from './ops.js';
import type { Plan, Ref, Stage } from './plan.js';
import type { Activations } from './dispatch.js';
import { roundedOf } from './rounding.js';

/** How a step is computed. */
export interface Work {
  readonly dispatches: readonly Dispatch[];
  /** Values that it needs room for besides those of stages, while it runs. */
  readonly scratch: readonly Ref[];
}

export interface Step {
  readonly name: string;
  /** Which rule made it; null for a stage as it is. */
  readonly rule: string | null;
  /** What it stands for, in the plan's order. */
  readonly stages: readonly Stage[];
  /** Those of them whose values it writes. */
  readonly writes: readonly Stage[];
  /** Those whose values it writes only into a cache, which is among `writes`. */
  readonly cached: ReadonlyMap<Stage, Stage>;
  /** How its products are given their inputs. */
  readonly activations: Activations;
  /** What it is opened into: of the fast plan, the exact plan's steps for its stages; of those, the stages alone; of a stage, nothing. */
  readonly inside: readonly Step[];
  work(setting: Setting): Work;
}

/** A stage as it is. @param activations how a product is given its input */
export function exactStep(stage: Stage, activations: Activations = 'f32'): Step {
  const work = (setting: Setting): Work => {
    const s = { ...setting, activations };
    return { dispatches: dispatchesOf(stage, s), scratch: scratchOf(stage, s) };
  };
  const [name, stages, writes] = [stage.name, [stage], [stage]];
  return { name, rule: null, stages, writes, cached: new Map(), activations, inside: [], work };
}

/** What a stage alone needs room for. */
function scratchOf({ operation, inputs }: Stage, s: Setting): Ref[] {
  const to = operation.kind === 'linear' || operation.kind === 'head' ? roundedOf(inputs[0], s) : null;
  return to ? [to] : [];
}

/** The stages whose values it computes and leaves somewhere, caches aside. */
export const givesOf = ({ writes, cached }: Step): Stage[] => [
  ...writes.filter(({ state }) => !state),
  ...cached.keys(),
];

/** What a step reads from outside. */
export function readsOf({ stages }: Step): Ref[] {
  const own = new Set(stages.map(({ name }) => name));
  const reads = stages.flatMap(({ inputs }) => inputs.filter(({ name }) => !own.has(name)));
  return [...new Map(reads.map(ref => [ref.name, ref])).values()];
}

/** The stages inside a step that must be computed for `wanted`, which it does not give: those, and what leads to them, in order. */
export function leadingTo(step: Step, wanted: readonly Stage[]): Stage[] {
  const needed = new Set<string>(wanted.map(({ name }) => name));
  const given = new Set(step.writes.map(({ name }) => name));
  for (const stage of [...step.stages].reverse()) {
    if (needed.has(stage.name)) for (const { name } of stage.inputs) if (!given.has(name)) needed.add(name);
  }
  return step.stages.filter(({ name }) => needed.has(name));
}

/** `layers.3.attn.q + k + v`: the names, without what they share with the first. */
export function nameOf([first, ...others]: readonly Stage[]): string {
  const prefix = first.name.slice(0, first.name.lastIndexOf('.') + 1);
  return [first, ...others.map(({ name }) => ({ name: name.startsWith(prefix) ? name.slice(prefix.length) : name }))]
    .map(({ name }) => name)
    .join(' + ');
}

/** The stages whose values a step needs to run alone; what is cached counts as what was put into the cache. */
export function feedsOf(plan: Plan, step: Step): Ref[] {
  return readsOf(step).flatMap(input => {
    const source = plan.stages.find(({ name }) => name === input.name);
    return source?.state ? source.inputs : source ? [source] : [];
  });
}
