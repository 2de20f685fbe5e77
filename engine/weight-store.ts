// Weights on the GPU, once, as they are stored: matrices in tiles (formats/tile.ts), in a texture or a buffer, split by rows where one cannot hold
// them; gains, and matrices whose rows are no multiple of four values, as plain rows of f32.

import { BudgetError } from './errors.js';
import { alike } from './formats/alike.js';
import { FORMATS } from './formats/formats.js';
import { type Format, TILE, texelsOfTile, tilesInTurn, tilesOf, WORDS } from './formats/tile.js';
import type { Gpu } from './gpu.js';
import type { Constants } from './compile.js';
import type { Join } from './joins.js';
import type { ShardRows } from './dispatch.js';
import { Tensor } from './tensor.js';
import type { Store, Traits } from './traits.js';

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
  /** Words from a tile to the next. */
  readonly stride: number;
  /** Texture only: rows of texels in a tile, and their width. */
  readonly height: number;
  readonly width: number;
}

const MOST = 2 ** 30; // bytes of a texture: lavapipe has no larger ones

/** @param laid as what it is laid; default: as the file calls it */
function layoutOf(weight: Described, traits: Limits, laid?: Format): Layout {
  const layout = fitted(weight, traits, laid);
  if (layout.most > 0) return layout;
  throw new BudgetError(
    `Rows of '${weight.name}' [${weight.shape}] need ${layout.unitBytes} bytes at once, and this adapter binds ${traits.maxBinding}.`,
  );
}

function fitted({ shape, format }: Described, traits: Limits, known = FORMATS.get(format)): Layout {
  const [, columns = 1] = shape;
  const limit = Math.min(traits.maxBinding, traits.maxBuffer);
  if (shape.length === 1 || columns % 4 !== 0 || !known) {
    const most = Math.floor(limit / (4 * columns));
    const plain = { layout: 'rows', store: 'buffer', unit: 1, format: null, stride: 0, height: 1, width: 0 } as const;
    return { ...plain, unitBytes: 4 * columns, most };
  }
  const { store } = traits;
  const texels = texelsOfTile(known, columns);
  const common = { layout: known.shader, store, unit: TILE, format: known };
  if (store === 'buffer') {
    const unitBytes = 16 * texels;
    return {
      ...common,
      unitBytes,
      stride: WORDS * texels,
      most: TILE * Math.floor(limit / unitBytes),
      height: 1,
      width: texels,
    };
  }
  const height = Math.ceil(texels / traits.maxTexture);
  const width = Math.ceil(texels / height);
  const unitBytes = 16 * width * height;
  const tiles = Math.min(Math.floor(traits.maxTexture / height), Math.floor(MOST / unitBytes));
  return { ...common, unitBytes, stride: WORDS * width * height, most: TILE * tiles, height, width };
}

/** An adapter without limits, for what is said of a model before there is one. */
const ANY: Limits = { store: 'buffer', maxBinding: Infinity, maxBuffer: Infinity, maxTexture: Infinity };

/** Bytes that a weight will take on an adapter. */
export function bytesOf(weight: Described, traits: Limits = ANY, laid?: Format): number {
  const { unit, unitBytes } = layoutOf(weight, traits, laid);
  return Math.ceil(weight.shape[0] / unit) * unitBytes;
}

