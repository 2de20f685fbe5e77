// Activation patching: which stage, at which token, carries what makes the answer. A corrupted prompt is run again and again, each time
// with one token's activation put back as it was for the clean prompt; what restores the answer carries it (Meng et al. 2022, causal
// tracing; Wang et al. 2022, path patching).

import { OptionError, PromptError } from '../../engine/errors.js';
import type { PlanKind } from '../../engine/fuse.js';
import { interruptSignal } from '../host/interrupt.js';
import { progressLine } from '../host/progress.js';
import { KeptContext } from '../session/kept-context.js';
import { checkPlan } from '../session/request.js';
import type { Run } from '../session/run.js';
import type { Session } from '../session/session.js';
import { checkOptions, type OptionNames } from '../values/arguments.js';
import { eitherText } from '../values/html.js';
import { type Selector, select } from '../values/select.js';
import { Shown } from '../values/shown.js';

/** What to compare. */
export interface PatchingOptions {
  /** The prompt whose answer is right. */
  readonly clean: string | readonly number[];
  /** One that differs in a token or two, of the same length, and has another answer. */
  readonly corrupt: string | readonly number[];
  /** What the clean prompt is answered by: one token, as text or id; by default what the model says. */
  readonly answer?: string | number;
  /** The same of the corrupt one. */
  readonly wrong?: string | number;
  /** The stages to put back, a row each; [T,…] all. Any name of them. */
  readonly stages?: Selector;
  /** Default exact. Of the fast plan a step runs as its stages where what is put back is inside it. */
  readonly plan?: PlanKind;
}

const PATCHING_OPTIONS: OptionNames<PatchingOptions> = {
  clean: true,
  corrupt: true,
  answer: true,
  wrong: true,
  stages: true,
  plan: true,
};

/** What each token's activation of each stage brings back of the answer. */
export class Patching extends Shown {
  constructor(
    /** Those that were put back, a row each. */
    readonly stages: readonly string[],
    /** Texts of the clean prompt’s tokens; where the other prompt has another, both as labels: `␣F/␣It`. */
    readonly tokens: readonly string[],
    /** By stage, then by token: 0 the corrupt run, 1 the clean one, by the difference of the two answers' logits. */
    readonly restored: readonly (readonly number[])[],
    /** Text of the clean prompt’s answer. */
    readonly answer: string,
    /** Text of the corrupt prompt’s answer. */
    readonly wrong: string,
    /** Model, adapter, plan and edited shaders. */
    readonly provenance: Readonly<Record<string, string>> = {},
  ) {
    super();
  }
}

/** Throws PromptError for prompts of different lengths, OptionError for answers that are no single token or tell nothing apart. */
export async function patching(session: Session, given: PatchingOptions): Promise<Patching> {
  const options = checkOptions('patching', given, PATCHING_OPTIONS);
  if (options.clean === undefined || options.corrupt === undefined)
    throw new OptionError('Patching compares two prompts: give { clean, corrupt }.');
  const stages = select(session.plan, options.stages ?? 'layers.*.resid');
  const [cleanIds, corruptIds] = [session.encode(options.clean), session.encode(options.corrupt)];
  if (cleanIds.length !== corruptIds.length) {
    throw new PromptError(
      `The clean prompt has ${cleanIds.length} tokens and the corrupt one ${corruptIds.length}; a token is put back at its own place, so they must be as many.`,
    );
  }
  const bad = stages.find(({ axes }) => axes[0].size !== 'tokens');
  if (bad) throw new OptionError(`'${bad.name}' has no row a token, so nothing of it can be put back token by token.`);
  const shaders = await session.model.kernels.inForce(); // the same for all the runs
  const plan = checkPlan(options.plan, 'exact');
  // The corrupt prompt is read again and again, and before the token that is put back it is always the same.
  using shared = new KeptContext();
  const same = { shaders, plan, shared };
  const clean = await session.run(cleanIds, { tap: stages.map(({ name }) => name), shaders, plan });
  const corrupt = await session.run(corruptIds, same);
  const answer = tokenOf(session, options.answer, clean, 'answer');
  const wrong = tokenOf(session, options.wrong, corrupt, 'wrong');
  const difference = ({ fault, logits }: Run) => {
    if (fault) throw fault;
    return logits.values.data[answer] - logits.values.data[wrong];
  };
  const [good, none] = [difference(clean), difference(corrupt)];
  if (Math.abs(good - none) < 1e-3) {
    throw new OptionError(
      `The two prompts give '${session.labels([answer])[0]}' over '${session.labels([wrong])[0]}' the same logit difference, so there is nothing to restore. Give { answer, wrong } that differ.`,
    );
  }
  const differs = cleanIds.findIndex((id, i) => id !== corruptIds[i]);
  using progress = progressLine('Patching');
  const total = stages.length * (cleanIds.length - differs);
  let done = 0;
  const restored: number[][] = [];
  for (const { name } of stages) {
    const row: number[] = [];
    for (let token = 0; token < cleanIds.length; token++) {
      interruptSignal().throwIfAborted();
      // Tokens before the first that differs have the same activations in both.
      if (token < differs) {
        row.push(0);
        continue;
      }
      const patch = {
        stage: name,
        values: clean.at(name).slice({ token: [token, token + 1] }),
        slice: { token: [token, token + 1] as const },
      };
      row.push((difference(await session.run(corruptIds, { patch, ...same })) - none) / (good - none));
      progress.count(++done, total, 'runs');
    }
    restored.push(row);
  }
  const names = stages.map(({ name }) => name);
  const [clear, other] = [session.labels(cleanIds), session.labels(corruptIds)];
  const tokens = clear.map((text, i) => eitherText(text, other[i]));
  const [right, rival] = session.labels([answer, wrong]);
  return new Patching(names, tokens, restored, right, rival, clean.provenance);
}

function tokenOf(session: Session, wanted: string | number | undefined, run: Run, option: string): number {
  if (wanted === undefined) return run.logits.top(1).rows[0].id;
  if (typeof wanted === 'number') {
    const { vocab } = session.config;
    if (Number.isInteger(wanted) && wanted >= 0 && wanted < vocab) return wanted;
    throw new OptionError(
      `The ${option} ${wanted} is no token id; ids go from 0 to ${vocab - 1}. Give one, or a text.`,
    );
  }
  const ids = session.tokenizer?.encode(wanted, { special: true }) ?? session.encode(wanted);
  if (ids.length === 1) return ids[0];
  throw new OptionError(
    `'${wanted}' is ${ids.length} tokens (${session.labels(ids).join('·')}), and ${option} must be one. Give its first, with the space before it if it has one.`,
  );
}
