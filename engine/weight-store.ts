// Weights on the GPU, once, as they are stored: matrices in tiles (formats/tile.ts), in a texture or a buffer, split by rows where one cannot hold
// them; gains, and matrices whose rows are no multiple of four values, as plain rows of f32.

import { BudgetError } from './errors.js';
import { FORMATS } from './formats/formats.js';
import { type Format, TILE, texelsOfTile, tilesOf, WORDS } from './formats/tile.js';
import type { Gpu, Traits } from './gpu.js';
import type { Constants } from './compile.js';
import type { ShardRows } from './ops.js';
import { Tensor } from './tensor.js';

/** A part of a weight. */
export interface Shard extends ShardRows {
  /** How it is read: `rows`, or a format of shaders/formats. */
  readonly layout: string;
  /** Where it lies, of shaders/stores. */
  readonly store: Store;
  /** What the store's shader has to know of it. */
  readonly constants: Constants;
  readonly resource: GPUBindingResource;
  readonly bytes: number;
}

export type Store = Traits['store'];

/** What is to be put on the GPU. */
export interface Incoming {
  readonly name: string;
  /** [rows, columns], or [n] for a gain. */
  readonly shape: readonly number[];
  /** As the file calls it. */
  readonly format: string;
  /** f32 values of rows. */
  readRows(start: number, count: number): Promise<Float32Array>;
  /** Rows as they are stored. */
  readStored(start: number, count: number): Promise<Uint8Array<ArrayBuffer>>;
}

type Limits = Pick<Traits, 'store' | 'maxBinding' | 'maxBuffer' | 'maxTexture'>;
type Described = Pick<Incoming, 'name' | 'shape' | 'format'>;

/** Told after each piece; waits where the GPU should catch up. */
export type Written = (bytes: number) => Promise<void>;

/** How a weight will lie: decided before anything is allocated, so that what a model needs is known. */
interface Layout {
  readonly layout: string;
  readonly store: Store;
  /** Rows that are never parted, bytes of them, and how many a shard may have. */
  readonly unit: number;
  readonly unitBytes: number;
  readonly most: number;
  readonly format: Format | null;
  /** Texture only: rows of texels in a tile, and their width. */
  readonly height: number;
  readonly width: number;
}

const MOST = 2 ** 30; // bytes of a texture: lavapipe has no larger ones

function layoutOf(weight: Described, traits: Limits): Layout {
  const layout = fitted(weight, traits);
  if (layout.most > 0) return layout;
  throw new BudgetError(
    `Rows of '${weight.name}' [${weight.shape}] need ${layout.unitBytes} bytes at once, and this adapter binds ${traits.maxBinding}.`,
  );
}

function fitted({ shape, format }: Described, traits: Limits): Layout {
  const [, columns = 1] = shape;
  const limit = Math.min(traits.maxBinding, traits.maxBuffer);
  const known = FORMATS.get(format);
  if (shape.length === 1 || columns % 4 !== 0 || !known) {
    const most = Math.floor(limit / (4 * columns));
    const plain = { layout: 'rows', store: 'buffer', unit: 1, format: null, height: 1, width: 0 } as const;
    return { ...plain, unitBytes: 4 * columns, most };
  }
  const { store } = traits;
  const texels = texelsOfTile(known, columns);
  const common = { layout: known.shader, store, unit: TILE, format: known };
  if (store === 'buffer') {
    const unitBytes = 16 * texels;
    return { ...common, unitBytes, most: TILE * Math.floor(limit / unitBytes), height: 1, width: texels };
  }
  const height = Math.ceil(texels / traits.maxTexture);
  const width = Math.ceil(texels / height);
  const unitBytes = 16 * width * height;
  const tiles = Math.min(Math.floor(traits.maxTexture / height), Math.floor(MOST / unitBytes));
  return { ...common, unitBytes, most: TILE * tiles, height, width };
}

/** An adapter without limits, for what is said of a model before there is one. */
const ANY: Limits = { store: 'buffer', maxBinding: Infinity, maxBuffer: Infinity, maxTexture: Infinity };

/** Bytes that a weight will take on an adapter. */
export function bytesOf(weight: Described, traits: Limits = ANY): number {
  const { unit, unitBytes } = layoutOf(weight, traits);
  return Math.ceil(weight.shape[0] / unit) * unitBytes;
}

const PIECE = 16 << 20; // bytes that exist on the CPU at a time

export class WeightStore {
  readonly #shards = new Map<string, Shard[]>();
  readonly #ends: (() => void)[] = [];

  constructor(readonly gpu: Gpu) {}

  /** Parts of a weight in the order of their rows. */
  shards(name: string): readonly Shard[] {
    return this.#shards.get(name) ?? [];
  }

  /** Bytes on the GPU. */
  get bytes(): number {
    return [...this.#shards.values()].flat().reduce((n, { bytes }) => n + bytes, 0);
  }

  /** Reads a weight in pieces and puts it on the GPU. Throws BudgetError where it does not fit. */
  async add(weight: Incoming, written: Written = async () => {}): Promise<void> {
    const layout = layoutOf(weight, this.gpu.traits);
    const [rows] = weight.shape;
    const shards: Shard[] = [];
    this.#shards.set(weight.name, shards);
    for (const part of splitRows(rows, layout.most)) {
      const { shard, write } = this.#allocate(weight, layout, part);
      shards.push(shard);
      const step = layout.unit * Math.max(1, Math.floor(PIECE / layout.unitBytes));
      for (let row = 0; row < part.rows; row += step) {
        const some = Math.min(step, part.rows - row);
        await write(part.start + row, row, some);
        await written(Math.ceil(some / layout.unit) * layout.unitBytes);
      }
    }
  }

  [Symbol.dispose](): void {
    for (const end of this.#ends.splice(0)) end();
    this.#shards.clear();
  }

  /** A place for rows of a weight, and how they get there. */
  #allocate(weight: Incoming, { layout, store, unit, unitBytes, format, height, width }: Layout, part: ShardRows) {
    const { gpu } = this;
    const bytes = Math.ceil(part.rows / unit) * unitBytes;
    const shard = (constants: Constants, resource: GPUBindingResource): Shard => ({
      ...part,
      layout,
      store,
      constants,
      resource,
      bytes,
    });
    const [, columns = 1] = weight.shape;
    if (store === 'texture') {
      const texture = gpu.createTexture(weight.name, width, (height * bytes) / unitBytes);
      this.#ends.push(() => gpu.destroyTexture(texture));
      return {
        shard: shard({ WIDTH: width, HEIGHT: height }, texture.createView()),
        async write(from: number, row: number, count: number) {
          const stored = await weight.readStored(from, count);
          gpu.writeTexture(texture, tilesOf(format!, stored, columns, WORDS * width * height), (row / unit) * height);
        },
      };
    }
    const tensor = new Tensor(gpu, weight.name, [bytes / 4]);
    this.#ends.push(() => tensor[Symbol.dispose]());
    return {
      shard: shard(format ? { SIZE: width } : {}, { buffer: tensor.buffer }),
      async write(from: number, row: number, count: number) {
        const words = format
          ? tilesOf(format, await weight.readStored(from, count), columns, WORDS * width)
          : await weight.readRows(from, count);
        gpu.write(tensor.buffer, words, (row / unit) * unitBytes);
      },
    };
  }
}

/** Ranges of at most `most` rows. */
export function splitRows(rows: number, most: number): ShardRows[] {
  const parts: ShardRows[] = [];
  for (let start = 0; start < rows; start += most) parts.push({ start, rows: Math.min(most, rows - start) });
  return parts;
}
