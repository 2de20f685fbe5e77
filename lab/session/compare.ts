// Any two runs, by the table of a golden: two prompts of one length, two plans, two adapters, a model before and after an edit, chunks of other sizes, a run and a saved trace.

import { OptionError, TraceError } from '../../engine/errors.js';
import type { Diff, DiffOptions } from '../diff/diff.js';
import { compare as tensors, type Metrics } from '../diff/metrics.js';
import type { ArrayFile } from '../values/arrays/open.js';
import { said } from '../values/dims.js';
import { Trace } from '../values/trace.js';
import { NameMap } from '../values/trace-names.js';
import { againstTrace } from './against-trace.js';
import { OurValues } from './ours.js';
import type { Reader } from './read.js';
import { Run } from './run.js';

/**
 * Two runs, stage by stage: `a` is what is right, and each stage of `b` is held against it, in the run and alone on b's own inputs, as another engine's are. `b` may be a trace, also one that
 * `loupe trace` saved. Throws TraceError for runs of different lengths.
 * @example await compare(await model.run(ids), await model.run(ids, { chunks: [2, 3] }))
 * @example await compare(await exact.run(ids), await quantised.run(ids)) // what quantising does, stage by stage
 */
export function compare(a: Run, b: Run | Trace, options?: DiffOptions): Promise<Diff>;
/** How far two tensors are apart. Throws GoldenError unless both have as many values as the shape says, and at least one. */
export function compare(actual: Float32Array, expected: Float32Array, shape: readonly number[]): Metrics;
export function compare(a: unknown, b: unknown, third?: unknown): unknown {
  if (a instanceof Run || b instanceof Run || a instanceof Trace || b instanceof Trace)
    return runs(a, b, third as DiffOptions);
  return tensors(a as Float32Array, b as Float32Array, third as number[]);
}

async function runs(a: unknown, b: unknown, options: DiffOptions = {}): Promise<Diff> {
  if (!(a instanceof Run))
    throw new OptionError(
      `The first of two to compare is a run, because its model says what is right, and this is ${said(a)}. Give compare(await model.run(…), other).`,
    );
  if (!(b instanceof Run || b instanceof Trace))
    throw new OptionError(
      `A run is compared with a run or a trace, not with ${said(b)}. Give await model.run(…) or await trace(path).`,
    );
  const again = a.made.again;
  if (!again)
    throw new OptionError('The first run cannot be read again, as that of a generation. Give one of model.run().');
  const many = b.ids?.length;
  if (many !== undefined && many !== a.ids.length)
    throw new TraceError(
      `The runs are of ${a.ids.length} and ${many} tokens, and those of one length are compared. Give prompts of one length.`,
    );
  const other = b instanceof Trace ? b : await asTrace(b, options);
  return againstTrace(a.session as Reader, other, options, null, {
    again,
    shaders: a.made.shaders,
    provenance: a.provenance,
  });
}

/** A run's values under the names of stages, read again as they are asked for. */
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
