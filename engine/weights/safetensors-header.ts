// What a safetensors header says, checked as the reference parser checks it (the Rust crate under Python's safetensors): golden/safetensors_cases.py
// asked it about every odd header that came to mind. Beyond that, three bounds that no model comes near keep a header from costing
// more than a second.

import { HeaderFault, HeaderReader } from './header-json.js';

/** A tensor of the header; bytes [offset, offset + bytes) behind it. */
export interface HeaderTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly offset: number;
}

export interface Header {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, HeaderTensor>;
}

/** The format's own limit, in bytes. */
export const MAX_HEADER = 100_000_000;
const MAX_TENSORS = 100_000;
const MAX_METADATA = 100_000;
const MAX_DIMENSIONS = 1_000_000; // of all tensors together

/** Bits a value. Those that Loupe cannot read are known too: a tensor that nobody reads does no harm. */
const BITS: ReadonlyMap<string, number> = new Map([
  ...['F64', 'I64', 'U64', 'C64'].map(dtype => [dtype, 64] as const),
  ...['F32', 'I32', 'U32'].map(dtype => [dtype, 32] as const),
  ...['F16', 'BF16', 'I16', 'U16'].map(dtype => [dtype, 16] as const),
  ...['BOOL', 'U8', 'I8', 'F8_E4M3', 'F8_E5M2', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ'].map(d => [d, 8] as const),
  ...['F6_E2M3', 'F6_E3M2'].map(dtype => [dtype, 6] as const),
  ['F4', 4],
]);

/**
 * Reads and checks a header. Throws HeaderFault whose message follows "its header", or "tensor 'x' …".
 * @param dataBytes bytes of the file behind the header
 */
export function readHeader(text: string, dataBytes: number): Header {
  const reader = new HeaderReader(text);
  if (reader.next() !== '{') throw new HeaderFault('is not a JSON object');
  let metadata: Map<string, string> | null = null;
  const claims = new Map<string, Claim>();
  const count = bounded();
  reader.object(key => {
    if (key === '__metadata__') {
      if (metadata) throw new HeaderFault('has __metadata__ twice');
      metadata = readMetadata(reader, count.metadata);
    } else {
      count.tensor();
      claims.set(key, readClaim(reader, key, count.dimension)); // one that comes again takes the place of the first, as in the reference
    }
  });
  reader.end();
  return { metadata: metadata ?? new Map(), tensors: placed(claims, dataBytes) };
}

interface Claim {
  readonly dtype: string;
  readonly shape: readonly bigint[];
  readonly begin: bigint;
  readonly end: bigint;
}

function bounded() {
  const counter = (most: number, what: string) => {
    let n = 0;
    return () => {
      if (++n > most) throw new HeaderFault(`lists more than ${most} ${what}, far more than a model has`);
    };
  };
  return {
    tensor: counter(MAX_TENSORS, 'tensors'),
    metadata: counter(MAX_METADATA, 'keys of __metadata__'),
    dimension: counter(MAX_DIMENSIONS, 'dimensions'),
  };
}

function readMetadata(reader: HeaderReader, count: () => void): Map<string, string> {
  const found = new Map<string, string>();
  if (reader.null()) return found;
  if (reader.next() !== '{') throw new HeaderFault('has a __metadata__ that is no map of strings');
  reader.object(key => {
    count();
    if (reader.next() !== '"') throw new HeaderFault(`has a __metadata__ whose '${short(key)}' is no string`);
    found.set(key, reader.string());
  });
  return found;
}

/** `{"dtype", "shape", "data_offsets"}` in any order, or the three as a list; other keys mean nothing. */
function readClaim(reader: HeaderReader, name: string, count: () => void): Claim {
  const bad = (what: string) => new HeaderFault(`has the tensor '${short(name)}' ${what}`);
  const known = {
    dtype: undefined as string | undefined,
    shape: undefined as bigint[] | undefined,
    data_offsets: undefined as bigint[] | undefined,
  };
  const part = (key: string) => {
    if (key !== 'dtype' && key !== 'shape' && key !== 'data_offsets') {
      reader.skip();
      return;
    }
    if (known[key] !== undefined) throw bad(`with ${key} twice`);
    if (key === 'dtype') known.dtype = readDtype(reader, bad);
    else known[key] = readNumbers(reader, key, bad, count);
  };
  if (reader.next() === '{') reader.object(part);
  else if (reader.next() === '[') reader.list(i => part(['dtype', 'shape', 'data_offsets'][i] ?? fail()));
  else throw bad('that is no object');
  const { dtype, shape, data_offsets: offsets } = known;
  const missing = (['dtype', 'shape', 'data_offsets'] as const).find(key => known[key] === undefined);
  if (dtype === undefined || !shape || !offsets) throw bad(`without ${missing}`);
  if (offsets.length !== 2) throw bad(`with ${offsets.length} data_offsets, where 2 are expected`);
  return { dtype, shape, begin: offsets[0], end: offsets[1] };

  function fail(): never {
    throw bad('as a list of more than three');
  }
}

/** A name, or the one key of an object that holds null: serde takes an enumeration's value in both forms. */
function readDtype(reader: HeaderReader, bad: (what: string) => HeaderFault): string {
  let dtype: string | undefined;
  if (reader.next() === '"') dtype = reader.string();
  else if (reader.next() === '{') {
    reader.object(key => {
      if (dtype !== undefined || !reader.null()) throw bad('with a dtype that is no name');
      dtype = key;
    });
  }
  if (dtype === undefined) throw bad('with a dtype that is no name');
  if (!BITS.has(dtype)) throw bad(`of the dtype "${short(dtype)}", which the format does not have`);
  return dtype;
}

function readNumbers(
  reader: HeaderReader,
  key: string,
  bad: (what: string) => HeaderFault,
  count: () => void,
): bigint[] {
  const numbers: bigint[] = [];
  if (reader.next() !== '[') throw bad(`whose ${key} is no list`);
  reader.list(() => {
    count();
    const number = reader.whole();
    if (number === null) throw bad(`whose ${key} has no whole number ${reader.shown()}`);
    numbers.push(number);
  });
  return numbers;
}

/** Every byte belongs to one tensor: no gap, no overlap, nothing behind the last. */
function placed(claims: ReadonlyMap<string, Claim>, dataBytes: number): Map<string, HeaderTensor> {
  const order = [...claims].sort(([, a], [, b]) => compare(a.begin, b.begin) || compare(a.end, b.end));
  let from = 0n;
  let before = '';
  for (const [name, { dtype, shape, begin, end }] of order) {
    const bad = (what: string) => new HeaderFault(`has the tensor '${short(name)}' ${what}`);
    if (end < begin) throw bad(`from byte ${begin} to ${end}`);
    if (end > BigInt(dataBytes)) {
      throw bad(`with a claim to bytes ${begin} to ${end}, but there are ${dataBytes} after the header`);
    }
    if (begin < from) throw bad(`from byte ${begin}, so that it overlaps '${short(before)}', which ends at ${from}`);
    if (begin > from) throw bad(`from byte ${begin}, so that bytes ${from} to ${begin} before it belong to nothing`);
    const bits = bitsOf(dtype, shape);
    if (bits === null) throw bad(`in a shape of more than 2⁶⁴ bits, [${short(shape.join())}]`);
    if (bits % 8n !== 0n) throw bad(`of ${bits} bits, which are no whole bytes`);
    if (bits / 8n !== end - begin) {
      throw bad(`as ${dtype} [${short(shape.join())}], which takes ${bits / 8n} bytes, but it has ${end - begin}`);
    }
    from = end;
    before = name;
  }
  if (from !== BigInt(dataBytes)) {
    throw new HeaderFault(
      `places tensors on ${from} of the ${dataBytes} bytes behind it, and the rest belongs to nothing`,
    );
  }
  const tensors = new Map<string, HeaderTensor>();
  for (const [name, { dtype, shape, begin, end }] of claims) {
    tensors.set(name, { name, dtype, shape: shape.map(Number), bytes: Number(end - begin), offset: Number(begin) });
  }
  return tensors;
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** Bits of all values; null where the reference's 64 bits overflow, even if a later dimension is 0. */
function bitsOf(dtype: string, shape: readonly bigint[]): bigint | null {
  let values = 1n;
  for (const dimension of shape) {
    values *= dimension;
    if (values >> 64n) return null;
  }
  const bits = values * BigInt(BITS.get(dtype)!);
  return bits >> 64n ? null : bits;
}

const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
