// How long each stage takes on the GPU: timestamps around its pass.

import type { Gpu } from './gpu.js';

/** GPU timestamps around every stage of one chunk. */
export class Timer {
  readonly #set: GPUQuerySet;
  readonly #buffer: GPUBuffer;

  constructor(
    readonly gpu: Gpu,
    readonly stages: number,
  ) {
    this.#buffer = gpu.createBuffer('timestamps', 16 * stages, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
    this.#set = gpu.device.createQuerySet({ type: 'timestamp', count: 2 * stages });
  }

  writes(i: number): GPUComputePassTimestampWrites {
    return { querySet: this.#set, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
  }

  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#set, 0, 2 * this.stages, this.#buffer, 0);
  }

  async read(names: readonly string[]): Promise<Map<string, number>> {
    const stamps = new BigUint64Array(await this.gpu.read([{ buffer: this.#buffer, bytes: 16 * this.stages }]));
    return new Map(names.map((name, i) => [name, Number(stamps[2 * i + 1] - stamps[2 * i])]));
  }

  [Symbol.dispose](): void {
    this.#set.destroy();
    this.gpu.destroyBuffer(this.#buffer);
  }
}
