// loupe bench: how fast a model runs here. Times are medians; the adapter's name belongs to every figure.

import { Command } from 'commander';
import { costOf } from '../../engine/cost.js';
import { PromptError } from '../../engine/errors.js';
import type { Model } from '../../engine/model.js';
import { bytesText } from '../display/numbers.js';
import { textTable } from '../display/table.js';
import { type ModelOptions, openModel, print, printJson, whole, withModel } from './options.js';

interface Options extends ModelOptions {
  readonly prefill: number;
  readonly decode: number;
  readonly cacheAt: number;
}

export function benchCommand(): Command {
  return withModel(
    new Command('bench').description('tokens a second, time to the first token, what the cache saves, time by stage'),
  )
    .option('--prefill <tokens>', 'length of the prompt', whole(1), 128)
    .option('--decode <tokens>', 'tokens to generate', whole(2), 16)
    .option('--cache-at <tokens>', 'where to compare with and without the cache; 0: not at all', whole(0), 256)
    .action(async (options: Options) => {
      const session = await openModel(options);
      const { model } = session;
      const { prefill, decode, cacheAt } = options;
      const length = Math.max(prefill + decode, cacheAt + 4) + 1;
      if (length > model.config.contextLength) {
        throw new PromptError(
          `The bench needs ${length} tokens, and this model was made for ${model.config.contextLength}. Ask for fewer.`,
        );
      }
      const ids = Array.from({ length }, (_, i) => 4 + ((i * 37) % (model.config.vocab - 4)));
      const speed = await timed(model, ids, prefill, decode);
      const cache = cacheAt > 0 ? await cacheGain(model, ids, cacheAt) : null;
      const stages = model.gpu.device.features.has('timestamp-query')
        ? await byOperation(model, ids.slice(0, 64))
        : null;
      const report = {
        model: session.name,
        adapter: session.provenance().adapter,
        prefillTokens: prefill,
        ...speed,
        cache,
        stages,
      };
      if (options.json) {
        printJson(report);
        return;
      }
      print(`${session.name} on ${report.adapter}`);
      print(
        `prefill   ${speed.prefillPerSecond.toFixed(1)} tok/s (${prefill} tokens, ${speed.firstTokenMs.toFixed(0)} ms to the first token)`,
      );
      print(`decode    ${speed.decodePerSecond.toFixed(2)} tok/s (median of ${decode - 1} tokens)`);
      print(
        `bus       ${speed.bytesWrittenPerToken} bytes written and ${speed.bytesReadPerToken} read for each greedy token`,
      );
      if (cache)
        print(
          `cache     ${cache.gain.toFixed(1)}× at ${cacheAt} tokens: ${cache.withMs.toFixed(1)} ms a token instead of ${cache.withoutMs.toFixed(0)}`,
        );
      if (stages) {
        const columns = ['operation', 'ms a token', 'share', 'GB/s', 'GFLOP/s'].map((title, i) => ({
          title,
          right: i > 0,
        }));
        const rows = stages.map(s => ({
          cells: [
            s.operation,
            s.ms.toFixed(3),
            `${(100 * s.share).toFixed(1)} %`,
            s.gbPerSecond.toFixed(2),
            s.gflops.toFixed(2),
          ],
        }));
        print(textTable(columns, rows));
      }
      print(`memory    ${bytesText(model.gpu.liveBytes)} of GPU buffers`);
    });
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function timed(model: Model, ids: readonly number[], prefill: number, decode: number) {
  using context = model.context({ length: ids.length });
  for (let i = 0; i < 2; i++) await context.forward(ids.slice(i * 4, i * 4 + (i === 0 ? 4 : 1)), { argmax: true }); // compiles the shaders
  context.rewind(0);
  const began = performance.now();
  let { token } = await context.forward(ids.slice(0, prefill), { argmax: true });
  const firstTokenMs = performance.now() - began;
  const times: number[] = [];
  const before = { ...model.gpu.traffic };
  for (let i = 1; i < decode; i++) {
    const start = performance.now();
    ({ token } = await context.forward([token!], { argmax: true }));
    times.push(performance.now() - start);
  }
  const { traffic } = model.gpu;
  return {
    firstTokenMs,
    prefillPerSecond: (prefill / firstTokenMs) * 1000,
    decodePerSecond: 1000 / median(times),
    bytesWrittenPerToken: (traffic.written - before.written) / (decode - 1),
    bytesReadPerToken: (traffic.read - before.read) / (decode - 1),
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
