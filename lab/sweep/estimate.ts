// What a sweep will come to, from a few prompts that are run for it: estimates, of which the first few prompts may be no fair sample.

import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OptionError } from '../../engine/errors.js';
import { progressLine } from '../host/progress.js';
import type { Session } from '../session/session.js';
import type { Prompt } from '../values/prompt-file.js';
import { settled, unfinished } from '../values/unfinished.js';
import type { Configuration } from './configurations.js';
import { StorageError } from './place.js';
import { runShard } from './run-shard.js';
import { promptFile, type Shard } from './shards.js';
import { Store } from './store.js';
import type { Sweep } from './sweep.js';
import { openFor } from './worker.js';
import { zstdReady } from './zstd.js';

/** Prompts that are run of each configuration, twice: the first time compiles its shaders. */
const SAMPLE = 8;

/** What is missing of one configuration. */
export interface Estimate extends Configuration {
  readonly shards: number;
  readonly runs: number;
  readonly tokens: number;
  readonly rows: number;
  /** Of values, before they are compressed. */
  readonly bytes: number;
  /** Measured. */
  readonly tokensPerSecond: number;
  /** One worker's. */
  readonly hours: number;
}

/** Measures a sample of each configuration of which shards are missing. Nothing is written into the data set. */
export async function estimate(sweep: Sweep, adapter?: string, signal?: AbortSignal): Promise<Estimate[]> {
  const { plan, configurations, shards, store } = sweep;
  const standing = await store.standing();
  const missing = shards.filter(({ shard }) => !standing.has(shard));
  const folder = scratch();
  const out: Estimate[] = [];
  using progress = progressLine('Measuring');
  try {
    await zstdReady();
    const prompts = await firstPrompts(sweep);
    for (const configuration of configurations) {
      const own = missing.filter(shard => shard.configuration === configuration.configuration);
      if (own.length === 0) continue;
      signal?.throwIfAborted();
      using session = await openFor(plan, configuration, adapter);
      const against = plan.keep.against.length > 0 && configuration.configuration > 0;
      using reference = against ? await openFor(plan, configurations[0], adapter) : null;
      const shard = sampleOf(own[0], prompts, session);
      const measure = () =>
        runShard(
          { session, reference },
          shard,
          prompts,
          { plan, configurations, store: new Store(folder) },
          { signal },
        );
      await measure();
      const { tokens: read, rows, seconds } = await measure();
      const tokens = own.reduce((n, one) => n + one.tokens, 0);
      const perSecond = read / Math.max(seconds, 1e-3);
      out.push({
        ...configuration,
        shards: own.length,
        runs: own.reduce((n, { from, to }) => n + to - from, 0),
        tokens,
        rows: Math.round((rows / read) * tokens),
        bytes: own.reduce((n, { bytes }) => n + bytes, 0),
        tokensPerSecond: perSecond,
        hours: tokens / perSecond / 3600,
      });
      progress.count(configuration.configuration + 1, configurations.length, 'configurations');
    }
  } catch (error) {
    signal?.throwIfAborted(); // the folder was taken away with it
    if (error instanceof StorageError) throw unwritten((error.cause as NodeJS.ErrnoException | undefined)?.code);
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    settled(folder);
  }
  return out;
}

function scratch(): string {
  const folder = join(tmpdir(), `loupe-sweep-${randomUUID()}`);
  unfinished(folder);
  try {
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  } catch (error) {
    settled(folder);
    throw unwritten((error as NodeJS.ErrnoException).code);
  }
}

const unwritten = (code: string | undefined): OptionError =>
  new OptionError(
    `${tmpdir()} cannot be written (${code}): a dry run measures a few prompts there. Set TMPDIR to a folder that has room for them.`,
  );

async function firstPrompts({ plan }: Sweep): Promise<Prompt[]> {
  const out: Prompt[] = [];
  for await (const prompt of promptFile(plan)) {
    out.push(prompt);
    if (out.length === SAMPLE) break;
  }
  return out;
}

function sampleOf(like: Shard, prompts: readonly Prompt[], session: Session): Shard {
  const digest = createHash('sha256');
  for (const prompt of prompts) digest.update(`${session.encode(prompt)}\n`);
  return { ...like, from: 0, to: prompts.length, hash: digest.digest('hex') };
}
