// A session as the referee of another engine: its trace, read as this model's stages, against our run of the same tokens and against our stages on its own values.

import { TraceError } from '../../engine/errors.js';
import type { Shaders } from '../../engine/kernel.js';
import type { Stage } from '../../engine/plan.js';
import type { ModelFiles } from '../../engine/weights/source.js';
import { DIFF_OPTIONS, Diff, type DiffOptions } from '../diff/diff.js';
import type { Leftover } from '../diff/leftover.js';
import { refereeRows, type TheirValue } from '../diff/referee.js';
import type { Gains } from '../diff/theirs.js';
import { ACCUMULATED_LIMIT, LOCAL_LIMIT } from '../diff/tolerance.js';
import { eitherSignal } from '../host/interrupt.js';
import { progressLine } from '../host/progress.js';
import { called, checkLimits, checkOptions } from '../values/arguments.js';
import type { Trace } from '../values/trace.js';
import { OurValues } from './ours.js';
import type { Reader } from './read.js';
import { planProvenance, type RunOptions } from './request.js';
import { type Resolved, resolve, rowsOf } from './resolve.js';
import type { Run } from './run.js';
import { runSpan } from './stage.js';

/** How the model's own values are made, where that is not by reading the trace's tokens anew. */
export interface OwnRun {
  again(wanted: Pick<RunOptions, 'tap' | 'logits'>): Promise<Run>;
  readonly shaders?: Shaders;
  readonly provenance: Readonly<Record<string, string>>;
}

/**
 * @param files the model's files as they were opened, for gains that a trace's norms lack
 * @param own the run that is compared, by default one of the trace's tokens in the exact plan
 */
export async function againstTrace(
  session: Reader,
  trace: Trace,
  given: DiffOptions,
  files: (() => Promise<ModelFiles>) | null,
  own: OwnRun | null = null,
): Promise<Diff> {
  session.ready();
  const options = checkOptions('diff', given, DIFF_OPTIONS);
  checkLimits(options);
  if (options.plan === 'fast')
    throw new TraceError('Another engine is judged by the exact plan, and this is the fast one. Leave the plan out.');
  const { model, plan } = session;
  const { ids } = trace;
  if (ids === null)
    throw new TraceError(
      `'${trace.name}' does not say of which tokens it is: it has no 'input_ids' or 'ids'. Give them: trace(path, { ids: [2, 818] }), in a terminal --ids 2,818.`,
    );
  const shaders = options.shaders ?? own?.shaders ?? (await model.kernels.inForce());
  const signal = eitherSignal(options.signal);
  const limits = { accumulated: options.accumulated ?? ACCUMULATED_LIMIT, local: options.local ?? LOCAL_LIMIT };
  const lastAlone = (logits: readonly number[] | undefined) =>
    logits === undefined || logits.filter(size => size !== 1).length < 2;
  const few = [...trace.arrays].find(([name]) => /logits|lm_head|unembed|result_output/.test(name))?.[1].shape;
  const logits = ids.length > 1 && lastAlone(few) ? 'last' : 'all';
  const oursOf = (stages: readonly Stage[]) =>
    new OurValues(
      stages,
      ids.length,
      logits,
      tap =>
        own?.again({ tap, logits }) ??
        session.run(ids, { tap, logits, signal, budget: options.budget, shaders, plan: 'exact' }),
      options.budget,
    );
  const resolved = await resolve(plan, trace, ids, gainsOf(files), oursOf);
  const values = [...resolved.readings.values()].map(
    ({ stage, layout, match }): TheirValue => ({
      stage,
      shape: layout.shape,
      whole: stage.axes.every(({ size }, i) => typeof size === 'number' || layout.shape[i] === ids.length),
      name: match.theirs,
      layout: layout.order,
    }),
  );
  const ours = oursOf(values.map(({ stage }) => stage));
  const inputs = {
    ids,
    rows: logits === 'all' ? ids.length : 1,
    read: async (name: string) => spread(await resolved.read(name), resolved, name, ids.length),
  };
  using progress = progressLine('Comparing', options.onProgress !== undefined);
  const told = options.onProgress ?? ((done, total) => progress.count(done, total, 'stages'));
  const part = (data: Float32Array, stage: string) => rowsOf(data, resolved.readings.get(stage)!, ids.length);
  const rows = await refereeRows({
    plan,
    values,
    tokens: ids.length,
    theirs: resolved.read,
    ours: async stage => part(await ours.read(stage), stage),
    alone:
      options.alone === false
        ? null
        : async span =>
            part((await runSpan(model, span, inputs, shaders)).data, span.stages[span.stages.length - 1].name),
    limits,
    signal,
    onProgress: (done, total) => called('onProgress', () => told(done, total)),
  });
  const leftover: Leftover = {
    notCompared: resolved.others.map(({ theirs }) => theirs),
    otherNames: resolved.twice,
    why: new Map(resolved.others.map(({ theirs, why }) => [theirs, why])),
  };
  const provenance = own?.provenance ?? {
    ...session.provenance(shaders),
    ...planProvenance('exact', model.activations),
  };
  return new Diff(rows, trace.name, limits, provenance, leftover, null, own ? 'run' : 'trace');
}

/** Rows of the last token alone, where the others are none: what comes of those is not looked at. */
function spread(data: Float32Array, { readings }: Resolved, name: string, tokens: number): Float32Array {
  const { stage, layout } = readings.get(name)!;
  if (stage.axes[0].size !== 'tokens' || layout.shape[0] === tokens) return data;
  const row = data.length / layout.shape[0];
  const out = new Float32Array(tokens * row);
  out.set(data, (tokens - layout.shape[0]) * row);
  return out;
}

/** Gains as the files have them, on the CPU. */
function gainsOf(open: (() => Promise<ModelFiles>) | null): Gains {
  const known = new Map<string, Float32Array>();
  return async stage => {
    const weight = stage.weight!;
    const found = known.get(weight.name);
    if (found) return found;
    const files = await open?.();
    if (!files) throw new TraceError(`The gain of '${stage.name}' cannot be read again: the model's files are gone.`);
    try {
      const gain = await files.weights.readRows(weight.name, 0, weight.shape[0]);
      known.set(weight.name, gain);
      return gain;
    } finally {
      await files.close();
    }
  };
}
