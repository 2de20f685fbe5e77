// A model on the GPU: its plan, its weights, its shaders. Weights cross the bus once, in pieces, and stay.

import type { GemmaConfig } from './config.js';
import { Context, type ContextOptions } from './context.js';
import { ModelFileError } from './errors.js';
import type { WeightStore } from './execute.js';
import { readShaderSource } from './files.js';
import { planOf } from './gemma.js';
import type { Gpu } from './gpu.js';
import { Kernels } from './kernel.js';
import type { ShardRows } from './ops.js';
import type { Plan, WeightRef } from './plan.js';
import { tryShader } from './shader-use.js';
import { Tensor } from './tensor.js';
import type { ModelFiles, WeightSource } from './weights/source.js';

export interface LoadProgress {
  /** Bytes on the GPU so far, and in the end. */
  readonly done: number;
  readonly total: number;
}

export interface LoadOptions {
  onProgress?(progress: LoadProgress): void;
  signal?: AbortSignal;
}

type Shard = ShardRows & { readonly tensor: Tensor };

export class Model implements WeightStore {
  readonly plan: Plan;
  readonly kernels: Kernels;
  readonly #weights = new Map<string, Shard[]>();
  readonly #contexts = new Set<Context>();
  #disposed = false;

  private constructor(
    readonly gpu: Gpu,
    readonly config: GemmaConfig,
    readonly fingerprint: string,
    /** Tensors in the files by stored format. */
    readonly formats: ReadonlyMap<string, number>,
  ) {
    this.plan = planOf(config);
    this.kernels = new Kernels(gpu, readShaderSource, (name, compile) => tryShader(this, name, compile));
  }

  /** Puts the weights of `files` on the GPU. Throws BudgetError before anything is allocated if they do not fit. */
  static async load(files: ModelFiles, gpu: Gpu, options: LoadOptions = {}): Promise<Model> {
    const formats = new Map<string, number>();
    for (const { format } of files.weights.entries.values()) formats.set(format, (formats.get(format) ?? 0) + 1);
    const model = new Model(gpu, files.config, files.fingerprint, formats);
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

  get weightBytes(): number {
    return this.weightRefs.reduce((n, { shape }) => n + 4 * shape.reduce((a, b) => a * b), 0);
  }

  shards(name: string): readonly Shard[] {
    if (this.#disposed) throw new ModelFileError('This model was closed; open it again.');
    return this.#weights.get(name) ?? [];
  }

  /** A sequence being read and continued: its caches and its buffers. Disposed with the model, or before. */
  context(options: ContextOptions = {}): Context {
    const context = new Context(this, options);
    this.#contexts.add(context);
    return context;
  }

  /** Called by a context that is disposed of. */
  forget(context: Context): void {
    this.#contexts.delete(context);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const context of [...this.#contexts]) context[Symbol.dispose]();
    for (const shards of this.#weights.values()) for (const { tensor } of shards) tensor[Symbol.dispose]();
    this.#weights.clear();
  }

  async #upload(source: WeightSource, { onProgress, signal }: LoadOptions): Promise<void> {
    const total = this.weightBytes;
    this.gpu.reserve(total, 'The model');
    const PIECE = 16 << 20; // bytes of f32 that exist on the CPU at a time
    const SETTLE = 128 << 20; // Dawn keeps a copy of what was written until a submit
    let done = 0;
    let unsettled = 0;
    for (const { name, shape } of this.weightRefs) {
      const rowBytes = 4 * (shape[1] ?? 1);
      const shards = splitRows(shape[0], rowBytes, Math.min(this.gpu.traits.maxBinding, this.gpu.traits.maxBuffer));
      const tensors: Shard[] = [];
      this.#weights.set(name, tensors);
      for (const { start, rows } of shards) {
        const tensor = new Tensor(this.gpu, name, [rows, ...shape.slice(1)]);
        tensors.push({ start, rows, tensor });
        const step = Math.max(1, Math.floor(PIECE / rowBytes));
        for (let row = 0; row < rows; row += step) {
          signal?.throwIfAborted();
          const some = Math.min(step, rows - row);
          this.gpu.write(tensor.buffer, await source.readRows(name, start + row, some), row * rowBytes);
          done += some * rowBytes;
          unsettled += some * rowBytes;
          if (unsettled >= SETTLE) {
            await this.gpu.settle();
            unsettled = 0;
          }
          onProgress?.({ done, total });
        }
      }
    }
    await this.gpu.settle();
  }
}

/** Ranges of rows that each fit into `limit` bytes. */
export function splitRows(rows: number, rowBytes: number, limit: number): ShardRows[] {
  const most = Math.floor(limit / rowBytes);
  const parts: ShardRows[] = [];
  for (let start = 0; start < rows; start += most) parts.push({ start, rows: Math.min(most, rows - start) });
  return parts;
}