const PIECE = 16 << 20; // bytes that are packed at a time; as many are read meanwhile

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
      const { format } = layout;
      const stored = async ({ start, rows }: ShardRows) =>
        format
          ? { format, bytes: await weight.readStored(part.start + start, rows) }
          : ((await weight.readRows(part.start + start, rows)) as Float32Array<ArrayBuffer>);
      for await (const [{ start, rows }, read] of readAhead(splitRows(part.rows, step), stored)) {
        put('format' in read ? tilesOf(read, weight.shape[1], layout.stride) : read, start);
        await written(Math.ceil(rows / layout.unit) * layout.unitBytes);
      }
    }
  }

  /** As `add`, for weights that lie together as `formats`, which `laidTogether` gave: in one piece. */
  async addJoined(
    { name, order }: Join,
    weights: readonly Incoming[],
    formats: readonly Format[],
    written: Written = async () => {},
  ): Promise<void> {
    const [, columns] = weights[0].shape;
    const rows = weights.reduce((n, { shape }) => n + shape[0], 0);
    const whole = { name, shape: [rows, columns], format: weights[0].format };
    const layout = layoutOf(whole, this.gpu.traits, formats[0]);
    const { unit, unitBytes, stride } = layout;
    const { shard, put } = this.#allocate(whole, layout, { start: 0, rows });
    this.#joined.set(name, { order, shards: [shard] });
    const firsts: number[] = [];
    let first = 0;
    for (const [i, weight] of weights.entries()) {
      const own = { ...shard, rows: weight.shape[0], bytes: (weight.shape[0] / unit) * unitBytes };
      const where = { ...shard.constants, TILE0: first / unit };
      const part: Shard = order === 'after' ? { ...own, constants: where } : { ...own, side: i === 0 ? 'low' : 'high' };
      this.#shards.set(weight.name, [part]);
      firsts.push(first);
      first += weight.shape[0];
    }
    const step = unit * Math.max(1, Math.floor(PIECE / unitBytes));
    const stored = async (i: number, row: number, some: number) => ({
      format: formats[i],
      bytes: await weights[i].readStored(row, some),
    });
    // In turn, a tile has eight rows of either.
    const each = order === 'after' ? weights.map((_, i) => [i]) : [weights.map((_, i) => i)];
    for (const together of each) {
      const many = together.length;
      const [{ shape }] = together.map(i => weights[i]);
      const read = ({ start, rows }: ShardRows) => Promise.all(together.map(i => stored(i, start, rows)));
      for await (const [{ start, rows }, parts] of readAhead(splitRows(shape[0], step / many), read)) {
        const words = many === 1 ? tilesOf(parts[0], columns, stride) : tilesInTurn(parts, columns, stride);
        put(words, firsts[together[0]] + many * start);
        await written(((many * rows) / unit) * unitBytes);
      }
    }
  }

  [Symbol.dispose](): void {
    for (const end of this.#ends.splice(0)) end();
    this.#shards.clear();
    this.#joined.clear();
  }

  /** A place for rows of a weight, and how they get there. */
  #allocate(
    weight: Described,
    { layout, store, unit, unitBytes, format, height, width }: Layout,
    part: ShardRows,
  ): Place {
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
    if (store === 'texture') {
      const texture = gpu.createTexture(weight.name, width, (height * bytes) / unitBytes);
      this.#ends.push(() => gpu.destroyTexture(texture));
      return {
        shard: shard({ WIDTH: width, HEIGHT: height }, texture.createView()),
        put: (words, row) => gpu.writeTexture(texture, words as Uint32Array<ArrayBuffer>, (row / unit) * height),
      };
    }
    const tensor = new Tensor(gpu, weight.name, [bytes / 4]);
    this.#ends.push(() => tensor[Symbol.dispose]());
    return {
      shard: shard(format ? { SIZE: width } : {}, { buffer: tensor.buffer }),
      put: (words, row) => gpu.write(tensor.buffer, words, (row / unit) * unitBytes),
    };
  }
}

/** Room for rows of a weight, and how they get there: tiles, or rows of f32 where no shader knows the format, from a row on. */
interface Place {
  readonly shard: Shard;
  put(words: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>, row: number): void;
}

/** Bytes that weights may grow by to lie together. A dispatch costs a software adapter as long as reading about this much, and a GPU more. */
const WORTH = 1 << 20;

/** As what weights are laid in one piece, if they can be on an adapter: read by one shader, tiles of their own, and no more than one binding holds. */
export function laidTogether(weights: readonly Described[], traits: Limits): readonly Format[] | null {
  const [{ shape, format }] = weights;
  if (weights.some(w => w.shape[1] !== shape[1] || w.shape[0] % TILE !== 0)) return null;
  const formats = alike(weights.map(({ format }) => format));
  if (!formats) return null;
  const rows = weights.reduce((n, w) => n + w.shape[0], 0);
  const layout = fitted({ name: '', shape: [rows, shape[1]], format }, traits, formats[0]);
  if (layout.format === null || rows > layout.most) return null;
  const more = weights.reduce((n, w, i) => n + bytesOf(w, traits, formats[i]) - bytesOf(w, traits), 0);
  return more <= WORTH ? formats : null;
}

/** What is read of each piece, in order: while one is packed on this thread, the next is on its way from the file. */
async function* readAhead<P, R>(pieces: readonly P[], read: (piece: P) => Promise<R>): AsyncGenerator<[P, R]> {
  let next = pieces.length > 0 ? read(pieces[0]) : null;
  for (const [i, piece] of pieces.entries()) {
    const one = await next!;
    next = i + 1 < pieces.length ? read(pieces[i + 1]) : null;
    next?.catch(() => {}); // where packing fails first, nobody waits for it
    yield [piece, one];
  }
}

/** Ranges of at most `most` rows. */
export function splitRows(rows: number, most: number): ShardRows[] {
  const parts: ShardRows[] = [];
  for (let start = 0; start < rows; start += most) parts.push({ start, rows: Math.min(most, rows - start) });
  return parts;
}
