// Reader of GGUF 2 and 3: typed metadata, tensor infos, aligned data. Every length is checked against what is left of the file
// before anything is allocated for it, because a lying count is the usual way such a file is broken.

import { ModelFileError, OptionError } from '../errors.js';
import { openFile, type RandomAccessFile } from '../files.js';
import { BLOCKS, dequantise } from './dequantise.js';
import { Cursor, short } from './gguf-cursor.js';
import { canBeLeftOut } from './names.js';

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
  /** Rows [start, start + count) as they are stored; the whole tensor by default. */
  readBytes(name: string, start?: number, count?: number): Promise<Uint8Array<ArrayBuffer>>;
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

// No model comes near.
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
  if (file.size < 24 || (await cursor.latin1(4)) !== 'GGUF') {
    throw new ModelFileError(`${path} is not a GGUF file: it does not begin with 'GGUF'. Give a .gguf model.`);
  }
  const version = await cursor.u32();
  if (version === 0x02000000 || version === 0x03000000) {
    throw new ModelFileError(
      `${path} is a big-endian GGUF, for machines that count bytes the other way, and Loupe reads little-endian ones. ` +
        'Take the little-endian file, or turn it: gguf-convert-endian FILE little',
    );
  }
  if (version !== 2 && version !== 3) {
    throw cursor.bad(`it says version ${version}, and 2 and 3 are known`);
  }
  const tensorCount = await cursor.count('tensors', MAX_TENSORS, 24);
  const keyCount = await cursor.count('metadata keys', MAX_KEYS, 13);
  const metadata = new Map<string, unknown>();
  for (let i = 0; i < keyCount; i++) {
    const key = await cursor.string('the names of metadata keys', i);
    if (metadata.has(key)) throw cursor.bad(`the metadata key '${short(key)}' comes twice`);
    metadata.set(key, await cursor.value(await cursor.u32(), key));
  }
  const infos: { name: string; shape: number[]; type: number; offset: number }[] = [];
  for (let i = 0; i < tensorCount; i++) {
    const name = await cursor.string('the names of tensors', i);
    const dims = await cursor.u32();
    if (dims < 1 || dims > 4) throw cursor.bad(`tensor '${short(name)}' has ${dims} dimensions`);
    const shape: number[] = [];
    for (let d = 0; d < dims; d++) shape.unshift(await cursor.u64());
    infos.push({ name, shape, type: await cursor.u32(), offset: await cursor.u64() });
  }
  const alignment = alignmentOf(metadata, cursor);
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const info of infos) {
    if (tensors.has(info.name)) throw cursor.bad(`the tensor '${short(info.name)}' comes twice`);
    tensors.set(info.name, placed(info, dataStart, file, cursor));
  }
  checkPlaces([...tensors.values()], dataStart, alignment, cursor);
  const readBytes: Gguf['readBytes'] = async (name, start = 0, count) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new ModelFileError(`${path} has no tensor '${name}'. It has ${tensors.size} others.`);
    const rows = tensor.shape[0];
    const many = count ?? rows - start;
    if (!(start >= 0 && many >= 0 && start + many <= rows))
      throw new OptionError(`Rows ${start} to ${start + many} of '${name}' [${tensor.shape}] do not exist.`);
    const rowBytes = tensor.bytes / rows;
    return await file.read(tensor.offset + start * rowBytes, many * rowBytes);
  };
  return {
    path,
    metadata,
    tensors,
    readBytes,
    async readF32(name, start, count) {
      const bytes = await readBytes(name, start, count);
      return dequantise(tensors.get(name)!.format, bytes);
    },
    close: () => file.close(),
  };
}

function alignmentOf(metadata: Gguf['metadata'], cursor: Cursor): number {
  const alignment = metadata.get('general.alignment') ?? 32;
  const isPower = typeof alignment === 'number' && 2 ** Math.round(Math.log2(alignment)) === alignment;
  if (isPower && alignment >= 1 && alignment <= 1 << 20) return alignment;
  const said = typeof alignment === 'string' ? JSON.stringify(alignment) : String(alignment);
  throw cursor.bad(`its alignment is ${short(said)}, and a power of two from 1 to ${1 << 20} is expected`);
}

/** A writer puts one behind the other, each at the next multiple of the alignment: where one is not, its type, its shape or the one's before it is wrong. */
function checkPlaces(tensors: readonly GgufTensor[], start: number, alignment: number, cursor: Cursor): void {
  const ordered = tensors.toSorted((a, b) => a.offset - b.offset);
  let before: GgufTensor | null = null;
  for (const tensor of ordered) {
    const end = before ? before.offset + before.bytes : start;
    if (before && end > tensor.offset) {
      throw cursor.bad(`the tensors '${short(before.name)}' and '${short(tensor.name)}' overlap`);
    }
    const expected = start + Math.ceil((end - start) / alignment) * alignment;
    // Of what is left out it is not always known how long it is.
    if (before?.bytes !== 0 && tensor.offset !== expected) {
      const behind = before ? `the end of '${short(before.name)}' (${before.format}, [${before.shape}])` : 'the header';
      throw cursor.bad(
        `tensor '${short(tensor.name)}' lies ${tensor.offset - end} bytes behind ${behind}, where ${expected - end} are expected: the type or the shape of one of them is wrong`,
      );
    }
    before = tensor;
  }
}

function placed(
  { name, shape, type, offset }: { name: string; shape: number[]; type: number; offset: number },
  dataStart: number,
  file: RandomAccessFile,
  cursor: Cursor,
): GgufTensor {
  const format = TYPES[type] ?? (canBeLeftOut(name, 'gguf') ? `type ${type}` : undefined);
  if (!format) throw cursor.bad(`tensor '${short(name)}' has the unknown type ${type}`);
  const values = shape.reduce((a, b) => a * b, 1);
  if (!(Number.isSafeInteger(values) && values > 0))
    throw cursor.bad(`tensor '${short(name)}' has the shape [${shape}]`);
  const block = BLOCKS[format];
  if (!block) {
    // What the text model has no use for may be stored in any way.
    if (canBeLeftOut(name, 'gguf')) return { name, shape, format, bytes: 0, offset: dataStart + offset };
    throw new ModelFileError(
      `Tensor '${short(name)}' in ${file.path} is ${format}, which cannot be read; ${Object.keys(BLOCKS).join(', ')} can. ` +
        'Quantise the model to one of these.',
    );
  }
  const across = shape[shape.length - 1];
  if (across % block.values !== 0) {
    throw cursor.bad(
      `tensor '${short(name)}' has rows of ${across} values, which ${format}'s blocks of ${block.values} do not fill`,
    );
  }
  const bytes = (values / block.values) * block.bytes;
  if (dataStart + offset + bytes > file.size) {
    throw cursor.bad(
      `tensor '${short(name)}' ends at byte ${dataStart + offset + bytes}, but the file has ${file.size}: it is truncated or its header lies`,
    );
  }
  return { name, shape, format, bytes, offset: dataStart + offset };
}
