// What runs on the GPU in one go: a shader with its constants, what it reads and writes, and over which grid; and what the choice of it may depend on.

import type { CacheFormat } from './cache-format.js';
import type { Constants } from './compile.js';
import type { Rope } from './config.js';
import type { Extent, Ref } from './plan.js';
import type { Traits } from './traits.js';

/** What a binding is bound to. `rows` says where the tokens of a chunk stand, `turns` is the table of RoPE's cosines and sines. */
export type Source =
  | { readonly chunk: true }
  | { readonly ids: true }
  | { readonly rows: true }
  | { readonly value: string }
  | { readonly weight: string; readonly shard: number }
  | { readonly turns: Rope & { readonly dim: number } };

export interface Dispatch {
  readonly shader: string;
  /** Files that it is assembled with: a format and a store. */
  readonly parts?: readonly string[];
  readonly constants: Constants;
  /** Bindings by name that the shader only reads. */
  readonly reads: Readonly<Record<string, Source>>;
  /** Bindings by name that it writes. */
  readonly writes: Readonly<Record<string, Source>>;
  /** Workgroups for a chunk of the given extent. */
  grid(extent: Extent): [number, number, number];
}

/** Rows of a weight matrix that lie in one buffer or texture. */
export interface ShardRows {
  readonly start: number;
  readonly rows: number;
}

/** What a shader has to know of them: how they are read, `rows` or a format, and where they lie. */
export interface ShardLayout extends ShardRows {
  readonly layout: string;
  readonly store: string;
  readonly constants: Constants;
  /** Where it lies in tiles with another weight, eight rows of either: which eight of each tile are its own. */
  readonly side?: 'low' | 'high';
}

/** How products are given their inputs. `f32`: as they are. `int8`: rounded before every product. */
export type Activations = 'f32' | 'int8';

/** What an operation may depend on besides its stage. */
export interface Setting {
  readonly traits: Traits;
  /** Matrices meet a vector: the chunk is one token (decode), or several that are computed as if each were alone. */
  readonly oneToken: boolean;
  /** So does the head: one row of logits is wanted, or each as if it were alone. */
  readonly oneRow: boolean;
  /** How products are given their inputs; default: as they are. */
  readonly activations?: Activations;
  /** Several tokens may meet a matrix in another order than more of them would, where that is faster: the fast plan on a GPU. */
  readonly few?: boolean;
  /** A product with one vector may make what it is given by itself, where that is faster than another dispatch: the fast plan on a GPU. */
  readonly merged?: boolean;
  /** A product with one vector may multiply by the scale of a block last, where that is faster: the fast plan on a software adapter. Inputs beyond 10³⁴ overflow before it. */
  readonly scaled?: boolean;
  /** Tokens that values have room for; default: one. */
  readonly room?: number;
  /** The tokens are of several sequences. */
  readonly many?: boolean;
  /** How keys and values are kept; default: as they are. */
  readonly cache?: CacheFormat;
  /** How a weight is split over buffers. */
  shards(weight: string): readonly ShardLayout[];
  /** What positions are counted modulo in the cache that a stage reads or is. */
  ring(cache: string): number;
}

export const chunk = { chunk: true } as const;
/** The part of a shader that asks where the tokens of a chunk stand, and what that reads. */
export const placed = ({ many }: Setting): { parts: readonly string[]; reads: Readonly<Record<string, Source>> } =>
  many ? { parts: ['sequences/many'], reads: { rows: { rows: true } } } : { parts: ['sequences/one'], reads: {} };
export const value = (ref: Ref): Source => ({ value: ref.name });
export const groups = (n: number, size: number) => Math.ceil(n / size);
export const sizeOf = (ref: Ref, letter: string): number => {
  const size = ref.axes.find(axis => axis.letter === letter)?.size;
  if (typeof size !== 'number') throw new Error(`${ref.name} has no axis ${letter} of a fixed size.`);
  return size;
};

/** Lanes of a workgroup that sums a row as a tree: few where each barrier costs, many where they hide latency. */
export const treeLanes = ({ traits }: Setting) => (traits.software ? 16 : Math.min(256, traits.maxInvocations));
