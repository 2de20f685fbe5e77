// The largest logits of the last row, or of each of several, found on the GPU: k pairs of id and logit come back, in order, and not the whole vocabulary; and, for a choice by
// probability alone, what all others weigh together.

import { Answers } from './answers.js';
import type { Gpu } from './gpu.js';
import { searchLanes } from './greedy.js';
import type { Constants } from './compile.js';
import type { Shaders } from './kernel.js';
import { Tensor } from './tensor.js';

/** Most logits that can be asked for. */
export const MOST_TOP = 256;

/** Which of the last logits to bring back. */
export interface TopWanted {
  /** k, at most 256, and below the size of the vocabulary. */
  readonly many: number;
  /** What the others weigh is asked for, at this temperature, between 1e-6 and 1e6. */
  readonly temperature?: number;
}

/** The largest of a row of logits. */
export interface Top {
  /** Of the k largest logits, the largest first; equal ones in their order. */
  readonly ids: Uint32Array;
  /** And what they are. */
  readonly logits: Float32Array;
  /** Sum of exp((logit − largest) / temperature) of all others, right to one part in 10,000; null where it was not asked for. */
  readonly rest: number | null;
}

/** What is known instead of a Top. `no numbers`: some logit is NaN or ±∞; `ties`: too many equal the k-th, or nearly. */
export type NoTop = 'no numbers' | 'ties';

/**
 * How far `rest` may be off, relatively. WGSL grants exp 3 + 2|x| units in the last place and division 2.5, and x = (largest − logit) / temperature is
 * rounded three times: (3 + 5.5 x) 2⁻²³, which is 6e-5 where weights are so small that f32 ends. Sums of 64, 64 and 1 terms add 8e-6.
 */
export const REST_ERROR = 1e-4;

const GROUPS = 64;
/** Shares that are looked through side by side, and candidates that there is room for. */
const LANES = 64 * GROUPS;
const NONE = 0xffffffff;
/** Words before the pairs: how many candidates, the largest, sums. */
const HEAD = 2 + GROUPS;

/** The shaders, in order, with the workgroups of each. */
export function topShaders(gpu: Gpu, N: number): { shader: string; constants: Constants; workgroups: number }[] {
  return [
    { shader: 'top_maxima', constants: { N }, workgroups: GROUPS },
    { shader: 'top_threshold', constants: { WG: searchLanes(gpu), LANES }, workgroups: 1 },
    { shader: 'top_collect', constants: { N, ROOM: LANES }, workgroups: GROUPS },
    { shader: 'top_rank', constants: { ROOM: LANES, GROUPS }, workgroups: GROUPS },
  ];
}

/** Words of each buffer, a row. */
export const TOP_BUFFERS = {
  wanted: 4,
  maxima: LANES,
  state: 4,
  candidates: 2 * LANES,
  sums: LANES,
  found: HEAD + 2 * MOST_TOP,
} as const;

/** Bytes that a search takes on the GPU for each row beyond the first, and as much as comes back of it. */
export const TOP_ROW_BYTES = 4 * (Object.values(TOP_BUFFERS).reduce((n, words) => n + words, 0) + TOP_BUFFERS.found);

export class TopChoice {
  static readonly files = ['top_maxima', 'top_threshold', 'top_collect', 'top_rank'];
  readonly #buffers = new Map<string, Tensor>();
  readonly #answers: Answers;
  /** What was bound last, and for what. */
  #bound: { readonly of: readonly unknown[]; readonly steps: readonly Bound[] } | null = null;

  /** @param rows most of them at once */
  constructor(
    readonly gpu: Gpu,
    rows = 1,
  ) {
    this.#answers = new Answers(gpu, 'the largest logits', 4 * rows * TOP_BUFFERS.found);
    try {
      for (const [name, words] of Object.entries(TOP_BUFFERS)) {
        const shape = name === 'wanted' ? [words] : [rows, words];
        const usage = name === 'wanted' ? GPUBufferUsage.UNIFORM : 0;
        this.#buffers.set(name, new Tensor(gpu, `largest logits: ${name}`, shape, 'u32', usage));
      }
    } catch (error) {
      this[Symbol.dispose]();
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
    const of = [shaders, logits, N, chunk];
    if (!this.#bound || of.some((one, i) => one !== this.#bound!.of[i])) {
      this.#bound = { of, steps: await this.#bind(shaders, { chunk, x: logits }, N) };
    }
    const { steps } = this.#bound;
    return pass => {
      for (const { pipeline, group, workgroups } of steps) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(workgroups, rows);
      }
    };
  }

  /** Says what is to be found by what is submitted next. */
  ask({ many, temperature = 0 }: TopWanted): void {
    const words = Uint32Array.of(many, 0, 0, 0);
    new Float32Array(words.buffer)[1] = temperature;
    this.gpu.write(this.#of('wanted'), words);
  }

  /** Encodes the way back of what is found. @returns what reads it, row by row, once it is submitted */
  answer(encoder: GPUCommandEncoder, wanted: TopWanted, rows = 1): () => Promise<(Top | NoTop)[]> {
    const words = HEAD + 2 * wanted.many;
    const read = this.#answers.copy(encoder, this.#of('found'), 4 * rows * words);
    return async () => {
      const all = await read();
      return Array.from({ length: rows }, (_, i) => found(new Uint32Array(all, 4 * i * words, words), wanted));
    };
  }

  #bind(shaders: Shaders, given: Record<string, GPUBuffer>, N: number): Promise<Bound[]> {
    return Promise.all(
      topShaders(this.gpu, N).map(async ({ shader, constants, workgroups }) => {
        const { pipeline, layout, bindings } = await shaders.get(shader, constants);
        const entries = bindings.map(({ index, name }) => {
          return { binding: index, resource: { buffer: given[name] ?? this.#of(name) } };
        });
        return { pipeline, group: this.gpu.device.createBindGroup({ layout, entries }), workgroups };
      }),
    );
  }

  #of(name: string): GPUBuffer {
    return this.#buffers.get(name)!.buffer;
  }

  [Symbol.dispose](): void {
    this.#answers[Symbol.dispose]();
    for (const tensor of this.#buffers.values()) tensor[Symbol.dispose]();
  }
}

interface Bound {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: number;
}

/** What the words of a row say. */
function found(words: Uint32Array<ArrayBuffer>, { many, temperature }: TopWanted): Top | NoTop {
  const [candidates, largest] = words;
  if (largest === NONE) return 'no numbers';
  if (candidates > LANES) return 'ties';
  const numbers = new Float32Array(words.buffer, words.byteOffset, words.length);
  let rest = 0;
  for (let i = 2; i < HEAD; i++) rest += numbers[i];
  return {
    ids: Uint32Array.from({ length: many }, (_, i) => words[HEAD + 2 * i + 1]),
    logits: Float32Array.from({ length: many }, (_, i) => numbers[HEAD + 2 * i]),
    rest: temperature === undefined ? null : rest,
  };
}
