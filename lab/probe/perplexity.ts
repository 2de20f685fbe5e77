// How well a model foresees a text, and what a way of computing it changes: perplexity by one plan, and, read side by side by another, the divergence of
// every next-token distribution. Text is read in windows, each from an empty cache, so that memory does not grow with it.

import type { Context } from '../../engine/context.js';
import { OptionError, PromptError } from '../../engine/errors.js';
import { openLonger } from '../../engine/longer-context.js';
import type { PlanKind } from '../../engine/fuse.js';
import { checkOptions, type OptionNames } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { Shown } from '../values/shown.js';
import { progressLine } from '../host/progress.js';
import { eitherSignal } from '../host/interrupt.js';
import { checkPlan, planProvenance } from '../session/request.js';
import type { Session } from '../session/session.js';
import { divergence, logNorm } from './distribution.js';
import { frontAndBody } from './front.js';

/** How to read the text. */
export interface PerplexityOptions {
  /** Tokens read together, from an empty cache, with what the tokenizer puts in front; default 512, or what the session reads. */
  readonly window?: number;
  /** Tokens of the text that are read; default: all. */
  readonly tokens?: number;
  /** By which plan; default fast, as text is made. */
  readonly plan?: PlanKind;
  /** A plan to read the same by, to tell how far the first is from it. */
  readonly against?: PlanKind;
  /** Stops it; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const OPTIONS: OptionNames<PerplexityOptions> = {
  window: true,
  tokens: true,
  plan: true,
  against: true,
  signal: true,
};

/** How far two ways of computing are apart, over all next-token distributions; divergences in bits, of the first from the one it is held against. */
export interface Apart {
  /** What it was held against. */
  readonly plan: PlanKind;
  /** By that one. */
  readonly perplexity: number;
  /** The mean over the tokens. */
  readonly klMean: number;
  /** The largest. */
  readonly klMost: number;
  /** Place in the text, from 0, of the token where that is. */
  readonly klMostAt: number;
  /** Share of the tokens before which both find the same token the likeliest. */
  readonly agree: number;
}

/** How well a model foresees a text. `session.perplexity(text)` makes one. */
export class Perplexity extends Shown {
  constructor(
    /** 2 to the mean surprisal. */
    readonly perplexity: number,
    /** Mean surprisal, bits a token. */
    readonly bits: number,
    /** Tokens that were foreseen: those of the text that had a token before them in their window. */
    readonly tokens: number,
    /** Tokens that were read together. */
    readonly window: number,
    /** Model, adapter, plan and the shaders that ran. */
    readonly provenance: Readonly<Record<string, string>>,
    /** The same by another plan, and how far apart they are; null where none was asked for. */
    readonly against: Apart | null,
  ) {
    super();
  }
}

/**
 * @param text text, or token ids as they are
 * Throws PromptError for less than two tokens, OptionError for a window that the session does not read, NumberError where a logit is NaN or ±∞.
 */
export async function perplexity(
  session: Session,
  text: string | readonly number[],
  given: PerplexityOptions = {},
): Promise<Perplexity> {
  const options = checkOptions('perplexity', given, OPTIONS);
  const plan = checkPlan(options.plan, 'fast');
  const other = options.against === undefined ? null : checkPlan(options.against, 'exact');
  const { front, body } = frontAndBody(session, text);
  if (front.length + body.length < 2 || body.length === 0)
    throw new PromptError('A token is foreseen by those before it, and there is one alone. Give a longer text.');
  const least = front.length + 2;
  if (session.longest < least)
    throw new OptionError(
      `A perplexity needs a context of ${least} tokens or more, and this session reads ${session.longest}.${openLonger(session.longest, session.config.contextLength)}`,
    );
  const { window = Math.min(512, session.longest), tokens: most = body.length } = options;
  for (const [name, value, from, to] of [
    ['window', window, least, session.longest],
    ['tokens', most, 2 - Math.min(1, front.length), Number.POSITIVE_INFINITY],
  ] as const) {
    if (Number.isInteger(value) && value >= from && value <= to) continue;
    const range = to === Number.POSITIVE_INFINITY ? `from ${from}` : `from ${from} to ${to}`;
    throw new OptionError(`${name} is a whole number ${range}, not ${said(value)}.`);
  }
  const read = body.slice(0, most);
  const signal = eitherSignal(options.signal);
  const shaders = await session.model.kernels.inForce();
  const contexts: Context[] = [];
  using progress = progressLine('Reading');
  const sums = { tokens: 0, nats: [0, 0], kl: 0, klMost: 0, klMostAt: 0, agree: 0 };
  try {
    const length = Math.min(window, front.length + read.length);
    for (const kind of [plan, ...(other ? [other] : [])])
      contexts.push(session.model.context({ length, logits: 'all', plan: kind }));
    const each = window - front.length;
    for (let at = 0; at < read.length; at += each) {
      const ids = [...front, ...read.slice(at, at + each)];
      for (const context of contexts) context.rewind(0);
      await readWindow(ids, at - front.length);
    }
  } finally {
    for (const context of contexts) context[Symbol.dispose]();
  }
  const { tokens } = sums;
  const [bits, otherBits] = sums.nats.map(n => n / tokens / Math.LN2);
  const { klMost, klMostAt } = sums;
  const against = other && {
    plan: other,
    perplexity: 2 ** otherBits,
    klMean: sums.kl / tokens,
    klMost,
    klMostAt,
    agree: sums.agree / tokens,
  };
  const provenance = { ...session.provenance(shaders), ...planProvenance(plan, session.model.activations) };
  return new Perplexity(2 ** bits, bits, tokens, window, provenance, against);

  /** @param from place in the text of the first of `ids` */
  async function readWindow(ids: readonly number[], from: number): Promise<void> {
    const chunk = Math.min(...contexts.map(context => context.chunk));
    for (let at = 0; at < ids.length; at += chunk) {
      const part = ids.slice(at, at + chunk);
      const logits: Float32Array[] = [];
      for (const context of contexts) logits.push(await logitsOf(context, part));
      for (let row = 0; row < part.length && at + row + 1 < ids.length; row++) {
        signal.throwIfAborted();
        // What stands in front is given, not foreseen.
        if (at + row + 1 >= front.length) await add(logits, row, ids[at + row + 1], from + at + row + 1);
      }
      progress.count(Math.max(0, from + at + part.length), read.length, 'tokens');
    }
  }

  async function logitsOf(context: Context, ids: readonly number[]): Promise<Float32Array> {
    const stage = session.plan.stage('logits');
    const { captured } = await context.forward(ids, { shaders, logits: 'all', taps: [{ stage }], signal });
    return captured[0].data;
  }

  async function add(logits: readonly Float32Array[], row: number, next: number, place: number): Promise<void> {
    const { vocab } = session.config;
    const rows = logits.map(all => all.subarray(row * vocab, (row + 1) * vocab));
    const norms = rows.map(logNorm);
    const bad = norms.findIndex(({ log }) => !Number.isFinite(log));
    if (bad >= 0) throw await contexts[bad].whyNotFinite();
    for (const [i, { log }] of norms.entries()) sums.nats[i] += log - rows[i][next];
    sums.tokens += 1;
    if (rows.length < 2) return;
    const kl = divergence(rows[1], norms[1].log, rows[0], norms[0].log) / Math.LN2;
    sums.kl += kl;
    if (kl > sums.klMost) [sums.klMost, sums.klMostAt] = [kl, place];
    if (norms[0].best === norms[1].best) sums.agree += 1;
  }
}
