// A run: a prompt read from an empty cache, with what the taps saw and what the patches put in.

import { type NumberError, OptionError } from '../../engine/errors.js';
import { allFinite } from '../../engine/finite.js';
import type { Shaders } from '../../engine/kernel.js';
import type { Patch } from '../../engine/patches.js';
import type { Captured } from '../../engine/taps.js';
import type { ModelFiles } from '../../engine/weights/source.js';
import { eitherSignal } from '../host/interrupt.js';
import { progressLine } from '../host/progress.js';
import { Activation } from '../values/activation.js';
import type { Ran } from '../values/apart.js';
import { checkOptions } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { tapped } from '../values/select.js';
import { assemble, CAPTURE_BUDGET, checkCapture } from './capture.js';
import type { Contexts } from './contexts.js';
import { KeptContext } from './kept-context.js';
import { checkPlan, planProvenance, RUN_OPTIONS, type RunOptions } from './request.js';
import { type Origin, Run } from './run.js';
import { type Planned, planPatches, planTaps } from './slices.js';

/** What reading asks of its session. */
export interface Reader extends Origin {
  encode(prompt: string | readonly number[]): number[];
  provenance(shaders?: Shaders): Record<string, string>;
  /** Opens the model's files as they were opened. */
  readonly files: (() => Promise<ModelFiles>) | null;
  ready(): void;
  run(prompt: string | readonly number[], options?: RunOptions): Promise<Run>;
}

export async function read(
  session: Reader,
  contexts: Contexts,
  prompt: string | readonly number[],
  given: RunOptions,
): Promise<Run> {
  const options = checkOptions('run', given, RUN_OPTIONS);
  const { chunks, logits = 'last', budget = CAPTURE_BUDGET } = options;
  const plan = checkPlan(options.plan, 'exact');
  checkShared(options.shared);
  session.ready();
  if (logits !== 'last' && logits !== 'all')
    throw new OptionError(`The option logits is 'last' or 'all', not ${said(logits)}.`);
  const ids = session.encode(prompt);
  const reach = { tokens: ids.length, logits };
  const { taps, absent } = planTaps(tapped(session.plan, options.tap), options.slice, reach);
  const patches = planPatches(session.plan, options.patch, reach);
  const shaders = options.shaders ?? (await session.model.kernels.inForce());
  const open = () => contexts.open(ids.length, { logits, plan });
  const whole = taps.length > 0 || logits === 'all' || chunks !== undefined;
  using held = contexts.hold(open, ids.length, whole ? null : { ids, plan, patches, shaders }, options.shared);
  const { context, reused } = held;
  checkCapture(taps, [{ tokens: ids.length, keys: ids.length, rows: logits === 'all' ? ids.length : 1 }], budget);
  using progress = progressLine('Reading', ids.length < 32 && 'short');
  const { captured, opened } = await context.forward(ids.slice(reused), {
    shaders,
    taps,
    patches,
    logits,
    chunks,
    signal: eitherSignal(options.signal),
    onProgress: done => progress.count(reused + done, ids.length, 'tokens'),
    onLayer:
      ids.length < 32
        ? undefined
        : (done, total, tokens, chunk) => progress.layer(done, total, reused + tokens, chunk, ids.length),
  });
  const last = await context.logits();
  const finite = allFinite(last) && captured.every(({ stage, data }) => stage.name !== 'logits' || allFinite(data));
  const fault = finite ? null : await context.whyNotFinite();
  const told = { ...planProvenance(plan, session.model.activations, opened), ...reusedTokens(reused) };
  held.keep();
  return runOf(session, { ids, taps, absent, captured, logits: last, shaders, told, patches, fault }, options);
}

function checkShared(shared: unknown): void {
  if (shared === undefined || shared instanceof KeptContext) return;
  throw new OptionError(`shared is what Loupe's own instruments give their runs, not ${said(shared)}. Leave it out.`);
}

const reusedTokens = (reused: number): Record<string, string> => (reused > 0 ? { reused_tokens: `${reused}` } : {});

/** What was read of a prompt. */
export interface Read extends Planned {
  readonly ids: readonly number[];
  readonly captured: readonly Captured[];
  /** After the last token [V]. */
  readonly logits: Float32Array;
  /** What ran. */
  readonly shaders: Shaders;
  /** What there is to say of how, beside the session's provenance. */
  readonly told: Readonly<Record<string, string>>;
  readonly patches?: readonly Patch[];
  readonly fault?: NumberError | null;
}

/** The run that was read so. */
export function runOf(session: Reader, read: Read, { patch, chunks, budget, plan }: RunOptions): Run {
  const { ids, taps, absent, captured, shaders, told, patches = [], fault = null } = read;
  const labels = session.labels(ids);
  const { config, model } = session;
  const { kernels } = model;
  const ran = {
    prompt: labels.slice(ids[0] === config.bosId ? 1 : 0).join(''),
    how: howOf({ ...session.provenance(shaders), ...told }, patches, chunks, ids.length),
  };
  const last = new Activation('logits', [{ name: 'vocab', size: config.vocab }], read.logits, false, null, ran);
  const made = {
    absent,
    budget: budget ?? CAPTURE_BUDGET,
    chunks,
    shaders,
    provenance: { ...session.provenance(shaders), ...told },
    patched: patches.map(({ stage }) => stage.name),
    again: (wanted: Pick<RunOptions, 'tap' | 'slice' | 'logits'>) =>
      // A model that was brought back on another device has its own.
      session.run(ids, {
        ...wanted,
        patch,
        chunks,
        budget,
        plan,
        shaders: kernels === session.model.kernels ? shaders : undefined,
      }),
  };
  return new Run(session, ids, labels, assemble(captured, labels, taps, 0, ran), last, made, fault);
}

/** What titles say where two runs of one prompt are compared. */
function howOf(
  { model, fingerprint, adapter, cache = 'f32', plan, activations, edited_shaders }: Readonly<Record<string, string>>,
  patches: readonly Patch[],
  chunks: readonly number[] | undefined,
  tokens: number,
): Ran['how'] {
  return {
    model: fingerprint === undefined ? model : `${model} ${fingerprint.slice(0, 8)}`,
    adapter,
    cache: `${cache} cache`,
    plan: `${plan} plan${activations ? `, ${activations}` : ''}`,
    ...(edited_shaders && { edit: `${edited_shaders} edited` }),
    ...(patches.length > 0 && { patch: `patched ${patches.map(patch => patchText(patch, tokens)).join(', ')}` }),
    ...(chunks && { chunks: `chunks ${chunks.join('+')}` }),
  };
}

/** `layers.3.attn.mix[head 2] = 0`: only what is not patched whole. */
function patchText({ stage, slice = {}, values }: Patch, tokens: number): string {
  const cuts = stage.axes.flatMap(({ name, size }) => {
    const [from, to] = slice[name] ?? [0, Number.POSITIVE_INFINITY];
    if (from === 0 && to >= (typeof size === 'number' ? size : tokens)) return [];
    return [`${name} ${to - from === 1 ? from : `${from}:${to}`}`];
  });
  return `${stage.name}${cuts.length > 0 ? `[${cuts.join(', ')}]` : ''}${typeof values === 'number' ? ` = ${values}` : ''}`;
}
