// The greedy choice on the GPU: the place of the largest logit of the last row, or of each of several, or NO_TOKEN where some logit is no number.
// Four bytes a row come back.

import type { Gpu } from './gpu.js';
import type { Shaders } from './kernel.js';
import { Tensor } from './tensor.js';

/** What argmax.wgsl finds in logits that are no numbers. */
export const NO_TOKEN = 0xffffffff;

/** Workgroups that look for the largest logit side by side. */
export const PARTS = 64;
/** Lanes of a workgroup that does: few where each barrier costs. */
export const searchLanes = ({ traits }: Gpu): number => (traits.software ? 8 : Math.min(256, traits.maxInvocations));

export class GreedyChoice {
  static readonly files = ['argmax', 'argmax_last'];
  readonly #places: Tensor;
  readonly #best: Tensor;

  /** @param rows most of them at once */
  constructor(
    readonly gpu: Gpu,
    rows = 1,
  ) {
    this.#places = new Tensor(gpu, 'argmax candidates', [rows, PARTS], 'u32');
    try {
      this.#best = new Tensor(gpu, 'argmax', [rows], 'u32');
    } catch (error) {
      this.#places[Symbol.dispose]();
      throw error;
    }
  }

  /** The dispatches that search the last `rows` of `logits`, N in a row. */
  async bind(
    shaders: Shaders,
    logits: GPUBuffer,
    N: number,
    chunk: GPUBuffer,
    rows = 1,
  ): Promise<(pass: GPUComputePassEncoder) => void> {
    const buffers: Record<string, GPUBuffer> = {
      chunk,
      x: logits,
      places: this.#places.buffer,
      best: this.#best.buffer,
    };
    const first = await shaders.get('argmax', { N, WG: searchLanes(this.gpu) });
    const last = await shaders.get('argmax_last', { N, PARTS });
    const steps = [first, last].map(({ pipeline, layout, bindings }) => {
      const entries = bindings.map(({ index, name }) => ({ binding: index, resource: { buffer: buffers[name] } }));
      return { pipeline, group: this.gpu.device.createBindGroup({ layout, entries }) };
    });
    return pass => {
      steps.forEach(({ pipeline, group }, i) => {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(i === 0 ? PARTS : 1, rows);
      });
    };
  }

  /** Makes the choices the ids that are read next. */
  putInto(encoder: GPUCommandEncoder, ids: GPUBuffer, rows = 1): void {
    encoder.copyBufferToBuffer(this.#best.buffer, 0, ids, 0, 4 * rows);
  }

  async read(rows = 1): Promise<Uint32Array> {
    return new Uint32Array(await this.gpu.read([{ buffer: this.#best.buffer, bytes: 4 * rows }]));
  }

  [Symbol.dispose](): void {
    this.#places[Symbol.dispose]();
    this.#best[Symbol.dispose]();
  }
}
