// Reader of GGUF 2 and 3: typed metadata, tensor infos, aligned data. Every length is checked against what is left of the file
// before anything is allocated for it, because a lying count is the usual way such a file is broken.

import { ModelFileError } from '../errors.js';
import { openFile, type RandomAccessFile } from '../files.js';
import { BLOCKS, dequantise } from './dequantise.js';

export interface GgufTensor {
  readonly name: string;
  /** Rows first, as everywhere else; GGUF itself lists the fastest axis first. */
  readonly shape: readonly number[];
  /** F32, F16, BF16, Q8_0, Q4_K … */
  readonly format: string;
  readonly bytes: number;
  readonly offset: number;
}

export interface Gguf {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, unknown>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Dequantised rows [start, start + count). */
  readF32(name: string, start?: number, count?: number): Promise<Float32Array>;
  close(): Promise<void>;
}

// ggml_type numbers of the formats that exist; those without an entry in BLOCKS are named in the error.
const TYPES: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  30: 'BF16',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

const MAX_TENSORS = 100_000;
const MAX_KEYS = 100_000;

/** Opens and checks a file. Throws ModelFileError that says what cannot be true. */
export async function openGguf(path: string): Promise<Gguf> {
  const file = await openFile(path);
  try {
    return await readGguf(file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readGguf(file: RandomAccessFile): Promise<Gguf> {
  const { path } = file;
  const cursor = new Cursor(file);
  if (file.size < 24 || (await cursor.text(4)) !== 'GGUF') {
    throw new ModelFileError(`${path} is not a GGUF file: it does not begin with 'GGUF'. Give a .gguf model.`);
  }
  const version = await cursor.u32();
  if (version !== 2 && version !== 3) {
    throw cursor.bad(`it says version ${version}, and 2 and 3 are known`);
  }
  const tensorCount = await cursor.count('tensors', MAX_TENSORS, 24);
  const keyCount = await cursor.count('metadata keys', MAX_KEYS, 13);
  const metadata = new Map<string, unknown>();
  for (let i = 0; i < keyCount; i++) {
    const key = await cursor.string();
    if (metadata.has(key)) throw cursor.bad(`the metadata key '${key}' comes twice`);
    metadata.set(key, await cursor.value(await cursor.u32(), key));
  }
  const infos: { name: string; shape: number[]; type: number; offset: number }[] = [];
  for (let i = 0; i < tensorCount; i++) {
    const name = await cursor.string();
    const dims = await cursor.u32();
    if (dims < 1 || dims > 4) throw cursor.bad(`tensor '${name}' has ${dims} dimensions`);
    const shape: number[] = [];
    for (let d = 0; d < dims; d++) shape.unshift(await cursor.u64());
    infos.push({ name, shape, type: await cursor.u32(), offset: await cursor.u64() });
  }
  const alignment = Number(metadata.get('general.alignment') ?? 32);
  if (!(Number.isInteger(alignment) && alignment >= 8 && alignment <= 1 << 20))
    throw cursor.bad(`its alignment is ${alignment}`);
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const info of infos) {
    if (tensors.has(info.name)) throw cursor.bad(`the tensor '${info.name}' comes twice`);
    tensors.set(info.name, placed(info, dataStart, file, cursor));
  }
  const ordered = [...tensors.values()].sort((a, b) => a.offset - b.offset);
  ordered.forEach((tensor, i) => {
    const before = ordered[i - 1];
    if (before && before.offset + before.bytes > tensor.offset) {
      throw cursor.bad(`the tensors '${before.name}' and '${tensor.name}' overlap`);
    }
  });
  return {
    path,
    metadata,
    tensors,
    async readF32(name, start = 0, count) {
      const tensor = tensors.get(name);
      if (!tensor) throw new ModelFileError(`${path} has no tensor '${name}'. It has ${tensors.size} others.`);
      const rows = tensor.shape[0];
      const many = count ?? rows - start;
      if (start < 0 || many < 0 || start + many > rows)
        throw new Error(`Rows ${start} to ${start + many} of '${name}' [${tensor.shape}] do not exist.`);
      const rowBytes = tensor.bytes / rows;
      const bytes = await file.read(tensor.offset + start * rowBytes, many * rowBytes);
      return dequantise(tensor.format, bytes);
    },
    close: () => file.close(),
  };
}

function placed(
  { name, shape, type, offset }: { name: string; shape: number[]; type: number; offset: number },
  dataStart: number,
  file: RandomAccessFile,
  cursor: Cursor,
): GgufTensor {
  const format = TYPES[type];
  if (!format) throw cursor.bad(`tensor '${name}' has the unknown type ${type}`);
  const values = shape.reduce((a, b) => a * b, 1);
  if (!(Number.isSafeInteger(values) && values > 0)) throw cursor.bad(`tensor '${name}' has the shape [${shape}]`);
  const block = BLOCKS[format];
  if (!block) {
    throw new ModelFileError(
      `Tensor '${name}' in ${file.path} is ${format}, which cannot be read; ${Object.keys(BLOCKS).join(', ')} can. ` +
        'Quantise the model to one of these.',
    );
  }
  const across = shape[shape.length - 1];
  if (across % block.values !== 0) {
    throw cursor.bad(
      `tensor '${name}' has rows of ${across} values, which ${format}'s blocks of ${block.values} do not fill`,
    );
  }
  const bytes = (values / block.values) * block.bytes;
  if (dataStart + offset + bytes > file.size) {
    throw cursor.bad(
      `tensor '${name}' ends at byte ${dataStart + offset + bytes}, but the file has ${file.size}: it is truncated or its header lies`,
    );
  }
  return { name, shape, format, bytes, offset: dataStart + offset };
}

/** Reads forward through the file in blocks; refuses to go past its end. */
class Cursor {
  at = 0;
  #block: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(0));
  #from = 0;
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(readonly file: RandomAccessFile) {}

  bad(what: string): ModelFileError {
    return new ModelFileError(`${this.file.path} is not a sound GGUF file: ${what}. Fetch or convert it again.`);
  }

  async u32(): Promise<number> {
    const at = await this.#need(4);
    return this.#block.getUint32(at, true);
  }

  async u64(): Promise<number> {
    return this.#size(await this.#need(8));
  }

  /** A count of things that take at least `least` bytes each. */
  async count(what: string, most: number, least: number): Promise<number> {
    const n = await this.u64();
    if (n > most || n * least > this.file.size) throw this.bad(`it claims ${n} ${what} in ${this.file.size} bytes`);
    return n;
  }

  async text(length: number): Promise<string> {
    const at = await this.#need(length);
    return this.#utf8.decode(new Uint8Array(this.#block.buffer, this.#block.byteOffset + at, length));
  }

  async string(): Promise<string> {
    const length = await this.u64();
    if (length > this.file.size - this.at) throw this.bad(`a string claims ${length} bytes past its end`);
    return this.text(length);
  }

  async value(type: number, key: string): Promise<unknown> {
    switch (type) {
      case 8:
        return this.string();
      case 9: {
        const of = await this.u32();
        const least = of === 8 ? 8 : (SCALARS[of]?.bytes ?? 1);
        const n = await this.count(`values in the array '${key}'`, Number.MAX_SAFE_INTEGER, least);
        if (of === 9) throw this.bad(`the array '${key}' holds arrays`);
        const list: unknown[] = [];
        // What is at hand is read without waiting: a vocabulary has hundreds of thousands of values.
        for (let i = 0; i < n; i++) list.push(this.#atHand(of) ?? (await this.value(of, key)));
        return list;
      }
      default: {
        const scalar = SCALARS[type];
        if (!scalar) throw this.bad(`the metadata key '${key}' has the unknown type ${type}`);
        const at = await this.#need(scalar.bytes);
        return scalar.read(this.#block, at);
      }
    }
  }

  /** A value that lies in the block as a whole, or undefined. */
  #atHand(type: number): unknown {
    const place = this.at - this.#from;
    const left = this.#block.byteLength - place;
    if (place < 0 || left < 8) return undefined;
    if (type !== 8) {
      const scalar = SCALARS[type];
      if (scalar) this.at += scalar.bytes;
      return scalar?.read(this.#block, place);
    }
    const length = this.#size(place);
    if (length > left - 8) return undefined;
    this.at += 8 + length;
    return this.#utf8.decode(new Uint8Array(this.#block.buffer, this.#block.byteOffset + place + 8, length));
  }

  /** A size of 64 bits at a place in the block. */
  #size(place: number): number {
    const value = this.#block.getUint32(place + 4, true) * 2 ** 32 + this.#block.getUint32(place, true);
    if (value > Number.MAX_SAFE_INTEGER) throw this.bad(`it claims a size of ${value}`);
    return value;
  }

  /** Makes `length` bytes available and steps over them. @returns their place in the block */
  async #need(length: number): Promise<number> {
    if (this.at + length > this.file.size)
      throw this.bad(`it ends at byte ${this.file.size}, in the middle of its header`);
    if (this.at < this.#from || this.at + length > this.#from + this.#block.byteLength) {
      const size = Math.min(Math.max(length, 1 << 20), this.file.size - this.at);
      const bytes = await this.file.read(this.at, size);
      this.#block = new DataView(bytes.buffer, bytes.byteOffset, size);
      this.#from = this.at;
    }
    const place = this.at - this.#from;
    this.at += length;
    return place;
  }
}

interface Scalar {
  readonly bytes: number;
  read(view: DataView, at: number): unknown;
}

const SCALARS: Readonly<Record<number, Scalar>> = {
  0: { bytes: 1, read: (v, at) => v.getUint8(at) },
  1: { bytes: 1, read: (v, at) => v.getInt8(at) },
  2: { bytes: 2, read: (v, at) => v.getUint16(at, true) },
  3: { bytes: 2, read: (v, at) => v.getInt16(at, true) },
  4: { bytes: 4, read: (v, at) => v.getUint32(at, true) },
  5: { bytes: 4, read: (v, at) => v.getInt32(at, true) },
  6: { bytes: 4, read: (v, at) => v.getFloat32(at, true) },
  7: { bytes: 1, read: (v, at) => v.getUint8(at) !== 0 },
  10: { bytes: 8, read: (v, at) => Number(v.getBigUint64(at, true)) },
  11: { bytes: 8, read: (v, at) => Number(v.getBigInt64(at, true)) },
  12: { bytes: 8, read: (v, at) => v.getFloat64(at, true) },
};
