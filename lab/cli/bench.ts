// loupe bench: how fast a model runs here. Times are medians; the adapter's name belongs to every figure.

import { dirname } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Context } from '../../engine/context.js';
import { OptionError, PromptError } from '../../engine/errors.js';
import type { PlanKind } from '../../engine/fuse.js';
import type { Model } from '../../engine/model.js';
import { measure, ours, type Speed } from '../bench/measure.js';
import { type Spread, spread } from '../bench/spread.js';
import { type Peer, startTorch } from '../bench/torch.js';
import { bytesText } from '../display/numbers.js';
import { rooflineText } from '../display/roofline.js';
import { textTable } from '../display/table.js';
import { DISPLAY } from '../display/bundle.js';
import { modelPath } from '../open.js';
import type { Session } from '../session.js';
import { checkTarget, writeWhole } from '../write-file.js';
import { type ModelOptions, openModel, print, printJson, whole, withModel, withPlan } from './options.js';

type Against = 'torch' | 'exact' | 'fast';

interface Options extends ModelOptions {
  readonly prefill: number[];
  readonly decode: number;
  readonly contexts?: number[];
  readonly rounds: number;
  readonly cacheAt: number;
  readonly against: Against[];
  readonly stages?: boolean;
  readonly svg?: string;
}

export function benchCommand(): Command {
  const command = new Command('bench').description(
    'tokens a second, time to the first token, what the cache saves; every step against the roofline',
  );
  return withPlan(withModel(command), 'fast')
    .option('--prefill <tokens,…>', 'lengths of prompts', lengths, [128])
    .option('--decode <tokens>', 'tokens to generate after each context', whole(2), 16)
    .option('--contexts <tokens,…>', 'tokens of context to generate after; default: the longest prompt', lengths)
    .option('--rounds <n>', 'how often each is measured; medians are told', whole(1), 3)
    .option('--cache-at <tokens>', 'where to compare with and without the cache; 0: not at all', whole(0), 256)
    .option('--against <peers>', 'who runs the same, in turn: torch, or the exact or fast plan', peersOf, [])
    .option('--stages', 'instead: what every step takes, as a share of what this adapter was measured to do at most')
    .option('--svg <file>', 'with --stages: write the picture of it')
    .action(async (options: Options) => {
      if (options.stages) return stages(options);
      if (options.svg) throw new OptionError('--svg is the picture of --stages. Give both, or neither.');
      const began = performance.now();
      const session = await openModel(options);
      const load = performance.now() - began;
      const { model } = session;
      const { prefill, decode, rounds, cacheAt, against } = options;
      const plan = options.plan ?? 'fast';
      const contexts = options.contexts ?? prefill.slice(-1);
      const longest = Math.max(...prefill, ...contexts);
      const length = Math.max(longest + decode, cacheAt + 4) + 1;
      if (length > model.config.contextLength) {
        throw new PromptError(
          `The bench needs ${length} tokens, and this model was made for ${model.config.contextLength}. Ask for fewer.`,
        );
      }
      const ids = Array.from({ length }, (_, i) => 4 + ((i * 37) % (model.config.vocab - 4)));
      const peers: Peer[] = [];
      try {
        using context = model.context({ length, plan });
        for (const peer of against) peers.push(await begin(peer, model, length, options.model));
        const runs = [ours(model, context), ...peers];
        const [own, ...others] = await measure(runs, ids, { lengths: prefill, contexts, decode, rounds });
        const bus = await traffic(model, context);
        const cache = cacheAt > 0 ? await cacheGain(model, ids, cacheAt, plan) : null;
        const report = {
          model: session.name,
          adapter: session.provenance().adapter,
          plan,
          load,
          firstTokenMs: own.prefill[prefill[0]].firstTokenMs.median,
          ...own,
          memory: { gpu: model.gpu.liveBytes, cpu: process.memoryUsage().rss },
          ...bus,
          cache,
          peers: Object.fromEntries(others.map((speed, i) => [against[i], { name: peers[i].name, ...speed }])),
        };
        if (options.json) printJson(report);
        else printReport(report, rounds);
      } finally {
        for (const peer of peers) peer.close();
      }
    });
}

/** Every step of a decoded token against the roofline. */
async function stages(options: Options): Promise<void> {
  if (options.svg) checkTarget(options.svg);
  const session: Session = await openModel(options);
  const context = options.contexts?.at(-1);
  const roofline = await session.roofline({ plan: options.plan, context, rounds: Math.max(3, options.rounds) });
  if (options.svg) writeWhole(options.svg, [roofline[DISPLAY]()['image/svg+xml']!]);
  const { steps, ceilings, operations, extent, provenance, edited: _, ...of } = roofline;
  if (options.json) printJson({ ...of, ...extent, ceilings, operations, stages: steps, provenance });
  else print(rooflineText(roofline, Number.POSITIVE_INFINITY));
}

/** `16,128,512`, in rising order. */
function lengths(text: string): number[] {
  const one = whole(1);
  return [...new Set(text.split(',').map(one))].sort((a, b) => a - b);
}

/** `torch,exact` */
function peersOf(text: string): Against[] {
  return [...new Set(text.split(','))].map(peer => {
    if (peer === 'torch' || peer === 'exact' || peer === 'fast') return peer;
    throw new InvalidArgumentError('Give torch, exact or fast, or several of them with commas between.');
  });
}

async function begin(peer: Against, model: Model, length: number, name: string): Promise<Peer> {
  if (peer === 'torch') return startTorch(torchPath(name));
  const context = model.context({ length, plan: peer });
  return { ...ours(model, context), name: `the ${peer} plan`, close: () => context[Symbol.dispose]() };
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
  readonly plan: PlanKind;
};

function printReport(report: Report, rounds: number): void {
  const { cache } = report;
  const others = Object.values(report.peers);
  print(`${report.model} on ${report.adapter}, ${report.plan} plan`);
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
  for (const after of Object.keys(report.decodeAt)) {
    rows.push(row(`decode after ${after}`, ({ decodeAt }) => decodeAt[after].tokensPerSecond));
  }
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
async function cacheGain(model: Model, ids: readonly number[], at: number, plan: PlanKind) {
  using context = model.context({ length: at + 4, plan });
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
