// NumPy's form of one array: a magic number, a version, the length of a header, the header as a Python literal, the values.

import { eachPlace } from '../strided.js';
import { BYTES, swapped } from './numbers.js';

/** What a header says. */
export interface NpyHeader {
  /** In safetensors' words; what NumPy calls otherwise and is not read stays as it is, but for its longdouble, whose `f16` reads as F16. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes of the values, from `start`. */
  readonly bytes: number;
  readonly start: number;
  /** The first dimension is the innermost. */
  readonly fortran: boolean;
  readonly bigEndian: boolean;
}

/** Headers are longer only where they list the fields of records. */
export const MOST_HEADER = 1 << 16;
const MOST_DIMENSIONS = 32; // of NumPy 1

const DTYPES: ReadonlyMap<string, string> = new Map([
  ['f8', 'F64'],
  ['f4', 'F32'],
  ['f2', 'F16'],
  ['i8', 'I64'],
  ['u8', 'U64'],
  ['i4', 'I32'],
  ['u4', 'U32'],
  ['i2', 'I16'],
  ['u2', 'U16'],
  ['i1', 'I8'],
  ['u1', 'U8'],
  ['b1', 'BOOL'],
  ['f16', 'longdouble'], // 80 bits in sixteen or twelve bytes: no F16
  ['f12', 'longdouble'],
  ['V2', 'BF16'], // ml_dtypes.bfloat16, which NumPy saves as two bytes that it knows nothing of
]);

/**
 * Reads a header from the first bytes of a file or member. Throws what `bad` makes of a clause.
 * @param size bytes of all of it, the header's among them
 */
export function readNpyHeader(bytes: Uint8Array, size: number, bad: (what: string) => Error): NpyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 10 || view.getUint32(0) !== 0x934e554d || view.getUint16(4) !== 0x5059)
    throw bad('it does not begin as a .npy does, with \\x93NUMPY');
  const version = bytes[6];
  if (version < 1 || version > 3) throw bad(`it is of version ${version}.${bytes[7]}, and 1 to 3 are read`);
  const wide = version > 1;
  if (wide && bytes.length < 12) throw bad('it ends in its header');
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const from = wide ? 12 : 10;
  if (length > MOST_HEADER) throw bad(`its header claims ${length} bytes, and at most ${MOST_HEADER} are read`);
  if (from + length > bytes.length) throw bad('it ends in its header');
  const text = Buffer.from(bytes.subarray(from, from + length)).toString('latin1');
  const descr = /'descr'\s*:\s*'([<>|=]?)(\w+)'/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)\b/.exec(text);
  const dims = /'shape'\s*:\s*\(([\d,\sL]*)\)/.exec(text);
  if (!order || !dims || (!descr && !/'descr'\s*:/.test(text)))
    throw bad("its header lacks 'descr', 'fortran_order' or 'shape'");
  if (!descr) throw bad('it is of records, and plain numbers are read');
  const dtype = DTYPES.get(descr[2]) ?? descr[2];
  if (descr[2].startsWith('O'))
    throw bad("it holds Python objects, and numbers are read; numpy makes them of it with astype('float32')");
  const shape = dims[1]
    .split(',')
    .map(part => part.replace('L', '').trim())
    .filter(part => part !== '')
    .map(Number);
  const isNumber = shape.length === 1 && !dims[1].includes(','); // in Python's brackets, where a tuple is needed
  if (isNumber || shape.length > MOST_DIMENSIONS || !shape.every(Number.isSafeInteger))
    throw bad(`its shape is (${dims[1].slice(0, 80)})`);
  const each = BYTES.get(dtype);
  const bytesOf = each === undefined ? 0 : shape.reduce((n, d) => n * d, each);
  const start = from + length;
  if (each !== undefined && (!Number.isSafeInteger(bytesOf) || start + bytesOf !== size))
    throw bad(`its shape (${shape}) of ${dtype} takes ${bytesOf} bytes, and there are ${Math.max(0, size - start)}`);
  return { dtype, shape, bytes: bytesOf, start, fortran: order[1] === 'True', bigEndian: descr[1] === '>' };
}

/** Values as a little-endian machine has them, the last dimension innermost. @param bytes may be changed */
export function inOrder(
  { dtype, shape, fortran, bigEndian }: NpyHeader,
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const each = BYTES.get(dtype)!;
  const little = bigEndian ? swapped(bytes, each) : bytes;
  if (!fortran || shape.length < 2) return little;
  const out = new Uint8Array(little.length);
  const strides = shape.map((_, d) => shape.slice(0, d).reduce((n, size) => n * size, 1));
  eachPlace(shape, strides, 0, (from, to) => {
    for (let b = 0; b < each; b++) out[to * each + b] = little[from * each + b];
  });
  return out;
}
