// A session as the referee of another engine: its trace, read as this model's stages, against our run of the same tokens and against our stages on its own values.

import { accuracyOf } from '../../engine/accuracy.js';
import { TraceError } from '../../engine/errors.js';
import type { Shaders } from '../../engine/kernel.js';
import type { Stage } from '../../engine/plan.js';
import { exactStep } from '../../engine/step.js';
import type { ModelFiles } from '../../engine/weights/source.js';
import { derivedLimit } from '../diff/derived.js';
import { DIFF_OPTIONS, Diff, type DiffOptions } from '../diff/diff.js';
import type { Leftover } from '../diff/leftover.js';
import { type Both, namesText, type Sides } from '../diff/error-map.js';
import { refereeRows, spanOf, type TheirValue } from '../diff/referee.js';
import { type Gains, type Reading, rowsLeft } from '../diff/theirs.js';
import { checkRounds } from '../diff/noise.js';
import { checkLengths, idsOf } from '../diff/two-traces.js';
import { ACCUMULATED_LIMIT, LOCAL_LIMIT } from '../diff/tolerance.js';
import { otherFingerprints } from '../diff/other-weights.js';
import { spanTo } from '../diff/span.js';
import { eitherSignal } from '../host/interrupt.js';
import { progressLine } from '../host/progress.js';
import { called, checkLimits, checkOptions } from '../values/arguments.js';
import type { Trace } from '../values/trace.js';
import { Oracle } from './oracle.js';
import { OurValues } from './ours.js';
import type { Reader } from './read.js';
import { planProvenance, type RunOptions } from './request.js';
import { type FromTheirs, type Resolved, resolve, rowsOf } from './resolve.js';
import type { Run } from './run.js';
import { runSpan } from './stage.js';

/** What is right, where that is not this model's reading of the trace's tokens: another run of it, which can be read again, or a trace that was saved of one. */
export interface OwnRun {
  again?(wanted: Pick<RunOptions, 'tap' | 'logits'>): Promise<Run>;
  readonly trace?: Trace;
  readonly shaders?: Shaders;
  readonly provenance?: Readonly<Record<string, string>>;
}

