// What a model takes, in rounds: whoever is measured is measured in turn with the others, so that what the machine does meanwhile is shared.

import type { Peer } from './peer.js';
import { type Spread, spread } from './spread.js';

export interface Speed {
  /** By length of the prompt. */
  readonly prefill: Readonly<Record<string, { readonly tokensPerSecond: Spread; readonly firstTokenMs: Spread }>>;
  /** After the longest of the contexts. */
  readonly decode: { readonly tokensPerSecond: Spread; readonly after: number };
  /** By tokens of context. */
  readonly decodeAt: Readonly<Record<string, { readonly tokensPerSecond: Spread }>>;
}

/** What is measured. */
export interface Wanted {
  /** Of prompts, in rising order. */
  readonly lengths: readonly number[];
  /** Tokens that there are before the next is made, in rising order; 0: a prompt of one token. */
  readonly contexts: readonly number[];
  /** Tokens that are made after each, in every round. */
  readonly decode: number;
  readonly rounds: number;
}

/** Tokens that the longest sequence has in the end. */
export const lengthOf = ({ lengths, contexts, decode }: Omit<Wanted, 'rounds'>): number =>
  Math.max(...lengths, ...contexts.map(context => Math.max(1, context) + decode), 5);

/** How often a token after each context may be read, to look at what it takes. */
export const LOOKS = 4;
/** Prompts from this length are measured twice at most: they take longest, and vary least. */
export const LONG = 1000;

/** Tokens that are read at once where nobody looks at the time. */
const PIECE = 512;

/**
 * Everybody in turn: for each length, prompts in rounds; for each context, reads up to it once and makes tokens after it, in rounds that each begin there.
 * @returns by the order of `peers`
 */
export async function measure(
  peers: readonly Peer[],
  ids: readonly number[],
  { lengths, contexts, decode, rounds }: Wanted,
  {
    told = () => {},
    look = async () => {},
  }: {
    told?: (done: number, total: number, what: string) => void;
    /** Called when each context was read; it leaves the first of the peers as it was. */
    look?: (context: number) => Promise<void>;
  } = {},
): Promise<Speed[]> {
  const prompts = peers.map(() => new Map<number, number[]>(lengths.map(length => [length, []])));
  const tokens = peers.map(() => new Map<number, number[]>(contexts.map(length => [length, []])));
  const roundsOf = (length: number) => (length < LONG ? rounds : Math.min(2, rounds));
  const total = peers.length * (lengths.reduce((n, length) => n + roundsOf(length), 0) + rounds * contexts.length);
  let done = 0;
  for (const peer of peers) {
    await peer.prefill(ids.slice(0, 4)); // compiles what is compiled
    await peer.decode(1);
  }
  for (const length of lengths) {
    for (let round = 0; round < roundsOf(length); round++) {
      for (const [i, peer] of peers.entries()) {
        told(done++, total, `a prompt of ${length}`);
        prompts[i].get(length)!.push(await peer.prefill(ids.slice(0, length)));
      }
    }
  }
  const held = peers.map(() => 0); // tokens that each has read
  for (const context of contexts) {
    const from = Math.max(1, context);
    told(done, total, `reading ${context}`);
    for (const [i, peer] of peers.entries()) {
      if (held[i] === 0) {
        held[i] = Math.min(from, PIECE);
        await peer.prefill(ids.slice(0, held[i]));
      }
      for (; held[i] < from; held[i] = Math.min(from, held[i] + PIECE)) {
        await peer.read(ids.slice(held[i], Math.min(from, held[i] + PIECE)));
      }
    }
    await look(context);
    for (let round = 0; round < rounds; round++) {
      for (const [i, peer] of peers.entries()) {
        told(done++, total, `a token after ${context}`);
        tokens[i].get(context)!.push(spread(await peer.decode(decode)).median);
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
