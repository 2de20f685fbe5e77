// Which buffer holds which value: caches their own, other values that steps write from a pool, used again once their last reader is done, and what is
// inside a step only while somebody looks; and what every chunk writes, its four words of sizes, its ids and, where they depend on the
// length, RoPE's angles.

import { CACHE_BYTES, type CacheFormat } from './cache-format.js';
import type { Rope } from './config.js';
import { BudgetError } from './errors.js';
import type { Gpu } from './gpu.js';
import type { Source } from './dispatch.js';
import { count, type Extent, type Ref, type Stage, shapeOf } from './plan.js';
import { changesWithLength, ropeTable } from './rope-table.js';
import { readsOf, type Step } from './step.js';
import { Tensor } from './tensor.js';

export interface Capacity {
  /** Largest chunk. */
  readonly tokens: number;
  /** Longest sequence: slots of a full layer's cache. */
  readonly positions: number;
  /** Most rows of logits in a chunk. */
  readonly rows: number;
  /** Sequences whose tokens are read together; none: there is one, and its tokens come one after the other. */
  readonly sequences?: number;
  /** How caches keep keys and values; default: as they are. */
  readonly cache?: CacheFormat;
}

/** Where a token of a chunk of several sequences stands. */
export interface Row {
  /** Which sequence, from 0. */
  readonly sequence: number;
  readonly position: number;
  /** Keys that its sequence has with this chunk. */
  readonly keys: number;
}

/** Slots of a cache for one sequence: the whole sequence, or a window and one chunk, so that a chunk never overwrites what it still reads. */
export function slotsOf({ operation }: Stage, { positions, tokens }: Capacity): number {
  const window = operation.kind === 'cache' ? operation.window : null;
  return window === null ? positions : Math.min(positions, window + tokens - 1);
}

/** Above any position. */
const NEVER = 2 ** 31;

/**
 * What shaders count positions modulo: the slots of a cache. Where no position comes round to the first slot again, one number for every
 * length, so that a longer context needs no other shaders: on a software adapter they take seconds to compile.
 */
export function ringOf(cache: Stage, capacity: Capacity): number {
  const slots = slotsOf(cache, capacity);
  const comesRound = slots < capacity.positions;
  // Where there are several sequences it is also how far apart they lie.
  return comesRound || capacity.sequences !== undefined ? slots : NEVER;
}

export class Buffers {
  readonly #values = new Map<string, Tensor>();
  /** Values inside steps; those of different steps share buffers, by size. */
  readonly #inner = new Map<string, Ref & { readonly place: string }>();
  readonly #places = new Map<string, Tensor>();
  readonly #turns = new Map<string, { readonly rope: Rope & { dim: number }; readonly table: Tensor }>();
  readonly #owned: Tensor[] = [];
  readonly #chunk: Tensor;
  readonly #ids: Tensor;
  /** Where the tokens of a chunk stand [T,4], u32. */
  readonly #rows: Tensor | null = null;

