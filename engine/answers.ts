// Small results that come back with the submit that makes them: their copy is part of it, so that reading them takes no submit of its own. The buffers that
// they are copied into are used again and again.

import type { Gpu } from './gpu.js';

export class Answers {
  readonly #free: GPUBuffer[] = [];
  #disposed = false;

  /** @param bytes of the largest answer */
  constructor(
    readonly gpu: Gpu,
    readonly label: string,
    readonly bytes: number,
  ) {}

  /**
   * Encodes the copy of the first `bytes` of a buffer.
   * @returns what reads them: to be called once, when the encoder's work was submitted. Rejects as `Gpu.mapped` does.
   */
  copy(encoder: GPUCommandEncoder, from: GPUBuffer, bytes: number): () => Promise<ArrayBuffer> {
    const { MAP_READ, COPY_DST } = GPUBufferUsage;
    const to = this.#free.pop() ?? this.gpu.createBuffer(this.label, this.bytes, MAP_READ | COPY_DST);
    encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
    return async () => {
      let kept = false;
      try {
        const answer = await this.gpu.mapped(to, bytes);
        kept = !this.#disposed;
        return answer;
      } finally {
        // What is on its way while this is disposed of is still read, and ends then.
        if (kept) {
          to.unmap();
          this.#free.push(to);
        } else this.gpu.destroyBuffer(to);
      }
    };
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const buffer of this.#free.splice(0)) this.gpu.destroyBuffer(buffer);
  }
}
