// Several sequences that are read and continued together. A chunk is made of rows, each a token of some sequence at its position there: what does
// not look at other tokens does not care, and attention and the caches are told whose row it is (shaders/sequences/many.wgsl). In the exact plan
// every row is computed by the shader that would compute it alone, in the same order, so that all its bits are those of a Context; tokens that a
// Context would read one by one go together, and those that it would read in blocks. In the fast plan all go together.

import { allOf, layOut, lengthOf, type Part, splitCaptured } from './batch-rows.js';
import { Context } from './context.js';
import { BudgetError, type NumberError, OptionError, PromptError } from './errors.js';
import { Executor } from './execute.js';
import { chunkThatFits, checkIds } from './forward.js';
import type { PlanKind } from './fuse.js';
import type { Shaders } from './kernel.js';
import type { LoadedModel } from './loaded.js';
import { roomFor, rowsThatFit } from './room.js';
import { lengthThatMatters } from './rope-table.js';
import { told } from './sample.js';
import type { Traits } from './traits.js';
import { Sequence } from './sequence.js';
import { SharedBeginnings } from './shared-beginnings.js';
import type { Captured, Tap } from './taps.js';
import type { NoTop, Top, TopWanted } from './top.js';

export interface BatchOptions {
  /** Longest sequence in tokens. */
  readonly length: number;
  /** Sequences at once. Throws BudgetError, with how many would fit, where so many do not. */
  readonly sequences: number;
  /** Most tokens in one submit, and of a chunk of a sequence. */
  readonly chunk?: number;
  readonly plan?: PlanKind;
  /** Whether who begins like another takes over what that has read (default). Of a beginning that was taken over, taps see nothing. */
  readonly share?: boolean;
}

export interface StepOptions {
  /** Pick the likeliest token of every row on the GPU: 4 bytes a row come back. Otherwise its logits do. */
  readonly argmax: boolean;
  /** Find the largest logits of every row on the GPU, and choose from them. */
  readonly top?: TopOfRows | null;
  /** By default those in force once the edits asked for so far are. */
  readonly shaders?: Shaders;
  readonly signal?: AbortSignal;
  /** What to bring back of a sequence, a part of it at a time; slices along heads and channels are the same for all. */
  taps?(sequence: Sequence): readonly Tap[];
  onCaptured?(sequence: Sequence, captured: readonly Captured[]): void;
}

/** A choice among the largest logits of a row: k pairs of id and logit come back, and all logits only where these are not enough. */
export interface TopOfRows {
  readonly wanted: TopWanted;
  /** The next token, or null where it takes all logits to say. Called once for a row. */
  choose(sequence: Sequence, top: Top): number | null;
}

/** A sequence whose last token was read with this step. */
export interface Reached {
  readonly sequence: Sequence;
  /** The next token that was picked, NO_TOKEN where a logit is NaN or ±∞ and the likeliest was asked for; null where it takes the logits. */
  readonly token: number | null;
  /** [V], where no token was. */
  readonly logits: Float32Array | null;
}

/**
 * Rows from which a block's kernels are faster than a row at a time (fast plan): half of the eight tokens that a block holds on lavapipe, where it was
 * measured, and of four on SwiftShader. A GPU takes a few at a time.
 */
const worthABlock = ({ software, store }: Traits): number => (software && store === 'texture' ? 4 : 2);

export class Batch {
  readonly plan: PlanKind;
  readonly length: number;
  readonly chunk: number;
  /** Tokens that were read on the GPU: those of a shared beginning once. */
  tokensRead = 0;
  #executor: Executor | null = null;
  readonly #slots: (Sequence | null)[];
  readonly #rows: number;
  /** Null where each reads all of its own. */
  readonly #beginnings: SharedBeginnings | null;
  #steps = 0;
  #disposed = false;

