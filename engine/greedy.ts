// The greedy choice on the GPU: the place of the largest logit of the last row, or of each of several, or NO_TOKEN where some logit is no number.
// Four bytes a row come back.

import { Answers } from './answers.js';
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
  readonly #answers: Answers;
  /** What was bound last, and for what. */
  #bound: { readonly of: readonly unknown[]; readonly steps: readonly Bound[] } | null = null;

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
    this.#answers = new Answers(gpu, 'the likeliest tokens', 4 * rows);
  }

  /** The dispatches that search the last `rows` of `logits`, N in a row. */
  async bind(
    shaders: Shaders,
    logits: GPUBuffer,
    N: number,
    chunk: GPUBuffer,
    rows = 1,
  ): Promise<(pass: GPUComputePassEncoder) => void> {
    const of = [shaders, logits, N, chunk];
    if (!this.#bound || of.some((one, i) => one !== this.#bound!.of[i])) {
      this.#bound = { of, steps: await this.#bind(shaders, { chunk, x: logits }, N) };
    }
    const { steps } = this.#bound;
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

  /** Encodes the way back of the choices. @returns what reads them, once they are submitted */
  answer(encoder: GPUCommandEncoder, rows = 1): () => Promise<Uint32Array> {
    const read = this.#answers.copy(encoder, this.#best.buffer, 4 * rows);
    return async () => new Uint32Array(await read());
  }

  async #bind(shaders: Shaders, given: Record<string, GPUBuffer>, N: number): Promise<Bound[]> {
    const buffers: Record<string, GPUBuffer> = { ...given, places: this.#places.buffer, best: this.#best.buffer };
    const first = await shaders.get('argmax', { N, WG: searchLanes(this.gpu) });
    const last = await shaders.get('argmax_last', { N, PARTS });
    return [first, last].map(({ pipeline, layout, bindings }) => {
      const entries = bindings.map(({ index, name }) => ({ binding: index, resource: { buffer: buffers[name] } }));
      return { pipeline, group: this.gpu.device.createBindGroup({ layout, entries }) };
    });
  }

  [Symbol.dispose](): void {
    this.#answers[Symbol.dispose]();
    this.#places[Symbol.dispose]();
    this.#best[Symbol.dispose]();
  }
}

interface Bound {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
}
