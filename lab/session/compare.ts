// Any two runs, by the table of a golden: two prompts of one length, two plans, two adapters, a model before and after an edit, chunks of other sizes, a run and a saved trace.

import { OptionError, TraceError } from '../../engine/errors.js';
import { DIFF_OPTIONS, Diff, type DiffOptions } from '../diff/diff.js';
import { type Metrics, compare as tensors } from '../diff/metrics.js';
import { ACCUMULATED_LIMIT, LOCAL_LIMIT } from '../diff/tolerance.js';
import { checkLengths, traceRows } from '../diff/two-traces.js';
import { otherFingerprints } from '../diff/other-weights.js';
import { eitherSignal } from '../host/interrupt.js';
import { progressLine } from '../host/progress.js';
import { called, checkLimits, checkOptions, type OptionNames } from '../values/arguments.js';
import type { ArrayFile } from '../values/arrays/open.js';
import { said } from '../values/dims.js';
import { Trace } from '../values/trace.js';
import { NameMap } from '../values/trace-names.js';
import { againstTrace } from './against-trace.js';
import { OurValues } from './ours.js';
import type { Reader } from './read.js';
import { Run } from './run.js';
import { Session } from './session.js';

/** How to compare two runs. */
export interface CompareOptions extends DiffOptions {
  /** Where the first is a trace: the model that each stage is run alone by. Without, stages are compared in the run alone. */
  readonly model?: Session;
}

const OPTIONS: OptionNames<CompareOptions> = { ...DIFF_OPTIONS, model: true };

/**
 * Two runs, stage by stage: `a` is what is right, and each stage of `b` is held against it, in the run and alone on b's own inputs, as another engine's are. Either may be a trace, also one that
 * `loupe trace` saved; of two traces stages are run alone where a model is given. Throws TraceError for runs of different lengths, and for traces of other tokens without a model.
 * @example await compare(await model.run(ids), await model.run(ids, { chunks: [2, 3] }))
 * @example await compare(await exact.run(ids), await quantised.run(ids)) // what quantising does, stage by stage
 * @example await compare(await trace('last-week.safetensors'), await model.run(ids))
 */
export function compare(a: Run | Trace, b: Run | Trace, options?: CompareOptions): Promise<Diff>;
/** How far two tensors are apart. Throws GoldenError unless both have as many values as the shape says, and at least one. */
export function compare(actual: Float32Array, expected: Float32Array, shape: readonly number[]): Metrics;
export function compare(a: unknown, b: unknown, third?: unknown): unknown {
  if (a instanceof Run || b instanceof Run || a instanceof Trace || b instanceof Trace)
    return runs(a, b, third as CompareOptions);
  return tensors(a as Float32Array, b as Float32Array, third as number[]);
}

async function runs(a: unknown, b: unknown, given: CompareOptions = {}): Promise<Diff> {
  const { model, ...options } = checkOptions('compare', given, OPTIONS);
  if (options.oracle === true)
    throw new OptionError(
      'The oracle is asked about a golden, session.diff(golden, { oracle: true }), not about two runs. Leave oracle out.',
    );
  for (const one of [a, b])
    if (!(one instanceof Run || one instanceof Trace))
      throw new OptionError(
        `A run is compared with a run or a trace, not with ${said(one)}. Give await model.run(…) or await trace(path).`,
      );
  if (model !== undefined && !(model instanceof Session))
    throw new OptionError(`model is a session, as open() gives it, not ${said(model)}.`);
  if (a instanceof Trace) return withTrace(a, b as Run | Trace, options, model);
  return withRun(a as Run, b as Run | Trace, options, model);
}

