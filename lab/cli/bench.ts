// loupe bench: how fast a model runs here. Times are medians; the adapter's name belongs to every figure.

import { dirname } from 'node:path';
import { Command, Option } from 'commander';
import type { Context } from '../../engine/context.js';
import { costOf } from '../../engine/cost.js';
import { PromptError } from '../../engine/errors.js';
import type { Model } from '../../engine/model.js';
import { measure, ours, type Speed, type Spread, spread } from '../bench/measure.js';
import { startTorch } from '../bench/torch.js';
import { bytesText } from '../display/numbers.js';
import { textTable } from '../display/table.js';
import { modelPath } from '../open.js';
import { type ModelOptions, openModel, print, printJson, whole, withModel } from './options.js';

interface Options extends ModelOptions {
  readonly prefill: number[];
  readonly decode: number;
  readonly rounds: number;
  readonly cacheAt: number;
  readonly against?: 'torch';
}

export function benchCommand(): Command {
  return withModel(
    new Command('bench').description('tokens a second, time to the first token, what the cache saves, time by stage'),
  )
    .option('--prefill <tokens,…>', 'lengths of prompts', lengths, [128])
    .option('--decode <tokens>', 'tokens to generate after the longest', whole(2), 16)
    .option('--rounds <n>', 'how often each is measured; medians are told', whole(1), 3)
    .option('--cache-at <tokens>', 'where to compare with and without the cache; 0: not at all', whole(0), 256)
    .addOption(new Option('--against <peer>', 'who runs the same, in turn').choices(['torch']))
    .action(async (options: Options) => {
      const began = performance.now();
      const session = await openModel(options);
      const load = performance.now() - began;
      const { model } = session;
      const { prefill, decode, rounds, cacheAt, against } = options;
      const length = Math.max(prefill[prefill.length - 1] + decode, cacheAt + 4) + 1;
      if (length > model.config.contextLength) {
        throw new PromptError(
          `The bench needs ${length} tokens, and this model was made for ${model.config.contextLength}. Ask for fewer.`,
        );
      }
      const ids = Array.from({ length }, (_, i) => 4 + ((i * 37) % (model.config.vocab - 4)));
      const peers = against === 'torch' ? [await startTorch(torchPath(options.model))] : [];
      try {
        using context = model.context({ length });
        const runs = [ours(model, context), ...peers];
        const [own, ...others] = await measure(runs, ids, prefill, decode, rounds);
        const bus = await traffic(model, context);
        const cache = cacheAt > 0 ? await cacheGain(model, ids, cacheAt) : null;
        const timed = model.gpu.device.features.has('timestamp-query');
        const report = {
          model: session.name,
          adapter: session.provenance().adapter,
          plan: 'exact',
          load,
          firstTokenMs: own.prefill[prefill[0]].firstTokenMs.median,
          ...own,
          memory: { gpu: model.gpu.liveBytes, cpu: process.memoryUsage().rss },
          ...bus,
          cache,
          peers: Object.fromEntries(others.map((speed, i) => [against, { name: peers[i].name, ...speed }])),
          stages: timed ? await byOperation(model, ids.slice(0, 64)) : null,
        };
        if (options.json) printJson(report);
        else printReport(report, rounds);
      } finally {
        for (const peer of peers) peer.close();
      }
    });
}

/** `16,128,512`, in rising order. */
function lengths(text: string): number[] {
  const one = whole(1);
  return [...new Set(text.split(',').map(one))].sort((a, b) => a - b);
}

/** What transformers opens: a .gguf, or the folder. */
function torchPath(name: string): string {
  const path = modelPath(name);
  return path.endsWith('.safetensors') ? dirname(path) : path;
}

type Report = Speed & {
  readonly model: string;
  readonly adapter: string;
  readonly load: number;
  readonly memory: { readonly gpu: number; readonly cpu: number };
  readonly bytesWrittenPerToken: number;
  readonly bytesReadPerToken: number;
  readonly cache: Awaited<ReturnType<typeof cacheGain>> | null;
  readonly peers: Readonly<Record<string, Speed & { readonly name: string }>>;
  readonly stages: Awaited<ReturnType<typeof byOperation>> | null;
};

