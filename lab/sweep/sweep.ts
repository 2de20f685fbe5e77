// A sweep that was looked through: its plan is right, its models and prompts are there, and its shards are known.

import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { OptionError } from '../../engine/errors.js';
import { isRecord } from '../values/record.js';
import { type Configuration, type Grid, gridOf } from './configurations.js';
import { readPlan, refuse, type SweepPlan, type Wrong } from './plan.js';
import { LOUPE_VERSION, type Range, rangesOf, type Shard, shardsOf } from './shards.js';
import { Store } from './store.js';

/** What is to be done. */
export interface Sweep {
  readonly plan: SweepPlan;
  readonly configurations: readonly Configuration[];
  readonly shards: readonly Shard[];
  readonly store: Store;
}

/**
 * Reads a plan and looks at all that it names, before anything runs. What was found of the prompts is kept beside the data set, unless this is a `dry` look. Throws OptionError that lists all that is wrong,
 * and leaves nothing then.
 */
export async function lookThrough(path: string, signal?: AbortSignal, dry = false): Promise<Sweep> {
  const problems: string[] = [];
  const wrong = (problem: string) => void problems.push(problem);
  const plan = readPlan(path, wrong);
  const grid = await gridOf(plan, wrong);
  const store = new Store(plan.out);
  let takeAway = () => {};
  if (plan.out !== '') {
    try {
      takeAway = await store.prepare();
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      wrong(error.message);
    }
  }
  let ranges: Range[];
  try {
    const known = problems.length === 0 ? await knownRanges(store, plan, grid) : null;
    ranges = known ?? (plan.prompts === '' ? [] : await rangesOf(plan, grid, wrong, signal));
    if (problems.length === 0) otherTokens(plan, ranges, wrong); // a prompt that is none has none
    refuse(path, problems);
    if (known === null && !dry) await store.write(rangesName(plan, grid), ranges);
  } catch (error) {
    takeAway();
    throw error;
  }
  if (dry) takeAway();
  return { plan, configurations: grid.configurations, shards: shardsOf(plan, grid.configurations, ranges), store };
}

/** Models that are held against the first token by token have its tokens. */
function otherTokens({ model: models, keep }: SweepPlan, ranges: readonly Range[], wrong: Wrong): void {
  if (keep.against.length === 0) return;
  const [first, ...others] = models;
  for (const model of others) {
    const apart = ranges.find(
      ({ models: read }) => read[model] && read[first] && read[model].hash !== read[first].hash,
    );
    if (apart)
      wrong(
        `keep.against: of the prompts ${apart.from} to ${apart.to - 1} some have other tokens for model '${model}' than for '${first}', and stages are held against each other token by token. Give ids of tokens, or leave keep.against out.`,
      );
  }
}

/** What two vocabularies are told apart by. Who runs a shard finds the rest: its prompts have another hash then. */
const PROBE = 'The 1st of naïve\u00a0tests:  日本語 don\u2019t \u{1f600}\n\tif (x != 0.25)';

/** Prompts are read through once for all who work on a sweep: what was found has a name of all that it was found from. */
function rangesName(plan: SweepPlan, { models }: Grid): string {
  const { size, mtimeMs } = statSync(plan.prompts);
  const { prompts, column, keep, shard, context, tokenizer } = plan;
  const of = models.map(({ name, config, longest, tokenizer }) => [
    name,
    config.vocab,
    longest,
    tokenizer?.size,
    tokenizer?.encode(PROBE),
  ]);
  const all = JSON.stringify([LOUPE_VERSION, prompts, size, mtimeMs, column, keep, shard, context, tokenizer, of]);
  return `_shards/prompts-${createHash('sha256').update(all).digest('hex').slice(0, 32)}.json`;
}

async function knownRanges(store: Store, plan: SweepPlan, grid: Grid): Promise<Range[] | null> {
  try {
    const found = await store.read(rangesName(plan, grid));
    const models = grid.models.map(({ name }) => name);
    const whole = (one: unknown) =>
      isRecord(one) && isRecord(one.models) && models.every(name => isRecord((one.models as object)[name as never]));
    return Array.isArray(found) && found.length > 0 && found.every(whole) ? (found as Range[]) : null;
  } catch (error) {
    if (error instanceof OptionError) throw error;
    return null; // the file of prompts is not there, and whoever reads it says so
  }
}
