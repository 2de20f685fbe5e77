// How fast a model runs here, and how fast others run it: one report of all that was measured in one call.

import { availableParallelism } from 'node:os';
import type { Context } from '../../engine/context.js';
import { BudgetError, PromptError } from '../../engine/errors.js';
import type { PlanKind } from '../../engine/fuse.js';
import type { Model } from '../../engine/model.js';
import type { Progress } from '../host/progress.js';
import { interruptSignal } from '../host/interrupt.js';
import { modelPath } from '../session/open.js';
import type { Session } from '../session/session.js';
import { startLlama } from './llama.js';
import { lengthOf, measure, type Speed, type Wanted } from './measure.js';
import { type AttentionTimes, attentionTimes } from './attention.js';
import { type BatchSpeeds, batchSpeeds } from './batch.js';
import { ours, type Peer } from './peer.js';
import { type Machine, thisMachine } from './cpu.js';
import { spread } from './spread.js';
import { startTorch } from './torch.js';

export const PEERS = ['torch', 'llama.cpp', 'exact', 'fast', 'tap'] as const;
export type PeerName = (typeof PEERS)[number];

export interface BenchOptions extends Wanted {
  readonly plan: PlanKind;
  readonly against: readonly PeerName[];
  /** Sequences that are continued together. */
  readonly batch: readonly number[];
  /** Where to compare with and without the cache; 0: not at all. */
  readonly cacheAt: number;
  /** The session's model as it was asked for, and the milliseconds that opening it took. */
  readonly name: string;
  readonly load: number;
  readonly progress: Progress;
  /** Told what is fetched. */
  say(line: string): void;
}

/** Ours over another's: medians. */
export interface Ratios {
  readonly prefill: Readonly<Record<string, number>>;
  readonly decodeAt: Readonly<Record<string, number>>;
}

export interface BenchReport extends Speed {
  readonly model: string;
  readonly adapter: string;
  readonly machine: Machine;
  readonly date: string;
  readonly plan: PlanKind;
  /** How products are given their inputs, and how caches keep keys and values: f32 unless asked otherwise. */
  readonly formats: { readonly activations: string; readonly cache: string };
  readonly rounds: number;
  /** Milliseconds from nothing to a model on the GPU. */
  readonly load: number;
  /** Of the shortest prompt. */
  readonly firstTokenMs: number;
  readonly memory: { readonly gpu: number; readonly cpu: number };
  readonly bytesWrittenPerToken: number;
  readonly bytesReadPerToken: number;
  readonly cache: CacheGain | null;
  /** Of sequences that are continued together, by how many: tokens of all of them. */
  readonly batch: BatchSpeeds;
  /** Microseconds of attention in a layer, by tokens of context; null where the adapter cannot time. */
  readonly attentionUs: Readonly<Record<string, AttentionTimes>> | null;
  readonly peers: Readonly<Record<string, Speed & { readonly name: string; readonly ratios: Ratios }>>;
  /** What was asked for and does not fit, and why. */
  readonly leftOut: readonly string[];
}

/** Throws PromptError where nothing fits, PeerError for a peer that is not there. */
export async function bench(session: Session, options: BenchOptions): Promise<BenchReport> {
  const { model } = session;
  const { plan, rounds, against, cacheAt, progress } = options;
  const { wanted, context, leftOut } = roomFor(model, options);
  using _ = context;
  const length = context.length;
  const ids = Array.from({ length }, (_, i) => 4 + ((i * 37) % (model.config.vocab - 4)));
  const peers: Peer[] = [];
  const signal = interruptSignal();
  try {
    for (const peer of against) peers.push(await begin(peer, model, length, options, signal));
    const runs = [ours(model, context, signal), ...peers];
    const attention = new Map<number, AttentionTimes>();
    const timed = session.gpu.device.features.has('timestamp-query');
    const [own, ...others] = await measure(runs, ids, wanted, {
      told: (done, total, what) => {
        signal.throwIfAborted();
        progress.count(done, total, `measurements: ${what}`);
      },
      look: async tokens => {
        if (timed) attention.set(tokens, await attentionTimes(model, context, ids));
      },
    });
    const names = peers.map(({ name }) => name);
    for (const peer of peers.splice(0)) peer.close(); // what follows is Loupe's own, its memory too
    const batch = await batchSpeeds(model, { ...options, sequences: options.batch, leftOut });
    const bus = await traffic(model, context);
    const cache = cacheAt > 0 && cacheAt + 5 <= length ? await cacheGain(context, ids, cacheAt) : null;
    if (cacheAt > 0 && !cache)
      leftOut.push(`the cache at ${cacheAt}: that takes ${cacheAt + 5} tokens, and there is room for ${length}`);
    const named = others.map((speed, i) => {
      return [against[i], { name: names[i], ...speed, ratios: ratios(own, speed) }] as const;
    });
    return {
      model: session.name,
      adapter: session.provenance().adapter,
      machine: thisMachine(),
      date: new Date().toISOString().slice(0, 10),
      plan,
      formats: { activations: model.activations, cache: model.cache },
      rounds,
      load: options.load,
      firstTokenMs: own.prefill[wanted.lengths[0]].firstTokenMs.median,
      ...own,
      memory: { gpu: model.gpu.liveBytes, cpu: process.memoryUsage().rss },
      ...bus,
      cache,
      batch,
      attentionUs: timed ? Object.fromEntries(attention) : null,
      peers: Object.fromEntries(named),
      leftOut,
    };
  } catch (error) {
    signal.throwIfAborted(); // a peer hears Ctrl-C too, and ends
    throw error;
  } finally {
    for (const peer of peers) peer.close();
  }
}