  constructor(
    readonly model: LoadedModel,
    { length, sequences, chunk, plan = 'exact', share = true }: BatchOptions,
    /** Called when it is disposed of. */
    private readonly forgotten: (batch: Batch) => void = () => {},
  ) {
    if (typeof share !== 'boolean') throw new OptionError(`share of a batch is true or false, not ${told(share)}.`);
    this.length = length;
    this.plan = plan;
    this.chunk = chunkThatFits(model, { length, chunk });
    const room = roomFor(model, this);
    if (sequences > room) {
      const fit = room === 0 ? 'not even one does' : `${room} would`;
      throw new BudgetError(
        `${sequences} sequences of up to ${length} tokens do not fit the GPU memory at once; ${fit}. Ask for fewer at once, shorter prompts or fewer tokens.`,
      );
    }
    this.#slots = Array.from({ length: sequences }, () => null);
    const { chunk: most } = this;
    const cacheOf = (stage: string) => this.#executor!.buffer(stage);
    this.#beginnings = share ? new SharedBeginnings(model, { length, chunk: most }, this.#slots, cacheOf) : null;
    this.#rows = rowsThatFit(model, this, sequences);
    this.#executor = this.#allocate();
  }

  /** How many more sequences there is a place for. */
  get free(): number {
    return this.#slots.filter(one => one === null || one.over).length;
  }

  /**
   * A sequence that takes a free place. Throws PromptError for ids outside the vocabulary, none, or more than fit.
   * @param shaders those that it is expected to be read with: its next token says which others did
   * @param until how many tokens are read, of one that is there only for others to begin with
   */
  admit(prompt: readonly number[], shaders: Shaders | null = null, until: number | null = null): Sequence {
    checkIds(prompt, this.model.config.vocab);
    if (prompt.length > this.length && until === null) {
      throw new PromptError(`A prompt of ${prompt.length} tokens was given, and these sequences hold ${this.length}.`);
    }
    const slot = this.#slots.findIndex(one => one === null || one.over);
    if (slot < 0) throw new Error(`All ${this.#slots.length} places of the batch are taken.`);
    const sequence = new Sequence(slot, prompt, this.plan, this.chunk, until);
    sequence.expected = shaders;
    this.#beginnings?.find(sequence);
    this.#slots[slot] = sequence;
    return sequence;
  }

