// What a change of shaders is held against: a run from before as a golden, and the stages that show soonest what is wrong.

import { OptionError } from '../../engine/errors.js';
import type { Plan, Stage } from '../../engine/plan.js';
import { OurValues } from '../session/ours.js';
import { Run } from '../session/run.js';
import type { Session } from '../session/session.js';
import { checkDiff } from '../values/arguments.js';
import { type Golden, GoldenFile } from '../values/golden.js';

/** What is outside the layers, and the first layer of each kind: a shader that is wrong is wrong there. */
export function firstStages(plan: Plan, kinds: readonly string[]): readonly string[] {
  const first = [kinds.indexOf('sliding'), kinds.indexOf('full')].map(layer => `layers.${layer}.`);
  const isFirst = (name: string) => !name.startsWith('layers.') || first.some(layer => name.startsWith(layer));
  return plan.stages.flatMap(({ name, state }) => (!state && isFirst(name) ? [name] : []));
}

/** What is right. */
export interface Reference {
  readonly golden: Golden;
  readonly other: 'golden' | 'run';
}

/** Of what a person gave, null for nothing. */
export function referenceOf(
  right: Golden | Run | undefined,
  session: Session,
  wanted: readonly Stage[],
): Reference | null {
  if (right === undefined) return null;
  if (right instanceof Run) return { golden: goldenOf(right, session, wanted), other: 'run' };
  checkDiff(right);
  return { golden: right, other: 'golden' };
}

/** A run as a golden: its values are read again by the shaders that it ran with, whatever is edited since. */
function goldenOf(run: Run, session: Session, wanted: readonly Stage[]): Golden {
  const { ids, tokens, made } = run;
  const { again, chunks = [ids.length] } = made;
  if (!again)
    throw new OptionError(
      'This run cannot be read again, as that of a generation. Give one of model.run(), or a golden.',
    );
  if (run.session !== session)
    throw new OptionError('The run is of another session. Give one of this: await model.run(prompt).');
  const stages = session.plan.stages.filter(({ state }) => !state);
  const shapes = stages.map(({ name, axes }) => {
    const shape = axes.map(({ size }) => (typeof size === 'number' ? size : ids.length));
    return [name, { shape }] as const;
  });
  const values = new OurValues(wanted, ids.length, 'all', tap => again({ tap, logits: 'all' }));
  const read = (stage: string) => values.read(stage);
  return new GoldenFile('the run from before', ids, chunks, tokens, new Map(), new Map(shapes), read);
}
