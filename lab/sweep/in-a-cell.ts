// A sweep from a cell or a script: what is missing is run here, and the data set is opened.

import { OptionError } from '../../engine/errors.js';
import { eitherSignal } from '../host/interrupt.js';
import { checkName, checkOptions } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { dataset, type SweepData } from './dataset.js';
import { isAddress } from './place.js';
import { runSweep } from './run.js';
import { lookThrough } from './sweep.js';

/** How a sweep is run. */
export interface SweepOptions {
  /** How many run shards at once, each with its own model, in a process of its own; default 1, in this one. */
  readonly workers?: number;
  /** On which adapter, where the plan does not say. */
  readonly adapter?: string;
  /** Stops it; what stands stays. */
  readonly signal?: AbortSignal;
}

/**
 * Runs what is missing of a plan, as `loupe sweep` does, and opens the data set. Throws OptionError that lists all that is wrong with the plan, and for shards that could not be made; what stands stays, and the next
 * call goes on.
 * @param plan a JSON file: what to run, what to keep, where; see docs/SWEEPS.md
 * @example using data = await sweep('plan.json'); await data.worst()
 */
export async function sweep(plan: string, given: SweepOptions = {}): Promise<SweepData> {
  checkName('sweep', plan);
  const { workers = 1, adapter, signal } = checkOptions('sweep', given, { workers: true, adapter: true, signal: true });
  if (!Number.isSafeInteger(workers) || workers < 1)
    throw new OptionError(`workers of sweep is a whole number from 1, not ${said(workers)}.`);
  const stop = eitherSignal(signal);
  const looked = await lookThrough(plan, stop);
  const { out } = looked.plan;
  if (isAddress(out))
    throw new OptionError(
      `sweep() opens what it makes, and "out" is ${out}, which dataset() cannot read. Run it in a terminal: loupe sweep ${plan}; then aws s3 sync ${out} DIR, and dataset('DIR').`,
    );
  const { failed, shards } = await runSweep(looked, { workers, adapter, signal: stop });
  if (failed.length > 0) {
    const [{ shard, error }] = failed;
    throw new OptionError(
      `${failed.length} of ${shards} shards could not be made, the first of them prompts ${shard.from} to ${shard.to - 1} by configuration ${shard.configuration}: ${error} What stands is there: dataset(${JSON.stringify(out)}).`,
    );
  }
  return dataset(out);
}