  /**
   * @param feeds values that come from outside instead of from a stage
   * @param keep outputs that must survive the chunk
   * @param scratchOf what a step needs besides
   */
  constructor(
    readonly gpu: Gpu,
    readonly steps: readonly Step[],
    readonly capacity: Capacity,
    feeds: readonly Ref[],
    keep: ReadonlySet<string>,
    scratchOf: (step: Step) => readonly Ref[],
  ) {
    try {
      this.#chunk = this.#own('chunk', [4], 'u32', GPUBufferUsage.UNIFORM);
      this.#ids = this.#own('ids', [capacity.tokens], 'u32');
      if (capacity.sequences !== undefined) this.#rows = this.#own('rows', [capacity.tokens, 4], 'u32');
      for (const feed of feeds) this.#values.set(feed.name, this.#own(feed.name, this.#largest(feed)));
      this.#allocate(keep, scratchOf);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** T, start, S and the first row of logits of the chunk, u32. */
  get chunk(): GPUBuffer {
    return this.#chunk.buffer;
  }

  /** Of the chunk, u32. */
  get ids(): GPUBuffer {
    return this.#ids.buffer;
  }

  /** The buffer of a value. Throws BudgetError where one that is inside a step does not fit. */
  of(name: string): GPUBuffer {
    const tensor = this.#values.get(name) ?? this.#innerOf(name);
    if (!tensor) throw new Error(`No buffer holds '${name}'.`);
    return tensor.buffer;
  }

  /** What a binding is bound to, weights aside. */
  source(source: Exclude<Source, { weight: string }>): GPUBuffer {
    if ('chunk' in source) return this.chunk;
    if ('ids' in source) return this.#ids.buffer;
    if ('rows' in source) return this.#rows!.buffer;
    if ('value' in source) return this.of(source.value);
    return this.#turnTable(source.turns).buffer;
  }

  slots(cache: Stage): number {
    return slotsOf(cache, this.capacity);
  }

  /**
   * Writes what the shaders of a chunk read of it.
   * @param length tokens of the sequence in the end
   * @param rows where the tokens stand, if they are of several sequences
   */
  begin(extent: Extent, ids: ArrayLike<number> | undefined, length: number, rows?: readonly Row[]): void {
    const { tokens, keys } = extent;
    const start = rows ? 0 : keys - tokens;
    this.gpu.write(this.chunk, Uint32Array.of(tokens, start, keys, tokens - extent.rows));
    if (ids) this.gpu.write(this.#ids.buffer, Uint32Array.from(ids));
    if (rows) {
      const words = rows.flatMap(({ sequence, position, keys }) => [sequence, position, keys, 0]);
      this.gpu.write(this.#rows!.buffer, Uint32Array.from(words));
      for (const { position } of rows) this.#turnFor(position, 1, length);
    } else this.#turnFor(start, tokens, length);
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#owned) tensor[Symbol.dispose]();
  }

  /** Throws BudgetError for what no shader could be given, before it is allocated. */
  #own(label: string, shape: readonly number[], dtype: 'f32' | 'u32' = 'f32', usage = 0): Tensor {
    const { maxBinding } = this.gpu.traits;
    if (4 * count(shape) > maxBinding) {
      throw new BudgetError(
        `'${label}' [${shape}] needs ${4 * count(shape)} bytes in one binding, and this adapter binds ${maxBinding}. ` +
          'Use a shorter context or a smaller chunk.',
      );
    }
    const tensor = new Tensor(this.gpu, label, shape, dtype, usage);
    this.#owned.push(tensor);
    return tensor;
  }

  #largest(ref: Ref): number[] {
    const { tokens, positions, rows, sequences = 1 } = this.capacity;
    const stage = ref as Stage;
    return shapeOf(ref.axes, { tokens, keys: positions, rows }, stage.state ? sequences * this.slots(stage) : 0);
  }

  /** What a cache of values of some shape takes, in words of 4 bytes. */
  #kept(shape: readonly number[]): number[] {
    const words = CACHE_BYTES[this.capacity.cache ?? 'f32'] / 4;
    return [...shape.slice(0, -1), shape[shape.length - 1] * words];
  }

  /** A buffer for every value that a step writes: caches their own, the others from a pool by size, returned after their last reader. */
  #allocate(keep: ReadonlySet<string>, scratchOf: (step: Step) => readonly Ref[]): void {
    const lastUse = new Map<string, number>();
    this.steps.forEach((step, i) => {
      for (const { name } of [...step.writes, ...scratchOf(step), ...readsOf(step)]) lastUse.set(name, i);
    });
    const free = new Map<number, Tensor[]>();
    const made = new Map<string, Ref>();
    this.steps.forEach((step, i) => {
      const own: readonly Ref[] = [...step.writes, ...scratchOf(step)];
      for (const ref of own) {
        const shape = this.#largest(ref);
        const tensor = stays(ref) ? undefined : free.get(count(shape))?.pop();
        const kept = ref.state ? this.#kept(shape) : shape;
        this.#values.set(ref.name, tensor ?? this.#own(ref.name, kept));
        made.set(ref.name, ref);
      }
      for (const name of new Set([...own, ...readsOf(step)].map(ref => ref.name))) {
        const ref = made.get(name);
        if (!ref || stays(ref) || lastUse.get(name) !== i) continue;
        const done = this.#values.get(name)!;
        const pool = free.get(count(done.shape)) ?? [];
        free.set(count(done.shape), [...pool, done]);
      }
      this.#noteInner(step);
    });

    function stays(ref: Ref): boolean {
      return keep.has(ref.name) || ref.state === true;
    }
  }

  /** Remembers what is inside a step and where it would go: the first of a size to one place, the second to another. */
  #noteInner(step: Step): void {
    const many = new Map<number, number>();
    for (const stage of step.stages) {
      if (this.#values.has(stage.name)) continue;
      const size = count(this.#largest(stage));
      const nth = many.get(size) ?? 0;
      many.set(size, nth + 1);
      this.#inner.set(stage.name, { ...stage, place: `${size} ${nth}` });
    }
  }

  #innerOf(name: string): Tensor | null {
    const ref = this.#inner.get(name);
    if (!ref) return null;
    const tensor = this.#places.get(ref.place) ?? this.#own(name, this.#largest(ref));
    this.#places.set(ref.place, tensor);
    return tensor;
  }

  #turnTable(rope: Rope & { dim: number }): Tensor {
    const key = JSON.stringify(rope);
    const known = this.#turns.get(key);
    if (known) return known.table;
    const { positions } = this.capacity;
    const table = this.#own(`the table of RoPE’s angles (base ${rope.base}, ${rope.dim} wide)`, [
      positions,
      rope.dim / 2,
      2,
    ]);
    this.gpu.write(table.buffer, ropeTable(rope, rope.dim, positions));
    this.#turns.set(key, { rope, table });
    return table;
  }

  /** Where angles depend on the sequence's length, those of a chunk are made for it. What is in the caches stays, as in transformers. */
  #turnFor(start: number, tokens: number, length: number): void {
    for (const { rope, table } of this.#turns.values()) {
      if (!changesWithLength(rope)) continue;
      this.gpu.write(table.buffer, ropeTable(rope, rope.dim, tokens, start, length), 4 * start * rope.dim);
    }
  }
}
