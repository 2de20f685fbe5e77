// Weights on the GPU, once, as they are stored: matrices in tiles (formats/tile.ts), in a texture or a buffer, split by rows where one cannot hold
// them; gains, and matrices whose rows are no multiple of four values, as plain rows of f32.

import { BudgetError } from './errors.js';
import { FORMATS } from './formats/formats.js';
import { type Format, LANES, TILE, texelsOfTile, tilesOf, WORDS } from './formats/tile.js';
import type { Gpu, Traits } from './gpu.js';
import type { Constants } from './compile.js';
import type { Join } from './joins.js';
import type { ShardRows } from './dispatch.js';
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
  /** As ShardLayout.side. */
  readonly side?: 'low' | 'high';
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
  readonly #joined = new Map<string, { readonly order: Join['order']; readonly shards: Shard[] }>();
  readonly #ends: (() => void)[] = [];

  constructor(readonly gpu: Gpu) {}

  /** Parts of a weight in the order of their rows. */
  shards(name: string): readonly Shard[] {
    return this.#shards.get(name) ?? this.#joined.get(name)?.shards ?? [];
  }

  /** How weights lie together under this name, or null. */
  joined(name: string): Join['order'] | null {
    return this.#joined.get(name)?.order ?? null;
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
      const { shard, put } = this.#allocate(weight, layout, part);
      shards.push(shard);
      const step = layout.unit * Math.max(1, Math.floor(PIECE / layout.unitBytes));
      const read = layout.format ? weight.readStored : weight.readRows;
      for (let row = 0; row < part.rows; row += step) {
        const some = Math.min(step, part.rows - row);
        put(await read(part.start + row, some), row);
        await written(Math.ceil(some / layout.unit) * layout.unitBytes);
      }
    }
  }

  /** As `add`, for weights that `fitTogether`: in one piece. */
  async addJoined(
    { name, order }: Join,
    weights: readonly Incoming[],
    written: Written = async () => {},
  ): Promise<void> {
    const rows = weights.reduce((n, { shape }) => n + shape[0], 0);
    const whole = { name, shape: [rows, weights[0].shape[1]], format: weights[0].format };
    const layout = layoutOf(whole, this.gpu.traits);
    const { unit, unitBytes } = layout;
    const { shard, put } = this.#allocate(whole, layout, { start: 0, rows });
    this.#joined.set(name, { order, shards: [shard] });
    let tile0 = 0;
    for (const [i, weight] of weights.entries()) {
      const own = { ...shard, rows: weight.shape[0], bytes: (weight.shape[0] / unit) * unitBytes };
      const where = { ...shard.constants, TILE0: tile0 };
      const part: Shard = order === 'after' ? { ...own, constants: where } : { ...own, side: i === 0 ? 'low' : 'high' };
      this.#shards.set(weight.name, [part]);
      tile0 += weight.shape[0] / unit;
    }
    const step = unit * Math.max(1, Math.floor(PIECE / unitBytes));
    for (let row = 0; row < rows; row += step) {
      const some = Math.min(step, rows - row);
      put(order === 'after' ? await rowsAfter(weights, row, some) : await rowsInTurn(weights, row, some), row);
      await written(Math.ceil(some / unit) * unitBytes);
    }
  }

  [Symbol.dispose](): void {
    for (const end of this.#ends.splice(0)) end();
    this.#shards.clear();
    this.#joined.clear();
  }

  /** A place for rows of a weight, and how they get there. */
  #allocate(weight: Described, { layout, store, unit, unitBytes, format, height, width }: Layout, part: ShardRows) {
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
        put(stored: Stored, row: number) {
          const words = tilesOf(format!, stored as Uint8Array, columns, WORDS * width * height);
          gpu.writeTexture(texture, words, (row / unit) * height);
        },
      };
    }
    const tensor = new Tensor(gpu, weight.name, [bytes / 4]);
    this.#ends.push(() => tensor[Symbol.dispose]());
    return {
      shard: shard(format ? { SIZE: width } : {}, { buffer: tensor.buffer }),
      put(stored: Stored, row: number) {
        const words = format
          ? tilesOf(format, stored as Uint8Array, columns, WORDS * width)
          : (stored as Float32Array<ArrayBuffer>);
        gpu.write(tensor.buffer, words, (row / unit) * unitBytes);
      },
    };
  }
}

/** Rows as they are stored, or of f32 where no shader knows the format. */
type Stored = Uint8Array | Float32Array;

/** Whether weights can lie in one piece on an adapter: one format, tiles of their own, and no more than one binding holds. */
export function fitTogether(weights: readonly Described[], traits: Limits): boolean {
  const [{ shape, format }] = weights;
  const alike = weights.every(w => w.format === format && w.shape[1] === shape[1] && w.shape[0] % TILE === 0);
  if (!alike) return false;
  const rows = weights.reduce((n, w) => n + w.shape[0], 0);
  const layout = fitted({ name: '', shape: [rows, shape[1]], format }, traits);
  return layout.format !== null && rows <= layout.most;
}

/** Stored rows of weights that lie one after the other. */
async function rowsAfter(weights: readonly Incoming[], from: number, count: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let start = 0;
  for (const { shape, readStored } of weights) {
    const [first, last] = [Math.max(from, start), Math.min(from + count, start + shape[0])];
    if (first < last) pieces.push(await readStored(first - start, last - first));
    start += shape[0];
  }
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(pieces.reduce((n, piece) => n + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Stored rows of two weights that lie in turn, eight of either; `from` and `count` are multiples of sixteen. */
async function rowsInTurn(weights: readonly Incoming[], from: number, count: number): Promise<Uint8Array> {
  const pair = await Promise.all(weights.map(({ readStored }) => readStored(from / 2, count / 2)));
  const eight = (LANES * pair[0].length) / (count / 2);
  const out = new Uint8Array(2 * pair[0].length);
  for (let at = 0; at < pair[0].length; at += eight) {
    pair.forEach((rows, i) => void out.set(rows.subarray(at, at + eight), 2 * at + i * eight));
  }
  return out;
}

/** Ranges of at most `most` rows. */
export function splitRows(rows: number, most: number): ShardRows[] {
  const parts: ShardRows[] = [];
  for (let start = 0; start < rows; start += most) parts.push({ start, rows: Math.min(most, rows - start) });
  return parts;
}
