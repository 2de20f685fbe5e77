// Writer of .safetensors files with f32 tensors, one after the other, so that a trace of any size needs no second copy.

import { open } from 'node:fs/promises';

export interface F32Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The parts of a file, one after the other. */
export function* safetensorsParts(
  tensors: readonly F32Tensor[],
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  yield length;
  yield padded;
  for (const { data } of tensors) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Writes the file whole or, on an error, leaves it incomplete: callers write where nothing is lost by that. */
export async function writeSafetensors(
  path: string,
  tensors: readonly F32Tensor[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const part of safetensorsParts(tensors, metadata)) await file.write(part);
  } finally {
    await file.close();
  }
}
