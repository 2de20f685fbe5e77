// Taps: asking for activations before a run, collecting them after. Off, a tap costs nothing; on, it is a copy dispatched after
// its stage, cut to what was asked for on the GPU. The run itself is the same either way.

import type { CacheFormat } from './cache-format.js';
import { BudgetError, OptionError } from './errors.js';
import type { Gpu } from './gpu.js';
import type { Shaders } from './kernel.js';
import { type AxisName, count, type Extent, nearest, type Stage, shapeOf } from './plan.js';

/** Half-open ranges by axis name; `token`, `query` and `key` count from the start of the sequence. */
export type Slice = Partial<Record<AxisName, readonly [number, number]>>;

/** An activation that is asked for before a read. */
export interface Tap {
  /** Of the model's plan. */
  readonly stage: Stage;
  /** Which part of it; all by default. It is cut on the GPU. */
  readonly slice?: Slice;
}

/** What one chunk gave to one tap. */
export interface Captured {
  /** Whose output it is. */
  readonly stage: Stage;
  /** Sizes, in the order of the stage's axes. */
  readonly shape: readonly number[];
  /** The values, row by row. */
  readonly data: Float32Array;
  /** Where the part begins along every axis, in positions of the model. */
  readonly from: readonly number[];
  /** Position of the first token in the chunk. */
  readonly start: number;
  /** Made once more for who looks, from what the step that it is inside of was given; the run did without. */
  readonly recomputed: boolean;
  /** Read from the cache, which keeps it rounded. */
  readonly kept: CacheFormat | null;
}

interface Box {
  /** Where it begins in the chunk's own indices, and in the model's. */
  readonly from: number[];
  readonly at: number[];
  readonly size: number[];
}

/**
 * The part of a chunk's activation that a slice asks for; sizes may be 0. Throws OptionError for what the stage cannot have.
 * @param together the chunk is of several sequences: its tokens are counted from its first, and slices say nothing of them
 */
export function boxOf({ stage, slice = {} }: Tap, extent: Extent, together = false): Box {
  const shape = shapeOf(stage.axes, extent);
  const start = together ? 0 : extent.keys - extent.tokens;
  const firstRow = together ? 0 : start + extent.tokens - extent.rows;
  const offsets = stage.axes.map(({ size }) => (size === 'tokens' ? start : size === 'rows' ? firstRow : 0));
  checkSlice(stage, slice);
  const ranges = stage.axes.map(({ name }, i) => {
    const [from, to] = slice[name] ?? [0, Number.POSITIVE_INFINITY];
    const low = Math.min(Math.max(0, from - offsets[i]), shape[i]);
    return [low, Math.max(low, Math.min(shape[i], to - offsets[i]))];
  });
  const from = ranges.map(([low]) => low);
  return { from, at: from.map((low, i) => low + offsets[i]), size: ranges.map(([low, high]) => high - low) };
}

/** Positions of tokens cannot be checked here: those of later chunks are not known. */
function checkSlice({ name, axes }: Stage, slice: Slice): void {
  for (const [axis, [from, to]] of Object.entries(slice)) {
    const found = axes.find(a => a.name === axis);
    if (!found) {
      throw new OptionError(
        `'${name}' has no dimension '${axis}' to slice; it has ${axes.map(a => a.name).join(', ')}. ${nearest(
          axis,
          axes.map(a => a.name),
          1,
        )}`,
      );
    }
    if (!(Number.isInteger(from) && from >= 0 && to > from)) {
      throw new OptionError(
        `The slice ${axis}: [${from}, ${to}] of '${name}' is empty; give [first, one past the last].`,
      );
    }
    if (typeof found.size !== 'number' || to <= found.size || to === Number.POSITIVE_INFINITY) continue;
    throw new OptionError(`'${name}' has ${found.size} entries along '${axis}', so [${from}, ${to}] is outside.`);
  }
}

/** Bytes that the taps of one chunk hold, on the GPU and then on the CPU. */
export const tapBytes = (tap: Tap, extent: Extent): number => 4 * count(boxOf(tap, extent).size);

const ALIGN = 256; // minStorageBufferOffsetAlignment and minUniformBufferOffsetAlignment of every adapter that we know
const aligned = (bytes: number) => Math.ceil(bytes / ALIGN) * ALIGN;
const BOX_BYTES = 48;

