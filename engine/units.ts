// What a run dispatches, in order: the steps of its plan, some of them opened into the stages that they stand for, and beside the others what is
// computed again for who looks inside.

import { partsForCache } from './cache-format.js';
import { chunk, type Dispatch, groups, type Setting, value } from './dispatch.js';
import { dispatchesOf } from './ops.js';
import type { Patch } from './patches.js';
import type { Stage } from './plan.js';
import { valuesPerToken } from './recorder.js';
import type { Activations } from './dispatch.js';
import { givesOf, leadingTo, type Step } from './step.js';

export interface Unit {
  readonly name: string;
  /** Another unit of this name is bound otherwise if its key is another. */
  readonly key: string;
  /** What it computes. */
  readonly stages: readonly Stage[];
  /** Whose values are there when it is done. */
  readonly writes: readonly Stage[];
  dispatches(setting: Setting): readonly Dispatch[];
}

/** A step that ran as the stages it stands for, and why. */
export interface Opened {
  /** Its name. */
  readonly step: string;
  /** Names of the stages that ran. */
  readonly stages: readonly string[];
  /** Who wanted it: a patch, or an edited shader. */
  readonly why: string;
}

/** As the exact plan computes it: its products alone are read by who looks inside. */
const exactly = (setting: Setting): Setting => ({ ...setting, scaled: false });

const ofStage = (stage: Stage, activations: Activations): Unit => ({
  name: stage.name,
  key: `${stage.name} alone`,
  stages: [stage],
  writes: [stage],
  dispatches: setting => dispatchesOf(stage, { ...exactly(setting), activations }),
});

const ofStep = (step: Step, inside: boolean): Unit => ({
  ...step,
  key: inside ? `${step.name} inside` : step.name,
  dispatches: setting => step.work(inside ? exactly(setting) : setting).dispatches,
});

/** The values of a chunk that a step wrote into a cache alone. */
export const fromCache = (stage: Stage, cache: Stage): Unit => ({
  name: `${stage.name} from the cache`,
  key: `${stage.name} from the cache`,
  stages: [stage],
  writes: [stage],
  dispatches: setting => {
    const N = valuesPerToken(stage.axes);
    return [
      {
        shader: 'cache_read',
        parts: partsForCache(setting.cache),
        constants: { N, RING: setting.ring(cache.name) },
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
 * @param opened steps that run as what is inside them, and of those the ones that are opened too
 * @param looks stages whose values are asked for; those that a step leaves nowhere are made once more from its inputs
 */
export function unitsOf(
  steps: readonly Step[],
  opened: ReadonlySet<Step>,
  looks: readonly Stage[],
  inside = false,
): Unit[] {
  return steps.flatMap(step => {
    const alone = (stage: Stage) => ofStage(stage, step.activations);
    if (opened.has(step) && step.inside.length > 0) return unitsOf(step.inside, opened, looks, true);
    const whole = ofStep(step, inside);
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
  const visit = (step: Step) => {
    if (step.rule === null) return;
    const patched = patches.find(({ stage }) => isInside(step, stage));
    if (patched) why.set(step, `a patch of '${patched.stage.name}'`);
    const inside = edited.size > 0 ? editedInside(step, edited, setting) : [];
    if (inside.length > 0) why.set(step, `the edited ${inside.map(name => `${name}.wgsl`).join(', ')}`);
    step.inside.forEach(visit);
  };
  steps.forEach(visit);
  return why;
}

/** Whether a value is read inside the step that makes it, or is not written by it at all. */
function isInside({ stages, writes }: Step, stage: Stage): boolean {
  if (!stages.includes(stage)) return false;
  return !writes.includes(stage) || stages.some(({ inputs }) => inputs.some(({ name }) => name === stage.name));
}

/** Edited shaders that what is inside a step runs and the step itself does not. */
export function editedInside(step: Step, edited: ReadonlySet<string>, setting: Setting): string[] {
  const files = ({ work }: Step) => work(setting).dispatches.flatMap(({ shader, parts = [] }) => [shader, ...parts]);
  const within = (one: Step): string[] => one.inside.flatMap(part => [...files(part), ...within(part)]);
  const own = new Set(files(step));
  return [...new Set(within(step))].filter(file => edited.has(file) && !own.has(file));
}
