// Where numbers end: a check on the GPU of every stage's output for NaN and ±∞, dispatched after the stage like a tap. Eight bytes a
// stage come back. It runs only when the logits are found to hold such values, to say where they come from.

import { partsFor } from './assembly.js';
import { type CacheFormat, partsForCache } from './cache-format.js';
import type { Constants, Kernel } from './compile.js';
import type { Gpu } from './gpu.js';
import type { Shaders } from './kernel.js';
import { count, type Extent, type Stage, shapeOf } from './plan.js';
import type { Shard } from './weight-store.js';

/** A stage that is not finite. */
export interface Broken {
  readonly stage: Stage;
  /** The first such value, in positions of the sequence: one index an axis. */
  readonly at: readonly number[];
  /** `NaN`, `∞`, `−∞`: which there are. */
  readonly kinds: readonly string[];
}

/** Whether every value is a number. */
export function allFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** What the check of a weight must know where it lies in tiles with another. */
export const sideOf = (side: Shard['side']): Constants => (side ? { SIDE: side === 'low' ? 0 : 1 } : {});

const NOWHERE = 0xffffffff;
const ALIGN = 256;
const KINDS = ['NaN', '∞', '−∞'];

/** The shaders that look at a part of a weight. */
export const filesForWeight = ({ layout, store }: Pick<Shard, 'layout' | 'store'>): readonly string[] =>
  layout === 'rows' ? ['finite'] : ['finite_weight', ...partsFor({ layout, store })];

/** Looks for NaN and ±∞ in `count` buffers, one after the other. Disposed of when the answer was read. */
export class FiniteCheck {
  readonly #found: GPUBuffer;
  readonly #parts: GPUBuffer;
  #next = 0;

  constructor(
    readonly gpu: Gpu,
    readonly shaders: Shaders,
    readonly slots: number,
  ) {
    const { STORAGE, UNIFORM, COPY_SRC, COPY_DST } = GPUBufferUsage;
    this.#found = gpu.createBuffer('finite', 8 * slots, STORAGE | COPY_SRC | COPY_DST);
    try {
      this.#parts = gpu.createBuffer('finite parts', ALIGN * slots, UNIFORM | COPY_DST);
    } catch (error) {
      gpu.destroyBuffer(this.#found);
      throw error;
    }
    const none = new Uint32Array(2 * slots);
    for (let i = 0; i < slots; i++) none[2 * i] = NOWHERE;
    gpu.write(this.#found, none);
  }

  /** The dispatch that looks at the first `size` values; `mask`: −∞ stands for what attention hides; `kept`: they are a cache. */
  async bind(
    values: GPUBuffer,
    size: number,
    mask = false,
    kept: CacheFormat = 'f32',
  ): Promise<(pass: GPUComputePassEncoder) => void> {
    if (kept !== 'f32') {
      const kernel = await this.shaders.get('finite_cache', {}, partsForCache(kept));
      return this.#dispatch(kernel, { buffer: values }, size / 4);
    }
    return this.#dispatch(await this.shaders.get('finite', {}), { buffer: values }, size, mask);
  }

  /** The dispatch that looks at a part of a weight with so many columns. */
  async bindWeight({ layout, store, constants, rows, resource, side }: Shard, columns: number) {
    if (layout === 'rows') return this.#dispatch(await this.shaders.get('finite', {}), resource, rows * columns);
    const kernel = await this.shaders.get(
      'finite_weight',
      { ...constants, ...sideOf(side), IN: columns, OUT: rows },
      partsFor({ layout, store }),
    );
    return this.#dispatch(kernel, resource, (rows * columns) / 4);
  }

  #dispatch({ pipeline, layout, bindings }: Kernel, values: GPUBindingResource, size: number, mask = false) {
    const slot = this.#next++;
    this.gpu.write(this.#parts, Uint32Array.of(size, slot, mask ? 1 : 0, 0), slot * ALIGN);
    const given: Record<string, GPUBindingResource> = {
      part: { buffer: this.#parts, offset: slot * ALIGN, size: 16 },
      x: values,
      weight: values,
      found: { buffer: this.#found },
    };
    const entries = bindings.map(({ index, name }) => ({ binding: index, resource: given[name] }));
    const group = this.gpu.device.createBindGroup({ layout, entries });
    return (pass: GPUComputePassEncoder) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(Math.min(1024, Math.max(1, Math.ceil(size / 64))));
    };
  }

  /** By the order of `bind`: where the first is, and which there are; null where all are numbers. */
  async read(): Promise<({ index: number; kinds: string[] } | null)[]> {
    const words = new Uint32Array(await this.gpu.read([{ buffer: this.#found, bytes: 8 * this.slots }]));
    return Array.from({ length: this.#next }, (_, i) => {
      const [index, bits] = words.subarray(2 * i, 2 * i + 2);
      return bits === 0 ? null : { index, kinds: KINDS.filter((_, bit) => bits & (1 << bit)) };
    });
  }

  [Symbol.dispose](): void {
    this.gpu.destroyBuffer(this.#found);
    this.gpu.destroyBuffer(this.#parts);
  }
}

/** The values of a stage to look at: all of them, or what a cache holds of the sequence so far. */
export function valuesToCheck(stage: Stage, extent: Extent, slots: number): number {
  return count(shapeOf(stage.axes, extent, Math.min(slots, extent.keys)));
}

/** Where value `index` of a stage's output lies in the sequence. */
export function placeOf(stage: Stage, index: number, extent: Extent, slots: number): number[] {
  const shape = shapeOf(stage.axes, extent, slots);
  const start = extent.keys - extent.tokens;
  const place: number[] = [];
  for (let i = shape.length - 1; i >= 0; i--) {
    place.unshift(index % shape[i]);
    index = Math.floor(index / shape[i]);
  }
  return place.map((n, i) => {
    const { size } = stage.axes[i];
    if (size === 'tokens') return n + start;
    if (size === 'rows') return n + extent.keys - extent.rows;
    // The newest position in a slot of a ring.
    return size === 'slots' ? n + slots * Math.floor((extent.keys - 1 - n) / slots) : n;
  });
}
