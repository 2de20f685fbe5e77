// What a model takes, in rounds: whoever is measured is measured in turn with the others, so that what the machine does meanwhile is shared.

import { performance } from 'node:perf_hooks';
import type { Context } from '../../engine/context.js';
import type { Model } from '../../engine/model.js';
import type { Peer } from './torch.js';

/** Values of several rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Speed {
  /** By length of the prompt. */
  readonly prefill: Readonly<Record<string, { readonly tokensPerSecond: Spread; readonly firstTokenMs: Spread }>>;
  /** After the longest prompt. */
  readonly decode: { readonly tokensPerSecond: Spread; readonly after: number };
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1); // one value, or the two
  const median = middle.reduce((a, b) => a + b) / middle.length;
  return { median, least: sorted[0], most: sorted[sorted.length - 1] };
}

/** Loupe as its own peer. */
export function ours(model: Model, context: Context): Peer {
  let next = 0;
  const forward = async (ids: readonly number[]) => {
    const began = performance.now();
    next = (await context.forward(ids, { argmax: true })).token!;
    return performance.now() - began;
  };
  return {
    name: `Loupe, ${model.gpu.kind}`,
    prefill(ids) {
      context.rewind(0);
      return forward(ids);
    },
    async decode(tokens) {
      const times: number[] = [];
      for (let i = 0; i < tokens; i++) times.push(await forward([next]));
      return times;
    },
    close() {},
  };
}

/**
 * Reads prompts of the lengths, and goes on after the last, everybody in turn.
 * @returns by the order of `peers`
 */
export async function measure(
  peers: readonly Peer[],
  ids: readonly number[],
  lengths: readonly number[],
  decode: number,
  rounds: number,
): Promise<Speed[]> {
  const prompts = peers.map(() => new Map<number, number[]>(lengths.map(length => [length, []])));
  const tokens = peers.map((): number[] => []);
  for (const peer of peers) {
    await peer.prefill(ids.slice(0, 4)); // compiles what is compiled
    await peer.decode(1);
  }
  for (let round = 0; round < rounds; round++) {
    for (const length of lengths) {
      for (const [i, peer] of peers.entries()) prompts[i].get(length)!.push(await peer.prefill(ids.slice(0, length)));
    }
    for (const [i, peer] of peers.entries()) tokens[i].push(spread(await peer.decode(decode)).median);
  }
  return peers.map((_, i) => ({
    prefill: Object.fromEntries(
      lengths.map(length => {
        const ms = prompts[i].get(length)!;
        return [length, { tokensPerSecond: spread(ms.map(one => (1000 * length) / one)), firstTokenMs: spread(ms) }];
      }),
    ),
    decode: { tokensPerSecond: spread(tokens[i].map(one => 1000 / one)), after: lengths[lengths.length - 1] },
  }));
}
