// What is asked of a sequence and what it gives: the options and results of Context, and the check of ids.

import { PromptError } from './errors.js';
import type { PlanKind } from './fuse.js';
import type { Shaders } from './kernel.js';
import type { LoadedModel } from './loaded.js';
import type { Patch } from './patches.js';
import type { Extent } from './plan.js';
import type { Captured, Tap } from './taps.js';
import type { Top, TopWanted } from './top.js';
import type { Traits } from './traits.js';
import type { Opened } from './units.js';

/** How much a context holds, and how it reads. */
export interface ContextOptions {
  /** Longest sequence in tokens; default: what the model was made for, 2048 at most. */
  readonly length?: number;
  /** Most tokens in one submit; default: 512 on a GPU, 64 in software. Fewer where the adapter binds no more at once. */
  readonly chunk?: number;
  /** `all`: every row of logits can be asked for. */
  readonly logits?: 'last' | 'all';
  /** Which steps compute it (fuse.ts); default: exact. */
  readonly plan?: PlanKind;
}

/** What to bring back of a read, and what to change in it. */
export interface ForwardOptions {
  /** The shaders to run; by default those in force once the edits asked for so far are. */
  readonly shaders?: Shaders;
  /** Activations to bring back. Looking changes nothing: the logits are the same bits. */
  readonly taps?: readonly Tap[];
  /** Values to put in the place of what stages compute, by position in the sequence. */
  readonly patches?: readonly Patch[];
  /** Which logits to compute: the last row (default), all, or none where only the cache matters. */
  readonly logits?: 'last' | 'all' | 'none';
  /** Pick the most likely next token on the GPU; 4 bytes come back. Throws NumberError where a logit is NaN or ±∞. */
  readonly argmax?: boolean;
  /** Bring back the largest of the last logits. Throws NumberError where a logit is NaN or ±∞. */
  readonly top?: TopWanted | null;
  /** Time every step: see `times`. */
  readonly profile?: boolean;
  /** Whether the sequence goes on a token at a time: what that needs is compiled and bound while these are read, and not after. */
  readonly goesOn?: boolean;
  /** Stops it between two submits; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Split the tokens exactly so instead of into chunks of the context's size. */
  readonly chunks?: readonly number[];
  /** Called after every submit with how many of the tokens are read. */
  onProgress?(tokens: number): void;
  /** Called after every layer of every chunk of more than one token; each is then waited for. `tokens` were read before the chunk. */
  onLayer?(done: number, total: number, tokens: number, chunk: number): void;
}

/** What a read brought back. */
export interface ForwardResult {
  /** A part for every tap and chunk that has something of it, in the order in which they were computed. */
  readonly captured: readonly Captured[];
  /** Next token by argmax, if asked for. */
  readonly token: number | null;
  /** The largest logits, if asked for; null too where so many are equal that they cannot be told. */
  readonly top: Top | null;
  /** Nanoseconds by step, summed over the chunks, if profiled. */
  readonly times: ReadonlyMap<string, number> | null;
  /** What ran. */
  readonly shaders: Shaders;
  /** Shaders that were replaced since what the context holds was read: the cache before these tokens is of the old ones. */
  readonly edited: readonly string[];
  /** Steps of the fast plan that ran as the stages they stand for, and why. */
  readonly opened: readonly Opened[];
}

/** A token that was read ahead, with the likeliest after it. */
export interface ReadAhead extends ForwardResult {
  /** The likeliest next token. */
  readonly token: number;
}

/** A chunk that was read, as it can be read again. */
export interface ReadChunk {
  readonly extent: Extent;
  readonly patches: readonly Patch[];
  /** As `ChunkRun.length`. */
  readonly length: number;
}

/** A GPU is busy only with many at once; on a CPU more than so many gain nothing, and whoever stops would wait for them. */
const defaultChunk = ({ software }: Traits): number => (software ? 64 : 512);

/** Tokens of one submit, of those asked for: scores, and all rows of logits where they are wanted, must each fit a binding. */
export function chunkThatFits(
  { gpu, config }: Pick<LoadedModel, 'gpu' | 'config'>,
  {
    length,
    chunk = defaultChunk(gpu.traits),
    logits,
  }: Pick<ContextOptions, 'chunk' | 'logits'> & { readonly length: number },
): number {
  const { maxBinding } = gpu.traits;
  const rows = logits === 'all' ? Math.floor(maxBinding / (4 * config.vocab)) : Number.POSITIVE_INFINITY;
  const scores = Math.floor(maxBinding / (4 * config.heads * length));
  return Math.max(1, Math.min(chunk, length, scores, rows));
}

/** Throws PromptError unless there are ids and every one is in the vocabulary: the GPU would read zeros in silence. */
export function checkIds(ids: readonly number[], vocab: number): void {
  if (ids.length === 0) throw new PromptError('The prompt is empty; give at least one token.');
  const bad = ids.findIndex(id => !(Number.isInteger(id) && id >= 0 && id < vocab));
  if (bad < 0) return;
  throw new PromptError(
    `Token id ${ids[bad]} at place ${bad} is not in the vocabulary; ids go from 0 to ${vocab - 1}.`,
  );
}

/** Parts of `tokens` that fit a submit of `most`, each with the end of what is read as one with it. Throws PromptError for chunks that do not add up. */
export function chunksOf(
  tokens: number,
  most: number,
  chunks: readonly number[] = [tokens],
): { tokens: number; end: number }[] {
  const whole = Array.isArray(chunks) && chunks.every(n => Number.isInteger(n) && n >= 1);
  if (whole && chunks.reduce((a, b) => a + b, 0) === tokens) {
    let end = 0;
    return chunks.flatMap(n => {
      end += n;
      return Array.from({ length: Math.ceil(n / most) }, (_, i) => ({ tokens: Math.min(most, n - i * most), end }));
    });
  }
  const told = whole ? `${chunks.join(', ')} ` : '';
  throw new PromptError(
    `The chunks ${told}must be a list of positive whole numbers that add up to the ${tokens} tokens given.`,
  );
}
