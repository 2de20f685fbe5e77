// One sequence of a batch: its tokens, how many of them its cache holds, and which come next. It is read as it would be alone: in chunks of the
// same size, and where a chunk would be a single token, that token meets the matrices by itself.

import type { Shaders } from './kernel.js';
import type { PlanKind } from './fuse.js';

/** Tokens of a sequence that are read with the next chunk. */
export interface Piece {
  readonly from: number;
  readonly tokens: number;
  /** The exact plan computes it as a token that is alone. */
  readonly alone: boolean;
}

export class Sequence {
  /** The prompt, and what was made of it. */
  readonly ids: number[];
  /** Tokens that its cache holds. */
  read = 0;
  /** Positions that its cache was written to: more than `read` where it began as another's copy. */
  reached = 0;
  /** Positions at which it stops for those who want a copy of what it has. */
  readonly pauses = new Set<number>();
  /** Whose beginning it takes over, and how many tokens of it. */
  waitsFor: { readonly source: Sequence; readonly tokens: number } | null = null;
  /** The shaders that its first token was read with, and its last. */
  shaders: { readonly first: Shaders; readonly last: Shaders } | null = null;
  /** Those that its next chunk is read with unless an edit comes: of the chunk before, or of the call; null where nobody says. */
  expected: Shaders | null = null;
  /** Shaders that were replaced since the last token was made. */
  edited: readonly string[] = [];
  /** The step that it was last part of. */
  step = 0;
  /** It makes no more; what its cache holds is there until the next takes its place. */
  over = false;

  /**
   * @param slot its place in the caches
   * @param chunk most tokens of a chunk, were it alone
   * @param until how many of the prompt are read, for one that is there for the others' sake; none: all, and it goes on
   */
  constructor(
    readonly slot: number,
    readonly prompt: readonly number[],
    readonly plan: PlanKind,
    readonly chunk: number,
    readonly until: number | null = null,
  ) {
    this.ids = [...prompt];
  }

  /** What is to be read next: at most `room` tokens; null where it waits. */
  next(room: number): Piece | null {
    const { read: from, prompt, plan } = this;
    const end = this.until ?? this.ids.length;
    if (this.over || this.waitsFor || from >= end || room < 1) return null;
    const alone = this.isAlone(from);
    if (from >= prompt.length || (alone && plan === 'exact')) {
      return { from, tokens: 1, alone: alone && plan === 'exact' };
    }
    let to = from + 1;
    const last = Math.min(end, prompt.length, from + room);
    while (to < last && !this.pauses.has(to) && !(plan === 'exact' && this.isAlone(to))) to += 1;
    return { from, tokens: to - from, alone: false };
  }

  /** Whether the logits after a token are wanted. */
  wants(position: number): boolean {
    return this.until === null && position === this.ids.length - 1;
  }

  /** Whether a token would be a chunk of its own. */
  isAlone(position: number): boolean {
    return this.#chunkOf(position).tokens === 1;
  }

  /** Keys that there would be with the chunk of a token. */
  keysAt(position: number): number {
    const { start, tokens } = this.#chunkOf(position);
    return start + tokens;
  }

  /** Tokens of the prompt whose keys and values are those of any other prompt that begins so. */
  get sharable(): number {
    const { length } = this.prompt;
    if (this.until !== null) return this.until;
    return this.isAlone(length - 1) ? length - 1 : length;
  }

  #chunkOf(position: number): { start: number; tokens: number } {
    const { length } = this.prompt;
    if (position >= length) return { start: position, tokens: 1 };
    const start = position - (position % this.chunk);
    return { start, tokens: Math.min(this.chunk, length - start) };
  }
}

/** How many ids two lists begin with alike. */
export function commonStart(a: readonly number[], b: readonly number[]): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n += 1;
  return n;
}
