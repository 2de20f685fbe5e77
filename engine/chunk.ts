// What a run of one chunk of tokens is given, and what it gives.

import type { Row } from './buffers.js';
import type { Broken } from './finite.js';
import type { Shaders } from './kernel.js';
import type { Patch } from './patches.js';
import type { Extent } from './plan.js';
import type { Captured, Tap } from './taps.js';
import type { NoTop, Top, TopWanted } from './top.js';
import type { Opened } from './units.js';

/** The tokens that the chunk started before this one picked by `argmax`: one, or one a row. */
export const CHOSEN = Symbol('chosen');

export interface ChunkRun {
  /** Of several sequences: `keys` is the most that one of them has. */
  readonly extent: Extent;
  /** Where each token stands, for an executor of several sequences. Those whose logits are wanted are the last. */
  readonly rows?: readonly Row[];
  /** Whether matrices meet tokens, and rows of logits, as if each were alone; default: where there is one. */
  readonly oneByOne?: { readonly tokens: boolean; readonly logits: boolean };
  /** Tokens of the sequence once all that is read with this chunk is read, for RoPE that depends on it; default: up to the chunk's end. */
  readonly length?: number;
  /** The shaders to run; by default those in force once the edits asked for so far are. */
  readonly shaders?: Shaders;
  /** Token ids of the chunk, when the stages embed them; CHOSEN: the one that the chunk before picked on the GPU. */
  readonly ids?: ArrayLike<number> | typeof CHOSEN;
  readonly taps?: readonly Tap[];
  /** Values to put in the place of what stages compute. */
  readonly patches?: readonly Patch[];
  /** Pick the token with the highest last logit on the GPU; of several sequences, of every row of logits. */
  readonly argmax?: boolean;
  /** Find the largest of the last logits on the GPU; of several sequences, of every row of logits. */
  readonly top?: TopWanted | null;
  /**
   * Called after every layer, which is then a submit of its own, waited for: a long chunk shows how far it is and can be stopped.
   */
  onLayer?(done: number, total: number): void;
  readonly signal?: AbortSignal;
  /** Time every step by GPU timestamps; each then runs in a pass of its own. */
  readonly profile?: boolean;
  /** Look at every stage's output for NaN and ±∞. */
  readonly check?: boolean;
}

export interface ChunkResult {
  readonly captured: readonly Captured[];
  /** The likeliest next token, if asked for; NO_TOKEN where a logit is NaN or ±∞. */
  readonly token: number | null;
  /** The same for every row of logits. */
  readonly tokens: ArrayLike<number>;
  /** The largest logits, if asked for. */
  readonly top: Top | NoTop | null;
  /** The same for every row of logits. */
  readonly tops: readonly (Top | NoTop)[];
  /** The stages that are not finite, in the plan's order, if checked. */
  readonly broken: readonly Broken[];
  /** Nanoseconds by step. */
  readonly times: ReadonlyMap<string, number> | null;
  /** Steps that ran as the stages they stand for. */
  readonly opened: readonly Opened[];
}
