// What a model takes, in rounds: whoever is measured is measured in turn with the others, so that what the machine does meanwhile is shared.

import { performance } from 'node:perf_hooks';
import type { Context } from '../../engine/context.js';
import type { Model } from '../../engine/model.js';
import { type Spread, spread } from './spread.js';
import type { Peer } from './torch.js';

export interface Speed {
  /** By length of the prompt. */
  readonly prefill: Readonly<Record<string, { readonly tokensPerSecond: Spread; readonly firstTokenMs: Spread }>>;
  /** After the longest of the contexts. */
  readonly decode: { readonly tokensPerSecond: Spread; readonly after: number };
  /** By tokens of context. */
  readonly decodeAt: Readonly<Record<string, { readonly tokensPerSecond: Spread }>>;
}

/** What is measured. */
export interface Plan {
  /** Of prompts, in rising order. */
  readonly lengths: readonly number[];
  /** Tokens that there are before the next is made, in rising order. */
  readonly contexts: readonly number[];
  /** Tokens that are made after each. */
  readonly decode: number;
  readonly rounds: number;
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
      let before = performance.now();
      for await (const { token } of context.ahead(next, tokens)) {
        const now = performance.now();
        times.push(now - before);
        [next, before] = [token, now];
      }
      return times;
    },
    close() {},
  };
}

/**
 * Reads prompts of the lengths, and of the contexts, after which it goes on; everybody in turn.
 * @returns by the order of `peers`
 */
export async function measure(
  peers: readonly Peer[],
  ids: readonly number[],
  { lengths, contexts, decode, rounds }: Plan,
): Promise<Speed[]> {
  const prompts = peers.map(() => new Map<number, number[]>(lengths.map(length => [length, []])));
  const tokens = peers.map(() => new Map<number, number[]>(contexts.map(length => [length, []])));
  const all = [...new Set([...lengths, ...contexts])].sort((a, b) => a - b);
  for (const peer of peers) {
    await peer.prefill(ids.slice(0, 4)); // compiles what is compiled
    await peer.decode(1);
  }
  for (let round = 0; round < rounds; round++) {
    for (const length of all) {
      for (const [i, peer] of peers.entries()) {
        const ms = await peer.prefill(ids.slice(0, length));
        prompts[i].get(length)?.push(ms);
        const made = tokens[i].get(length);
        if (made) made.push(spread(await peer.decode(decode)).median);
      }
    }
  }
  const speed = (ms: readonly number[]) => ({ tokensPerSecond: spread(ms.map(one => 1000 / one)) });
  return peers.map((_, i) => ({
    prefill: Object.fromEntries(
      lengths.map(length => {
        const ms = prompts[i].get(length)!;
        return [length, { tokensPerSecond: spread(ms.map(one => (1000 * length) / one)), firstTokenMs: spread(ms) }];
      }),
    ),
    decode: { ...speed(tokens[i].get(contexts[contexts.length - 1])!), after: contexts[contexts.length - 1] },
    decodeAt: Object.fromEntries(contexts.map(length => [length, speed(tokens[i].get(length)!)])),
  }));
}
