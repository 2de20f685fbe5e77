// One sequence: the tokens read so far, their keys and values, and the means to read more. Prefill, decode, chunks of any size
// and taps are all `forward`.

import { type NumberError, PromptError } from './errors.js';
import { type ChunkResult, Executor } from './execute.js';
import { NO_TOKEN } from './greedy.js';
import type { PlanKind } from './fuse.js';
import type { Shaders } from './kernel.js';
import type { Model } from './model.js';
import { notFinite } from './not-finite.js';
import type { Patch } from './patches.js';
import type { Extent } from './plan.js';
import type { Captured, Tap } from './taps.js';
import type { Opened } from './units.js';

export interface ContextOptions {
  /** Longest sequence in tokens; default: what the model was made for, 2048 at most. */
  readonly length?: number;
  /** Most tokens in one submit. */
  readonly chunk?: number;
  /** `all`: every row of logits can be asked for. */
  readonly logits?: 'last' | 'all';
  /** Which steps compute it (fuse.ts); default: exact. */
  readonly plan?: PlanKind;
}

export interface ForwardOptions {
  /** The shaders to run; by default those in force once the edits asked for so far are. */
  readonly shaders?: Shaders;
  readonly taps?: readonly Tap[];
  /** Values to put in the place of what stages compute, by position in the sequence. */
  readonly patches?: readonly Patch[];
  /** Which logits to compute: the last row (default), all, or none where only the cache matters. */
  readonly logits?: 'last' | 'all' | 'none';
  /** Pick the most likely next token on the GPU; 4 bytes come back. Throws NumberError where a logit is NaN or ±∞. */
  readonly argmax?: boolean;
  readonly profile?: boolean;
  readonly signal?: AbortSignal;
  /** Split the tokens exactly so instead of into chunks of the context's size. */
  readonly chunks?: readonly number[];
  onProgress?(tokens: number): void;
  /** Called after every layer of every chunk of more than one token; each is then waited for. `tokens` were read before the chunk. */
  onLayer?(done: number, total: number, tokens: number, chunk: number): void;
}

export interface ForwardResult {
  readonly captured: readonly Captured[];
  /** Next token by argmax, if asked for. */
  readonly token: number | null;
  /** Nanoseconds by step, summed over the chunks, if profiled. */
  readonly times: ReadonlyMap<string, number> | null;
  /** What ran. */
  readonly shaders: Shaders;
  /** Shaders that were replaced since what the context holds was read: the cache before these tokens is of the old ones. */
  readonly edited: readonly string[];
  /** Steps of the fast plan that ran as the stages they stand for, and why. */
  readonly opened: readonly Opened[];
}

/** A chunk that was read, as it can be read again. */
export interface ReadChunk {
  readonly extent: Extent;
  readonly patches: readonly Patch[];
  /** As `ChunkRun.length`. */
  readonly length: number;
}

const DEFAULT_LENGTH = 2048;
const DEFAULT_CHUNK = 64;

export class Context {
  readonly length: number;
  readonly chunk: number;
  readonly plan: PlanKind;
  #executor: Executor;
  readonly #allocate: () => Executor;
  #released = false;
  readonly #ids: number[] = [];
  readonly #allRows: boolean;
  /** How `#ids` were read. */
  #read: ReadChunk[] = [];
  #shaders: Shaders | null = null;
  /** Rows of logits in the last chunk. */
  #rows = 1;
  #disposed = false;

