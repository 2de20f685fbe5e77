// A session against a golden: all stages in its run and alone, or one.

import { accuracyOf } from '../../engine/accuracy.js';
import { OptionError } from '../../engine/errors.js';
import type { Stage } from '../../engine/plan.js';
import type { Step } from '../../engine/step.js';
import type { ModelFiles } from '../../engine/weights/source.js';
import { checkGolden } from '../diff/check.js';
import { type Alone, compared, diffRows, wanted } from '../diff/compare.js';
import { type Both, namesText, type Sides } from '../diff/error-map.js';
import { DIFF_OPTIONS, Diff, type DiffOptions } from '../diff/diff.js';
import { leftoverOf } from '../diff/leftover.js';
import { otherWeights } from '../diff/other-weights.js';
import type { DiffRow } from '../diff/row.js';
import { ACCUMULATED_LIMIT, LOCAL_LIMIT } from '../diff/tolerance.js';
import { eitherSignal } from '../host/interrupt.js';
import { progressLine } from '../host/progress.js';
import type { Activation } from '../values/activation.js';
import { called, checkDiff, checkOptions } from '../values/arguments.js';
import type { Golden } from '../values/golden.js';
import { selectOne } from '../values/select.js';
import { assemble } from './capture.js';
import { OurValues } from './ours.js';
import { Oracle } from './oracle.js';
import type { Reader } from './read.js';
import { checkPlan, planProvenance } from './request.js';
import { runStage, type StageInputs } from './stage.js';
import { OneStage } from './views.js';

/** What a stage alone is given. */
const inputsOf = (golden: Golden): StageInputs => ({
  ids: golden.ids,
  rows: golden.stages.get('logits')!.shape[0],
  read: name => golden.read(name),
});

/** A stage by any of its names, that can be run alone. Throws StageError with the nearest. */
export function oneStage(session: Reader, name: string): OneStage {
  const stage = selectOne(session.plan, name);
  const run = async (golden: Golden): Promise<Activation> => {
    session.ready();
    checkDiff(golden);
    checkGolden(session.model, golden);
    const shaders = await session.model.kernels.inForce(); // before anything else is waited for: those of the call
    await leftoverOf(session.plan, golden);
    using _progress = progressLine(`Running ${stage.name}`, 'short');
    const step = compared(session.model, 'exact').get(stage);
    const captured = await runStage(session.model, stage, inputsOf(golden), shaders, step);
    const labels = golden.pieces?.map(piece => piece.replaceAll('\u2581', ' ')) ?? session.labels(golden.ids);
    return assemble([captured], labels).get(stage.name)!;
  };
  return new OneStage(stage, stage.weight ? session.model.bytesOf(stage.weight) : 0, run);
}

/**
 * @param files the model's files as they were opened, to tell whether the golden is of these weights
 * @param other what the golden is: of a run of this very model nobody asks whether it is of these weights, and its stages are those that are compared alone
 */
export async function against(
  session: Reader,
  golden: Golden,
  given: DiffOptions,
  files: (() => Promise<ModelFiles>) | null,
  other: 'golden' | 'run' = 'golden',
): Promise<Diff> {
  session.ready();
  const options = checkOptions('diff', given, DIFF_OPTIONS);
  checkDiff(golden, options);
  if (options.rounds !== undefined)
    throw new OptionError(
      'rounds is what another engine computes in, and this is a golden of PyTorch in f32. Leave it out, or give a trace: trace(path).',
    );
  checkGolden(session.model, golden);
  // The same for the run and for the stages alone, and those the table names. Before anything else is waited for: those of the call.
  const shaders = options.shaders ?? (await session.model.kernels.inForce());
  const leftover = await leftoverOf(session.plan, golden);
  const signal = eitherSignal(options.signal);
  const logits = golden.stages.get('logits')!.shape[0] === golden.ids.length ? 'all' : 'last';
  const { budget } = options;
  const plan = checkPlan(options.plan, 'exact');
  const read = (tap: readonly string[]) =>
    session.run(golden.ids, { tap, chunks: golden.chunks, logits, signal, budget, shaders, plan });
  const { stages, read: values, of } = wanted(session.model, plan, options.stages);
  const ours = new OurValues(values, golden.ids.length, logits, read, budget);
  using progress = progressLine('Comparing', options.onProgress !== undefined);
  const told = options.onProgress ?? ((done, total) => progress.count(done, total, 'stages'));
  const onProgress = (done: number, total: number) => called('onProgress', () => told(done, total));
  const inputs = inputsOf(golden);
  const alone: Alone = async (stage, step) => (await runStage(session.model, stage, inputs, shaders, step, plan)).data;
  const oracle =
    options.oracle === false || options.alone === false
      ? null
      : new Oracle(session.model, inputs, files, options.oracle === true, signal);
  const accuracy = await accuracyOf(session.model.gpu);
  let rows: DiffRow[];
  try {
    const exact = oracle && ((stage: Stage, step: Step) => oracle.exactly(stage, step));
    rows = await diffRows(session.model, golden, ours, options.alone === false ? null : alone, exact, accuracy, {
      ...options,
      signal,
      onProgress,
    });
  } finally {
    await oracle?.close();
  }
  const sides: Sides = {
    plan: session.plan,
    tokens: golden.ids.length,
    labels: session.labels(golden.ids),
    kvHeads: session.config.kvHeads,
    async both(looked, byItself) {
      session.ready();
      const names = looked.map(({ name }) => name);
      using _progress = progressLine(`Looking at ${namesText(names)}`, 'short');
      if (!byItself) {
        // Without the signal of then, which may have stopped something else since.
        const run = await session.run(golden.ids, {
          tap: names,
          chunks: golden.chunks,
          logits,
          budget,
          shaders,
          plan,
        });
        const theirs = await Promise.all(names.map(name => golden.read(name)));
        return names.map((name, i) => ({ ours: run.at(name).data, theirs: theirs[i], exact: null }));
      }
      const float64 = new Oracle(session.model, inputs, files, false);
      try {
        const values: Both[] = [];
        for (const stage of looked) {
          const step = stages.get(stage)!;
          const exact = await float64.exactly(stage, step);
          values.push({ ours: await alone(stage, step), theirs: await golden.read(stage.name), exact });
        }
        return values;
      } finally {
        await float64.close();
      }
    },
  };
  const limits = { accumulated: options.accumulated ?? ACCUMULATED_LIMIT, local: options.local ?? LOCAL_LIMIT };
  const diff = new Diff(
    rows,
    golden.name,
    limits,
    { ...session.provenance(shaders), ...planProvenance(plan, session.model.activations) },
    leftover,
    other === 'run' || rows.every(({ pass }) => pass) ? null : await weightsOf(session, golden, files),
    other,
    stages.size < of ? `${stages.size} of ${of} stages were compared, those that were chosen.` : null,
    accuracy,
    sides,
  );
  return await diff.withMap();
}

const NOT_ASKED =
  "Whether the golden is of this model's weights was not asked: the model's files are gone, or were written since it was opened. What runs is what they were.";

/** Whether the golden is of these weights, as they are in the files; null where nothing is to be said. */
async function weightsOf(
  { plan, config }: Reader,
  golden: Golden,
  open: (() => Promise<ModelFiles>) | null,
): Promise<string | null> {
  if (!open) return null;
  const files = await open().catch(() => null);
  if (!files) return NOT_ASKED;
  try {
    return await otherWeights(plan, config, files.weights, golden);
  } finally {
    await files.close();
  }
}