function printReport(report: Report, rounds: number): void {
  const { cache, stages } = report;
  const others = Object.values(report.peers);
  print(`${report.model} on ${report.adapter}`);
  for (const { name } of others) print(`against ${name}`);
  const perSecond = ({ median, least, most }: Spread) =>
    `${median.toFixed(1)}${rounds > 1 ? ` (${least.toFixed(1)} … ${most.toFixed(1)})` : ''}`;
  const row = (what: string, of: (speed: Speed) => Spread, ms?: Spread) => ({
    cells: [
      what,
      perSecond(of(report)),
      ms ? ms.median.toFixed(0) : '',
      ...others.flatMap(other => [perSecond(of(other)), `${(of(report).median / of(other).median).toFixed(2)}×`]),
    ],
  });
  const rows = Object.entries(report.prefill).map(([length, { firstTokenMs }]) =>
    row(`prefill of ${length}`, ({ prefill }) => prefill[length].tokensPerSecond, firstTokenMs),
  );
  rows.push(row(`decode after ${report.decode.after}`, ({ decode }) => decode.tokensPerSecond));
  const titles = ['', 'tok/s', 'ms to the first', ...others.flatMap(() => ['its tok/s', 'ratio'])];
  print(
    textTable(
      titles.map((title, i) => ({ title, right: i > 0 })),
      rows,
    ),
  );
  print(`${rounds === 1 ? 'One round.' : `Medians of ${rounds} rounds, with the least and the most.`}`);
  print(
    `bus       ${report.bytesWrittenPerToken} bytes written and ${report.bytesReadPerToken} read for each greedy token`,
  );
  if (cache) {
    print(
      `cache     ${cache.gain.toFixed(1)}× at ${cache.at} tokens: ${cache.withMs.toFixed(1)} ms a token instead of ${cache.withoutMs.toFixed(0)}`,
    );
  }
  if (stages) {
    const columns = ['operation', 'ms a token', 'share', 'GB/s', 'GFLOP/s'].map((title, i) => ({
      title,
      right: i > 0,
    }));
    const cells = stages.map(s => [
      s.operation,
      s.ms.toFixed(3),
      `${(100 * s.share).toFixed(1)} %`,
      s.ms === 0 ? '–' : s.gbPerSecond.toFixed(2),
      s.ms === 0 ? '–' : s.gflops.toFixed(2),
    ]);
    print(
      textTable(
        columns,
        cells.map(c => ({ cells: c })),
      ),
    );
  }
  print(`load      ${(report.load / 1000).toFixed(1)} s`);
  print(`memory    ${bytesText(report.memory.gpu)} on the GPU, ${bytesText(report.memory.cpu)} resident`);
}

const median = (values: readonly number[]) => spread(values).median;

/** Bytes that cross the bus for a greedy token. */
async function traffic(model: Model, context: Context) {
  const MANY = 4;
  context.rewind(0);
  let { token } = await context.forward([4], { argmax: true });
  const before = { ...model.gpu.traffic };
  for (let i = 0; i < MANY; i++) ({ token } = await context.forward([token!], { argmax: true }));
  return {
    bytesWrittenPerToken: (model.gpu.traffic.written - before.written) / MANY,
    bytesReadPerToken: (model.gpu.traffic.read - before.read) / MANY,
  };
}

/** One more token after `at` others: on the cache, and by reading all of them again. */
async function cacheGain(model: Model, ids: readonly number[], at: number) {
  using context = model.context({ length: at + 4 });
  await context.forward(ids.slice(0, at), { argmax: true });
  const withCache: number[] = [];
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    await context.forward([ids[at + i]], { argmax: true });
    withCache.push(performance.now() - start);
  }
  context.rewind(0);
  const start = performance.now();
  await context.forward(ids.slice(0, at + 1), { argmax: true });
  const withoutMs = performance.now() - start;
  const withMs = median(withCache);
  return { at, withMs, withoutMs, gain: withoutMs / withMs };
}

/** GPU time of one decoded token by operation, with what it reaches in bandwidth and arithmetic. */
async function byOperation(model: Model, ids: readonly number[]) {
  using context = model.context({ length: ids.length + 8 });
  await context.forward(ids);
  await context.forward([ids[0]], { profile: true });
  const { times } = await context.forward([ids[1]], { profile: true });
  const extent = { tokens: 1, keys: context.ids.length, rows: 1 };
  const sums = new Map<string, { ns: number; bytes: number; flops: number }>();
  for (const stage of model.plan.stages) {
    const sum = sums.get(stage.operation.kind) ?? { ns: 0, bytes: 0, flops: 0 };
    const cost = costOf(stage, extent, weight => model.bytesOf(weight));
    sum.ns += times!.get(stage.name)!;
    sum.bytes += cost.bytes;
    sum.flops += cost.flops;
    sums.set(stage.operation.kind, sum);
  }
  const total = [...sums.values()].reduce((n, { ns }) => n + ns, 0);
  return [...sums]
    .map(([operation, { ns, bytes, flops }]) => ({
      operation,
      ms: ns / 1e6,
      share: ns / total,
      gbPerSecond: bytes / ns,
      gflops: flops / ns,
    }))
    .sort((a, b) => b.ms - a.ms);
}
