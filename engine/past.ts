// What a sequence on the GPU has behind it: the tokens, the chunks in which they were read, with which shaders, and how far its caches were written. From
// that follows what of it can be forgotten, and what can stand for the beginning of another prompt.

import { readBefore } from './beginning.js';
import type { GemmaConfig } from './config.js';
import { PromptError } from './errors.js';
import type { ReadChunk } from './forward.js';
import type { PlanKind } from './fuse.js';
import type { Shaders } from './kernel.js';
import type { Patch } from './patches.js';
import type { Extent } from './plan.js';

/** Sizes of a context, and what reads it. */
export interface Sizes {
  /** Longest sequence, in tokens. */
  readonly length: number;
  /** Most tokens of one submit. */
  readonly chunk: number;
  readonly plan: PlanKind;
}

export class Past {
  /** In order. */
  readonly ids: number[] = [];
  /** Positions that the caches have been written to since they were empty: more than the ids after a rewind, and where reading ahead was stopped. */
  reached = 0;
  /** How `ids` were read. */
  read: ReadChunk[] = [];
  /** Those that ran last; null where nothing was read. */
  shaders: Shaders | null = null;

  constructor(
    private readonly sizes: Sizes,
    private readonly config: GemmaConfig,
  ) {}

  /** Whether any part can be forgotten: sliding layers cannot go back past what their rings still hold. */
  get canRewind(): boolean {
    return !this.config.layerKinds.includes('sliding') || this.reached <= this.#ringLength();
  }

  /** Whether what comes after the first `tokens` can be forgotten: all, or what is not more than a chunk. */
  canRewindTo(tokens: number): boolean {
    return tokens === 0 || this.canRewind || this.reached - tokens <= this.sizes.chunk;
  }

  /** Forgets everything after the first `tokens`. Throws PromptError where the sliding layers do not hold what comes before. */
  rewind(tokens: number): void {
    if (!this.canRewindTo(tokens)) {
      throw new PromptError('The sliding layers have forgotten what a rewind would need; rewind to 0 and read again.');
    }
    this.ids.length = Math.min(tokens, this.ids.length);
    if (this.ids.length === 0) this.reached = 0;
    this.read = this.read.flatMap(chunk => {
      const { extent } = chunk;
      const left = tokens - (extent.keys - extent.tokens);
      if (left <= 0) return [];
      if (left >= extent.tokens) return [chunk];
      return [{ ...chunk, extent: { tokens: left, keys: tokens, rows: 0 } }];
    });
  }

  /** Forgets all but what of the beginning of `ids` was read as it would be read now. @returns how many that are */
  restart(ids: readonly number[], shaders: Shaders, patches: readonly Patch[]): number {
    const { config, read } = this;
    const same = this.shaders !== null && shaders.changedSince(this.shaders).length === 0;
    const before = same ? readBefore({ ids: this.ids, read, config, ...this.sizes }, ids, patches) : 0;
    if (before > 0 && before === this.reached) return before;
    const kept = before > 0 && this.canRewind ? before : 0;
    this.rewind(kept);
    return kept;
  }

  /** The shaders that run from now on. @returns those that were replaced since what is here was read */
  take(shaders: Shaders): readonly string[] {
    const edited = this.shaders && this.ids.length > 0 ? shaders.changedSince(this.shaders) : [];
    this.shaders = shaders;
    return edited;
  }

  /** Those of a chunk that was read. */
  idsOf({ keys, tokens }: Extent): number[] {
    return this.ids.slice(keys - tokens, keys);
  }

  #ringLength(): number {
    const { length, chunk } = this.sizes;
    return Math.min(length, (this.config.slidingWindow ?? length) + chunk - 1);
  }
}
