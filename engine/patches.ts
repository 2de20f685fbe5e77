// Patches: activations replaced from outside while a run goes on. A patch is a copy into a stage's output, dispatched after the stage and
// before anyone reads it; taps see what was put in.

import { OptionError } from './errors.js';
import type { Gpu } from './gpu.js';
import type { Shaders } from './kernel.js';
import { count, type Extent, type Stage, shapeOf, windowOfPairs } from './plan.js';
import { boxOf, type Slice } from './taps.js';

/** Values to put in the place of what a stage computes. */
export interface Patch {
  /** Of the model's plan. */
  readonly stage: Stage;
  /** Which part to replace, in positions of the sequence; all of it by default. Of scores and pattern, pairs that a query may see. */
  readonly slice?: Slice;
  /** Values for that part of the whole sequence, row by row; or one number for all of it. */
  readonly values: Float32Array | number;
  /** Sizes of `values`, one a dimension. */
  readonly shape?: readonly number[];
}

const BOX_WORDS = 16;

/** The patches of one chunk: uploaded before it is encoded, put in after each stage, then disposed of. */
export class Patches {
  readonly #buffers: GPUBuffer[] = [];

  constructor(
    readonly gpu: Gpu,
    readonly shaders: Shaders,
    readonly patches: readonly Patch[],
    readonly extent: Extent,
  ) {}

  /** What replaces the output of a stage in this chunk, or null. */
  async bind(stage: Stage, target: GPUBuffer): Promise<((pass: GPUComputePassEncoder) => void) | null> {
    const steps: ((pass: GPUComputePassEncoder) => void)[] = [];
    for (const patch of this.patches) {
      if (patch.stage !== stage) continue;
      const box = boxOf(patch, this.extent);
      if (count(box.size) === 0) continue;
      const values = valuesOf(patch, box, this.extent);
      const { pipeline, layout } = await this.shaders.get('patch', {});
      const three = (list: readonly number[], fill: number) => [...Array(3 - list.length).fill(fill), ...list];
      const words = [
        ...three(box.size, 1),
        0,
        ...three(box.from, 0),
        0,
        ...three(shapeOf(stage.axes, this.extent), 1),
        0,
        ...maskOf(stage, this.extent),
      ];
      const sizes = this.#buffer('patch box', Uint32Array.from(words), 4 * BOX_WORDS, GPUBufferUsage.UNIFORM);
      const source = this.#buffer('patch', values, values.byteLength, GPUBufferUsage.STORAGE);
      const group = this.gpu.device.createBindGroup({
        layout,
        entries: [sizes, source, target].map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
      const [n0, n1, n2] = three(box.size, 1);
      steps.push(pass => {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(Math.ceil(n2 / 64), n1, n0);
      });
    }
    return steps.length > 0 ? pass => steps.forEach(step => void step(pass)) : null;
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#buffers) this.gpu.destroyBuffer(buffer);
  }

  #buffer(label: string, data: Uint32Array | Float32Array, bytes: number, usage: number): GPUBuffer {
    const buffer = this.gpu.createBuffer(label, bytes, usage | GPUBufferUsage.COPY_DST);
    this.#buffers.push(buffer);
    this.gpu.write(buffer, data);
    return buffer;
  }
}

/** Which pairs of a query and a key a patch leaves alone: those that the query may not see. */
function maskOf(stage: Stage, { keys, tokens }: Extent): number[] {
  const window = windowOfPairs(stage);
  return window === undefined ? [0, 0, 0, 0] : [1, keys - tokens, window ?? 0, 0];
}

/** The values for a chunk's box, cut out of those for the whole sequence. */
function valuesOf(
  { stage, slice = {}, values, shape = [] }: Patch,
  box: { readonly from: readonly number[]; readonly size: readonly number[] },
  extent: Extent,
): Float32Array {
  const n = count(box.size);
  if (typeof values === 'number') return new Float32Array(n).fill(values);
  if (shape.length !== stage.axes.length || count(shape) !== values.length) {
    throw new OptionError(
      `A patch of '${stage.name}' needs values of ${stage.axes.length} dimensions, and has [${shape}]. Take them from a tap of the same stage.`,
    );
  }
  const start = extent.keys - extent.tokens;
  const firstRow = start + extent.tokens - extent.rows;
  const from = stage.axes.map(({ name, size }, i) => {
    const offset = size === 'tokens' ? start : size === 'rows' ? firstRow : 0;
    return box.from[i] + offset - (slice[name]?.[0] ?? 0);
  });
  from.forEach((first, i) => {
    if (first + box.size[i] <= shape[i]) return;
    const { name } = stage.axes[i];
    throw new OptionError(
      `A patch of '${stage.name}' has ${shape[i]} entries along '${name}', and ${first + box.size[i]} are to be replaced. Slice it: { ${name}: [first, one past the last] }.`,
    );
  });
  const out = new Float32Array(n);
  const index = box.size.map(() => 0);
  for (let i = 0; i < n; i++) {
    out[i] = values[index.reduce((at, j, d) => at * shape[d] + from[d] + j, 0)];
    for (let d = index.length - 1; d >= 0 && ++index[d] === box.size[d]; d--) index[d] = 0;
  }
  return out;
}
