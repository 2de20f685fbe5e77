// One sequence: the tokens read so far, their keys and values, and the means to read more. Prefill, decode, chunks of any size
// and taps are all `forward`.

import { BudgetError, type NumberError, PromptError } from './errors.js';
import { CHOSEN, type ChunkResult } from './chunk.js';
import { Executor } from './execute.js';
import {
  type ContextOptions,
  checkIds,
  chunksOf,
  chunkThatFits,
  type ForwardOptions,
  type ForwardResult,
  type ReadAhead,
  type ReadChunk,
} from './forward.js';
import type { PlanKind } from './fuse.js';
import { NO_TOKEN } from './greedy.js';
import type { Shaders } from './kernel.js';
import type { LoadedModel } from './loaded.js';
import { notFinite } from './not-finite.js';
import { Past } from './past.js';
import type { Patch } from './patches.js';
import type { Extent } from './plan.js';
import type { Captured, Tap } from './taps.js';
import type { Opened } from './units.js';
import { orLonger } from './longer-context.js';

const DEFAULT_LENGTH = 2048;

/**
 * One sequence on the GPU: its tokens, its caches of keys and values, and the buffers that a chunk is computed in. `model.context()` makes one.
 * @example using context = model.context(); await context.forward(tokenizer.encode('Once'), { argmax: true })
 */
export class Context {
  /** The longest sequence that it holds, in tokens. */
  readonly length: number;
  /** Most tokens of one submit. */
  readonly chunk: number;
  /** Which steps compute it. */
  readonly plan: PlanKind;
  #executor: Executor;
  readonly #allocate: () => Executor;
  #released = false;
  readonly #past: Past;
  readonly #allRows: boolean;
  /** Chunks of `ahead` on their way at once: the next begins before the one before it is known. No more than a ring has slots beside its window. */
  readonly #most: number;
  /** Rows of logits in the last chunk. */
  #rows = 1;
  #disposed = false;

  constructor(
    /** The model that it is of. */
    readonly model: LoadedModel,
    { length, chunk, logits = 'last', plan: kind = 'exact' }: ContextOptions,
    /** Called when it is disposed of. */
    private readonly forgotten: (context: Context) => void = () => {},
  ) {
    const { config, gpu, kernels, plan } = model;
    this.length = length ?? Math.min(config.contextLength, DEFAULT_LENGTH);
    if (!(this.length >= 1 && this.length <= config.contextLength)) {
      throw new PromptError(
        `A context of ${this.length} tokens was asked for, but this model was made for 1 to ${config.contextLength}.`,
      );
    }
    this.chunk = chunkThatFits(model, { length: this.length, chunk, logits });
    this.#most = Math.min(this.chunk, gpu.traits.software ? 2 : 4);
    this.#past = new Past({ length: this.length, chunk: this.chunk, plan: kind }, config);
    this.#allRows = logits === 'all';
    const capacity = {
      tokens: this.chunk,
      positions: this.length,
      rows: this.#allRows ? this.chunk : 1,
      cache: model.cache,
    };
    this.plan = kind;
    const steps = model.steps(kind);
    this.#allocate = () =>
      new Executor(gpu, kernels, model, plan.stages, capacity, { keep: ['logits'], steps, plan: kind });
    this.#executor = this.#allocate();
  }

  /** Tokens read so far, ids in order. */
  get ids(): readonly number[] {
    return this.#past.ids;
  }

  /** Whether any part can be forgotten: sliding layers cannot go back past what their rings still hold. */
  get canRewind(): boolean {
    return this.#past.canRewind;
  }

  /** Whether what comes after the first `tokens` can be forgotten: all, or what is not more than a chunk. */
  canRewindTo(tokens: number): boolean {
    return this.#past.canRewindTo(tokens);
  }

  /** Forgets everything after the first `tokens`; 0 begins anew. Throws PromptError where the sliding layers do not hold what comes before. */
  rewind(tokens = 0): void {
    this.#past.rewind(tokens);
  }