  constructor(
    readonly model: Model,
    { length, chunk = DEFAULT_CHUNK, logits = 'last', plan: kind = 'exact' }: ContextOptions,
  ) {
    const { config, gpu, kernels, plan } = model;
    this.length = length ?? Math.min(config.contextLength, DEFAULT_LENGTH);
    if (!(this.length >= 1 && this.length <= config.contextLength)) {
      throw new PromptError(
        `A context of ${this.length} tokens was asked for, but this model was made for 1 to ${config.contextLength}.`,
      );
    }
    // Logits and scores must each fit one binding.
    const { maxBinding } = gpu.traits;
    const rowsThatFit = Math.floor(maxBinding / (4 * config.vocab));
    const scoresThatFit = Math.floor(maxBinding / (4 * config.heads * this.length));
    const most = Math.min(this.length, scoresThatFit, logits === 'all' ? rowsThatFit : Number.POSITIVE_INFINITY);
    this.chunk = Math.max(1, Math.min(chunk, most));
    this.#allRows = logits === 'all';
    const capacity = { tokens: this.chunk, positions: this.length, rows: this.#allRows ? this.chunk : 1 };
    this.plan = kind;
    const steps = model.steps(kind);
    this.#allocate = () => new Executor(gpu, kernels, model, plan.stages, capacity, { keep: ['logits'], steps });
    this.#executor = this.#allocate();
  }

  /** Tokens read so far, ids in order. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** Whether a part can be forgotten: sliding layers cannot go back past what their rings still hold. */
  get canRewind(): boolean {
    return !this.model.config.layerKinds.includes('sliding') || this.#ids.length <= this.#ringLength();
  }

  /** Forgets everything after the first `tokens`. Throws PromptError where only all of it can be forgotten. */
  rewind(tokens = 0): void {
    if (tokens > 0 && !this.canRewind) {
      throw new PromptError('The sliding layers have forgotten what a rewind would need; rewind to 0 and read again.');
    }
    this.#ids.length = Math.min(tokens, this.#ids.length);
    this.#read = this.#read.flatMap(chunk => {
      const { extent } = chunk;
      const left = tokens - (extent.keys - extent.tokens);
      if (left <= 0) return [];
      if (left >= extent.tokens) return [chunk];
      return [{ ...chunk, extent: { tokens: left, keys: tokens, rows: 0 } }];
    });
  }

  #ringLength(): number {
    return Math.min(this.length, (this.model.config.slidingWindow ?? this.length) + this.chunk - 1);
  }

  /**
   * Reads `ids` after what was read before. Throws PromptError for ids outside the vocabulary, no ids, or more than fit,
   * before anything runs.
   */
  async forward(ids: readonly number[], options: ForwardOptions = {}): Promise<ForwardResult> {
    const {
      taps = [],
      patches = [],
      logits = 'last',
      argmax = false,
      profile = false,
      signal,
      onProgress,
      onLayer,
    } = options;
    checkIds(ids, this.model.config.vocab);
    if (this.#disposed) throw new PromptError('This context was closed; make a new one.');
    if (this.#ids.length + ids.length > this.length) {
      throw new PromptError(
        `${this.#ids.length} tokens are in the context and ${ids.length} more were given, but it holds ${this.length}. ` +
          `Shorten the prompt, or open with a longer context, up to ${this.model.config.contextLength}: { context }, or --context in a terminal.`,
      );
    }
    if (logits === 'all' && !this.#allRows) throw new Error("All logits need a context made with { logits: 'all' }.");
    const shaders = options.shaders ?? (await this.model.kernels.inForce());
    const edited = this.#shaders && this.#ids.length > 0 ? shaders.changedSince(this.#shaders) : [];
    this.#shaders = shaders;
    if (this.#released) await this.#readAgain(shaders, signal);
    const captured: Captured[] = [];
    const times = new Map<string, number>();
    const opened = new Map<string, Opened>();
    let result: ChunkResult | null = null;
    let at = 0;
    const before = this.#ids.length;
    for (const { tokens, end } of this.#split(ids.length, options.chunks)) {
      signal?.throwIfAborted();
      const last = at + tokens === ids.length;
      const rows = logits === 'all' ? tokens : logits === 'last' && last ? 1 : 0;
      const extent: Extent = { tokens, keys: this.#ids.length + tokens, rows };
      const part = ids.slice(at, at + tokens);
      const read = at;
      result = await this.#executor.run({
        extent,
        length: before + end,
        shaders,
        ids: part,
        taps,
        patches,
        argmax: argmax && last,
        profile,
        signal,
        onLayer: onLayer && tokens > 1 ? (done, total) => onLayer(done, total, read, tokens) : undefined,
      });
      this.#rows = rows;
      captured.push(...result.captured);
      for (const one of result.opened) opened.set(one.step, one);
      for (const [name, time] of result.times ?? []) times.set(name, (times.get(name) ?? 0) + time);
      this.#ids.push(...part);
      this.#read.push({ extent, patches, length: before + end });
      at += tokens;
      if (!last) await this.model.gpu.settle(); // so that a stop or a look at progress need not wait for all of it
      onProgress?.(at);
    }
    const token = result?.token ?? null;
    if (token === NO_TOKEN) throw await this.whyNotFinite();
    return { captured, token, times: profile ? times : null, shaders, edited, opened: [...opened.values()] };
  }

  /** Logits [V] after the last token that `forward` read. */
  async logits(): Promise<Float32Array> {
    const bytes = 4 * this.model.config.vocab;
    if (this.#rows === 0) throw new Error('The last forward computed no logits.');
    const at = (this.#rows - 1) * bytes;
    return new Float32Array(await this.model.gpu.read([{ buffer: this.#executor.buffer('logits'), bytes, at }]));
  }

  /** What there is to say about logits that are NaN or ±∞: reads the last chunk once more with a check after every stage. */
  async whyNotFinite(): Promise<NumberError> {
    const shaders = this.#shaders ?? (await this.model.kernels.inForce());
    const again = async ({ extent, patches, length }: ReadChunk) => {
      const ids = this.#ids.slice(extent.keys - extent.tokens, extent.keys);
      return (await this.#executor.run({ extent, ids, patches, length, shaders, check: true })).broken;
    };
    return notFinite(this.model, shaders, this.#read, again);
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (!this.#released) this.#executor[Symbol.dispose]();
    this.model.forget(this);
  }

  /** Gives the GPU memory back while nothing runs. The next `forward` reads again what was read, in the same chunks: to the same bits. */
  release(): void {
    if (this.#disposed || this.#released) return;
    this.#executor[Symbol.dispose]();
    this.#released = true;
  }

  async #readAgain(shaders: Shaders, signal?: AbortSignal): Promise<void> {
    const executor = this.#allocate();
    try {
      for (const { extent, patches, length } of this.#read) {
        signal?.throwIfAborted();
        const ids = this.#ids.slice(extent.keys - extent.tokens, extent.keys);
        await executor.run({ extent: { ...extent, rows: 0 }, ids, patches, length, shaders });
      }
    } catch (error) {
      executor[Symbol.dispose]();
      throw error;
    }
    this.#executor = executor;
    this.#released = false;
  }

  /** Parts that fit a submit, each with the end of what is read as one with it. */
  #split(tokens: number, chunks: readonly number[] = [tokens]): { tokens: number; end: number }[] {
    const whole = Array.isArray(chunks) && chunks.every(n => Number.isInteger(n) && n >= 1);
    if (whole && chunks.reduce((a, b) => a + b, 0) === tokens) {
      let end = 0;
      return chunks.flatMap(n => {
        end += n;
        return Array.from({ length: Math.ceil(n / this.chunk) }, (_, i) => ({
          tokens: Math.min(this.chunk, n - i * this.chunk),
          end,
        }));
      });
    }
    const told = whole ? `${chunks.join(', ')} ` : '';
    throw new PromptError(
      `The chunks ${told}must be a list of positive whole numbers that add up to the ${tokens} tokens given.`,
    );
  }
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
