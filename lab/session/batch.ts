// Several prompts that are continued together: tokens as they come, each with the place of its prompt, or, awaited, all continuations in order.

import type { Batch } from '../../engine/batch.js';
import type { Shaders } from '../../engine/kernel.js';
import { LoupeError, OptionError, PromptError } from '../../engine/errors.js';
import { checkGenerate } from '../../engine/generate.js';
import { type BatchGenerated, generateBatch, seedsOf } from '../../engine/generate-batch.js';
import { chunkThatFits, checkIds } from '../../engine/forward.js';
import type { Model } from '../../engine/model.js';
import { roomFor } from '../../engine/room.js';
import { checkOptions, looked, type OptionNames } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { progressLine } from '../host/progress.js';
import { Generation, stoppedBy, toldLater } from './generation.js';
import { eitherSignal } from '../host/interrupt.js';
import { owned } from '../values/owned.js';
import { inList, type Prompt, PromptFile, promptsOf, type Where } from '../values/prompt-file.js';
import { checkEnds, checkPlan, GENERATE_OPTIONS, type GenerateRunOptions, type Token } from './request.js';
import { shadersNow } from './at-the-call.js';
import { type Speaker, textOf } from './stream.js';
import { orLonger } from '../../engine/longer-context.js';

/** As for one prompt, without taps. */
export interface BatchRunOptions extends Omit<GenerateRunOptions, 'seed' | 'tap' | 'slice' | 'budget'> {
  /** One a prompt, or the first prompt's, and each next has one more: the prompt at place i draws as it would alone with seed + i. Default 0. */
  readonly seed?: number | readonly number[];
  /** Most prompts that are continued at once; where one ends, the next takes its place. Default: as many as the memory holds, 32 at most. */
  readonly atOnce?: number;
}

type Given = BatchRunOptions & Pick<GenerateRunOptions, 'tap' | 'slice' | 'budget'>;

const OPTIONS: OptionNames<Given> = { ...GENERATE_OPTIONS, atOnce: true };
const DEFAULT_AT_ONCE = 32;
/** Tokens that are read without progress. */
const QUICK = 64;

/** A token of one of several sequences. */
export interface BatchToken extends Omit<Token, 'at'> {
  /** Place of its prompt, from 0. */
  readonly sequence: number;
}

/** What was made of one of several prompts. */
export interface Continuation {
  /** What was made, without the prompt. */
  readonly ids: readonly number[];
  /** What they stand for. */
  readonly text: string;
  /** Whether an end-of-sequence token ended it, which is the last of `ids`. */
  readonly stop: boolean;
}

/** The same while it grows. */
type Growing = { ids: number[]; text: string; stop: boolean };

/** Whether several prompts were given, and not the ids of one. */
export const isSeveral = (prompt: unknown): prompt is readonly Prompt[] =>
  Array.isArray(prompt) && prompt.some(one => typeof one === 'string' || Array.isArray(one) || ArrayBuffer.isView(one));

/** An iterator over the tokens of several sequences that can also be awaited: then it is all continuations, in the order of the prompts. */
export class BatchGeneration extends Generation<BatchToken> implements PromiseLike<Continuation[]> {
  readonly #so: readonly Growing[];
  #all: Promise<Continuation[]> | null = null;

  constructor(begin: (signal: AbortSignal, so: Growing[]) => AsyncGenerator<BatchToken, void, void>, rest: () => void) {
    const so: Growing[] = [];
    super(signal => begin(signal, so), rest);
    this.#so = so;
  }

