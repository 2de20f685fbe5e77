// A run: a prompt read from an empty cache, with what the taps saw and what the patches put in.

import { OptionError } from '../../engine/errors.js';
import { allFinite } from '../../engine/finite.js';
import type { Shaders } from '../../engine/kernel.js';
import { eitherSignal } from '../host/interrupt.js';
import { progressLine } from '../host/progress.js';
import { Activation } from '../values/activation.js';
import { checkOptions } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { tapped } from '../values/select.js';
import { assemble, CAPTURE_BUDGET, checkCapture } from './capture.js';
import type { Contexts } from './contexts.js';
import { checkPlan, planProvenance, RUN_OPTIONS, type RunOptions } from './request.js';
import { type Origin, Run } from './run.js';
import { planPatches, planTaps } from './slices.js';

/** What reading asks of its session. */
export interface Reader extends Origin {
  encode(prompt: string | readonly number[]): number[];
  provenance(shaders?: Shaders): Record<string, string>;
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
  using held = contexts.hold(open, ids.length, whole ? null : { ids, plan, patches, shaders });
  const { context, reused } = held;
  checkCapture(taps, [{ tokens: ids.length, keys: ids.length, rows: logits === 'all' ? ids.length : 1 }], budget);
  using progress = progressLine('Reading', ids.length < 32);
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
  const labels = session.labels(ids);
  const activations = assemble(captured, labels, taps);
  const last = new Activation('logits', [{ name: 'vocab', size: session.config.vocab }], await context.logits());
  const finite = allFinite(last.data) && allFinite(activations.get('logits')?.data ?? last.data);
  const fault = finite ? null : await context.whyNotFinite();
  const { patch } = options;
  const { kernels } = session.model;
  const made = {
    absent,
    budget,
    chunks,
    revision: shaders.revision,
    provenance: {
      ...session.provenance(shaders),
      ...planProvenance(plan, session.model.activations, opened),
      ...(reused > 0 && { reused_tokens: `${reused}` }),
    },
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
  held.keep();
  return new Run(session, ids, labels, activations, last, made, fault);
}