  /**
   * Begins anew with `ids`: keeps what of their beginning was read as it would be read now, and forgets the rest. What `forward` reads of the rest then has the
   * bits that it has after reading all. @returns how many of `ids` are in the context
   */
  restart(ids: readonly number[], shaders: Shaders, patches: readonly Patch[] = []): number {
    // What was given back is not there to begin with.
    if (this.#released) this.#past.rewind(0);
    return this.#past.restart(ids, shaders, patches);
  }

  /**
   * Reads `ids` after what was read before. Throws PromptError for ids outside the vocabulary, no ids, or more than fit,
   * before anything runs; NumberError where a token was asked for and logits are NaN or ±∞; DeviceError for what the GPU refuses.
   * @example const { token } = await context.forward(ids, { argmax: true })
   * @example await context.forward(ids, { taps: [{ stage: model.plan.stage('layers.5.resid') }] }) // captured[0].data, [T,H]
   */
  async forward(ids: readonly number[], options: ForwardOptions = {}): Promise<ForwardResult> {
    const {
      taps = [],
      patches = [],
      logits = 'last',
      argmax = false,
      top = null,
      profile = false,
      goesOn = false,
      signal,
      onProgress,
      onLayer,
    } = options;
    checkIds(ids, this.model.config.vocab);
    if (this.#disposed)
      throw new PromptError(
        'This context was closed, alone or with its session. Open the model again, or make a new one.',
      );
    if (this.#past.ids.length + ids.length > this.length) {
      throw new PromptError(
        `${this.#past.ids.length} tokens are in the context and ${ids.length} more were given, but it holds ${this.length}. ` +
          `Shorten the prompt${orLonger(this.length, this.model.config.contextLength)}.`,
      );
    }
    if (logits === 'all' && !this.#allRows) throw new Error("All logits need a context made with { logits: 'all' }.");
    const shaders = options.shaders ?? (await this.model.kernels.inForce());
    const edited = this.#past.take(shaders);
    if (this.#released) await this.#readAgain(shaders, signal);
    const captured: Captured[] = [];
    const times = new Map<string, number>();
    const opened = new Map<string, Opened>();
    let result: ChunkResult | null = null;
    let at = 0;
    const before = this.#past.ids.length;
    for (const { tokens, end } of chunksOf(ids.length, this.chunk, options.chunks)) {
      signal?.throwIfAborted();
      const last = at + tokens === ids.length;
      const rows = logits === 'all' ? tokens : logits === 'last' && last ? 1 : 0;
      const extent: Extent = { tokens, keys: this.#past.ids.length + tokens, rows };
      this.#past.reached = Math.max(this.#past.reached, extent.keys);
      const part = ids.slice(at, at + tokens);
      const read = at;
      const prepare = goesOn && tokens > 1 ? () => this.#prepareOne(shaders, taps) : () => {};
      const started = await this.#executor.start({
        extent,
        length: before + end,
        shaders,
        ids: part,
        taps,
        patches,
        argmax: argmax && last,
        top: last ? top : null,
        profile,
        signal,
        onLayer:
          onLayer && tokens > 1
            ? (done, total) => {
                prepare();
                onLayer(done, total, read, tokens);
              }
            : undefined,
      });
      prepare();
      result = await started.result;
      this.#rows = rows;
      captured.push(...result.captured);
      for (const one of result.opened) opened.set(one.step, one);
      for (const [name, time] of result.times ?? []) times.set(name, (times.get(name) ?? 0) + time);
      this.#past.ids.push(...part);
      this.#past.read.push({ extent, patches, length: before + end });
      at += tokens;
      if (!last) await this.model.gpu.settle(); // so that a stop or a look at progress need not wait for all of it
      onProgress?.(at);
    }
    const token = result?.token ?? null;
    const found = result?.top ?? null;
    if (token === NO_TOKEN || found === 'no numbers') throw await this.whyNotFinite();
    return {
      captured,
      token,
      top: found === 'ties' ? null : found,
      times: profile ? times : null,
      shaders,
      edited,
      opened: [...opened.values()],
    };
  }

  /** Has the shaders of a single token compiled while the GPU is busy. Nobody waits: whoever reads that token does, and is told what is wrong with them. */
  #prepareOne(shaders: Shaders, taps: readonly Tap[]): void {
    const extent: Extent = { tokens: 1, keys: this.#past.ids.length + 1, rows: 1 };
    this.#executor.prepare({ extent, shaders, taps }).catch(() => {});
  }

  /**
   * Reads `id`, and then one after the other the likeliest token after each, `most` in all, as `forward` with `argmax` would. The GPU takes each from its
   * own memory, so that some are on their way before the first is known. Whoever stops early has only what was given in the context, and an edit is in force from the next token on:
   * what was on its way by the shaders before is read again. What taps saw of a token is copied behind it, before the next overwrites it; where there is no room for that of
   * several, one is read at a time.
   */
  async *ahead(
    id: number,
    most: number,
    options: Pick<ForwardOptions, 'signal' | 'taps'> = {},
  ): AsyncGenerator<ReadAhead> {
    const { signal, taps = [] } = options;
    let started: (Pick<ForwardResult, 'shaders' | 'edited'> & { extent: Extent; result: Promise<ChunkResult> })[] = [];
    const results = () => Promise.allSettled(started.map(({ result }) => result));
    let begun = this.#past.ids.length;
    let before = this.#past.shaders;
    let atOnce = this.#most;
    let owed: readonly string[] = []; // edits that a token which found no room would have told
    const end = Math.min(this.length, begun + most);
    try {
      while (this.#past.ids.length < end) {
        if (this.#disposed)
          throw new PromptError(
            'This context was closed, alone or with its session. Open the model again, or make a new one.',
          );
        if (this.#released) {
          await results();
          [started, begun] = [[], this.#past.ids.length];
          await this.#readAgain(await this.model.kernels.inForce(), signal);
        }
        if (started.length > 0 && (await this.model.kernels.inForce()).changedSince(started[0].shaders).length > 0) {
          await results();
          this.#past.shaders = before;
          [started, begun] = [[], this.#past.ids.length];
        }
        while (started.length < atOnce && begun < end) {
          const shaders = await this.model.kernels.inForce();
          const edited = [...owed, ...this.#past.take(shaders)];
          owed = [];
          const extent: Extent = { tokens: 1, keys: begun + 1, rows: 1 };
          const ids = begun === this.#past.ids.length ? [id] : CHOSEN;
          const starting = this.#executor.start({ extent, shaders, ids, taps, argmax: true, signal });
          const found = await starting.catch((error: unknown) => {
            if (error instanceof BudgetError && started.length > 0) return null;
            throw error;
          });
          if (found === null) {
            [atOnce, owed] = [1, edited];
            break;
          }
          const { result } = found;
          result.catch(() => {}); // thrown below, when it is its turn
          started.push({ extent, shaders, edited, result });
          begun += 1;
          this.#past.reached = begun;
        }
        const { extent, result, ...ran } = started.shift()!;
        before = ran.shaders;
        const { captured, token, times, opened } = await result;
        this.#past.ids.push(id);
        this.#past.read.push({ extent, patches: [], length: extent.keys });
        if (token === NO_TOKEN) throw await this.whyNotFinite();
        id = token!;
        yield { captured, times, opened, ...ran, token: id, top: null };
      }
    } finally {
      this.#rows = started.length > 0 ? 0 : 1;
      await results();
    }
  }

  /** Logits [V] after the last token that `forward` read. Throws an Error where that was told to compute none. */
  async logits(): Promise<Float32Array> {
    const bytes = 4 * this.model.config.vocab;
    if (this.#rows === 0) throw new Error('The last forward computed no logits.');
    const at = (this.#rows - 1) * bytes;
    return new Float32Array(await this.model.gpu.read([{ buffer: this.#executor.buffer('logits'), bytes, at }]));
  }

  /** What there is to say about logits that are NaN or ±∞: reads the last chunk once more with a check after every stage. */
  async whyNotFinite(): Promise<NumberError> {
    const shaders = this.#past.shaders ?? (await this.model.kernels.inForce());
    const again = async ({ extent, patches, length }: ReadChunk) => {
      const ids = this.#past.idsOf(extent);
      return (await this.#executor.run({ extent, ids, patches, length, shaders, check: true })).broken;
    };
    return await notFinite(this.model, shaders, this.#past.read, again);
  }

  /** Gives its GPU memory back, for good. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (!this.#released) this.#executor[Symbol.dispose]();
    this.forgotten(this);
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
      for (const { extent, patches, length } of this.#past.read) {
        signal?.throwIfAborted();
        const ids = this.#past.idsOf(extent);
        await executor.run({ extent: { ...extent, rows: 0 }, ids, patches, length, shaders });
      }
    } catch (error) {
      executor[Symbol.dispose]();
      throw error;
    }
    this.#executor = executor;
    this.#released = false;
  }
}
