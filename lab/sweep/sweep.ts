// A sweep that was looked through: its plan is right, its models and prompts are there, and its shards are known.

import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { OptionError } from '../../engine/errors.js';
import { isRecord } from '../values/record.js';
import { type Configuration, type Grid, gridOf } from './configurations.js';
import { readPlan, refuse, type SweepPlan } from './plan.js';
import { LOUPE_VERSION, type Range, rangesOf, type Shard, shardsOf } from './shards.js';
import { Store } from './store.js';

/** What is to be done. */
export interface Sweep {
  readonly plan: SweepPlan;
  readonly configurations: readonly Configuration[];
  readonly shards: readonly Shard[];
  readonly store: Store;
}

/** Reads a plan and looks at all that it names, before anything runs. Throws OptionError that lists all that is wrong. */
export async function lookThrough(path: string, signal?: AbortSignal): Promise<Sweep> {
  const problems: string[] = [];
  const wrong = (problem: string) => void problems.push(problem);
  const plan = readPlan(path, wrong);
  const grid = await gridOf(plan, wrong);
  const store = new Store(plan.out);
  if (plan.out !== '') {
    try {
      await store.prepare();
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      wrong(error.message);
    }
  }
  const known = problems.length === 0 ? await knownRanges(store, plan, grid) : null;
  const ranges = known ?? (plan.prompts === '' ? [] : await rangesOf(plan, grid, wrong, signal));
  refuse(path, problems);
  if (known === null) await store.write(rangesName(plan, grid), ranges);
  return { plan, configurations: grid.configurations, shards: shardsOf(plan, grid.configurations, ranges), store };
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