/** The copies of one chunk: made before it is encoded, called after each stage, sent back with its submit, read when it is done, then disposed of. */
export class Taps {
  readonly #places = new Map<string, { tap: Tap; box: Box; at: number; bytes: number; index: number }>();
  readonly #capture: GPUBuffer | null = null;
  readonly #boxes: GPUBuffer | null = null;
  readonly #back: GPUBuffer | null = null;
  #bytes = 0;

  constructor(
    readonly gpu: Gpu,
    readonly shaders: Shaders,
    taps: readonly Tap[],
    readonly extent: Extent,
    together = false,
  ) {
    for (const tap of taps) {
      const box = boxOf(tap, extent, together);
      const bytes = 4 * count(box.size);
      if (bytes === 0) continue;
      if (bytes > gpu.traits.maxBinding) {
        throw new BudgetError(
          `The tap on '${tap.stage.name}' needs ${bytes} bytes at once, but this adapter binds ${gpu.traits.maxBinding}. ` +
            'Slice it (heads or positions), or run with a smaller chunk.',
        );
      }
      this.#places.set(tap.stage.name, { tap, box, at: this.#bytes, bytes, index: this.#places.size });
      this.#bytes += aligned(bytes);
    }
    if (this.#places.size === 0) return;
    const what =
      taps.length === 1 ? `The tap on '${taps[0].stage.name}'` : `What ${taps.length} taps see of this chunk`;
    this.#capture = gpu.createBuffer(what, this.#bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
    const uniform = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    try {
      this.#boxes = gpu.createBuffer('tap boxes', this.#places.size * ALIGN, uniform);
      this.#back = gpu.createBuffer(
        `${what}, on its way back,`,
        this.#bytes,
        GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      );
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
    const words = new Uint32Array((this.#places.size * ALIGN) / 4);
    for (const { tap, box, index } of this.#places.values()) {
      const three = (list: readonly number[], fill: number) => [...Array(3 - list.length).fill(fill), ...list];
      words.set(
        [...three(box.size, 1), 0, ...three(box.from, 0), 0, ...three(shapeOf(tap.stage.axes, extent), 1), 0],
        (index * ALIGN) / 4,
      );
    }
    gpu.write(this.#boxes, words);
  }

  /** Encodes the copy of a stage's output, if it is tapped. */
  async bind(stage: Stage, source: GPUBuffer): Promise<((pass: GPUComputePassEncoder) => void) | null> {
    const place = this.#places.get(stage.name);
    if (!place || !this.#capture || !this.#boxes) return null;
    const { pipeline, layout } = await this.shaders.get('slice', {});
    const group = this.gpu.device.createBindGroup({
      layout,
      entries: [
        { binding: 0, resource: { buffer: this.#boxes, offset: place.index * ALIGN, size: BOX_BYTES } },
        { binding: 1, resource: { buffer: source } },
        { binding: 2, resource: { buffer: this.#capture, offset: place.at, size: place.bytes } },
      ],
    });
    const [n0, n1, n2] = [1, 1, 1, ...place.box.size].slice(-3);
    return pass => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(Math.ceil(n2 / 64), n1, n0);
    };
  }

  /** Encodes the way back, behind what writes it: reading then takes no submit of its own. */
  send(encoder: GPUCommandEncoder): void {
    if (this.#capture && this.#back) encoder.copyBufferToBuffer(this.#capture, 0, this.#back, 0, this.#bytes);
  }

  /** What was sent back; called at once when its work was submitted. @param recomputed what no step of the run wrote @param kept what was read from a cache that rounds, and how */
  async collect(
    recomputed: ReadonlySet<Stage> = new Set(),
    kept: ReadonlyMap<Stage, CacheFormat> = new Map(),
  ): Promise<Captured[]> {
    if (!this.#back) return [];
    const data = await this.gpu.mapped(this.#back, this.#bytes);
    const start = this.extent.keys - this.extent.tokens;
    return [...this.#places.values()].map(({ tap, box, at, bytes }) => ({
      stage: tap.stage,
      shape: box.size,
      data: new Float32Array(data, at, bytes / 4).slice(),
      from: box.at,
      start,
      recomputed: recomputed.has(tap.stage),
      kept: kept.get(tap.stage) ?? null,
    }));
  }

  [Symbol.dispose](): void {
    for (const buffer of [this.#capture, this.#boxes, this.#back]) if (buffer) this.gpu.destroyBuffer(buffer);
  }
}
