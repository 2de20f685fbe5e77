// The search through the logits at the end of a chunk: for the likeliest token of every row, or for the largest logits of each. It is part of the
// submit that makes them, and so is the copy of what it finds.

import { GreedyChoice } from './greedy.js';
import type { Gpu } from './gpu.js';
import type { Shaders } from './kernel.js';
import { type NoTop, type Top, TopChoice, type TopWanted } from './top.js';

/** What is looked for. */
export interface Wanted {
  readonly argmax: boolean;
  readonly top: TopWanted | null;
  /** Rows of logits that are searched, the last ones. */
  readonly rows: number;
}

/** What came back. */
export interface Found {
  readonly tokens: ArrayLike<number>;
  /** Row by row. */
  readonly tops: readonly (Top | NoTop)[];
}

/** Of one chunk. */
export interface Search {
  /** What it is for, as messages name it. */
  readonly what: string;
  /** Its shaders. */
  readonly files: readonly string[];
  /** The dispatches, at the end of what makes the logits. */
  encode(pass: GPUComputePassEncoder): void;
  /** Encodes the way back, behind the pass. @returns what reads it, once it is submitted */
  answer(encoder: GPUCommandEncoder): () => Promise<Found>;
}

/** Where the logits are: [rows,N], and the chunk's words. */
interface Given {
  readonly logits: GPUBuffer;
  readonly N: number;
  readonly chunk: GPUBuffer;
}

export class Searches {
  #greedy: GreedyChoice | null = null;
  #top: TopChoice | null = null;

  /** @param most rows that are ever searched at once */
  constructor(
    readonly gpu: Gpu,
    private readonly most: number,
  ) {}

  /** The search of a chunk; null where nothing is looked for. Says to the GPU what is wanted, for what is submitted next. */
  async of({ argmax, top, rows }: Wanted, shaders: Shaders, { logits, N, chunk }: Given): Promise<Search | null> {
    if (argmax && rows > 0) {
      const greedy = (this.#greedy ??= new GreedyChoice(this.gpu, this.most));
      const encode = await greedy.bind(shaders, logits, N, chunk, rows);
      const answer = (encoder: GPUCommandEncoder) => {
        const read = greedy.answer(encoder, rows);
        return async (): Promise<Found> => ({ tokens: await read(), tops: [] });
      };
      return { what: 'the likeliest token', files: GreedyChoice.files, encode, answer };
    }
    if (!top || rows === 0) return null;
    const largest = (this.#top ??= new TopChoice(this.gpu, this.most));
    const encode = await largest.bind(shaders, logits, N, chunk, rows);
    largest.ask(top);
    const answer = (encoder: GPUCommandEncoder) => {
      const read = largest.answer(encoder, top, rows);
      return async (): Promise<Found> => ({ tokens: [], tops: await read() });
    };
    return { what: 'the largest logits', files: TopChoice.files, encode, answer };
  }

  /** Makes the likeliest tokens that were found last the ids that are read next. */
  putInto(encoder: GPUCommandEncoder, ids: GPUBuffer, tokens: number): void {
    this.#greedy?.putInto(encoder, ids, tokens);
  }

  [Symbol.dispose](): void {
    this.#greedy?.[Symbol.dispose]();
    this.#top?.[Symbol.dispose]();
  }
}
