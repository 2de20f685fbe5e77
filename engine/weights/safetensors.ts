// Reader of .safetensors: 8 bytes of header length, a JSON header, then the tensors' bytes. The header is believed only after every
// claim in it has been held against the file's size; nothing is allocated before.

import { ModelFileError } from '../errors.js';
import { openFile, type RandomAccessFile } from '../files.js';

export interface SafeTensor {
  readonly name: string;
  /** F32, F16, BF16 … as the file says. */
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
  /** A tensor as it is stored. */
  readBytes(name: string): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

const MAX_HEADER = 100 << 20; // the format's own limit
const WIDTH: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  U64: 8,
  I32: 4,
  U32: 4,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
};

interface Placed extends SafeTensor {
  readonly offset: number;
}

/** Opens and checks one file. Throws ModelFileError that says what in the header cannot be true. */
export async function openSafetensors(path: string): Promise<Safetensors> {
  const file = await openFile(path);
  try {
    return await readHeader(file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readHeader(file: RandomAccessFile): Promise<Safetensors> {
  const { path } = file;
  const bad = (what: string) =>
    new ModelFileError(`${path} is not a sound safetensors file: ${what}. Fetch or export it again.`);
  if (file.size < 8) throw bad(`it has ${file.size} bytes, and the header's length alone takes 8`);
  const lengthBytes = await file.read(0, 8);
  const length = Number(new DataView(lengthBytes.buffer).getBigUint64(0, true));
  if (length > MAX_HEADER || length > file.size - 8) {
    throw bad(`its header claims ${length} bytes, but the file has ${file.size}`);
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await file.read(8, length)));
  } catch {
    throw bad('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw bad('its header is not a JSON object');
  const { __metadata__: meta = {}, ...entries } = header as Record<string, unknown>;
  const metadata = new Map<string, string>();
  for (const [key, text] of Object.entries(meta ?? {})) if (typeof text === 'string') metadata.set(key, text);
  const dataStart = 8 + length;
  const tensors = new Map<string, Placed>();
  for (const [name, entry] of Object.entries(entries)) {
    tensors.set(name, placed(name, entry, dataStart, file.size - dataStart, bad));
  }
  const ordered = [...tensors.values()].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  ordered.forEach((tensor, i) => {
    const before = ordered[i - 1];
    if (before && before.offset + before.bytes > tensor.offset) {
      throw bad(`the tensors '${before.name}' and '${tensor.name}' overlap`);
    }
  });
  const tensorOf = (name: string): Placed => {
    const tensor = tensors.get(name);
    if (tensor) return tensor;
    throw new ModelFileError(`${path} has no tensor '${name}'. It has ${tensors.size} others.`);
  };
  return {
    path,
    metadata,
    tensors,
    readBytes(name) {
      const { offset, bytes } = tensorOf(name);
      return file.read(offset, bytes);
    },
    async readF32(name, start = 0, count) {
      const tensor = tensorOf(name);
      const rows = tensor.shape[0] ?? 1;
      const rowBytes = rows === 0 ? 0 : tensor.bytes / rows;
      const many = count ?? rows - start;
      if (start < 0 || many < 0 || start + many > rows)
        throw new Error(`Rows ${start} to ${start + many} of '${name}' [${tensor.shape}] do not exist.`);
      const bytes = await file.read(tensor.offset + start * rowBytes, many * rowBytes);
      return toF32(bytes, tensor, path);
    },
    close: () => file.close(),
  };
}

function placed(
  name: string,
  entry: unknown,
  dataStart: number,
  dataBytes: number,
  bad: (what: string) => Error,
): Placed {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const whole = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (typeof dtype !== 'string' || !(dtype in WIDTH))
    throw bad(`tensor '${name}' has the dtype ${JSON.stringify(dtype)}`);
  if (!Array.isArray(shape) || !shape.every(whole))
    throw bad(`tensor '${name}' has the shape ${JSON.stringify(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(whole)) {
    throw bad(`tensor '${name}' has the offsets ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) {
    throw bad(`tensor '${name}' claims bytes ${begin} to ${end}, but there are ${dataBytes} after the header`);
  }
  const bytes = shape.reduce((a: number, b: number) => a * b, WIDTH[dtype]);
  if (bytes !== end - begin) {
    throw bad(`tensor '${name}' is ${dtype} [${shape}], which takes ${bytes} bytes, but it has ${end - begin}`);
  }
  return { name, dtype, shape: shape as number[], bytes, offset: dataStart + begin };
}

function toF32(bytes: Uint8Array<ArrayBuffer>, { dtype, name }: SafeTensor, path: string): Float32Array {
  switch (dtype) {
    case 'F32':
      return new Float32Array(bytes.buffer);
    case 'BF16':
      return bf16ToF32(new Uint16Array(bytes.buffer));
    case 'F16':
      return f16ToF32(new Uint16Array(bytes.buffer));
    default:
      throw new ModelFileError(
        `Tensor '${name}' in ${path} is ${dtype}; F32, F16 and BF16 can be read. Convert it, e.g. with transformers' save_pretrained.`,
      );
  }
}

/** bf16 is the upper half of an f32. */
export function bf16ToF32(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  return new Float32Array(bits.buffer);
}

let f16Table: Float32Array | null = null;

/** All 65,536 half floats as f32: a look-up is faster than the arithmetic. */
export function f16Values(): Float32Array {
  if (f16Table) return f16Table;
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) table[bits] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else table[bits] = sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
  }
  f16Table = table;
  return table;
}

export function f16ToF32(halves: Uint16Array): Float32Array {
  const table = f16Values();
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = table[halves[i]];
  return out;
}
