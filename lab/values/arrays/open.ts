// Arrays by name, as other programs save them: .safetensors, NumPy's .npy and .npz, Arrow. Which it is, its first bytes say. Values are read when they are
// asked for, one array at a time, so that a file may be larger than the memory; Arrow's alone is read whole, and has a bound.

import { TraceError } from '../../../engine/errors.js';
import { openFile, type RandomAccessFile, stampOf } from '../../../engine/files.js';
import { openSafetensors } from '../../../engine/weights/safetensors.js';
import { readArrow } from './arrow-thread.js';
import { inOrder, MOST_HEADER, type NpyHeader, readNpyHeader } from './npy.js';
import { isReal, isWholeType, toF32, toWhole } from './numbers.js';
import { type Member, readMember, readMembers } from './zip.js';

/** What is known of an array before it is read. */
export interface ArrayInfo {
  /** F32, BF16, I64 …, as safetensors calls them. */
  readonly dtype: string;
  /** From the outermost dimension to the innermost. */
  readonly shape: readonly number[];
}

/** A file of arrays. It is opened for each look: nobody would think of closing it. */
export interface ArrayFile {
  /** As it was given. */
  readonly path: string;
  /** Its form. */
  readonly form: 'safetensors' | 'npy' | 'npz' | 'arrow';
  /** What the file says of itself, key by key. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What is in it, in the order of the file. */
  readonly arrays: ReadonlyMap<string, ArrayInfo>;
  /** Values as f32, from F64, F32, F16 and BF16. Throws TraceError for other types, and for a file that was changed since it was opened. */
  readF32(name: string): Promise<Float32Array>;
  /** Whole numbers. Throws TraceError where they are none. */
  readWhole(name: string): Promise<number[]>;
}

/** Bytes of an Arrow file, which is read whole. */
const MOST_ARROW = 1 << 30;
/** Of a packed member, to find its header in. */
const FIRST = 4096;

interface Read {
  readonly info: ArrayInfo;
  f32(): Promise<Float32Array>;
  whole(): Promise<number[]>;
}

interface Opened extends Pick<ArrayFile, 'form' | 'metadata'> {
  readonly arrays: ReadonlyMap<string, Read>;
}

/** Opens a file and reads what is in it, not the values. Throws TraceError or ModelFileError for what is none of these. */
export async function openArrays(path: string): Promise<ArrayFile> {
  const stamp = stampOf(path);
  const file = await openFile(path);
  let first: Buffer;
  try {
    first = Buffer.from(await file.read(0, Math.min(8, file.size)));
  } finally {
    await file.close();
  }
  const { form, metadata, arrays } = await opened(path, first);
  const unchanged = () => {
    if (stampOf(path) === stamp) return;
    throw new TraceError(`${path} is not what it was when it was opened. Open it again.`);
  };
  unchanged();
  const asked = async <T>(name: string, read: (one: Read) => Promise<T>): Promise<T> => {
    const one = arrays.get(name);
    if (!one) throw new TraceError(`${path} has no array '${name}'. It has ${arrays.size} others.`);
    unchanged();
    const values = await read(one);
    unchanged();
    return values;
  };
  return {
    path,
    form,
    metadata,
    arrays: new Map([...arrays].map(([name, { info }]) => [name, info])),
    readF32: name => asked(name, one => one.f32()),
    readWhole: name => asked(name, one => one.whole()),
  };
}

function opened(path: string, first: Buffer): Promise<Opened> {
  const begins = (mark: string) => first.toString('latin1').startsWith(mark);
  if (begins('\x93NUMPY')) return openNpy(path);
  if (begins('PK\x03\x04') || begins('PK\x05\x06')) return openNpz(path);
  if (begins('ARROW1') || begins('\xff\xff\xff\xff')) return openArrow(path); // a file, a stream
  if (begins('PAR1'))
    throw new TraceError(
      `${path} is Parquet, a row a value, which is not read back as a trace. Save it as .safetensors or .arrow.`,
    );
  if (first.length === 0) throw new TraceError(`${path} is empty. Save it again.`);
  if (/\.(npz|npy|arrow|feather)$/i.test(path))
    throw new TraceError(`${path} is not what its name says: it begins with ${first.toString('hex')}. Save it again.`);
  const pickled = first[0] === 0x80 && first[1] >= 2 && first[1] <= 5 && first.subarray(4).some(byte => byte !== 0);
  if (/\.(pt|pth|pkl)$/i.test(path) || pickled) throw aPickle(path);
  return openTensors(path);
}

const aPickle = (path: string) =>
  new TraceError(
    `${path} is a pickle, which runs code when it is read. Save the activations with safetensors.torch.save_file or numpy.savez.`,
  );

