// A model on the GPU: its plan, its weights, its shaders. Weights cross the bus once, in pieces, and stay.

import { Batch, type BatchOptions } from './batch.js';
import type { CacheFormat } from './cache-format.js';
import type { GemmaConfig } from './config.js';
import { Context } from './context.js';
import type { ContextOptions } from './forward.js';
import { ModelFileError } from './errors.js';
import { readShaderSource } from './files.js';
import { fuse, type PlanKind } from './fuse.js';
import { planOf } from './gemma.js';
import type { Gpu } from './gpu.js';
import { Kernels } from './kernel.js';
import type { LoadedModel } from './loaded.js';
import type { Plan, WeightRef } from './plan.js';
import type { Activations } from './dispatch.js';
import { tryShader } from './shader-use.js';
import type { Step } from './step.js';
import { inWords } from './in-words.js';
import { type Join, joinable, joinsOf } from './joins.js';
import { bytesOf, type Incoming, laidTogether, type Shard, WeightStore } from './weight-store.js';
import type { ModelFiles, WeightSource } from './weights/source.js';

/** How far a model is on its way to the GPU. */
export interface LoadProgress {
  /** Bytes on the GPU so far. */
  readonly done: number;
  /** And in the end. */
  readonly total: number;
}

/** How a model is put on the GPU. */
export interface LoadOptions {
  /** How the fast plan's products are given their inputs; default: as they are. */
  readonly activations?: Activations;
  /** How caches keep keys and values; default: as they are. */
  readonly cache?: CacheFormat;
  /** Called after every piece. */
  onProgress?(progress: LoadProgress): void;
  /** Stops it; it then rejects with the signal's reason, and nothing of it is on the GPU. */
  signal?: AbortSignal;
}

/**
 * A model on the GPU: its weights, its plan, its shaders; contexts read with it.
 * @example using model = await Model.load(await openModelFiles('gemma.gguf'), await sharedGpu())
 */
