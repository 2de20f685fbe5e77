// Two models over a text, side by side: how much worse the second foresees it, how far their distributions are apart, where in a window and in which layer. Text is
// read in windows, each from an empty cache, and nothing of a window is kept.

import type { Context } from '../../engine/context.js';
import { openLonger } from '../../engine/longer-context.js';
import { OptionError, PromptError } from '../../engine/errors.js';
import type { PlanKind } from '../../engine/fuse.js';
import { listOfIds } from '../../engine/token-ids.js';
import { eitherSignal } from '../host/interrupt.js';
import { progressLine } from '../host/progress.js';
import { checkPlan, planProvenance } from '../session/request.js';
import { Session } from '../session/session.js';
import { checkOptions, looked, type OptionNames } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { type Prompt, PromptFile } from '../values/prompt-file.js';
import { Shown } from '../values/shown.js';
import { Distances, type KlSpread, type LayerApart, type PlaceApart } from './distances.js';
import { frontAndBody } from './front.js';

/** How two models read a text. */
export interface CompareModelsOptions {
  /** Tokens read together, from an empty cache, with what the tokenizer puts in front; default 512, or what both sessions read. */
  readonly window?: number;
  /** Tokens that are read in all; default: all. */
  readonly tokens?: number;
  /** By which plan; default fast, as text is made. */
  readonly plan?: PlanKind;
  /** Stops it; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const OPTIONS: OptionNames<CompareModelsOptions> = { window: true, tokens: true, plan: true, signal: true };

/** Tokens of one submit: logits and residual streams of so many come back, and of no more. */
const CHUNK = 64;

/** How far a model is from another over a text. `compareModels(a, b, text)` makes one. Divergences are Kullback–Leibler's of the second from the first, D(first ‖ second), in bits. */
export class ModelComparison extends Shown {
  constructor(
    /** Names of the first and of the second. */
    readonly models: readonly [string, string],
    /** Tokens that were foreseen: those of the texts that had a token before them in their window. */
    readonly tokens: number,
    /** Texts that were read. */
    readonly texts: number,
    /** Tokens that were read together. */
    readonly window: number,
    /** Of the first and of the second: e to the mean of −ln p. */
    readonly perplexity: readonly [number, number],
    /** Divergence of the second from the first, bits. */
    readonly kl: KlSpread,
    /** Share of the tokens before which both find the same one the likeliest. */
    readonly sameTop: number,
    /** Change of the probability that the first's likeliest token has, from the first to the second: root of the mean square, 0 to 1. */
    readonly topChange: number,
    /** By place in the window, up to sixteen parts. */
    readonly places: readonly PlaceApart[],
    /** By layer; none where the models have other layers. */
    readonly layers: readonly LayerApart[],
    /** Models, adapter, plan and the shaders that ran. */
    readonly provenance: Readonly<Record<string, string>>,
  ) {
    super();
  }
}

/**
 * Two models over a text, a list of token ids, or many texts, each of which begins anew. The first is what the second is held against. Throws OptionError for models of different
 * vocabularies, PromptError for texts without a token to foresee and for what the two encode differently, NumberError where a logit is NaN or ±∞.
 * @example await compareModels(await open('model-f32.gguf'), await open('model-q4.gguf'), text, { tokens: 5000 })
 */
export async function compareModels(
  a: Session,
  b: Session,
  texts: Prompt | AsyncIterable<Prompt>,
  given: CompareModelsOptions = {},
): Promise<ModelComparison> {
  for (const one of [a, b] as unknown[])
    if (!(one instanceof Session))
      throw new OptionError(`compareModels takes two sessions, as open() gives them, not ${said(one)}.`);
  const options = checkOptions('compareModels', given, OPTIONS);
  const plan = checkPlan(options.plan, 'fast');
  const sessions = [a, b] as const;
  for (const session of sessions) session.ready();
  if (a.config.vocab !== b.config.vocab)
    throw new OptionError(
      `The models have vocabularies of ${a.config.vocab} and ${b.config.vocab} tokens, whose distributions cannot be compared. Give two models of one vocabulary.`,
    );
  const longest = Math.min(a.longest, b.longest);
  const { window = Math.min(512, longest), tokens: most = Number.POSITIVE_INFINITY } = options;
  if (longest < 3)
    throw new OptionError(
      `compareModels reads windows of 3 tokens and more, and these sessions read ${longest} at once.${openLonger(longest, Math.min(a.config.contextLength, b.config.contextLength))}`,
    );
  if (!(Number.isInteger(window) && window >= 3 && window <= longest))
    throw new OptionError(`window is a whole number from 3 to ${longest}, not ${said(window)}.`);
  if (options.tokens !== undefined && !(Number.isInteger(most) && most >= 1))
    throw new OptionError(`tokens is a whole number from 1, not ${said(most)}.`);
  const signal = eitherSignal(options.signal);
  const shaders = [await a.model.kernels.inForce(), await b.model.kernels.inForce()];
  const alike = a.config.layers === b.config.layers && a.config.hidden === b.config.hidden;
  const layers = alike ? a.config.layers : 0;
  const taps = sessions.map(({ plan: stages }) =>
    ['logits', ...Array.from({ length: layers }, (_, i) => `layers.${i}.resid`)].map(name => ({
      stage: stages.stage(name),
    })),
  );
  const found = new Distances(window, layers);
  const contexts: Context[] = [];
  using progress = progressLine('Comparing');
  let [read, count] = [0, 0];
  try {
    for (const { model } of sessions)
      contexts.push(model.context({ length: window, chunk: CHUNK, logits: 'all', plan }));
    // A file can be read twice: what is wrong with its last line is told before minutes are spent on the others.
    let all = 0;
    if (texts instanceof PromptFile) for await (const { taken } of parts()) all += taken.length;
    for await (const { front, taken } of parts()) {
      const total = all || Math.min(most, read + (isOne(texts) ? taken.length : Math.max(taken.length, 2 * read)));
      const step = window - front.length;
      for (let at = 0; at < taken.length; at += step) {
        await readWindow([...front, ...taken.slice(at, at + step)], front.length);
        progress.count(read + Math.min(taken.length, at + step), total, 'tokens');
      }
      read += taken.length;
      count += 1;
    }
  } finally {
    for (const context of contexts) context[Symbol.dispose]();
  }
  if (found.tokens === 0)
    throw new PromptError(
      count === 0
        ? 'There is no text to compare the models by. Give some.'
        : 'A token is foreseen by those before it, and there is none with one before it. Give a longer text.',
    );
  const provenance = {
    ...a.provenance(shaders[0]),
    ...planProvenance(plan, a.model.activations),
    ...Object.fromEntries(Object.entries(b.provenance(shaders[1])).map(([key, value]) => [`second_${key}`, value])),
  };
  const { tokens, perplexity, kl, sameTop, topChange, places } = found;
  return new ModelComparison(
    [a.name, b.name],
    tokens,
    count,
    window,
    perplexity,
    kl,
    sameTop,
    topChange,
    places,
    found.layers,
    provenance,
  );

  /** What stands in front of each text's windows, and what is read of it. */
  async function* parts(): AsyncGenerator<{ readonly front: readonly number[]; readonly taken: readonly number[] }> {
    let left = most;
    for await (const text of each(texts)) {
      if (left <= 0) break;
      signal.throwIfAborted();
      const { front, body } = encoded(a, b, text);
      if (front.length + 2 > window)
        throw new OptionError(
          `A window of ${window} tokens has no room for what stands in front, ${front.length}. Give a larger one.`,
        );
      const taken = body.slice(0, left);
      left -= taken.length;
      yield { front, taken };
    }
  }

  /** @param given tokens that are given, not foreseen */
  async function readWindow(ids: readonly number[], given: number): Promise<void> {
    const { vocab, hidden } = a.config;
    for (const context of contexts) context.rewind(0);
    const chunk = Math.min(...contexts.map(context => context.chunk));
    for (let at = 0; at < ids.length; at += chunk) {
      const part = ids.slice(at, at + chunk);
      const both: ReadonlyMap<string, Float32Array>[] = [];
      for (const [i, context] of contexts.entries()) {
        const { captured } = await context.forward(part, { shaders: shaders[i], logits: 'all', taps: taps[i], signal });
        both.push(new Map(captured.map(({ stage, data }) => [stage.name, data])));
      }
      for (let row = 0; row < part.length && at + row + 1 < ids.length; row++) {
        signal.throwIfAborted();
        const place = at + row + 1;
        if (place < Math.max(1, given)) continue;
        const rowsOf = (name: string, width: number) =>
          both.map(values => values.get(name)!.subarray(row * width, (row + 1) * width));
        const [one, other] = rowsOf('logits', vocab);
        const bad = found.add(one, other, ids[place], place);
        if (bad !== null) throw await contexts[bad].whyNotFinite();
        for (let layer = 0; layer < layers; layer++) {
          const [x, y] = rowsOf(`layers.${layer}.resid`, hidden);
          found.addStream(layer, x, y);
        }
      }
    }
  }
}

const isOne = (texts: Prompt | AsyncIterable<Prompt>): texts is Prompt =>
  typeof texts === 'string' || listOfIds(texts) !== null;

async function* each(texts: Prompt | AsyncIterable<Prompt>): AsyncGenerator<Prompt> {
  if (isOne(texts)) yield texts;
  else if (typeof (texts as AsyncIterable<Prompt> | null)?.[Symbol.asyncIterator] === 'function') yield* texts;
  else
    looked('The texts', PromptError, () => {
      throw new PromptError(`A text, a list of ids or prompts('texts.jsonl') is compared by, not ${said(texts)}.`);
    });
}

/** The ids of a text by both. Throws PromptError where they are not the same: distributions over other pieces would be compared. */
function encoded(a: Session, b: Session, text: Prompt) {
  if (text.length === 0) throw new PromptError('The text is empty, and nothing can be foreseen in it. Give some.');
  if (typeof text !== 'string' || !a.tokenizer || !b.tokenizer) return frontAndBody(a.tokenizer ? a : b, text);
  const [one, other] = [frontAndBody(a, text), frontAndBody(b, text)];
  const [x, y] = [one, other].map(({ front, body }) => [...front, ...body]);
  const at = x.findIndex((id, i) => id !== y[i]);
  if (at < 0 && x.length === y.length) return one;
  throw new PromptError(
    `The two models read the text as other tokens: ${x.length} and ${y.length}, the first difference at place ${at < 0 ? Math.min(x.length, y.length) : at}. Give models of one vocabulary.`,
  );
}
