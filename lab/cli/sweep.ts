// loupe sweep: many configurations over many prompts, into a data set; and what those need who deal its shards themselves.

import { createInterface } from 'node:readline';
import { Command, Option } from 'commander';
import { parseJson } from '../../engine/json.js';
import { eitherSignal } from '../host/interrupt.js';
import { finish } from '../sweep/manifest.js';
import { lookThrough, type Sweep } from '../sweep/sweep.js';
import { Worker } from '../sweep/worker.js';
import { isRecord } from '../values/record.js';
import { print, printJson, withAdapter } from './options.js';

interface Options {
  readonly adapter?: string;
  readonly shards?: boolean;
  readonly worker?: boolean;
  readonly finish?: boolean;
  readonly json?: boolean;
}

export function sweepCommand(): Command {
  return withAdapter(
    new Command('sweep').description('models × formats × plans × adapters × prompts, into a Parquet data set'),
  )
    .argument('<plan>', 'a JSON file: what to run, what to keep, where')
    .addOption(new Option('--shards', 'list the shards that are missing, JSON a line').conflicts(['worker', 'finish']))
    .addOption(
      new Option('--worker', 'run the shards that standard input names, JSON a line, and answer each').conflicts(
        'finish',
      ),
    )
    .option('--finish', 'write the manifest of the shards that stand; exit 1 if any is missing')
    .action(async (path: string, options: Options) => {
      const sweep = await lookThrough(path, eitherSignal());
      if (options.shards) listShards(sweep);
      else if (options.worker) await work(sweep, options.adapter || undefined);
      else if (options.finish) finished(sweep, options.json);
    });
}

function listShards({ shards, store }: Sweep): void {
  const standing = store.standing();
  for (const { shard, configuration, model, adapter, from, to, bytes } of shards)
    if (!standing.has(shard)) print(JSON.stringify({ shard, configuration, model, adapter, from, to, bytes }));
}

async function work(sweep: Sweep, adapter: string | undefined): Promise<void> {
  const signal = eitherSignal();
  await using worker = new Worker(sweep, adapter);
  for await (const line of createInterface({ input: process.stdin, signal })) {
    if (line.trim() === '') continue;
    print(JSON.stringify(await worker.run(shardIn(line), signal)));
  }
  signal.throwIfAborted();
}

/** The id that a line asks for; of a line that asks for none, the line, which is none either. */
function shardIn(line: string): string {
  try {
    const asked = parseJson(line);
    if (isRecord(asked) && typeof asked.shard === 'string') return asked.shard;
  } catch {} // the same answer
  return line;
}

function finished(sweep: Sweep, json = false): void {
  const { missing, shards } = finish(sweep);
  if (json) printJson({ out: sweep.plan.out, shards: shards.length, missing: missing.length });
  else
    print(
      `${sweep.plan.out}: ${shards.length} of ${shards.length + missing.length} shards stand${missing.length > 0 ? `, ${missing.length} are missing. loupe sweep ${sweep.plan.path} makes them` : ''}.`,
    );
  if (missing.length > 0) process.exitCode = 1;
}
