// Which weights lie together on the GPU, so that one dispatch can multiply by all of them: matrices that are given the same input. Each can still be
// read alone, by the stage that has it.

import type { Plan, Stage } from './plan.js';

export interface Join {
  /** Of the joined weight. */
  readonly name: string;
  /** Of its weights. */
  readonly parts: readonly string[];
  /** One after the other; or in turn, eight rows of the one and eight of the other, so that a lane has the same row of both. */
  readonly order: 'after' | 'in turn';
}

const nameOf = (parts: readonly string[]): string => parts.join(' + ');

/** Runs of `linear` stages on one input; in turn where they are the gate and what it gates. */
export function joinsOf({ stages }: Pick<Plan, 'stages'>): Join[] {
  const joins: Join[] = [];
  for (let i = 0; i < stages.length; ) {
    const run = runAt(stages, i);
    const parts = run.map(stage => stage.weight!.name);
    if (parts.length > 1) joins.push({ name: nameOf(parts), parts, order: gated(stages, run) ? 'in turn' : 'after' });
    i += Math.max(1, run.length);
  }
  return joins;
}

function runAt(stages: readonly Stage[], from: number): Stage[] {
  const run: Stage[] = [];
  for (let i = from; i < stages.length; i++) {
    const { operation, inputs } = stages[i];
    if (operation.kind !== 'linear' || (run.length > 0 && inputs[0].name !== run[0].inputs[0].name)) break;
    run.push(stages[i]);
  }
  return run;
}

/** Whether of two stages the second is multiplied by the GELU of the first. */
function gated(stages: readonly Stage[], run: readonly Stage[]): boolean {
  const [gate, up] = run;
  if (run.length !== 2 || gate.weight!.shape[0] !== up.weight!.shape[0]) return false;
  const act = stages.find(({ operation, inputs }) => operation.kind === 'geluTanh' && inputs[0].name === gate.name);
  return stages.some(
    ({ operation, inputs }) =>
      operation.kind === 'mul' && act && inputs[0].name === act.name && inputs[1].name === up.name,
  );
}

/**
 * Of a join, what can lie together: weights next to each other.
 * @param fits whether these do
 */
export function joinable(join: Join, fits: (parts: readonly string[]) => boolean): Join[] {
  const runs: string[][] = [];
  for (const part of join.parts) {
    const run = runs.at(-1);
    if (run && fits([...run, part])) run.push(part);
    else runs.push([part]);
  }
  return runs
    .filter(({ length }) => length > 1)
    .map((parts): Join => ({ name: nameOf(parts), parts, order: join.order }));
}