const faultOf = (path: string) => (what: string) =>
  new TraceError(`${path} is no sound file of arrays: ${what}. Save it again.`);

function typed(
  path: string,
  name: string,
  { dtype, shape }: ArrayInfo,
  bytes: () => Promise<Uint8Array<ArrayBuffer>>,
): Read {
  return {
    info: { dtype, shape },
    async f32() {
      if (isReal(dtype) && dtype.length <= 4 && dtype !== 'F4') return toF32(await bytes(), dtype);
      throw new TraceError(
        `'${name}' in ${path} is ${dtype}, and activations are read as F64, F32, F16 or BF16. Save it as one of them.`,
      );
    },
    async whole() {
      if (isWholeType(dtype)) return toWhole(await bytes(), dtype);
      const values = await this.f32();
      if (values.every(Number.isSafeInteger)) return [...values];
      throw new TraceError(
        `'${name}' in ${path} is ${dtype}, with values that are no whole numbers. Save ids as whole numbers.`,
      );
    },
  };
}

async function openTensors(path: string): Promise<Opened> {
  const file = await openSafetensors(path);
  await file.close();
  const arrays = new Map<string, Read>();
  for (const [name, tensor] of file.tensors) {
    const bytes = async () => {
      const again = await openSafetensors(path);
      try {
        return await again.readBytes(name);
      } finally {
        await again.close();
      }
    };
    arrays.set(name, typed(path, name, tensor, bytes));
  }
  return { form: 'safetensors', metadata: file.metadata, arrays };
}

/** The one array of a .npy is called as the file. */
async function openNpy(path: string): Promise<Opened> {
  const header = await withFile(path, async file => {
    const bytes = await file.read(0, Math.min(file.size, 12 + MOST_HEADER));
    return readNpyHeader(bytes, file.size, faultOf(path));
  });
  const bytes = () => withFile(path, async file => inOrder(header, await file.read(header.start, header.bytes)));
  const name = path.replace(/^.*[/\\]/, '').replace(/\.npy$/i, '');
  return { form: 'npy', metadata: new Map(), arrays: new Map([[name, typed(path, name, header, bytes)]]) };
}

async function openNpz(path: string): Promise<Opened> {
  const bad = faultOf(path);
  const arrays = new Map<string, Read>();
  await withFile(path, async file => {
    for (const member of await readMembers(file, bad)) {
      if (member.name.endsWith('/')) continue;
      if (/(^|\/)data\.pkl$/.test(member.name)) throw aPickle(path); // torch.save's archive
      const name = member.name.replace(/\.npy$/i, '');
      if (arrays.has(name)) throw bad(`it has '${name.slice(0, 80)}' twice`);
      arrays.set(name, await memberOf(path, file, member, bad));
    }
  });
  return { form: 'npz', metadata: new Map(), arrays };
}

async function memberOf(
  path: string,
  file: RandomAccessFile,
  member: Member,
  bad: (what: string) => Error,
): Promise<Read> {
  const inside = (what: string) => bad(`in '${member.name.slice(0, 80)}', ${what}`);
  let header: NpyHeader;
  try {
    header = readNpyHeader(await readMember(file, member, bad, FIRST), member.size, inside);
  } catch (error) {
    if (member.packed <= FIRST) throw error;
    header = readNpyHeader(await readMember(file, member, bad, MOST_HEADER), member.size, inside);
  }
  const bytes = async () => {
    const whole = await withFile(path, again => readMember(again, member, bad));
    return inOrder(header, whole.slice(header.start));
  };
  return typed(path, member.name.replace(/\.npy$/i, ''), header, bytes);
}

async function openArrow(path: string): Promise<Opened> {
  const bad = faultOf(path);
  const { size } = await withFile(path, async file => file);
  if (size > MOST_ARROW)
    throw bad(`it has ${size} bytes, and at most ${MOST_ARROW} of Arrow are read; .safetensors and .npz have no bound`);
  const { metadata, arrays } = await readArrow(path, size, bad);
  const reads = arrays.map(({ name, dtype, shape, values }): [string, Read] => [
    name,
    {
      info: { dtype, shape },
      async f32() {
        if (values instanceof Float32Array) return values;
        throw new TraceError(`'${name}' in ${path} is whole numbers, and activations are read as F64, F32 or F16.`);
      },
      async whole() {
        if (values.every(Number.isSafeInteger)) return [...values];
        throw new TraceError(`'${name}' in ${path} has values that are no whole numbers. Save ids as whole numbers.`);
      },
    },
  ]);
  return { form: 'arrow', metadata, arrays: new Map(reads) };
}

async function withFile<T>(path: string, use: (file: RandomAccessFile) => Promise<T>): Promise<T> {
  const file = await openFile(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
