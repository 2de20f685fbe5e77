// A GPU buffer with a shape and a name. Whoever makes one disposes of it; disposing twice is harmless.

import type { Gpu } from './gpu.js';
import { count } from './plan.js';

export class Tensor {
  readonly buffer: GPUBuffer;
  #disposed = false;

  constructor(
    readonly gpu: Gpu,
    readonly label: string,
    readonly shape: readonly number[],
    readonly dtype: 'f32' | 'u32' = 'f32',
    usage = 0,
  ) {
    const { STORAGE, UNIFORM, COPY_SRC, COPY_DST } = GPUBufferUsage;
    // What inputs/uniform.wgsl reads.
    const all = STORAGE | COPY_SRC | COPY_DST | (gpu.traits.software ? UNIFORM : 0);
    this.buffer = gpu.createBuffer(label, count(shape) * 4, all | usage);
  }

  get bytes(): number {
    return this.buffer.size;
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.gpu.destroyBuffer(this.buffer);
  }
}