/** As much of what is wanted as the model and the memory hold, with a context for it. Throws PromptError where that is nothing. */
function roomFor(model: Model, { plan, cacheAt, lengths, contexts, decode, rounds }: BenchOptions) {
  const leftOut: string[] = [];
  const { contextLength } = model.config;
  let wanted: Wanted = { lengths, contexts, decode, rounds };
  /** Without what takes more than `most` tokens. */
  const shorten = (most: number, why: string) => {
    const fits = {
      lengths: wanted.lengths.filter(length => lengthOf({ lengths: [length], contexts: [], decode }) <= most),
      contexts: wanted.contexts.filter(context => lengthOf({ lengths: [], contexts: [context], decode }) <= most),
    };
    for (const length of wanted.lengths) {
      if (!fits.lengths.includes(length)) leftOut.push(`a prompt of ${length}: ${why}`);
    }
    for (const context of wanted.contexts) {
      if (!fits.contexts.includes(context)) leftOut.push(`decode after ${context}: ${why}`);
    }
    if (fits.lengths.length === 0 || fits.contexts.length === 0) {
      throw new PromptError(
        `The bench needs at least ${lengthOf({ lengths: [Math.min(...lengths)], contexts: [Math.min(...contexts)], decode })} tokens, and ${why}. Ask for fewer.`,
      );
    }
    wanted = { ...wanted, ...fits };
  };
  shorten(contextLength, `this model was made for ${contextLength} tokens`);
  for (;;) {
    const needed = lengthOf(wanted);
    try {
      const length = Math.min(contextLength, Math.max(needed, cacheAt + 5));
      return { wanted, leftOut, context: model.context({ length, plan }) };
    } catch (error) {
      if (!(error instanceof BudgetError)) throw error;
      shorten(needed - 1, 'there is no memory for it');
    }
  }
}

async function begin(
  peer: PeerName,
  model: Model,
  length: number,
  { name, say, plan }: BenchOptions,
  signal: AbortSignal,
): Promise<Peer> {
  const threads = availableParallelism();
  const gpu = model.gpu.kind === 'hardware';
  if (peer === 'torch') return startTorch(modelPath(name), threads, gpu);
  if (peer === 'llama.cpp') return startLlama(modelPath(name), { threads, length, gpu }, say);
  if (peer === 'tap') {
    const stage = model.plan.stage(`layers.${model.config.layers >> 1}.resid`);
    const context = model.context({ length, plan });
    const run = ours(model, context, signal, [{ stage }]);
    return { ...run, name: `with a tap on ${stage.name}`, close: () => context[Symbol.dispose]() };
  }
  const context = model.context({ length, plan: peer });
  return { ...ours(model, context, signal), name: `the ${peer} plan`, close: () => context[Symbol.dispose]() };
}

function ratios(own: Speed, other: Speed): Ratios {
  const over = (a: Speed['decodeAt'], b: Speed['decodeAt']) =>
    Object.fromEntries(Object.keys(a).map(key => [key, a[key].tokensPerSecond.median / b[key].tokensPerSecond.median]));
  return { prefill: over(own.prefill, other.prefill), decodeAt: over(own.decodeAt, other.decodeAt) };
}

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

export interface CacheGain {
  readonly at: number;
  readonly withMs: number;
  readonly withoutMs: number;
  readonly gain: number;
}

/** One more token after `at` others: on the cache, and by reading all of them again. */
async function cacheGain(context: Context, ids: readonly number[], at: number): Promise<CacheGain> {
  context.rewind(0);
  await context.forward(ids.slice(0, at), { argmax: true });
  const withCache: number[] = [];
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    await context.forward([ids[at]], { argmax: true });
    withCache.push(performance.now() - start);
    context.rewind(at);
  }
  context.rewind(0);
  const start = performance.now();
  await context.forward(ids.slice(0, at + 1), { argmax: true });
  const withoutMs = performance.now() - start;
  const withMs = spread(withCache).median;
  return { at, withMs, withoutMs, gain: withoutMs / withMs };
}
