// Generation: prefill once, then a token at a time on the cache, as an async iterator that stops within a token when told to.

import type { Context } from './context.js';
import type { ForwardOptions } from './forward.js';
import { OptionError, PromptError } from './errors.js';
import type { Shaders } from './kernel.js';
import { allFinite } from './finite.js';
import { checkSampling, isGreedy, type Sampling, sample, sampleTop, told, topWanted, uniform } from './sample.js';
import type { Captured, Tap } from './taps.js';
import type { Top } from './top.js';
import { orLonger } from './longer-context.js';
import { listOfIds } from './token-ids.js';

/** How a text goes on. */
export interface GenerateOptions extends Sampling {
  /** Most tokens to make; default 128. */
  readonly maxTokens?: number;
  /** Go on past end-of-sequence tokens. */
  readonly ignoreEos?: boolean;
  /** Ids that end the generation; default: the model's. */
  readonly stopIds?: readonly number[];
  /** Stops it; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Activations to capture for every token read, the prompt's with the first. */
  readonly taps?: readonly Tap[];
  /** Called after every submit of the prompt with how many of its tokens are read. */
  onPrefill?(tokens: number): void;
  /** As in `forward`, for the prompt. */
  readonly onLayer?: ForwardOptions['onLayer'];
}

/** A token that was made. */
export interface Generated {
  /** Its id. */
  readonly id: number;
  /** Position of the token in the sequence. */
  readonly position: number;
  /** True for an end-of-sequence token, which is the last. */
  readonly stop: boolean;
  /** Whether no more comes: an end-of-sequence token, the last of those asked for, or the one that the context has no place for. */
  readonly last: boolean;
  /** What the taps saw while this token was computed. */
  readonly captured: readonly Captured[];
  /** Shaders that were edited since what came before this token was computed. */
  readonly edited: readonly string[];
}

/** Throws OptionError for values outside their ranges. */
export function checkGenerate(options: GenerateOptions): void {
  checkSampling(options);
  const { maxTokens = 128, stopIds = [] } = options;
  if (!(Number.isInteger(maxTokens) && maxTokens >= 0)) {
    throw new OptionError(`maxTokens must be a whole number from 0, not ${told(maxTokens)}.`);
  }
  if (!listOfIds(stopIds)?.every(Number.isInteger)) {
    throw new OptionError('stopIds must be a list of token ids, whole numbers.');
  }
}

/** The ids that end the generation. The options have been checked. */
export const stopsOf = ({ ignoreEos, stopIds }: GenerateOptions, eosIds: readonly number[]): ReadonlySet<unknown> =>
  new Set(ignoreEos ? [] : stopIds === undefined ? eosIds : listOfIds(stopIds));

/**
 * Continues `context` with `prompt` and then with what the model makes of it. Every token but the last is in the context
 * afterwards. Throws PromptError before anything runs if the prompt does not fit, and NumberError, with the stage
 * where it begins, when logits are NaN or ±∞; OptionError for options outside their ranges.
 * @example for await (const { id } of generate(context, tokenizer.encode('Once'), { maxTokens: 40 })) process.stdout.write(tokenizer.decode([id]))
 * @param options.shaders those that read the prompt, by default those in force once the edits asked for so far are; each later token is by those in force then
 */
export async function* generate(
  context: Context,
  prompt: readonly number[],
  options: GenerateOptions & { readonly shaders?: Shaders } = {},
): AsyncGenerator<Generated, void, void> {
  const { maxTokens = 128, signal, taps, onPrefill, onLayer } = options;
  checkGenerate(options);
  if (context.ids.length + prompt.length >= context.length && maxTokens > 0) {
    throw new PromptError(
      `The prompt fills the context: ${context.ids.length + prompt.length} of ${context.length} tokens, and none is left to ` +
        `generate. Shorten the prompt${orLonger(context.length, context.model.config.contextLength)}.`,
    );
  }
  const stops = stopsOf(options, context.model.config.eosIds);
  const random = uniform(options.seed ?? 0);
  const greedy = isGreedy(options);
  const wanted = greedy ? null : topWanted(options, context.model.config.vocab);
  let next = prompt;
  for (let made = 0; made < maxTokens; made++) {
    signal?.throwIfAborted();
    const onProgress = made === 0 ? onPrefill : undefined;
    const { captured, token, top, edited } = await context.forward(next, {
      shaders: made === 0 ? options.shaders : undefined,
      taps,
      argmax: greedy,
      top: wanted,
      goesOn: maxTokens > 1,
      signal,
      onProgress,
      onLayer,
    });
    const id = token ?? (await drawn(top));
    const stop = stops.has(id);
    const position = context.ids.length;
    const last = stop || made + 1 >= maxTokens || position >= context.length;
    yield { id, position, stop, last, captured, edited };
    if (last) return;
    next = [id];
    // Where nothing is drawn, the CPU need not know a token before the GPU goes on with it.
    if (greedy) {
      yield* goOn(id, maxTokens - made - 1);
      return;
    }
  }

  async function* goOn(id: number, most: number): AsyncGenerator<Generated, void, void> {
    const end = Math.min(context.length, context.ids.length + most);
    for await (const { captured, token, edited } of context.ahead(id, most, { signal, taps })) {
      signal?.throwIfAborted();
      const stop = stops.has(token);
      const position = context.ids.length;
      const last = stop || position >= end;
      yield { id: token, position, stop, last, captured, edited };
      if (last) return;
    }
  }

  /** From the largest logits, where they are enough, and else from all of them: the same token. */
  async function drawn(top: Top | null): Promise<number> {
    const draw = random();
    const token = top && sampleTop(top, options, draw);
    if (token !== null) return token;
    const logits = await context.logits();
    if (!allFinite(logits)) throw await context.whyNotFinite();
    return sample(logits, options, draw);
  }
}
