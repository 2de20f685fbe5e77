// Shards: a configuration and a range of prompts, each with an id that is a hash of all that decides its rows: which is what makes every row come exactly once. The prompts are read
// through once for it, checked on the way, and what was found is kept beside the data set for the workers.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LoupeError, PromptError, TokenizerError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { checkIds } from '../../engine/forward.js';
import { tapBytes } from '../../engine/taps.js';
import { progressLine } from '../host/progress.js';
import { promptIds } from '../session/prompt-ids.js';
import { planTaps } from '../session/slices.js';
import { type Prompt, type PromptFile, prompts } from '../values/prompt-file.js';
import { type Configuration, type Grid, type Looked, logitsOf } from './configurations.js';
import type { SweepPlan, Wrong } from './plan.js';

/** A configuration × a range of prompts. */
export interface Shard extends Configuration {
  /** 32 hexadecimal digits. */
  readonly shard: string;
  /** Place of its first prompt in the file, from 0, and of the first behind it. */
  readonly from: number;
  readonly to: number;
  /** SHA-256 of the ids of its prompts. */
  readonly hash: string;
  readonly tokens: number;
  /** What its values take, before compression. */
  readonly bytes: number;
}

/** A range of prompts that was read, and what it is to each model. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly models: Readonly<Record<string, OfModel>>;
}

/** What a model reads in a range. */
export interface OfModel {
  /** SHA-256 of the ids of its prompts. */
  readonly hash: string;
  readonly tokens: number;
  /** What is kept of their values, before compression. */
  readonly bytes: number;
}

/** Problems of prompts that are told; there may be millions. */
const MOST_TOLD = 20;

export const LOUPE_VERSION = (
  JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }
).version;

/** Throws PromptError for a name that is none of such a file. */
export function promptFile(plan: SweepPlan): PromptFile {
  return prompts(plan.prompts, plan.column === null ? {} : { column: plan.column });
}

/** Reads all prompts, in ranges. What is wrong with one is told with its line or row. */
export async function rangesOf(plan: SweepPlan, grid: Grid, wrong: Wrong, signal?: AbortSignal): Promise<Range[]> {
  const out: Range[] = [];
  let bad = 0;
  const told = (error: unknown) => {
    if (!(error instanceof LoupeError)) throw error;
    if (bad++ < MOST_TOLD) wrong(error.message);
  };
  using _progress = progressLine('Reading the prompts');
  const readers = grid.models.map(model => ({ model, bytesOf: sizesOf(plan, model), sum: noSum() }));
  let [from, place] = [0, 0];
  const close = () => {
    const models = readers.map(({ model, sum }) => {
      const { digest, tokens, bytes } = sum;
      return [model.name, { hash: digest.digest('hex'), tokens, bytes }] as const;
    });
    for (const reader of readers) reader.sum = noSum();
    out.push({ from, to: place, models: Object.fromEntries(models) });
    from = place;
  };
  try {
    const file = promptFile(plan);
    for await (const one of file.each()) {
      try {
        const prompt = one();
        for (const { model, bytesOf, sum } of readers) {
          const { ids, bytes } = measured(prompt, file.where(place), model, bytesOf);
          sum.digest.update(`${ids}\n`);
          sum.tokens += ids.length;
          sum.bytes += bytes;
        }
      } catch (error) {
        told(error);
      }
      place += 1;
      if (place - from === plan.shard) close();
      if (place % 256 !== 0) continue;
      await new Promise(setImmediate);
      signal?.throwIfAborted();
    }
    if (place > from) close();
  } catch (error) {
    told(error);
  }
  if (bad > MOST_TOLD) wrong(`${bad - MOST_TOLD} more prompts are wrong too.`);
  return out;
}

const noSum = () => ({ digest: createHash('sha256'), tokens: 0, bytes: 0 });

/** What a prompt of so many tokens leaves; throws where a slice is not in it. It is the same for all of one length. */
function sizesOf(plan: SweepPlan, { kept }: Looked): (tokens: number) => number {
  const { keep } = plan;
  const logits = logitsOf(keep, kept.tap);
  const known = new Map<number, number>();
  return tokens => {
    let bytes = known.get(tokens);
    if (bytes === undefined) {
      const { taps } = planTaps(kept.tap, kept.tap.length > 0 ? (kept.slice ?? undefined) : undefined, {
        tokens,
        logits,
      });
      const extent = { tokens, keys: tokens, rows: logits === 'all' ? tokens : 1 };
      const width = keep.values === 'f16' ? 2 : 4;
      bytes = taps.reduce((n, tap) => n + (tapBytes(tap, extent) / 4) * width, 0) + tokens * keep.top * 8;
      known.set(tokens, bytes);
    }
    return bytes;
  };
}

function measured(
  prompt: Prompt,
  where: string,
  { name, config, tokenizer, longest }: Looked,
  bytesOf: (tokens: number) => number,
): { readonly ids: readonly number[]; readonly bytes: number } {
  try {
    const ids = promptIds(prompt, config.bosId, () => {
      if (tokenizer) return tokenizer;
      throw new TokenizerError(`Model '${name}' has no vocabulary. Give token ids, or the plan a "tokenizer".`);
    });
    checkIds(ids, config.vocab);
    if (ids.length > longest)
      throw new PromptError(
        `The prompt has ${ids.length} tokens for model '${name}', and ${longest} are read. Shorten it, or give the plan a larger "context", up to ${config.contextLength}.`,
      );
    return { ids, bytes: bytesOf(ids.length) };
  } catch (error) {
    if (error instanceof LoupeError) error.message = `${where}: ${error.message}`;
    throw error;
  }
}

/** All shards, those of one configuration one after the other. */
export function shardsOf(plan: SweepPlan, configurations: readonly Configuration[], ranges: readonly Range[]): Shard[] {
  const { keep, context } = plan;
  const first = keep.against.length > 0 ? configurations[0] : null;
  return configurations.flatMap(configuration => {
    // Its number too: rows have it, and a plan whose lists are in another order numbers otherwise.
    const same = JSON.stringify({ loupe: LOUPE_VERSION, ...configuration, context, keep, first });
    return ranges.map(({ from, to, models }) => {
      const { hash, tokens, bytes } = models[configuration.model];
      const shard = createHash('sha256').update(`${same} ${from} ${to} ${hash}`).digest('hex').slice(0, 32);
      return { ...configuration, shard, from, to, hash, tokens, bytes };
    });
  });
}
