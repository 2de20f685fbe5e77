// Numbers as other programs store them: their types by one name, and their bytes as f32 or as whole numbers.

import { bf16ToF32, f16ToF32 } from '../../../engine/weights/safetensors.js';

/** Types that are read, in safetensors' words, with their bytes. Other types have a name too, and are refused when they are asked for. */
export const BYTES: ReadonlyMap<string, number> = new Map([
  ['F64', 8],
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
  ['I64', 8],
  ['U64', 8],
  ['I32', 4],
  ['U32', 4],
  ['I16', 2],
  ['U16', 2],
  ['I8', 1],
  ['U8', 1],
  ['BOOL', 1],
]);

export const isReal = (dtype: string): boolean => /^B?F\d/.test(dtype);
export const isWholeType = (dtype: string): boolean => /^[IU]\d|^BOOL$/.test(dtype);

/** Values in the order of the file. @param bytes begins at a multiple of the type's size */
export function toF32(bytes: Uint8Array<ArrayBuffer>, dtype: string): Float32Array {
  const { buffer, byteOffset, length } = bytes;
  if (dtype === 'F32') return new Float32Array(buffer, byteOffset, length / 4);
  if (dtype === 'F64') return Float32Array.from(new Float64Array(buffer, byteOffset, length / 8));
  const halves = new Uint16Array(buffer, byteOffset, length / 2);
  return dtype === 'BF16' ? bf16ToF32(halves) : f16ToF32(halves);
}

/** Whole numbers, as token ids are; those of 64 bits that no number holds are NaN. */
export function toWhole(bytes: Uint8Array<ArrayBuffer>, dtype: string): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = BYTES.get(dtype)!;
  const exact = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : Number.NaN);
  const at: Readonly<Record<string, (i: number) => number>> = {
    I64: i => exact(view.getBigInt64(i, true)),
    U64: i => exact(view.getBigUint64(i, true)),
    I32: i => view.getInt32(i, true),
    U32: i => view.getUint32(i, true),
    I16: i => view.getInt16(i, true),
    U16: i => view.getUint16(i, true),
    I8: i => view.getInt8(i),
    U8: i => view.getUint8(i),
    BOOL: i => Number(view.getUint8(i) !== 0),
  };
  return Array.from({ length: bytes.length / size }, (_, i) => at[dtype](i * size));
}

/** In place, each value's bytes the other way round. */
export function swapped(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  if (size > 1) for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
  return bytes;
}
