// loupe sweep: many configurations over many prompts, into a data set; and what those need who deal its shards themselves.

import { createInterface } from 'node:readline';
import { Command, Option } from 'commander';
import { OptionError } from '../../engine/errors.js';
import { parseJson } from '../../engine/json.js';
import { eitherSignal } from '../host/interrupt.js';
import { finish } from '../sweep/manifest.js';
import { sweepOnRay } from '../sweep/ray.js';
import { runSweep } from '../sweep/run.js';
import { lookThrough, type Sweep } from '../sweep/sweep.js';
import { verify } from '../sweep/verify.js';
import { Worker } from '../sweep/worker.js';
import { bytesText, countText } from '../values/numbers.js';
import { isRecord } from '../values/record.js';
import { print, printJson, real, whole, withAdapter } from './options.js';
import { tellEstimate } from './sweep-estimate.js';

interface Options {
  readonly adapter?: string;
  readonly shards?: boolean;
  readonly worker?: boolean;
  readonly finish?: boolean;
  readonly dryRun?: boolean;
  readonly workers?: number;
  readonly ray?: string;
  readonly gpus?: number;
  readonly cpus?: number;
  readonly memory?: number;
  readonly deadline?: number;
  readonly json?: boolean;
}

/** What timers count. */
const MOST_DEADLINE = 2_000_000;

export function sweepCommand(): Command {
  const command = withAdapter(
    new Command('sweep').description('models × formats × plans × adapters × prompts, into a Parquet data set'),
  )
    .argument('<plan>', 'a JSON file: what to run, what to keep, where')
    .option('--workers <n>', 'how many run shards at once, each with its own model; default 1', whole(1))
    .addOption(new Option('--shards', 'list the shards that are missing, JSON a line').conflicts(['worker', 'finish']))
    .addOption(
      new Option('--worker', 'run the shards that standard input names, JSON a line, and answer each').conflicts(
        'finish',
      ),
    )
    .addOption(
      new Option('--dry-run', 'say what it will come to, from a few prompts that are run for it').conflicts([
        'shards',
        'worker',
        'finish',
      ]),
    )
    .addOption(
      new Option(
        '--ray <address>',
        'on a Ray cluster: auto, local, or HOST:PORT of its head (docs/SWEEPS-RAY.md)',
      ).conflicts(['shards', 'worker', 'finish']),
    )
    .option('--gpus <n>', 'with --ray: GPUs of a worker, as Ray counts them; default 0', real)
    .option('--cpus <n>', 'with --ray: CPUs of a worker; default 1', real)
    .option('--memory <GB>', 'with --ray: memory of a worker', real)
    .addOption(
      new Option(
        '--deadline <seconds>',
        'end a worker that takes longer for a shard; it is tried elsewhere, three times in all',
      )
        .argParser(real)
        .conflicts(['shards', 'worker', 'finish', 'dryRun']),
    )
    .option('--finish', 'write the manifest of the shards that stand; exit 1 if any is missing')
    .action(async (path: string, options: Options) => {
      for (const name of ['gpus', 'cpus', 'memory'] as const)
        if (options[name] !== undefined && !options.ray)
          throw new OptionError(`--${name} is what a worker on Ray takes. Give --ray too, or leave it out.`);
      if (options.deadline !== undefined && !(options.deadline > 0 && options.deadline <= MOST_DEADLINE))
        throw new OptionError(
          `--deadline is seconds for a shard, up to ${MOST_DEADLINE}, not ${options.deadline}. The first one of a worker includes its start and its model.`,
        );
      const sweep = await lookThrough(path, eitherSignal(), options.dryRun);
      if (options.shards) await listShards(sweep);
      else if (options.worker) await work(sweep, options.adapter || undefined);
      else if (options.finish) await finished(sweep, options.json);
      else if (options.dryRun) await tellEstimate(sweep, options);
      else if (options.ray) process.exitCode = await onRay(path, options);
      else await swept(sweep, options);
    });
  command.addCommand(
    new Command('verify')
      .description('whether a data set is what its manifest says; exit 1 if not')
      .argument('<folder>', 'that a plan has as its out, or s3://bucket/prefix')
      .action((folder: string, _, { parent }: Command) => verified(folder, parent?.opts<Options>().json)),
  );
  return command;
}

function onRay(path: string, { ray, workers, gpus, cpus, memory, deadline, adapter }: Options): Promise<number> {
  const bytes = memory === undefined ? undefined : Math.round(memory * 1e9);
  const how = { ray: ray!, workers, gpus, cpus, memory: bytes, deadline, adapter: adapter || undefined };
  return sweepOnRay(path, how, line => process.stderr.write(`${line}\n`));
}

async function verified(folder: string, json = false): Promise<void> {
  const found = await verify(folder, eitherSignal());
  const { shards, files, rows, bytes, problems, leftover } = found;
  if (json) printJson(found);
  else {
    print(
      `${folder}: ${shards} shards in ${files} files, ${rows} rows, ${bytesText(bytes)}; ${problems.length === 0 ? 'all is as it was written' : inWords(problems.length)}.`,
    );
    for (const problem of problems) print(problem);
    for (const name of leftover)
      print(
        `${name} is half written, by a process that was ended or by one that is at it. The end of the sweep takes it away when it is an hour old.`,
      );
  }
  if (problems.length > 0) process.exitCode = 1;
}

const inWords = (problems: number): string => `${problems} ${problems === 1 ? 'problem' : 'problems'}`;

async function listShards({ shards, store }: Sweep): Promise<void> {
  const standing = await store.standing();
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

async function swept(sweep: Sweep, { workers, adapter, deadline, json }: Options): Promise<void> {
  const made = await runSweep(sweep, { workers, deadline, adapter: adapter || undefined, signal: eitherSignal() });
  const { shards, before, standing, tokens, rows, bytes, seconds, failed } = made;
  const { out } = sweep.plan;
  if (json) {
    const told = failed.map(({ shard, error }) => ({ shard: shard.shard, error }));
    printJson({ out, shards, before, standing, tokens, rows, bytes, seconds, failed: told });
  } else {
    const had = before > 0 ? `, ${before} of which stood before` : '';
    const rate = tokens > 0 ? ` ${countText(tokens)} tokens in ${seconds.toFixed(1)} s.` : '';
    print(
      `${out}: ${standing} of ${shards} shards stand${had}; ${rows} rows, ${bytesText(bytes)} were written.${rate}`,
    );
    for (const { shard, error } of failed)
      print(
        `Shard ${shard.shard} (prompts ${shard.from} to ${shard.to - 1}, configuration ${shard.configuration}): ${error}`,
      );
  }
  if (failed.length > 0) process.exitCode = 1;
}

async function finished(sweep: Sweep, json = false): Promise<void> {
  const { missing, shards } = await finish(sweep);
  if (json) printJson({ out: sweep.plan.out, shards: shards.length, missing: missing.length });
  else
    print(
      `${sweep.plan.out}: ${shards.length} of ${shards.length + missing.length} shards stand${missing.length > 0 ? `, ${missing.length} are missing. loupe sweep ${sweep.plan.path} makes them` : ''}.`,
    );
  if (missing.length > 0) process.exitCode = 1;
}