export class Model implements LoadedModel {
  /** All stages, in order. */
  readonly plan: Plan;
  /** Its shaders: `kernels.edit(name, change)` replaces one. */
  readonly kernels: Kernels;
  readonly #weights: WeightStore;
  readonly #contexts = new Set<Disposable>();
  /** Called by a context or a batch that is disposed of. */
  readonly #forget = (context: Disposable): void => {
    this.#contexts.delete(context);
  };
  readonly #steps = new Map<string, readonly Step[]>();
  #disposed = false;

  private constructor(
    /** Where it is. */
    readonly gpu: Gpu,
    /** Its geometry. */
    readonly config: GemmaConfig,
    /** SHA-256 that tells its files from others, hex; as ModelFiles has it. */
    readonly fingerprint: string,
    /** Tensors in the files by stored format. */
    readonly formats: ReadonlyMap<string, number>,
    /** How products are given their inputs in the fast plan. */
    readonly activations: Activations,
    /** How caches keep keys and values. */
    readonly cache: CacheFormat,
  ) {
    inWords(config, configText);
    this.plan = planOf(config);
    this.#weights = new WeightStore(gpu);
    this.kernels = new Kernels(gpu, readShaderSource, (name, compile) => tryShader(this, name, compile));
  }

  /**
   * Puts the weights of `files` on the GPU, once, as they are stored. Throws BudgetError before anything is allocated if they do not fit, ModelFileError where a file ends too early.
   * @example const model = await Model.load(files, gpu, { cache: 'f16' })
   */
  static async load(files: ModelFiles, gpu: Gpu, options: LoadOptions = {}): Promise<Model> {
    const formats = new Map<string, number>();
    for (const { format } of files.weights.entries.values()) formats.set(format, (formats.get(format) ?? 0) + 1);
    const model = new Model(
      gpu,
      files.config,
      files.fingerprint,
      formats,
      options.activations ?? 'f32',
      options.cache ?? 'f32',
    );
    try {
      await model.#upload(files.weights, options);
      return model;
    } catch (error) {
      model[Symbol.dispose]();
      throw error;
    }
  }

  /** The matrices and gains the plan needs, once each, in the order of their first use. */
  get weightRefs(): WeightRef[] {
    const refs = this.plan.stages.flatMap(({ weight }) => (weight ? [weight] : []));
    return [...new Map(refs.map(ref => [ref.name, ref])).values()];
  }

  /** Bytes of the weights on the GPU. */
  get weightBytes(): number {
    return this.#weights.bytes;
  }

  /** Bytes of one weight on the GPU. */
  bytesOf(weight: WeightRef): number {
    return this.shards(weight.name).reduce((n, { bytes }) => n + bytes, 0);
  }

  /**
   * The steps of a plan on this adapter.
   * @param many for several sequences at once
   * @internal
   */
  steps(kind: PlanKind, many = false): readonly Step[] {
    const key = `${kind} ${many}`;
    const known = this.#steps.get(key);
    if (known) return known;
    const { traits } = this.gpu;
    const { activations } = this;
    const steps = fuse(this.plan, kind, { traits, activations, many, joined: name => this.joined(name) });
    this.#steps.set(key, steps);
    return steps;
  }

  /**
   * The parts of a weight on the GPU, in the order of their rows.
   * @internal
   */
  shards(name: string): readonly Shard[] {
    if (this.#disposed) throw new ModelFileError('This model was closed; open it again.');
    return this.#weights.shards(name);
  }

  /**
   * How weights lie together under this name (joins.ts), or null.
   * @internal
   */
  joined(name: string): Join['order'] | null {
    return this.#weights.joined(name);
  }

  /**
   * A sequence being read and continued: its caches and its buffers. Disposed with the model, or before. Throws PromptError for a length that the model was not made for, BudgetError for
   * one that does not fit.
   * @example using context = model.context({ length: 512, plan: 'fast' })
   */
  context(options: ContextOptions = {}): Context {
    const context = new Context(this, options, this.#forget);
    this.#contexts.add(context);
    return context;
  }

  /**
   * Sequences that are read and continued together. Disposed with the model, or before.
   * @internal
   */
  batch(options: BatchOptions): Batch {
    const batch = new Batch(this, options, this.#forget);
    this.#contexts.add(batch);
    return batch;
  }

  /** Closes it with all its contexts, and gives their memory back. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const context of [...this.#contexts]) context[Symbol.dispose]();
    this.#weights[Symbol.dispose]();
  }

  async #upload(source: WeightSource, { onProgress, signal }: LoadOptions): Promise<void> {
    const incoming = this.weightRefs.map(({ name, shape }): Incoming => {
      const { format } = source.entries.get(name)!;
      return {
        name,
        shape,
        format,
        readRows: (start: number, count: number) => source.readRows(name, start, count),
        readStored: (start: number, count: number) => source.readStored(name, start, count),
      };
    });
    const byName = new Map(incoming.map(weight => [weight.name, weight]));
    const { traits } = this.gpu;
    const known = (parts: readonly string[]) => parts.map(part => byName.get(part)!);
    const laid = (parts: readonly string[]) => laidTogether(known(parts), traits);
    const joins = joinsOf(this.plan).flatMap(join => joinable(join, parts => laid(parts) !== null));
    const joinOf = new Map(
      joins.flatMap(join => {
        const formats = laid(join.parts)!;
        return join.parts.map((part, i) => [part, { join, formats, own: formats[i] }] as const);
      }),
    );
    const total = incoming.reduce((n, weight) => n + bytesOf(weight, traits, joinOf.get(weight.name)?.own), 0);
    this.gpu.reserve(total, 'The model');
    const SETTLE = 128 << 20; // Dawn keeps a copy of what was written until a submit
    let done = 0;
    let unsettled = 0;
    const written = async (bytes: number) => {
      signal?.throwIfAborted();
      done += bytes;
      unsettled += bytes;
      if (unsettled >= SETTLE) {
        await this.gpu.settle();
        unsettled = 0;
      }
      onProgress?.({ done, total });
    };
    for (const weight of incoming) {
      signal?.throwIfAborted();
      const joined = joinOf.get(weight.name);
      if (!joined) await this.#weights.add(weight, written);
      else if (joined.join.parts[0] === weight.name) {
        await this.#weights.addJoined(joined.join, known(joined.join.parts), joined.formats, written);
      }
    }
    await this.gpu.settle();
  }
}

const configText = (config: GemmaConfig): string =>
  `Gemma ${config.family}: ${config.layers} layers, ${config.hidden} wide, ${config.heads} heads of ${config.headDim} over ` +
  `${config.kvHeads} key/value ${config.kvHeads === 1 ? 'head' : 'heads'}, feed-forward ${config.feedForward}, vocabulary ${config.vocab}, context ${config.contextLength}`;