  /** Reads a chunk. Those sequences are told whose last known token was part of it; the others go on with the next step. */
  async step({ argmax, top = null, signal, onCaptured, ...asked }: StepOptions): Promise<Reached[]> {
    if (this.#disposed) throw new PromptError('This batch was closed; make a new one.');
    const { kernels } = this.model;
    const { traits } = this.model.gpu;
    const shaders = asked.shaders ?? (await kernels.inForce());
    if (!this.#executor) this.#beginAgain();
    this.#beginnings?.give(shaders);
    const parts = this.#choose();
    if (parts.length === 0) return [];
    this.#steps += 1;
    const { rows, ids, wanted } = layOut(parts);
    const alone = this.plan === 'exact' ? parts[0].piece.alone : rows.length < worthABlock(traits);
    const extent = { tokens: rows.length, keys: Math.max(...rows.map(({ keys }) => keys)), rows: wanted.length };
    const executor = this.#executor!;
    for (const { sequence } of parts) {
      const { read, shaders: known, expected } = sequence;
      if (expected) sequence.edited = [...new Set([...sequence.edited, ...shaders.changedSince(expected)])];
      sequence.expected = shaders;
      sequence.shaders = { first: read > 0 && known ? known.first : shaders, last: shaders };
    }
    const taps = parts.map(({ sequence }) => asked.taps?.(sequence) ?? []);
    const { tokens, tops, captured } = await executor.run({
      extent,
      rows,
      ids,
      taps: allOf(taps),
      shaders,
      argmax,
      top: top?.wanted,
      signal,
      oneByOne: { tokens: alone, logits: this.plan === 'exact' || wanted.length < worthABlock(traits) },
      length: lengthOf(parts[0].sequence),
      onLayer: rows.length < LONG ? undefined : () => {}, // so that a stop need not wait for the chunk
    });
    for (const [i, { sequence }] of captured.length > 0 ? parts.entries() : []) {
      onCaptured?.(sequence, splitCaptured(captured, taps[i], rows, wanted.length, sequence.slot));
    }
    this.tokensRead += rows.length;
    for (const { sequence, piece } of parts) {
      sequence.read = piece.from + piece.tokens;
      sequence.reached = Math.max(sequence.reached, sequence.read);
      sequence.step = this.#steps;
    }
    this.#beginnings?.give(shaders);
    const picked = wanted.map((sequence, i) => tokens[i] ?? chosen(top, sequence, tops[i]));
    const logits = await this.#logits(executor, picked);
    return wanted.map((sequence, i) => ({ sequence, token: picked[i], logits: logits[i] }));
  }

  /** What there is to say about logits that are NaN or ±∞: reads that sequence alone, with a check after every stage. */
  async whyNotFinite({ prompt, ids, shaders: read }: Sequence): Promise<NumberError> {
    this.release(); // there may be no memory for both
    using context = new Context(this.model, { length: this.length, chunk: this.chunk, plan: this.plan });
    const shaders = read?.last;
    await context.forward(prompt, { shaders });
    for (const id of ids.slice(prompt.length)) await context.forward([id], { shaders });
    return await context.whyNotFinite();
  }

  /** Gives the GPU memory back while nothing runs. The next step reads again what was read. */
  release(): void {
    this.#executor?.[Symbol.dispose]();
    this.#executor = null;
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.release();
    this.forgotten(this);
  }

  #allocate(): Executor {
    const { gpu, kernels, plan } = this.model;
    const { chunk: tokens, length: positions } = this;
    const { cache } = this.model;
    const capacity = { tokens, positions, rows: this.#rows, sequences: this.#slots.length, cache };
    const steps = this.model.steps(this.plan, true);
    return new Executor(gpu, kernels, this.model, plan.stages, capacity, { keep: ['logits'], steps, plan: this.plan });
  }

  /** Those that are not over have read nothing, and may share anew. */
  #beginAgain(): void {
    this.#executor = this.#allocate();
    const all = this.#slots.splice(0);
    this.#slots.push(...all.map(() => null));
    for (const sequence of all) {
      if (!sequence || sequence.over) continue;
      Object.assign(sequence, { read: 0, reached: 0, waitsFor: null, shaders: null });
      sequence.pauses.clear();
      this.#beginnings?.find(sequence);
      this.#slots[sequence.slot] = sequence;
    }
  }

  /** What is read with the next chunk: first what is read in blocks, of those who waited longest. */
  #choose(): Part[] {
    const waiting = this.#slots.flatMap(one => (one && !one.over ? [one] : []));
    waiting.sort((a, b) => a.step - b.step || a.slot - b.slot);
    const next = waiting.flatMap(sequence => {
      const piece = sequence.next(this.chunk);
      return piece ? [{ sequence, piece }] : [];
    });
    const first = next.find(({ piece }) => !piece.alone) ?? next[0];
    const { rope } = this.model.config;
    const kindOf = (sequence: Sequence) =>
      Object.values(rope)
        .map(one => lengthThatMatters(one, lengthOf(sequence)))
        .join();
    const parts: Part[] = [];
    let [room, logits] = [this.chunk, this.#rows];
    for (const { sequence, piece } of next) {
      if (piece.alone !== first.piece.alone || kindOf(sequence) !== kindOf(first.sequence)) continue;
      const fits = sequence.next(room);
      if (!fits) break;
      const wants = sequence.wants(fits.from + fits.tokens - 1);
      if (wants && logits === 0) continue;
      parts.push({ sequence, piece: fits });
      room -= fits.tokens;
      if (wants) logits -= 1;
    }
    return parts;
  }

  /** Of the rows that no token was picked of: one after the other, in one trip. */
  async #logits(executor: Executor, picked: readonly (number | null)[]): Promise<(Float32Array | null)[]> {
    const { vocab } = this.model.config;
    const bytes = 4 * vocab;
    const buffer = executor.buffer('logits');
    const open = picked.flatMap((token, i) => (token === null ? [i] : []));
    if (open.length === 0) return picked.map(() => null);
    const all = await this.model.gpu.read(open.map(i => ({ buffer, at: i * bytes, bytes })));
    return picked.map((_, i) => (open.includes(i) ? new Float32Array(all, open.indexOf(i) * bytes, vocab) : null));
  }
}

const chosen = (by: TopOfRows | null, sequence: Sequence, top: Top | NoTop | undefined): number | null =>
  by && typeof top === 'object' ? by.choose(sequence, top) : null;

/** Rows of a chunk that shows how far it is and can be stopped within. */
const LONG = 32;
