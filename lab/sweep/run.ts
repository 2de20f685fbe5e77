// A sweep on one machine: its missing shards are dealt to workers, a worker a GPU. What stands stays, whatever becomes of the rest.

import { OptionError } from '../../engine/errors.js';
import { progressLine } from '../host/progress.js';
import { finish } from './manifest.js';
import type { Shard } from './shards.js';
import type { Sweep } from './sweep.js';
import { Worker } from './worker.js';
import { type ShardRunner, WorkerProcess } from './worker-process.js';

/** How often a shard is tried whose worker ended, or that may go well another time. */
const TRIES = 3;

/** What a sweep came to. */
export interface Swept {
  /** Shards of the plan, those that stood before, and those that stand now. */
  readonly shards: number;
  readonly before: number;
  readonly standing: number;
  /** Of what was run now. */
  readonly tokens: number;
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Why shards do not stand. */
  readonly failed: readonly { readonly shard: Shard; readonly error: string }[];
}

/** Runs what is missing. Throws OptionError where nothing more can be written, and what `signal` is aborted by; the manifest is of what stands then. */
export async function runSweep(
  sweep: Sweep,
  {
    workers = 1,
    adapter,
    deadline,
    signal,
  }: {
    readonly workers?: number;
    readonly adapter?: string;
    /** Seconds for a shard, of which workers in processes alone can be held to. */
    readonly deadline?: number;
    readonly signal?: AbortSignal;
  },
): Promise<Swept> {
  const began = performance.now();
  const standing = await sweep.store.standing();
  const queue = sweep.shards.filter(({ shard }) => !standing.has(shard));
  const before = sweep.shards.length - queue.length;
  const total = queue.reduce((n, { from, to }) => n + to - from, 0);
  const sum = { prompts: 0, tokens: 0, rows: 0, bytes: 0 };
  const failed: { shard: Shard; error: string }[] = [];
  const tries = new Map<string, number>();
  const ended = new AbortController();
  const stop = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal;
  using progress = progressLine('Sweeping');

  const work = async (runner: ShardRunner) => {
    await using held = runner;
    let last: number | null = null;
    for (let next = take(queue, last); next; next = take(queue, last)) {
      const { shard: id, configuration, from, to } = next;
      stop.throwIfAborted();
      last = configuration;
      const told = (done: number) => progress.count(sum.prompts + done, total, 'prompts');
      const answer = await held.run(id, stop, told);
      if (!('error' in answer)) {
        sum.prompts += to - from;
        sum.tokens += answer.tokens;
        sum.rows += answer.rows;
        sum.bytes += answer.bytes;
        told(0);
        continue;
      }
      const { error, retry, forAll } = answer;
      const tried = (tries.get(id) ?? 0) + 1;
      tries.set(id, tried);
      const again = retry && tried < TRIES;
      // Of a storage that does not answer it is known after one shard whether it stays so.
      if (again && forAll) queue.unshift(next);
      else if (again) queue.push(next);
      else if (forAll) throw new OptionError(error);
      else failed.push({ shard: next, error });
    }
  };

  const many = Math.max(1, Math.min(workers, queue.length));
  const runners = Array.from({ length: queue.length === 0 ? 0 : many }, () =>
    many === 1 && deadline === undefined
      ? new Worker(sweep, adapter)
      : new WorkerProcess(sweep.plan.path, adapter, deadline),
  );
  try {
    const all = await Promise.allSettled(
      runners.map(runner =>
        work(runner).catch(error => {
          ended.abort(error); // the others stop too
          throw error;
        }),
      ),
    );
    signal?.throwIfAborted();
    const fault = all.find(one => one.status === 'rejected');
    if (fault) throw ended.signal.reason;
  } catch (error) {
    try {
      await finish(sweep);
    } catch {} // a full disk or a storage that is silent, of which the error speaks
    throw error;
  }
  await finish(sweep);
  const { tokens, rows, bytes } = sum;
  return {
    shards: sweep.shards.length,
    before,
    standing: sweep.shards.length - failed.length,
    ...{ tokens, rows, bytes, seconds: (performance.now() - began) / 1000, failed },
  };
}

/** The next shard, if there is one of the configuration that is open: opening a model takes longer than most shards. */
function take(queue: Shard[], configuration: number | null): Shard | undefined {
  const same = queue.findIndex(shard => shard.configuration === configuration);
  return same > 0 ? queue.splice(same, 1)[0] : queue.shift();
}