/** @param own the run that is compared, by default one of the trace's tokens in the exact plan */
export async function againstTrace(
  session: Reader,
  trace: Trace,
  given: DiffOptions,
  own: OwnRun | null = null,
): Promise<Diff> {
  session.ready();
  const options = checkOptions('diff', given, DIFF_OPTIONS);
  checkLimits(options);
  checkRounds(options.rounds);
  if (options.plan === 'fast')
    throw new TraceError('Another engine is judged by the exact plan, and this is the fast one. Leave the plan out.');
  if (options.stages !== undefined)
    throw new TraceError(
      'Stages are chosen of a golden, and of another engine or run what it has is compared. Leave stages out, and look at diff.at(stage).',
    );
  if (options.oracle === true)
    throw new TraceError(
      'The oracle is asked about a golden, and this is another engine or run, held against the exact plan. Leave oracle out.',
    );
  const { model, plan } = session;
  const ids = idsOf(trace);
  const recorded = own?.trace ?? null;
  if (recorded) checkLengths(idsOf(recorded).length, ids.length);
  const shaders = options.shaders ?? own?.shaders ?? (await model.kernels.inForce());
  const signal = eitherSignal(options.signal);
  const limits = { accumulated: options.accumulated ?? ACCUMULATED_LIMIT, local: options.local ?? LOCAL_LIMIT };
  const lastAlone = (logits: readonly number[] | undefined) =>
    logits === undefined || logits.filter(size => size !== 1).length < 2;
  const few = [...trace.arrays].find(([name]) => /logits|lm_head|unembed|result_output/.test(name))?.[1].shape;
  const logits = ids.length > 1 && lastAlone(few) ? 'last' : 'all';
  const oursOf = (stages: readonly Stage[], of = ids, stop: AbortSignal | undefined = signal) =>
    new OurValues(
      stages,
      ids.length,
      logits,
      tap =>
        own?.again?.({ tap, logits }) ??
        session.run(of, { tap, logits, signal: stop, budget: options.budget, shaders, plan: 'exact' }),
      options.budget,
    );
  const gains = gainsOf(session.files);
  const fromTheirs: FromTheirs = async (stage, settled, read) => {
    const isWhole = ({ stage: { axes }, layout }: Reading) =>
      axes.every(({ size }, i) => typeof size === 'number' || layout.shape[i] === ids.length);
    const given = (name: string) => settled.has(name) && isWhole(settled.get(name)!);
    const rows = logits === 'all' ? ids.length : 1;
    return (await runSpan(model, spanTo(plan, stage, given), { ids, rows, read }, shaders)).data;
  };
  const resolved = await resolve(plan, trace, ids, gains, oursOf, fromTheirs);
  const right =
    recorded && (await resolve(plan, recorded, idsOf(recorded), gains, stages => oursOf(stages, idsOf(recorded))));
  const lacks = new Map<string, string>();
  const values = [...resolved.readings.values()].flatMap(({ stage, layout, match }): TheirValue[] => {
    const there = right?.readings.get(stage.name)?.layout.shape;
    if (right && there?.join() !== layout.shape.join()) {
      const has = there ? `'${stage.name}' of [${there}], and here it is [${layout.shape}]` : `no '${stage.name}'`;
      lacks.set(match.theirs, `${recorded!.name} has ${has}.`);
      return [];
    }
    const whole = stage.axes.every(({ size }, i) => typeof size === 'number' || layout.shape[i] === ids.length);
    const { dtype } = trace.arrays.get(match.theirs)!;
    return [{ stage, shape: layout.shape, whole, name: match.theirs, layout: layout.order, dtype }];
  });
  if (values.length === 0)
    throw new TraceError(
      `'${recorded!.name}' and '${trace.name}' have no stage in common that could be compared. Give traces of the same stages.`,
    );
  const ours = right ?? oursOf(values.map(({ stage }) => stage));
  const inputs = {
    ids,
    rows: logits === 'all' ? ids.length : 1,
    read: async (name: string) => spread(await resolved.read(name), resolved, name, ids.length),
  };
  using progress = progressLine('Comparing', options.onProgress !== undefined);
  const told = options.onProgress ?? ((done, total) => progress.count(done, total, 'stages'));
  const part = (data: Float32Array, stage: string) => rowsOf(data, resolved.readings.get(stage)!, ids.length);
  const accuracy = await accuracyOf(model.gpu);
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
    ...(recorded && { recorded: { sameTokens: idsOf(recorded).join() === ids.join() } }),
    derived: (stage, values) => derivedLimit(stage, exactStep(stage), { model, accuracy, tokens: ids.length, values }),
    limits,
    rounds: options.rounds,
    signal,
    onProgress: (done, total) => called('onProgress', () => told(done, total)),
  });
  const known = new Map(values.map(value => [value.stage.name, value]));
  const sides: Sides = {
    plan,
    tokens: ids.length,
    labels: session.labels(ids),
    kvHeads: session.config.kvHeads,
    async both(looked, byItself) {
      session.ready();
      using _progress = progressLine(`Looking at ${namesText(looked.map(({ name }) => name))}`, 'short');
      const found: Both[] = [];
      if (!byItself) {
        // Without the signal of then, which may have stopped something else since.
        const ran = right ?? oursOf(looked, ids, new AbortController().signal);
        for (const { name } of looked)
          found.push({ ours: part(await ran.read(name), name), theirs: await resolved.read(name), exact: null });
        return found;
      }
      const oracle = new Oracle(model, inputs, session.files, false);
      try {
        for (const stage of looked) {
          const { name } = stage;
          const span = spanOf(plan, known, known.get(name)!);
          const exact = await oracle.exactly(stage, span);
          found.push({
            ours: part((await runSpan(model, span, inputs, shaders)).data, name),
            theirs: await resolved.read(name),
            exact: exact && rowsOf(exact, resolved.readings.get(name)!, ids.length),
          });
        }
        return found;
      } finally {
        await oracle.close();
      }
    },
  };
  const why = new Map([...lacks, ...resolved.others.map(({ theirs, why }) => [theirs, why] as const)]);
  for (const { stage, match } of right?.readings.values() ?? [])
    if (!resolved.readings.has(stage.name)) why.set(match.theirs, `${trace.name} has no '${stage.name}'.`);
  const traces = [
    { of: trace, readings: resolved.readings },
    ...(right && recorded ? [{ of: recorded, readings: right.readings }] : []),
  ];
  const longer = traces.flatMap(({ of, readings }) =>
    [...readings.values()].map(reading => [reading.match.theirs, rowsLeft(of, reading)] as const),
  );
  const leftover: Leftover = {
    notCompared: [...why.keys()],
    otherNames: resolved.twice,
    why,
    rowsLeft: new Map(longer.filter(([, rows]) => rows > 0)),
    unusedNames: traces.flatMap(({ of, readings }) => of.unusedNames(readings.keys())),
  };
  const outvoted = recorded && options.alone !== false ? rows.find(({ local }) => local === null) : undefined;
  const note = outvoted
    ? `At ${outvoted.stage} this model makes of the second's inputs what the second has, and the first has something else: the model did not make the first, or has changed since.`
    : null;
  const provenance = own?.provenance ?? {
    ...session.provenance(shaders),
    ...planProvenance('exact', model.activations),
  };
  const name = recorded ? `${recorded.name} and ${trace.name}` : trace.name;
  const other = own ? 'run' : 'trace';
  const weights = rows.every(({ pass }) => pass)
    ? null
    : otherFingerprints([
        { name: 'this model', fingerprint: model.fingerprint },
        ...[recorded, trace].flatMap(one =>
          one ? [{ name: `'${one.name}'`, fingerprint: one.provenance.get('fingerprint') }] : [],
        ),
      ]);
  return await new Diff(rows, name, limits, provenance, leftover, weights, other, note, accuracy, sides).withMap();
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
