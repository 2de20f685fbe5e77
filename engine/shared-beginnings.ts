// Sequences of a batch that begin alike have the same keys and values there: one reads them, and the others take a copy of its cache.

import { slotsOf } from './buffers.js';
import { CACHE_BYTES } from './cache-format.js';
import type { Shaders } from './kernel.js';
import type { LoadedModel } from './loaded.js';
import type { Stage } from './plan.js';
import { valuesPerToken } from './recorder.js';
import { cacheBytes } from './room.js';
import { commonStart, type Sequence } from './sequence.js';

/** Tokens that are worth a copy of a cache. */
const WORTH_SHARING = 8;

/** Who begins like whom among the sequences of one batch. */
export class SharedBeginnings {
  readonly #size: { readonly tokens: number; readonly positions: number };
  readonly #caches: readonly Stage[];

  constructor(
    private readonly model: LoadedModel,
    /** Longest sequence, and most tokens of a chunk. */
    private readonly sizes: { readonly length: number; readonly chunk: number },
    /** By their places, as the batch has them. */
    private readonly slots: readonly (Sequence | null)[],
    /** The cache of a stage, of all sequences. */
    private readonly cacheOf: (stage: string) => GPUBuffer,
  ) {
    this.#size = { tokens: sizes.chunk, positions: sizes.length };
    this.#caches = model.plan.stages.filter(({ state }) => state);
  }

  /** Finds whose beginning a sequence can take over: the longest that another has, or will have. */
  find(sequence: Sequence): void {
    let best: { source: Sequence; tokens: number } | null = null;
    for (const source of this.slots) {
      if (!source) continue;
      const most = Math.min(sequence.prompt.length - 1, source.sharable);
      const tokens = Math.min(most, commonStart(sequence.prompt, source.prompt));
      if (tokens < WORTH_SHARING || tokens <= (best?.tokens ?? 0)) continue;
      if (source.read >= tokens ? this.#holds(source, tokens) : !source.over) best = { source, tokens };
    }
    if (!best) return;
    sequence.waitsFor = best;
    if (best.source.read < best.tokens) best.source.pauses.add(best.tokens);
  }

  /** Whether a cache still has what a sequence needs that goes on after its first `tokens`. */
  #holds({ reached }: Sequence, tokens: number): boolean {
    const { slidingWindow, layerKinds } = this.model.config;
    if (slidingWindow === null || !layerKinds.includes('sliding')) return true;
    const slots = Math.min(this.sizes.length, slidingWindow + this.sizes.chunk - 1);
    return reached <= slots || tokens + 1 - slidingWindow >= reached - slots;
  }

  /** Copies the caches of those who have read what others wait for. */
  give(shaders: Shaders): void {
    const waiting = this.slots.flatMap(one => (one?.waitsFor ? [{ one, ...one.waitsFor }] : []));
    // Who takes a place over has what is there; others are served first.
    waiting.sort((a, b) => Number(a.source.slot === a.one.slot) - Number(b.source.slot === b.one.slot));
    for (const { one, source, tokens } of waiting) {
      if (source.read < tokens && !source.over) continue;
      one.waitsFor = null;
      source.pauses.delete(tokens);
      const { revision } = shaders;
      // What was read with other shaders than those in force, or never was, is read by each.
      const { first, last } = source.shaders ?? {};
      if (source.read < tokens || first?.revision !== revision || last?.revision !== revision) continue;
      if (source.slot !== one.slot) this.#copy(source, one.slot, tokens);
      one.read = tokens;
      one.reached = this.#holdsAll(source) ? tokens : source.reached;
      one.shaders = source.shaders;
    }
  }

  /** Whether no ring of a sequence has gone round. */
  #holdsAll({ reached }: Sequence): boolean {
    return this.#caches.every(stage => reached <= slotsOf(stage, { ...this.#size, rows: 1 }));
  }

  /** Through a buffer between, because a buffer cannot be copied into itself. */
  #copy(source: Sequence, to: number, tokens: number): void {
    const { gpu } = this.model;
    const { largest } = cacheBytes(this.model, this.sizes);
    const between = gpu.createBuffer('a shared beginning', largest, GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST);
    try {
      const encoder = gpu.device.createCommandEncoder();
      for (const stage of this.#caches) {
        const slots = slotsOf(stage, { ...this.#size, rows: 1 });
        const bytes = CACHE_BYTES[this.model.cache] * valuesPerToken(stage.axes);
        const size = bytes * (source.reached <= slots ? Math.min(tokens, slots) : slots);
        const cache = this.cacheOf(stage.name);
        encoder.copyBufferToBuffer(cache, source.slot * slots * bytes, between, 0, size);
        encoder.copyBufferToBuffer(between, 0, cache, to * slots * bytes, size);
      }
      gpu.submit('the copy of a shared beginning', [encoder.finish()]);
    } finally {
      gpu.destroyBuffer(between);
    }
  }
}