  /** What there is so far of each prompt, in order; it stays when the rest is stopped. */
  get soFar(): readonly Continuation[] {
    return [...this.#so];
  }

  // biome-ignore lint/suspicious/noThenProperty: who awaits several prompts wants what became of them
  then<A = Continuation[], B = never>(
    done?: ((all: Continuation[]) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#all ??= this.#toTheEnd();
    return this.#all.then(done, failed);
  }

  async #toTheEnd(): Promise<Continuation[]> {
    using progress = progressLine('Continuing');
    let over = 0;
    for (let next = await this.next(); !next.done; next = await this.next()) {
      over += Number(next.value.last);
      progress.count(over, this.#so.length, 'prompts');
    }
    return [...this.#so];
  }
}

/** What generations together ask of their session. */
export interface Speakers extends Speaker {
  readonly model: Model;
  readonly config: Model['config'];
  readonly longest: number;
  encode(prompt: Prompt): number[];
  ready(): void;
}

/** Continues several prompts together; each becomes what it would alone, by the shaders in force at the call. Everything wrong is told with the first token, by the place of the prompt, or by its line of a file. */
export function together(
  session: Speakers,
  prompts: readonly Prompt[] | PromptFile,
  given: BatchRunOptions,
  where: Where = prompts instanceof PromptFile ? place => prompts.where(place) : inList,
): BatchGeneration {
  let held: Batch | null = null;
  const checked = toldLater(() => checkOptions('generate', given as Given, OPTIONS));
  const asked =
    prompts instanceof PromptFile
      ? () => promptsOf(prompts)
      : toldLater(() => looked('The prompts', PromptError, () => owned(prompts)));
  const inForce = shadersNow(session);
  return new BatchGeneration(
    (signal, so) =>
      tokensOf(
        session,
        so,
        asked,
        where,
        inForce,
        () => stoppedBy(checked(), signal),
        batch => {
          held = batch;
        },
      ),
    () => held?.release(),
  );
}

async function* tokensOf(
  session: Speakers,
  so: Growing[],
  asked: () => readonly Prompt[] | Promise<readonly Prompt[]>,
  where: Where,
  inForce: () => Promise<Shaders>,
  given: () => Given,
  hold: (batch: Batch) => void,
): AsyncGenerator<BatchToken, void, void> {
  session.ready();
  const { tap, slice, budget, atOnce, ...options } = given();
  refuseTaps({ tap, slice, budget });
  const { seed, ...rest } = options;
  checkGenerate(rest);
  checkEnds(rest, session.config.vocab);
  checkAtOnce(atOnce);
  const plan = checkPlan(options.plan, 'fast');
  const { maxTokens = 128 } = options;
  const shaders = await inForce();
  const prompts = (await asked()).map((prompt, place) => at(where(place), () => idsOf(session, prompt, maxTokens)));
  const seeds = seedsOf(seed, prompts.length);
  so.push(...prompts.map(() => ({ ids: [], text: '', stop: false })));
  const longest = prompts.reduce((n, ids) => Math.max(n, ids.length), 0);
  const { model } = session;
  const length = Math.min(session.longest, Math.max(16, Math.ceil((longest + maxTokens) / 64) * 64));
  const room = () => roomFor(model, { length, plan, chunk: chunkThatFits(model, { length }) });
  const sequences = Math.min(prompts.length, atOnce ?? Math.max(1, Math.min(DEFAULT_AT_ONCE, room())));
  using batch = model.batch({ length, sequences, plan });
  hold(batch);
  const texts = prompts.map(() => session.tokenizer?.stream());
  const total = prompts.reduce((n, ids) => n + ids.length, 0);
  using progress = progressLine('Reading', total < QUICK && 'short');
  const onStep = () => progress.count(Math.min(batch.tokensRead, total), total, 'tokens');
  const signal = eitherSignal(options.signal);
  for await (const made of generateBatch(batch, prompts, {
    ...rest,
    maxTokens,
    seed: seeds,
    shaders,
    signal,
    where,
    onStep,
  })) {
    progress[Symbol.dispose]();
    yield* told(made);
  }

  function* told({ sequence, id, position, stop, last, edited }: BatchGenerated): Generator<BatchToken> {
    if (edited.length > 0) session.noteEdit(edited, position);
    const text = textOf({ id, stop, last }, texts[sequence]);
    const growing = so[sequence];
    growing.ids.push(id);
    growing.text += text;
    growing.stop = stop;
    yield { sequence, id, text, position, stop, last, edited };
  }
}

/** The ids of a prompt. Throws PromptError where it leaves no place for a token. */
function idsOf(session: Speakers, prompt: Prompt, maxTokens: number): number[] {
  const ids = session.encode(prompt);
  checkIds(ids, session.config.vocab);
  const { longest } = session;
  if (ids.length < longest || (ids.length === longest && maxTokens === 0)) return ids;
  throw new PromptError(
    `It has ${ids.length} ${ids.length === 1 ? 'token' : 'tokens'}, and this session reads ${longest}, one of which must be left to generate. Shorten it${orLonger(longest, session.config.contextLength)}.`,
  );
}

/** Says which prompt it is about. */
function at<T>(where: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof LoupeError) error.message = `${where}: ${error.message}`;
    throw error;
  }
}

function refuseTaps(options: Pick<Given, 'tap' | 'slice' | 'budget'>): void {
  const name = (['tap', 'slice', 'budget'] as const).find(one => options[one] !== undefined);
  if (name === undefined) return;
  throw new OptionError(
    `The option ${name} is for a single prompt: of several that are continued together, no activations are brought back. Leave it out, or generate one prompt at a time.`,
  );
}

function checkAtOnce(atOnce: unknown): void {
  if (atOnce === undefined || (Number.isSafeInteger(atOnce) && (atOnce as number) >= 1)) return;
  throw new OptionError(`atOnce is a whole number of prompts from 1, not ${said(atOnce)}.`);
}
