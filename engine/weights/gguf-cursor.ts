// Values out of a GGUF's header, one after the other. Every length is checked against what is left of the file, and against what keeps a
// lying header from costing more than a second: a vocabulary of 262,144 pieces with its merges has 1.3 million values in 10 MB.

import { ModelFileError } from '../errors.js';
import type { RandomAccessFile } from '../files.js';

const MAX_STRING = 16 << 20; // bytes
const MAX_VALUES = 1 << 22; // in all arrays together
const MAX_HEADER = 128 << 20; // bytes before the tensors

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

/** Reads forward through the file in blocks; refuses to go past its end. */
export class Cursor {
  at = 0;
  #block: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(0));
  #from = 0;
  /** Of arrays, so far. */
  #values = 0;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

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

  /** So many bytes, one a character. */
  async latin1(length: number): Promise<string> {
    const at = await this.#need(length);
    return Buffer.from(this.#block.buffer, this.#block.byteOffset + at, length).toString('latin1');
  }

  /** @param what it is, for the error where it is no text */
  async string(what: string, entry?: number): Promise<string> {
    const length = this.#stringLength(await this.u64());
    return this.#text(await this.#need(length), length, what, entry);
  }

  /** With U+FFFD in their place, what is no UTF-8 would be another text, and a template or a piece another one. */
  #text(at: number, length: number, what: string, entry?: number): string {
    try {
      return this.#utf8.decode(new Uint8Array(this.#block.buffer, this.#block.byteOffset + at, length));
    } catch {
      const which = entry === undefined ? `'${short(what)}'` : `entry ${entry} of '${short(what)}'`;
      throw this.bad(`${which} is not UTF-8, and what stood there would be another text`);
    }
  }

  async value(type: number, key: string): Promise<unknown> {
    switch (type) {
      case 8:
        return await this.string(key);
      case 9: {
        const of = await this.u32();
        const least = of === 8 ? 8 : (SCALARS[of]?.bytes ?? 1);
        const n = await this.count(`values in the array '${short(key)}'`, MAX_VALUES - this.#values, least);
        this.#values += n;
        if (of !== 8 && of !== 9 && !SCALARS[of]) {
          throw this.bad(`the array '${short(key)}' holds values of the unknown type ${of}`);
        }
        if (of === 9) throw this.bad(`the array '${short(key)}' holds arrays`);
        const list: unknown[] = [];
        // What is at hand is read without waiting: a vocabulary has hundreds of thousands of values.
        for (let i = 0; i < n; i++) list.push(this.#atHand(of, key, i) ?? (await this.#entry(of, key, i)));
        return list;
      }
      default: {
        const scalar = SCALARS[type];
        if (!scalar) throw this.bad(`the metadata key '${short(key)}' has the unknown type ${type}`);
        const at = await this.#need(scalar.bytes);
        return scalar.read(this.#block, at);
      }
    }
  }

  #entry(type: number, key: string, entry: number): Promise<unknown> {
    return type === 8 ? this.string(key, entry) : this.value(type, key);
  }

  /** A value that lies in the block as a whole, or undefined. */
  #atHand(type: number, key: string, entry: number): unknown {
    const place = this.at - this.#from;
    const left = this.#block.byteLength - place;
    if (left < 8) return undefined;
    if (type !== 8) {
      const scalar = SCALARS[type];
      this.at += scalar.bytes;
      return scalar.read(this.#block, place);
    }
    const length = this.#stringLength(this.#size(place));
    if (length > left - 8) return undefined;
    this.at += 8 + length;
    return this.#text(place + 8, length, key, entry);
  }

  #stringLength(length: number): number {
    if (length > this.file.size - this.at) throw this.bad(`a string claims ${length} bytes past its end`);
    if (length > MAX_STRING) throw this.bad(`a string claims ${length} bytes, and ${MAX_STRING} are read at most`);
    return length;
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
    if (this.at + length > MAX_HEADER) throw this.bad(`its header has more than ${MAX_HEADER} bytes`);
    if (this.at + length > this.#from + this.#block.byteLength) {
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

/** A name for a message: a file may give it any length. */
export const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
