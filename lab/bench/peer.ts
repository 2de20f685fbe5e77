// Who runs a model: Loupe itself, by either plan, or somebody else. All of them are asked the same.

import { performance } from 'node:perf_hooks';
import type { Context } from '../../engine/context.js';
import { LoupeError } from '../../engine/errors.js';
import type { Model } from '../../engine/model.js';
import type { Tap } from '../../engine/taps.js';

/** Who should run the same model is not there, or does not open it. */
export class PeerError extends LoupeError {}

/** Who runs a model. Times in milliseconds. */
export interface Peer {
  /** Who, in which version and arithmetic, with how many threads. */
  readonly name: string;
  /** Reads a prompt into an empty cache: the time until the likeliest next token is known. */
  prefill(ids: readonly number[]): Promise<number>;
  /** Reads more, after what there is. */
  read(ids: readonly number[]): Promise<void>;
  /** Goes on greedily, and forgets these tokens again, so that what comes next is measured after as many as before: the time of each token. */
  decode(tokens: number): Promise<number[]>;
  close(): void;
}

/** Loupe as its own peer. @param taps what is looked at, of every token */
export function ours(model: Model, context: Context, signal?: AbortSignal, taps: readonly Tap[] = []): Peer {
  let next = 0;
  const forward = async (ids: readonly number[]) => {
    const began = performance.now();
    next = (await context.forward(ids, { argmax: true, signal, taps })).token!;
    return performance.now() - began;
  };
  return {
    name: `Loupe, ${model.gpu.kind}`,
    prefill(ids) {
      context.rewind(0);
      return forward(ids);
    },
    read: async ids => void (await forward(ids)),
    async decode(tokens) {
      const times: number[] = [];
      const held = context.ids.length;
      let before = performance.now();
      for await (const _ of context.ahead(next, tokens, { signal, taps })) {
        const now = performance.now();
        times.push(now - before);
        before = now;
      }
      if (context.canRewindTo(held)) context.rewind(held);
      else {
        const ids = context.ids.slice(0, held);
        context.rewind(0);
        await forward(ids);
      }
      return times;
    },
    close() {},
  };
}