/** Against a trace: by a model, or without. */
async function withTrace(a: Trace, b: Run | Trace, given: DiffOptions, model?: Session): Promise<Diff> {
  const other = b instanceof Trace ? b : await asTrace(b, given);
  if (model) return againstTrace(model, other, given, { trace: a });
  const options = checkOptions('compare', given, DIFF_OPTIONS);
  checkLimits(options);
  if (options.stages !== undefined)
    throw new OptionError('Stages are chosen of a golden; of two traces all are compared. Leave stages out.');
  if (options.rounds !== undefined)
    throw new OptionError(
      'Rounding is told of stages that are run alone, and no model is there to run them. Give one, { model }, or leave rounds out.',
    );
  if (options.shaders !== undefined)
    throw new OptionError('shaders are of a model, and there is none. Give one, { model }, or leave them out.');
  const limits = { accumulated: options.accumulated ?? ACCUMULATED_LIMIT, local: options.local ?? LOCAL_LIMIT };
  using progress = progressLine('Comparing', options.onProgress !== undefined);
  const told = options.onProgress ?? ((done, total) => progress.count(done, total, 'stages'));
  const signal = eitherSignal(options.signal);
  const onProgress = (done: number, total: number) => called('onProgress', () => told(done, total));
  const { rows, leftover, sides } = await traceRows(a, other, { limits, signal, onProgress });
  const from = other.provenance;
  const provenance = { model: from.get('model') ?? '', adapter: from.get('adapter') ?? 'no adapter' };
  const note =
    options.alone === false
      ? null
      : 'No stage was run alone: what fails although all that it reads passes is a source. With the model of the first (--model, in a cell { model }) each is judged on its own inputs.';
  const name = `${a.name} and ${other.name}`;
  const said = [a, other].map(one => ({ name: `'${one.name}'`, fingerprint: one.provenance.get('fingerprint') }));
  const weights = rows.every(({ pass }) => pass) ? null : otherFingerprints([said[0], said[1]]);
  return await new Diff(rows, name, limits, provenance, leftover, weights, 'run', note, null, sides).withMap();
}

async function withRun(a: Run, b: Run | Trace, options: DiffOptions, model?: Session): Promise<Diff> {
  if (model) throw new OptionError('A run has its own model, and model is of a trace that comes first. Leave it out.');
  const again = a.made.again;
  if (!again)
    throw new OptionError('The first run cannot be read again, as that of a generation. Give one of model.run().');
  if (b.ids) checkLengths(a.ids.length, b.ids.length);
  if (!(b instanceof Trace)) checkShape(a, b);
  const other = b instanceof Trace ? b : await asTrace(b, options);
  return await againstTrace(a.session as Reader, other, options, {
    again,
    shaders: a.made.shaders,
    provenance: a.provenance,
  });
}

/** A run's values under the names of stages, read again as they are asked for. */
/** Throws OptionError for runs of models that have other stages: which one the other has not. */
function checkShape(a: Run, b: Run): void {
  const [one, other] = [a, b].map(({ session }) => session.plan.stages.map(({ name }) => name));
  for (const [stages, others, of] of [
    [one, other, 'first'],
    [other, one, 'second'],
  ] as const) {
    const known = new Set(others);
    const lacking = stages.find(name => !known.has(name));
    if (lacking !== undefined)
      throw new OptionError(
        `The runs are of models with other stages, and those of one shape are compared: '${lacking}' is of the ${of}'s alone. Over a text any two are compared: loupe compare, compareModels(a, b, text).`,
      );
  }
}

async function asTrace(run: Run, { budget }: DiffOptions): Promise<Trace> {
  const { ids, session, made } = run;
  const { again } = made;
  if (!again)
    throw new OptionError('The second run cannot be read again, as that of a generation. Give one of model.run().');
  const stages = session.plan.stages.filter(({ state }) => !state);
  const shape = (axes: (typeof stages)[number]['axes']) =>
    axes.map(({ size }) => (typeof size === 'number' ? size : ids.length));
  const arrays = new Map(stages.map(({ name, axes }) => [name, { dtype: 'F32', shape: shape(axes) }]));
  const values = new OurValues(stages, ids.length, 'all', tap => again({ tap, logits: 'all' }), budget);
  const file: ArrayFile = {
    path: 'a run',
    form: 'safetensors',
    metadata: new Map(),
    arrays,
    readF32: name => values.read(name),
    readWhole: () => Promise.reject(new TraceError('A run has no arrays of whole numbers.')),
  };
  const names = new NameMap(
    Object.fromEntries(stages.map(({ name }) => [name, { stage: name, layout: layoutOf(name) }])),
  );
  return new Trace(
    'another run',
    ids,
    arrays,
    new Map(Object.entries(run.provenance)),
    0,
    null,
    file,
    names,
    new NameMap({}),
  );

  function layoutOf(stage: string): string {
    return stages
      .find(({ name }) => name === stage)!
      .axes.map(({ name }) => name)
      .join(',');
  }
}
