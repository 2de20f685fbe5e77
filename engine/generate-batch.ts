// Generation of several sequences together: as many as there is room for, each until its own end; whose end has come makes place for the next
// prompt.

import type { Batch, Reached, TopOfRows } from './batch.js';
import { OptionError } from './errors.js';
import { allFinite } from './finite.js';
import { checkGenerate, type GenerateOptions, stopsOf } from './generate.js';
import { NO_TOKEN } from './greedy.js';
import type { Shaders } from './kernel.js';
import { isGreedy, sample, sampleTop, told, topWanted, uniform } from './sample.js';
import { commonStart, type Sequence } from './sequence.js';

export interface BatchGenerateOptions extends Omit<GenerateOptions, 'taps' | 'onPrefill' | 'onLayer' | 'seed'> {
  /** Of the first prompt; each next has one more. Or one a prompt. */
  readonly seed?: number | readonly number[];
  /** Those that read the prompts until the first token is there, by default those in force then; what comes later is by those in force then, and each sequence's next token says so. */
  readonly shaders?: Shaders;
  /** How the place of a prompt is told of one whose logits are no numbers; default `prompts[3]`. */
  where?(place: number): string;
  /** Called after every chunk that was read. */
  onStep?(): void;
}

export interface BatchGenerated {
  /** Place of the prompt, from 0. */
  readonly sequence: number;
  readonly id: number;
  /** Position of the token in its sequence. */
  readonly position: number;
  /** True for an end-of-sequence token, which is the last. */
  readonly stop: boolean;
  /** Whether no more comes of this sequence. */
  readonly last: boolean;
  /** Shaders that were edited since what came before this token was computed. */
  readonly edited: readonly string[];
}

/** A sequence that goes on. */
interface Living {
  readonly sequence: number;
  readonly random: () => number;
  /** What was drawn for its next token, until that is chosen. */
  draw: number | null;
}

/** A common beginning that is worth a place of its own, where there are more prompts than places. */
const WORTH_A_PLACE = 16;

/** The seeds of so many prompts. Throws OptionError for what are none. */
export function seedsOf(seed: number | readonly number[] = 0, prompts: number): number[] {
  if (!Array.isArray(seed)) {
    const seeds = Array.from({ length: prompts }, (_, i) => (typeof seed === 'number' ? seed + i : Number.NaN));
    if (seeds.every(Number.isSafeInteger)) return seeds;
    throw new OptionError(`seed must be a whole number, or a list of one for each prompt, not ${told(seed)}.`);
  }
  if (seed.length !== prompts) {
    throw new OptionError(
      `seed has ${seed.length} numbers for ${prompts} prompts. Give one for each, or a single one.`,
    );
  }
  const bad = seed.findIndex(one => !Number.isSafeInteger(one));
  if (bad < 0) return [...seed];
  throw new OptionError(`seed must be whole numbers, and at place ${bad} is ${told(seed[bad])}.`);
}

/** Tokens that all prompts begin with. */
function beginningOf(prompts: readonly (readonly number[])[]): number {
  const [first] = prompts;
  return prompts.reduce((n, prompt) => Math.min(n, commonStart(first, prompt)), first.length);
}

/**
 * Continues every prompt, as `generate` would with a context of its own: the same tokens. They come as they are made, those of a sequence in order.
 * Throws NumberError, with the place of the prompt and the stage, when logits are NaN or ±∞.
 */
export async function* generateBatch(
  batch: Batch,
  prompts: readonly (readonly number[])[],
  options: BatchGenerateOptions = {},
): AsyncGenerator<BatchGenerated, void, void> {
  const { maxTokens = 128, signal } = options;
  const { seed, onStep, shaders = await batch.model.kernels.inForce(), ...others } = options;
  const { where = (place: number) => `prompts[${place}]`, ...rest } = others;
  checkGenerate(rest);
  const seeds = seedsOf(seed, prompts.length);
  if (maxTokens === 0 || prompts.length === 0) return;
  const stops = stopsOf(rest, batch.model.config.eosIds);
  const greedy = isGreedy(rest);
  const living = new Map<Sequence, Living>();
  const top = greedy ? null : topOfRows();
  if (prompts.length > batch.free && batch.free > 1) {
    const shared = beginningOf(prompts);
    if (shared >= WORTH_A_PLACE) batch.admit(prompts[0], shaders, shared);
  }
  let first = true; // no token is there
  for (let next = 0; ; ) {
    signal?.throwIfAborted();
    for (; next < prompts.length && batch.free > 0; next++) {
      living.set(batch.admit(prompts[next], shaders), { sequence: next, random: uniform(seeds[next]), draw: null });
    }
    if (living.size === 0) return;
    const made: BatchGenerated[] = [];
    const read = { argmax: greedy, top, signal, shaders: first ? shaders : undefined };
    for (const reached of await batch.step(read)) {
      made.push(await taken(reached));
    }
    first &&= made.length === 0;
    onStep?.();
    for (const one of made) {
      signal?.throwIfAborted();
      yield one;
    }
  }

  /** From the largest logits, where they are enough; the draw is then kept for who draws from all. */
  function topOfRows(): TopOfRows | null {
    const wanted = topWanted(rest, batch.model.config.vocab);
    if (!wanted) return null;
    return {
      wanted,
      choose: (sequence, top) => {
        const one = living.get(sequence)!;
        one.draw = one.random();
        return sampleTop(top, rest, one.draw);
      },
    };
  }

  /** Chooses a sequence's next token, before any is told: what is asked for meanwhile sees all of them chosen. */
  async function taken({ sequence, token, logits }: Reached): Promise<BatchGenerated> {
    const one = living.get(sequence)!;
    const { sequence: place } = one;
    if (token === NO_TOKEN || (logits && !allFinite(logits))) {
      const error = await batch.whyNotFinite(sequence);
      error.message = `${where(place)}: ${error.message}`;
      throw error;
    }
    const id = token ?? sample(logits!, rest, one.draw ?? one.random());
    one.draw = null;
    const position = sequence.ids.length;
    const stop = stops.has(id);
    const last = stop || position - sequence.prompt.length + 1 >= maxTokens || position >= batch.length;
    sequence.over = last;
    if (last) living.delete(sequence);
    else sequence.ids.push(id);
    const { edited } = sequence;
    sequence.edited = [];
    return { sequence: place, id, position, stop, last, edited };
  }
}
