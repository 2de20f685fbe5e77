// Reader of .safetensors: 8 bytes of header length, a JSON header, then the tensors' bytes. The header is believed only after every
// claim in it has been held against the file's size; nothing is allocated before.

import { ModelFileError, OptionError } from '../errors.js';
import { openFile, type RandomAccessFile } from '../files.js';
import { HeaderFault } from './header-json.js';
import { type Header, type HeaderTensor, MAX_HEADER, readHeader } from './safetensors-header.js';

export interface SafeTensor {
  readonly name: string;
  /** F32, F16, BF16 … as the file says; also those that cannot be read, such as F4. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface Safetensors {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, SafeTensor>;
  /** Values of rows [start, start + count) as f32; the whole tensor by default. Throws ModelFileError for other dtypes. */
  readF32(name: string, start?: number, count?: number): Promise<Float32Array>;
  /** Rows [start, start + count) as they are stored; the whole tensor by default. */
  readBytes(name: string, start?: number, count?: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Opens and checks one file. Throws ModelFileError that says what in the header cannot be true. */
export async function openSafetensors(path: string): Promise<Safetensors> {
  const file = await openFile(path);
  try {
    return await described(file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function described(file: RandomAccessFile): Promise<Safetensors> {
  const { path } = file;
  const bad = (what: string) =>
    new ModelFileError(`${path} is not a sound safetensors file: ${what}. Fetch or export it again.`);
  if (file.size < 8) throw bad(`it has ${file.size} bytes, and the header's length alone takes 8`);
  const lengthBytes = await file.read(0, 8);
  const length = Number(new DataView(lengthBytes.buffer).getBigUint64(0, true));
  if (length > file.size - 8) throw bad(`its header claims ${length} bytes, but the file has ${file.size}`);
  if (length > MAX_HEADER) throw bad(`its header claims ${length} bytes, and the format has at most ${MAX_HEADER}`);
  const dataStart = 8 + length;
  const { metadata, tensors } = headerOf(await file.read(8, length), file.size - dataStart, bad);
  const tensorOf = (name: string) => {
    const tensor = tensors.get(name);
    if (tensor) return tensor;
    throw new ModelFileError(`${path} has no tensor '${name}'. It has ${tensors.size} others.`);
  };
  const readRows = (tensor: HeaderTensor, start: number, count?: number) => {
    const rows = tensor.shape[0] ?? 1;
    const rowBytes = tensor.bytes / (rows || 1);
    const many = count ?? rows - start;
    if (!(start >= 0 && many >= 0 && start + many <= rows)) {
      throw new OptionError(`Rows ${start} to ${start + many} of '${tensor.name}' [${tensor.shape}] do not exist.`);
    }
    return file.read(dataStart + tensor.offset + start * rowBytes, many * rowBytes);
  };
  return {
    path,
    metadata,
    tensors,
    readBytes(name, start = 0, count) {
      const tensor = tensorOf(name);
      // Whole, a row of it may be no whole number of bytes.
      if (start === 0 && count === undefined) return file.read(dataStart + tensor.offset, tensor.bytes);
      return readRows(tensor, start, count);
    },
    async readF32(name, start = 0, count) {
      const tensor = tensorOf(name);
      readable(tensor, path);
      return toF32(await readRows(tensor, start, count), tensor.dtype);
    },
    close: () => file.close(),
  };
}

function headerOf(bytes: Uint8Array, dataBytes: number, bad: (what: string) => Error): Header {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw bad('its header is not UTF-8');
  }
  try {
    return readHeader(text, dataBytes);
  } catch (error) {
    throw error instanceof HeaderFault ? bad(`its header ${error.message}`) : error;
  }
}

function readable({ dtype, name }: SafeTensor, path: string): void {
  if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') return;
  throw new ModelFileError(
    `Tensor '${name}' in ${path} is ${dtype}; F32, F16 and BF16 can be read. Convert it, e.g. with transformers' save_pretrained.`,
  );
}

function toF32(bytes: Uint8Array<ArrayBuffer>, dtype: string): Float32Array {
  if (dtype === 'F32') return new Float32Array(bytes.buffer);
  const halves = new Uint16Array(bytes.buffer);
  return dtype === 'BF16' ? bf16ToF32(halves) : f16ToF32(halves);
}

/** bf16 is the upper half of an f32. */
export function bf16ToF32(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  return new Float32Array(bits.buffer);
}

/** The value of a half float. */
export function f16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

let f16Table: Float32Array | null = null;

/** All 65,536 half floats as f32: a look-up is faster than the arithmetic. */
export function f16Values(): Float32Array {
  f16Table ??= Float32Array.from({ length: 65536 }, (_, bits) => f16Value(bits));
  return f16Table;
}

export function f16ToF32(halves: Uint16Array): Float32Array {
  const table = f16Values();
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = table[halves[i]];
  return out;
}
