// What a run dispatches, in order: the steps of its plan, some of them opened into the stages that they stand for, and beside the others what is
// computed again for who looks inside.

import { partsForCache } from './cache-format.js';
import { chunk, type Dispatch, groups, type Setting, value } from './dispatch.js';
import { dispatchesOf } from './ops.js';
import type { Patch } from './patches.js';
import type { Stage } from './plan.js';
import { valuesPerToken } from './recorder.js';
import type { Activations } from './rounding.js';
import { givesOf, leadingTo, type Step } from './step.js';

export interface Unit {
  readonly name: string;
  /** What it computes. */
  readonly stages: readonly Stage[];
  /** Whose values are there when it is done. */
  readonly writes: readonly Stage[];
  dispatches(setting: Setting): readonly Dispatch[];
}

/** A step that ran as the stages it stands for, and why. */
export interface Opened {
  readonly step: string;
  readonly stages: readonly string[];
  readonly why: string;
}

const ofStage = (stage: Stage, activations: Activations): Unit => ({
  name: stage.name,
  stages: [stage],
  writes: [stage],
  dispatches: setting => dispatchesOf(stage, { ...setting, activations }),
});

/** The values of a chunk that a step wrote into a cache alone. */
const fromCache = (stage: Stage, cache: Stage): Unit => ({
  name: `${stage.name} from the cache`,
  stages: [stage],
  writes: [stage],
  dispatches: setting => {
    const N = valuesPerToken(stage.axes);
    return [
      {
        shader: 'cache_read',
        parts: partsForCache(setting.cache),
        constants: { N, RING: setting.slots(cache.name) },
        reads: { chunk, cache: value(cache) },
        writes: { y: value(stage) },
        grid: e => [groups(N / 4, 64), e.tokens, 1],
      },
    ];
  },
});

/** Those of `looks` that are inside a step and that it leaves nowhere. */
export function insideOf(step: Step, looks: readonly Stage[]): Stage[] {
  const given = givesOf(step);
  return looks.filter(stage => step.stages.includes(stage) && !given.includes(stage));
}

/**
 * @param opened steps that run as their stages
 * @param looks stages whose values are asked for; those that a step leaves nowhere are made once more from its inputs
 */
export function unitsOf(steps: readonly Step[], opened: ReadonlySet<Step>, looks: readonly Stage[]): Unit[] {
  return steps.flatMap(step => {
    const alone = (stage: Stage) => ofStage(stage, step.activations);
    if (step.rule === null || opened.has(step)) return step.stages.map(alone);
    const whole: Unit = { ...step, dispatches: setting => step.work(setting).dispatches };
    const read = looks.filter(stage => step.cached.has(stage)).map(stage => fromCache(stage, step.cached.get(stage)!));
    return [whole, ...read, ...leadingTo(step, insideOf(step, looks)).map(alone)];
  });
}

/** Why steps must be opened: what is to be replaced, or was edited, is inside them. By step. */
export function openings(
  steps: readonly Step[],
  { patches, edited, setting }: { patches: readonly Patch[]; edited: ReadonlySet<string>; setting: Setting },
): Map<Step, string> {
  const why = new Map<Step, string>();
  for (const step of steps) {
    if (step.rule === null) continue;
    const patched = patches.find(({ stage }) => isInside(step, stage));
    if (patched) why.set(step, `a patch of '${patched.stage.name}'`);
    const inside = edited.size > 0 ? editedInside(step, edited, setting) : [];
    if (inside.length > 0) why.set(step, `the edited ${inside.map(name => `${name}.wgsl`).join(', ')}`);
  }
  return why;
}

/** Whether a value is read inside the step that makes it, or is not written by it at all. */
function isInside({ stages, writes }: Step, stage: Stage): boolean {
  if (!stages.includes(stage)) return false;
  return !writes.includes(stage) || stages.some(({ inputs }) => inputs.some(({ name }) => name === stage.name));
}

/** Edited shaders that its stages run and the step itself does not. */
export function editedInside(step: Step, edited: ReadonlySet<string>, setting: Setting): string[] {
  const files = (dispatches: readonly Dispatch[]) => dispatches.flatMap(({ shader, parts = [] }) => [shader, ...parts]);
  const own = new Set(files(step.work(setting).dispatches));
  const s = { ...setting, activations: step.activations };
  const exact = new Set(step.stages.flatMap(stage => files(dispatchesOf(stage, s))));
  return [...exact].filter(file => edited.has(file) && !own.has(file));
}
