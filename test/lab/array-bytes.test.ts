// Arrays of other programs to the byte: every type and order of bytes, every bound of .npy, ZIP and Arrow met exactly and missed by one. What is right, numpy 2
// and Python's zipfile say of the same bytes.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  type DataType,
  Dictionary,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  Schema,
  Table,
  tableFromIPC,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import type { RandomAccessFile } from '../../engine/files.js';
import { Activation } from '../../lab/values/activation.js';
import { toArrow, traceToIpc } from '../../lab/values/arrow.js';
import { arrowArrays } from '../../lab/values/arrays/arrow-rows.js';
import { isReal, isWholeType, swapped, toF32, toWhole } from '../../lab/values/arrays/numbers.js';
import { inOrder, MOST_HEADER, readNpyHeader } from '../../lab/values/arrays/npy.js';
import { openArrays } from '../../lab/values/arrays/open.js';
import { readMember, readMembers } from '../../lab/values/arrays/zip.js';
import { npy, zip } from '../fixtures/array-files.js';
import { freshFolder } from '../fixtures/folder.js';

const bad = (what: string) => new Error(what);
const folder = freshFolder();
let made = 0;
function file(bytes: Uint8Array, name: string): string {
  const path = join(folder, `${made++}-${name}`);
  writeFileSync(path, bytes);
  return path;
}
const own = (bytes: ArrayLike<number>) => Uint8Array.from(bytes);
const floats = (...values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe('numbers', () => {
  // numpy.frombuffer(bytes, dtype).tolist()
  test.each([
    ['I64', [255, 255, 255, 255, 255, 255, 255, 255, 2, 1, 0, 0, 0, 0, 0, 0], [-1, 258]],
    ['U64', [255, 255, 255, 255, 255, 255, 255, 255, 2, 1, 0, 0, 0, 0, 0, 0], [Number.NaN, 258]],
    ['I64', [0, 0, 0, 0, 0, 0, 32, 0, 255, 255, 255, 255, 255, 255, 31, 0], [Number.NaN, 2 ** 53 - 1]],
    ['I32', [254, 255, 255, 255, 1, 2, 3, 4], [-2, 67305985]],
    ['U32', [254, 255, 255, 255], [4294967294]],
    ['I16', [254, 255, 1, 2], [-2, 513]],
    ['U16', [254, 255], [65534]],
    ['I8', [254, 7], [-2, 7]],
    ['U8', [254, 7], [254, 7]],
    ['BOOL', [0, 1, 2], [0, 1, 1]], // numpy: what is not 0 is true
  ])('%s as whole numbers', (dtype, bytes, values) => expect(toWhole(own(bytes), dtype)).toEqual(values));

  test('as f32, from where the bytes begin', () => {
    const part = (...bytes: number[]) => new Uint8Array(own([9, 9, 9, 9, 9, 9, 9, 9, ...bytes]).buffer, 8);
    expect([...toF32(part(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0), 'F32')]).toEqual([1, -2]);
    expect([...toF32(part(0, 0, 0, 0, 0, 0, 0xf0, 0x3f), 'F64')]).toEqual([1]);
    expect([...toF32(part(0, 0x3c, 0, 0xc0), 'F16')]).toEqual([1, -2]);
    expect([...toF32(part(0x80, 0x3f, 0, 0xc0), 'BF16')]).toEqual([1, -2]);
  });

  test('which types are real, which whole, and neither', () => {
    const types = ['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'I64', 'U8', 'BOOL', 'C64', 'xF32', 'xI8', 'BOOLS', 'f16'];
    expect(types.filter(isReal)).toEqual(['F64', 'F32', 'F16', 'BF16', 'F8_E4M3']);
    expect(types.filter(isWholeType)).toEqual(['I64', 'U8', 'BOOL']);
  });

  test('bytes the other way round', () => {
    expect([...swapped(own([1, 2, 3, 4]), 1)]).toEqual([1, 2, 3, 4]);
    expect([...swapped(own([1, 2, 3, 4]), 2)]).toEqual([2, 1, 4, 3]);
    expect([...swapped(own([1, 2, 3, 4]), 4)]).toEqual([4, 3, 2, 1]);
  });
});

describe('.npy', () => {
  const headed = (header: string, data: Uint8Array = own([]), version = 1) => {
    const bytes = npy('<f4', [], data, { version });
    const from = version === 1 ? 10 : 12;
    const start = bytes.subarray(0, from);
    if (version === 1) start.writeUInt16LE(header.length, 8);
    else start.writeUInt32LE(header.length, 8);
    return Buffer.concat([start, Buffer.from(header, 'latin1'), data]);
  };
  const read = (bytes: Uint8Array, size = bytes.length) => readNpyHeader(bytes, size, bad);
  const dict = (descr: string, shape: string, order = 'False') =>
    `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}}`;

  test.each([
    ["'<f8'", 'F64', 8],
    ["'<f4'", 'F32', 4],
    ["'=f4'", 'F32', 4],
    ["'|f4'", 'F32', 4],
    ["'f4'", 'F32', 4],
    ["'<f2'", 'F16', 2],
    ["'<i8'", 'I64', 8],
    ["'<u8'", 'U64', 8],
    ["'<i4'", 'I32', 4],
    ["'<u4'", 'U32', 4],
    ["'<i2'", 'I16', 2],
    ["'<u2'", 'U16', 2],
    ["'|i1'", 'I8', 1],
    ["'|u1'", 'U8', 1],
    ["'|b1'", 'BOOL', 1],
    ["'|V2'", 'BF16', 2],
  ])('%s is %s', (descr, dtype, each) => {
    const bytes = headed(dict(descr, '(1, 3)'), new Uint8Array(3 * each));
    expect(read(bytes)).toEqual({
      dtype,
      shape: [1, 3],
      bytes: 3 * each,
      start: bytes.length - 3 * each,
      fortran: false,
      bigEndian: false,
    });
  });

  test.each([
    ['()', [], 1],
    ['( )', [], 1],
    ['(0, 5)', [0, 5], 0],
    ['(2L,)', [2], 2], // Python 2
    ['(2 , )', [2], 2],
    [`(${'1, '.repeat(32)})`, Array(32).fill(1), 1],
  ])('the shape %s', (shape, dims, values) => {
    const { shape: found, bytes } = read(headed(dict("'>f4'", shape, 'True'), new Uint8Array(values * 4)));
    expect([found, bytes]).toEqual([dims, values * 4]);
  });

  test('blanks, and the order of the keys, are as Python takes them', () => {
    const odd = "{'shape' :\t(2,), 'fortran_order'  : True , 'descr' :  '>f4' , }\n";
    expect(read(headed(odd, new Uint8Array(8)))).toMatchObject({
      dtype: 'F32',
      shape: [2],
      fortran: true,
      bigEndian: true,
    });
  });

  test('versions 2 and 3 have a longer length', () => {
    for (const version of [2, 3])
      expect(read(headed(dict("'<f4'", '(1,)'), new Uint8Array(4), version))).toMatchObject({ shape: [1], bytes: 4 });
  });

  const good = headed(dict("'<f4'", '(1,)'), floats(7));
  const changed = (at: number, byte: number) => {
    const bytes = Buffer.from(good);
    bytes[at] = byte;
    return bytes;
  };
  const wide = headed(dict("'<f4'", '(1,)'), floats(7), 2);
  test.each([
    ['its first byte', changed(0, 0x92), /^it does not begin as a \.npy does, with \\x93NUMPY$/],
    ['its sixth', changed(5, 0x58), /^it does not begin as a \.npy does/],
    ['nine bytes', good.subarray(0, 9), /^it does not begin as a \.npy does/],
    ['no byte', good.subarray(0, 0), /^it does not begin as a \.npy does/],
    ['version 0', changed(6, 0), /^it is of version 0\.0, and 1 to 3 are read$/],
    ['version 4', changed(6, 4), /^it is of version 4\.0/],
    ['11 bytes of version 2', wide.subarray(0, 11), /^it ends in its header$/],
    ['all but a byte of the header', good.subarray(0, good.length - 5), /^it ends in its header$/],
    [
      'a header over the bound',
      headed(' '.repeat(MOST_HEADER + 1), own([]), 2),
      /^its header claims 65537 bytes, and at most 65536 are read$/,
    ],
    [
      'no descr',
      headed("{'fortran_order': False, 'shape': ()}"),
      /^its header lacks 'descr', 'fortran_order' or 'shape'$/,
    ],
    ['no order', headed("{'descr': '<f4', 'shape': ()}"), /^its header lacks/],
    ['no shape', headed("{'descr': '<f4', 'fortran_order': False}"), /^its header lacks/],
    ['an order that is none', headed(dict("'<f4'", '(1,)', 'Falsehood'), floats(1)), /^its header lacks/],
    ['records', headed(dict("[('a', '<f4')]", '(1,)'), floats(1)), /^it is of records, and plain numbers are read$/],
    [
      'objects',
      headed(dict("'|O'", '(1,)'), floats(1)),
      /^it holds Python objects, and numbers are read\. Save it as an array of numbers$/,
    ],
    ['33 dimensions', headed(dict("'<f4'", `(${'1, '.repeat(33)})`), floats(1)), /^its shape is \(1, 1,/],
    ['blanks in a number', headed(dict("'<f4'", '(2 3,)'), new Uint8Array(24)), /^its shape is \(2 3,\)$/],
    ['a number in brackets', headed(dict("'<f4'", '(1)'), floats(1)), /^its shape is \(1\)$/],
    [
      'a size that no number is',
      headed(dict("'<f4'", '(9007199254740993,)'), floats(1)),
      /^its shape is \(9007199254740993,\)$/,
    ],
    [
      'a product that no number is',
      headed(dict("'<f4'", '(9007199254740991, 3)'), floats(1)),
      /takes \d+ bytes, and there are 4$/,
    ],
    [
      'a value too few',
      headed(dict("'<f4'", '(2,)'), floats(1)),
      /^its shape \(2\) of F32 takes 8 bytes, and there are 4$/,
    ],
    [
      'a byte too many',
      headed(dict("'<f4'", '(1,)'), own([0, 0, 0, 0, 0])),
      /^its shape \(1\) of F32 takes 4 bytes, and there are 5$/,
    ],
  ])('refuses %s', (_, bytes, what) => expect(() => read(bytes)).toThrow(what));

  test('meets its bounds: a header of the most bytes, one that ends the file, a size less than its header', () => {
    const text = dict("'<f4'", '(0,)');
    expect(read(headed(text.padEnd(MOST_HEADER), own([]), 2)).shape).toEqual([0]);
    expect(() => readNpyHeader(good, 4, bad)).toThrow(/takes 4 bytes, and there are 0$/);
    expect(() => read(headed(dict("'<f4'", `(${'x'.repeat(9)})`)))).toThrow(/lacks/);
    expect(() => read(headed(dict("'<f4'", `(${'1 1,'.repeat(99)})`)))).toThrow(/^its shape is \(.{80}\)$/);
  });

  test('a type that is not read keeps its name, though an object has a member that is called so', () => {
    for (const name of ['c8', 'constructor', 'toString'])
      expect(read(headed(dict(`'<${name}'`, '(3,)'), own([1])))).toMatchObject({ dtype: name, bytes: 0 });
    // NumPy counts bytes: np.longdouble is '<f16', or '<f12' on x86 of 32 bits.
    for (const name of ['f16', 'f12'])
      expect(read(headed(dict(`'<${name}'`, '(3,)'), own([1])))).toMatchObject({ dtype: 'longdouble', bytes: 0 });
  });

  test('the first dimension innermost, in either order of bytes', () => {
    const header = { dtype: 'I16', shape: [2, 3], bytes: 12, start: 0, fortran: true, bigEndian: true };
    const stored = () => own([0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6]);
    expect([...inOrder(header, stored())]).toEqual([1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0]);
    expect([...inOrder({ ...header, fortran: false }, stored())]).toEqual([1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0]);
    expect([...inOrder({ ...header, bigEndian: false }, stored())]).toEqual([0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]);
    expect([...inOrder({ ...header, shape: [6], bigEndian: false }, stored())]).toEqual([...stored()]);
    expect([...inOrder({ ...header, shape: [0, 3] }, own([]))]).toEqual([]);
  });
});

describe('ZIP', () => {
  const inMemory = (bytes: Uint8Array): RandomAccessFile => ({
    path: 'memory',
    size: bytes.length,
    async read(offset, length) {
      if (!(offset >= 0 && offset + length <= bytes.length)) throw new Error(`read ${offset}, ${length}`);
      return Uint8Array.from(bytes.subarray(offset, offset + length));
    },
    close: async () => {},
  });
  const members = (bytes: Uint8Array) => readMembers(inMemory(bytes), bad);
  const data = own([1, 2, 3, 4, 5, 6, 7, 8]);
  const many = new Uint8Array(5000).fill(7);
  const plain = () => zip([{ name: 'é.npy', data }]);
  const END = 22;
  const listed = (bytes: Buffer) => bytes.readUInt32LE(bytes.length - 6);
  const set = (bytes: Buffer, change: (bytes: Buffer) => void) => {
    change(bytes);
    return bytes;
  };

  test('members as they are listed, and read', async () => {
    const bytes = zip([
      { name: 'a', data },
      { name: 'b', data: many, deflate: true },
      { name: 'c', data: own([]) },
      { name: 'd', data: own([]), deflate: true },
    ]);
    const found = await members(bytes);
    expect(found.map(({ name, deflated, size }) => [name, deflated, size])).toEqual([
      ['a', false, 8],
      ['b', true, 5000],
      ['c', false, 0],
      ['d', true, 0],
    ]);
    const read = await Promise.all(found.map(one => readMember(inMemory(bytes), one, bad)));
    expect(read.map(one => [...one])).toEqual([[...data], [...many], [], []]);
    expect(read[1].byteOffset).toBe(0); // of a buffer of its own, where any type may begin
    expect([...(await readMember(inMemory(bytes), found[0], bad, 3))]).toEqual([1, 2, 3]);
    expect([...(await readMember(inMemory(bytes), found[0], bad, 9))]).toEqual([...data]);
    const first = await readMember(inMemory(bytes), found[1], bad, found[1].packed - 2);
    expect([...first]).toEqual([...many.subarray(0, first.length)]);
    expect((await members(plain()))[0].name).toBe('é.npy');
    expect(await members(zip([]))).toEqual([]);
  });

  test('a comment behind the list, of any length, with the mark of an end in it', async () => {
    for (const comment of [Buffer.from('hello'), Buffer.alloc(65_535, 1), Buffer.from('504b0506ffff', 'hex')]) {
      const bytes = Buffer.concat([plain(), comment]);
      bytes.writeUInt16LE(comment.length, bytes.length - comment.length - 2);
      expect(await members(bytes)).toHaveLength(1);
    }
    await expect(members(Buffer.concat([plain(), Buffer.from('hello')]))).rejects.toThrow(
      /^the list of what is in it, which stands at its end, is missing: it is truncated, or no ZIP$/,
    );
    await expect(members(plain().subarray(0, 21))).rejects.toThrow(/is missing/);
  });

  test('numbers of 64 bits, each where that of 32 is full', async () => {
    const bytes = zip(
      [
        { name: 'a', data, deflate: true },
        { name: 'b', data },
      ],
      { wide: true },
    );
    const [a, b] = await members(bytes);
    expect([a.size, b.size, b.packed]).toEqual([8, 8, 8]);
    expect([...(await readMember(inMemory(bytes), b, bad))]).toEqual([...data]);
    // Of the three at the end any may be full alone.
    for (const [at, size] of [
      [10, 2],
      [12, 4],
      [16, 4],
    ]) {
      const alone = Buffer.from(bytes);
      const end = alone.length - END;
      const place = end - 20;
      const wideEnd = Number(alone.readBigUInt64LE(place + 8));
      alone.writeUInt16LE(Number(alone.readBigUInt64LE(wideEnd + 32)), end + 10);
      alone.writeUInt32LE(Number(alone.readBigUInt64LE(wideEnd + 40)), end + 12);
      alone.writeUInt32LE(Number(alone.readBigUInt64LE(wideEnd + 48)), end + 16);
      alone.fill(0xff, end + at, end + at + size);
      expect(await members(alone)).toEqual([a, b]);
    }
    const end = bytes.length - END;
    const place = end - 20;
    const wideEnd = Number(bytes.readBigUInt64LE(place + 8));
    const told = async (what: RegExp, change: (bytes: Buffer) => void) =>
      expect(members(set(Buffer.from(bytes), change))).rejects.toThrow(what);
    const LACKS = /^its end lacks the numbers of 64 bits$/;
    await told(LACKS, one => one.writeUInt32LE(0, place));
    await told(LACKS, one => one.writeUInt32LE(0, wideEnd));
    for (const at of [32, 40, 48]) await told(LACKS, one => one.writeBigUInt64LE(1n << 53n, wideEnd + at));
    await told(/^the place of its list lies outside of it$/, one => one.writeBigUInt64LE(1n << 53n, place + 8));
    await told(/^the place of its list lies outside of it$/, one =>
      one.writeBigUInt64LE(BigInt(one.length - 55), place + 8),
    );
    await told(LACKS, one => one.writeBigUInt64LE(BigInt(one.length - 56), place + 8));
    await expect(members(set(zip([]), one => one.writeUInt16LE(0xffff, 10)))).rejects.toThrow(LACKS);
  });

  test('extras of other kinds before those of 64 bits; and some that are cut off', async () => {
    const bytes = zip([{ name: 'a', data }], { wide: true });
    const wideEnd = bytes.length - END - 20 - 56;
    const list = Number(bytes.readBigUInt64LE(wideEnd + 48));
    const [entry, extra] = [bytes.subarray(list, list + 46), bytes.subarray(list + 47, list + 47 + 28)];
    const withExtras = (extras: Buffer) => {
      const head = Buffer.from(entry);
      head.writeUInt16LE(extras.length, 30);
      const tail = zip([]);
      const listing = Buffer.concat([head, Buffer.from('a'), extras]);
      tail.writeUInt16LE(1, 10);
      tail.writeUInt32LE(listing.length, 12);
      tail.writeUInt32LE(list, 16);
      return Buffer.concat([bytes.subarray(0, list), listing, tail]);
    };
    const other = Buffer.from('55540300aabbcc', 'hex');
    for (const extras of [extra, Buffer.concat([other, extra]), Buffer.concat([extra, other])])
      expect(await members(withExtras(extras))).toMatchObject([{ size: 8, packed: 8, offset: 0 }]);
    for (const extras of [Buffer.alloc(0), extra.subarray(0, 3), extra.subarray(0, 11), extra.subarray(0, 27)])
      await expect(members(withExtras(extras))).rejects.toThrow(/lies outside of it: it is truncated|claims/);
    const beyond = Buffer.from(extra);
    beyond.writeBigUInt64LE(1n << 63n, 20);
    await expect(members(withExtras(beyond))).rejects.toThrow(/^its member 'a' lies outside of it: it is truncated$/);
  });

  const told = (what: RegExp, change: (bytes: Buffer) => void, bytes = plain()) =>
    expect(members(set(bytes, change))).rejects.toThrow(what);
  test('the list: what it claims is held against the file', async () => {
    await told(/^it lists 65534 members|^its list ends after 1 of 65534 members$/, one =>
      one.writeUInt16LE(65_534, one.length - 12),
    );
    await told(/^its list ends after 1 of 2 members$/, one => one.writeUInt16LE(2, one.length - 12));
    await told(/^its list lies outside of it$/, one => one.writeUInt32LE(one.length - 6, one.length - 6));
    await told(/^its list lies outside of it$/, one => one.writeUInt32LE((64 << 20) + 1, one.length - 10));
    await told(/^its list ends after 0 of 1 members$/, one => one.writeUInt32LE(0, listed(one)));
    for (const at of [28, 30, 32])
      await told(/^its list ends after 0 of 1 members$/, one => one.writeUInt16LE(99, listed(one) + at));
    const wide = zip([{ name: 'a', data }], { wide: true });
    await told(
      /^it lists 100001 members, and at most 100000 are read$/,
      one => one.writeBigUInt64LE(100_001n, one.length - END - 20 - 56 + 32),
      Buffer.from(wide),
    );
    await told(
      /^its list ends after 1 of 100000 members$/,
      one => one.writeBigUInt64LE(100_000n, one.length - END - 20 - 56 + 32),
      Buffer.from(wide),
    );
    // A comment of a member is passed over.
    const two = zip([
      { name: 'a', data },
      { name: 'b', data },
    ]);
    const at = listed(two) + 47;
    const commented = Buffer.concat([two.subarray(0, at), Buffer.from('hey'), two.subarray(at)]);
    commented.writeUInt16LE(3, at - 47 + 32);
    commented.writeUInt32LE(commented.readUInt32LE(commented.length - 10) + 3, commented.length - 10);
    expect((await members(commented)).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('a member: where it lies, how it is packed, how much it claims', async () => {
    const long = 'n'.repeat(90);
    await expect(members(zip([{ name: long, data, flags: 1 }]))).rejects.toThrow(
      `its member '${'n'.repeat(80)}' is encrypted`,
    );
    await expect(members(zip([{ name: 'a', data, flags: 2 }]))).resolves.toHaveLength(1);
    await expect(members(zip([{ name: 'a', data, method: 9 }]))).rejects.toThrow(
      /^its member 'a' is packed by method 9, and stored or deflated ones are read$/,
    );
    for (const size of [7, 9])
      await expect(members(zip([{ name: 'a', data, size }]))).rejects.toThrow(
        `its member 'a' claims ${size} bytes, and has 8`,
      );
    const [{ packed }] = await members(zip([{ name: 'a', data, deflate: true }]));
    await expect(members(zip([{ name: 'a', data, deflate: true, size: packed * 1040 }]))).resolves.toHaveLength(1);
    await expect(members(zip([{ name: 'a', data, deflate: true, size: packed * 1040 + 1 }]))).rejects.toThrow(/claims/);
    await told(/^its member 'é.npy' lies outside of it: it is truncated$/, one =>
      one.writeUInt32LE(one.length - 37, listed(one) + 42),
    );
    await expect(
      members(set(plain(), one => one.writeUInt32LE(one.length - 38, listed(one) + 42))),
    ).resolves.toHaveLength(1);
  });

  test('a member when it is read: its own header, its bytes, its checksum', async () => {
    const read = async (bytes: Buffer, change: (bytes: Buffer) => void, most?: number) => {
      const [one] = await members(bytes);
      change(bytes);
      return readMember(inMemory(bytes), one, bad, most);
    };
    const packed = (more = {}) => zip([{ name: 'a', data, deflate: true, ...more }]);
    await expect(read(plain(), one => one.writeUInt32LE(0, 0))).rejects.toThrow(
      /^its member 'é.npy' is not where its list says$/,
    );
    for (const at of [26, 28])
      await expect(read(plain(), one => one.writeUInt16LE(999, at))).rejects.toThrow(
        /lies outside of it: it is truncated$/,
      );
    // Its own header may have extras that the list has not.
    const before = plain();
    const room = Buffer.concat([before.subarray(0, 36), Buffer.from('xyz'), before.subarray(36)]);
    room.writeUInt16LE(3, 28);
    room.writeUInt32LE(room.readUInt32LE(room.length - 6) + 3, room.length - 6);
    expect([...(await read(room, () => {}))]).toEqual([...data]);
    await expect(read(zip([{ name: 'a', data, crc: 5 }]), () => {})).rejects.toThrow(
      /^its member 'a' is not what its checksum says$/,
    );
    await expect(read(packed({ crc: 5 }), () => {})).rejects.toThrow(/is not what its checksum says$/);
    expect([...(await read(zip([{ name: 'a', data, crc: 5 }]), () => {}, 4))]).toEqual([1, 2, 3, 4]);
    await expect(read(packed(), one => one.fill(0xff, 31, 41))).rejects.toThrow(/^its member 'a' cannot be inflated$/);
    await expect(read(packed({ size: 9 }), () => {})).rejects.toThrow(
      /^its member 'a' has 8 bytes, and its list says 9$/,
    );
    await expect(read(packed({ size: 7 }), () => {})).rejects.toThrow(/^its member 'a' cannot be inflated$/); // no more than is told is made
    expect([...(await read(packed(), () => {}, 1000))]).toEqual([...data]);
  });
});

describe('a file of arrays', () => {
  const told = async (bytes: Uint8Array, name: string, what: RegExp) =>
    expect(openArrays(file(bytes, name))).rejects.toThrow(what);

  test('which form it is, its first bytes say', async () => {
    const one = npy('<f4', [1], floats(7));
    const array = await openArrays(file(one, 'Q.NPY'));
    expect([array.form, [...array.arrays.keys()], [...array.metadata]]).toEqual(['npy', [`${made - 1}-Q`], []]);
    const other = await openArrays(file(one, 'x.npy.bin'));
    expect([...other.arrays.keys()]).toEqual([`${made - 1}-x.npy.bin`]);
    const archive = await openArrays(
      file(
        zip([
          { name: 'dir/', data: own([]) },
          { name: 'dir/A.NPY', data: one },
        ]),
        'a.bin',
      ),
    );
    expect([archive.form, [...archive.arrays.keys()]]).toEqual(['npz', ['dir/A']]);
    expect((await openArrays(file(zip([]), 'a.npz'))).arrays.size).toBe(0);
    for (const name of ['a.npz', 'a.npy', 'a.arrow', 'a.FEATHER'])
      await told(own([1, 2, 255]), name, /is not what its name says: it begins with 0102ff\. Save it again\.$/);
    await told(own([1, 2, 255]), 'a.npz.bin', /is no safetensors file|truncated|cannot be read|bytes/);
  });

  test('a pickle is known by its name and by its beginning, and a safetensors header of 0x..80 bytes is none', async () => {
    const PICKLE =
      /is a pickle, which runs code when it is read\. Save the activations with safetensors\.torch\.save_file or numpy\.savez\.$/;
    for (const name of ['a.pt', 'a.PTH', 'a.pkl']) await told(own([1]), name, PICKLE);
    for (const protocol of [2, 5]) await told(own([0x80, protocol, 0x5d, 0x71, 0, 0x2e]), 'a', PICKLE);
    for (const start of [
      [0x80, 1],
      [0x80, 6],
      [0x7f, 3],
    ])
      await told(own([...start, 0x5d, 0x71, 0, 0x2e]), 'a', /^(?!.*pickle)/);
    const header = `{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`.padEnd(0x280);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(0x280n);
    const tensors = await openArrays(file(Buffer.concat([length, Buffer.from(header), floats(3)]), 'a'));
    expect([tensors.form, [...(await tensors.readF32('t'))]]).toEqual(['safetensors', [3]]);
    await told(zip([{ name: 'x/data.pkl', data: own([1]) }]), 'a', PICKLE);
    await told(zip([{ name: 'data.pkl', data: own([1]) }]), 'a', PICKLE);
    await told(
      zip([{ name: 'metadata.pkl', data: own([1]) }]),
      'a',
      /in 'metadata\.pkl', it does not begin as a \.npy does/,
    );
  });

  test('what is asked for and is not there, or is another type', async () => {
    const arrays = await openArrays(
      file(
        zip([
          { name: 'f.npy', data: npy('<f4', [2], floats(1, 2)) },
          { name: 'g.npy', data: npy('<f4', [2], floats(1, 2.5)) },
          { name: 'i.npy', data: npy('|i1', [2], own([255, 2])) },
          { name: 'c.npy', data: npy('<c8', [1], floats(1, 2)) },
        ]),
        'a.npz',
      ),
    );
    await expect(arrays.readF32('x')).rejects.toThrow(/has no array 'x'\. It has 4 others\.$/);
    expect(await arrays.readWhole('f')).toEqual([1, 2]);
    expect(await arrays.readWhole('i')).toEqual([-1, 2]);
    await expect(arrays.readWhole('g')).rejects.toThrow(
      /'g' in .* is F32, with values that are no whole numbers\. Save ids as whole numbers\.$/,
    );
    for (const [name, dtype] of [
      ['i', 'I8'],
      ['c', 'c8'],
    ])
      await expect(arrays.readF32(name)).rejects.toThrow(
        new RegExp(
          `'${name}' in .* is ${dtype}, and activations are read as F64, F32, F16 or BF16\\. Save it as one of them\\.$`,
        ),
      );
    await expect(arrays.readWhole('c')).rejects.toThrow(/is c8, and activations/);
  });

  /** A row an array, as Arrow files of arrays have them. */
  const rowsOf = (type: DataType, arrays: Readonly<Record<string, readonly number[]>>) =>
    new Table({
      name: vectorFromArray(Object.keys(arrays), new Utf8()),
      shape: vectorFromArray(
        Object.values(arrays).map(values => [values.length]),
        new List(new Field('item', new Int32(), true)),
      ),
      values: vectorFromArray(Object.values(arrays), new List(new Field('item', type, true))),
    } as never);

  test('values of each form, and a file that was changed since it was opened', async () => {
    const length = Buffer.alloc(8);
    const header = JSON.stringify({ t: { dtype: 'F32', shape: [2, 1], data_offsets: [0, 8] } });
    length.writeBigUInt64LE(BigInt(header.length));
    const table = rowsOf(new Float32(), { t: [3, 4] });
    const forms = {
      npy: npy('<f4', [2, 1], floats(3, 4)),
      npz: zip([{ name: 't.npy', data: npy('<f4', [2, 1], floats(3, 4)) }]),
      safetensors: Buffer.concat([length, Buffer.from(header), floats(3, 4)]),
      arrow: tableToIPC(table, 'file'),
      stream: tableToIPC(table, 'stream'),
    };
    for (const [form, bytes] of Object.entries(forms)) {
      const path = file(bytes, form);
      const arrays = await openArrays(path);
      const [[name, info]] = arrays.arrays;
      expect([arrays.form, info]).toEqual([
        form === 'stream' ? 'arrow' : form,
        { dtype: 'F32', shape: form === 'arrow' || form === 'stream' ? [2] : [2, 1] },
      ]);
      expect(await arrays.readF32(name)).toEqual(Float32Array.of(3, 4));
      expect(await arrays.readWhole(name)).toEqual([3, 4]);
      writeFileSync(path, Buffer.concat([bytes, Buffer.of(0)]));
      await expect(arrays.readF32(name)).rejects.toThrow(/ is not what it was when it was opened\. Open it again\.$/);
    }
  });

  test('Arrow: whole numbers are ids and no activations, and others no ids', async () => {
    const ids = await openArrays(file(tableToIPC(rowsOf(new Int32(), { i: [5, -6] }), 'file'), 'a'));
    const arrays = await openArrays(file(tableToIPC(rowsOf(new Float64(), { f: [1, 2.5] }), 'file'), 'a'));
    expect(await ids.readWhole('i')).toEqual([5, -6]);
    await expect(ids.readF32('i')).rejects.toThrow(
      /'i' in .* is whole numbers, and activations are read as F64, F32 or F16\.$/,
    );
    await expect(arrays.readWhole('f')).rejects.toThrow(
      /'f' in .* has values that are no whole numbers\. Save ids as whole numbers\.$/,
    );
    await told(Buffer.from('ARROW1 and then nothing'), 'a', /is no sound file of arrays: .*\. Save it again\.$/);
  });

  test('safetensors: types narrower than f16 are no activations', async () => {
    const types = { F64: 8, F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, F4: 0.5 };
    let end = 0;
    const tensors = Object.entries(types).map(([dtype, bytes]) => {
      const [from, to] = [end, end + 2 * bytes];
      end = to;
      return [dtype, { dtype, shape: [2], data_offsets: [from, to] }];
    });
    const header = Buffer.from(JSON.stringify(Object.fromEntries(tensors)));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const arrays = await openArrays(file(Buffer.concat([length, header, new Uint8Array(end)]), 'a'));
    for (const dtype of ['F64', 'F32', 'F16', 'BF16']) expect([...(await arrays.readF32(dtype))]).toEqual([0, 0]);
    for (const dtype of ['F8_E4M3', 'F4'])
      await expect(arrays.readF32(dtype)).rejects.toThrow(new RegExp(`is ${dtype}, and activations are read as F64`));
  });

  test('a header of more than the first 4 kB of a member', async () => {
    const long = npy('<f4', [1], floats(7), { version: 2 });
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }".padEnd(6000);
    const start = long.subarray(0, 12);
    start.writeUInt32LE(header.length, 8);
    const bytes = Buffer.concat([start, Buffer.from(header), floats(7)]);
    const arrays = await openArrays(file(zip([{ name: 'a.npy', data: bytes }]), 'a.npz'));
    expect([...(await arrays.readF32('a'))]).toEqual([7]);
    await told(
      zip([{ name: `${'a'.repeat(90)}.npy`, data: own([1]) }]),
      'a.npz',
      /: in 'a{80}', it does not begin as a \.npy does, with \\x93NUMPY\. Save it again\.$/,
    );
    await told(zip([{ name: 'a.npy', data: new Uint8Array(5000) }]), 'a.npz', /: in 'a\.npy', it does not begin/);
    const name = 'b'.repeat(90);
    const one = { name: `${name}.npy`, data: npy('<f4', [1], floats(7)) };
    await told(
      zip([one, { ...one, name }]),
      'a.npz',
      new RegExp(`: it has '${'b'.repeat(80)}' twice\\. Save it again\\.$`),
    );
  });
});

describe('Arrow', () => {
  type Columns = Readonly<Record<string, Vector>>;
  const listOf = <T extends DataType>(type: T) => new List(new Field('item', type, true));
  const read = (columns: Columns, metadata?: Readonly<Record<string, string>>) => {
    const table = new Table(columns as never);
    const schema = new Schema(table.schema.fields, new Map(Object.entries(metadata ?? {})));
    return arrowArrays(tableToIPC(new Table(schema, table.batches), 'file'), bad);
  };
  const found = (columns: Columns) =>
    [...read(columns).arrays].map(([name, { dtype, shape, values }]) => [name, dtype, shape, [...values()]]);
  const text = (...values: (string | null)[]) => vectorFromArray(values, new Utf8());
  const lists = (values: readonly unknown[], type: DataType = new Float32()) =>
    vectorFromArray(values as never[], listOf(type) as never) as unknown as Vector;
  const shapes = (...values: (readonly (number | null)[] | null)[]) => lists(values, new Int32());

  test('a row an array, by any of its names, with a column of shapes', () => {
    for (const name of ['name', 'stage', 'tensor'])
      for (const values of ['values', 'data'])
        expect(
          found({
            [name]: text('a', 'b', 'c'),
            shape: shapes([1, 2], [], [0, 3]),
            [values]: lists([[1, 2.5], [3], []]),
          }),
        ).toEqual([
          ['a', 'F32', [1, 2], [1, 2.5]],
          ['b', 'F32', [], [3]],
          ['c', 'F32', [0, 3], []],
        ]);
    const ids = { name: text('ids'), shape: shapes([2]), values: lists([[2n, 300n]], new Int64()) };
    expect(found(ids)).toEqual([['ids', 'I64', [2], [2, 300]]]);
    expect(read(ids).metadata.size).toBe(0);
    const fixed = vectorFromArray(
      [[1, 2]] as never[],
      new FixedSizeList(2, new Field('item', new Float64(), true)) as never,
    );
    expect(found({ name: text('a'), shape: shapes([2]), values: fixed })).toEqual([['a', 'F32', [2], [1, 2]]]);
    const dictionary = vectorFromArray(['a'], new Dictionary(new Utf8(), new Int32()));
    expect(found({ name: dictionary as never, shape: shapes([1]), values: lists([[1]]) })).toEqual([
      ['a', 'F32', [1], [1]],
    ]);
  });

  const LONG = 'n'.repeat(90);
  const CUT = 'n'.repeat(80);
  test.each<[string, Columns, string]>([
    [
      'a name twice',
      { name: text(LONG, LONG), shape: shapes([1], [1]), values: lists([[1], [1]]) },
      `it has '${CUT}' twice`,
    ],
    ['no name', { name: text('a', null), shape: shapes([1], [1]), values: lists([[1], [1]]) }, 'its row 1 has no name'],
    ['an empty name', { name: text(''), shape: shapes([1]), values: lists([[1]]) }, 'its row 0 has no name'],
    [
      'names that are numbers',
      { name: vectorFromArray([1], new Int32()), shape: shapes([1]), values: lists([[1]]) },
      'its row 0 has no name',
    ],
    [
      'a size below 0',
      { name: text(LONG), shape: shapes([-1]), values: lists([[]]) },
      `the shape of '${CUT}' is no list of whole numbers`,
    ],
    [
      'a size that is a half',
      { name: text('a'), shape: lists([[0.5]]), values: lists([[]]) },
      "the shape of 'a' is no list of whole numbers",
    ],
    [
      'a size that is not there',
      { name: text('a'), shape: shapes([null, 2]), values: lists([[]]) },
      "the shape of 'a' is no list of whole numbers",
    ],
    [
      'no shape in a column of them',
      { name: text('a', 'b'), shape: shapes([1], null), values: lists([[1], [1]]) },
      "the shape of 'b' is no list of whole numbers",
    ],
    [
      'nine dimensions',
      { name: text('a'), shape: shapes([1, 1, 1, 1, 1, 1, 1, 1, 1]), values: lists([[1]]) },
      "the shape of 'a' is no list of whole numbers",
    ],
    [
      'too few values',
      { name: text(LONG), shape: shapes([2, 2]), values: lists([[1, 2, 3]]) },
      `'${CUT}' has 3 values for the shape [2,2]`,
    ],
    [
      'no values',
      { name: text('a', 'b'), shape: shapes([1], [1]), values: lists([[1], null]) },
      "'b' has 0 values for the shape [1]",
    ],
    [
      'no column of names',
      { nam: text('a'), values: lists([[1]]) },
      "it has no columns 'name', 'shape' and 'values', a row an array, and is no trace that Loupe wrote",
    ],
    [
      'no column of values',
      { name: text('a') },
      "it has no columns 'name', 'shape' and 'values', a row an array, and is no trace that Loupe wrote",
    ],
    [
      'rows of two lengths',
      { name: text(LONG, LONG), values: lists([[1, 2], [1]]) },
      `the rows of '${CUT}' are not of one length`,
    ],
    [
      'a row that begins late',
      { name: text(LONG), row: vectorFromArray([1], new Int32()), values: lists([[1]]) },
      `the rows of '${CUT}' are not one after the other from 0: a part of it, or it is there twice`,
    ],
  ])('refuses %s', (_, columns, what) => expect(() => read(columns)).toThrow(new Error(what)));

  test('eight dimensions are the most', () => {
    expect(found({ name: text('a'), shape: shapes([1, 1, 1, 1, 1, 1, 1, 1]), values: lists([[5]]) })[0][3]).toEqual([
      5,
    ]);
  });

  test('values that are missing, or no numbers, are told when they are read', () => {
    const lacks = read({ name: text(LONG), shape: shapes([2]), values: lists([[1, null]]) });
    expect(() => lacks.arrays.get(LONG)!.values()).toThrow(new Error(`'${CUT}' lacks values that its shape has`));
    expect(found({ name: text('a'), shape: shapes([2]), values: lists([[Number.NaN, 1]]) })[0][3]).toEqual([
      Number.NaN,
      1,
    ]);
    for (const columns of [
      { name: text(LONG), shape: shapes([1]), values: lists([['1']], new Utf8()) },
      { name: text(LONG), values: lists([['1']], new Utf8()) },
      { name: text(LONG), values: text('1') },
      { name: text(LONG), shape: shapes([1]), values: text('1') },
      { name: text(LONG), shape: shapes([1]), values: vectorFromArray([1], new Float32()) },
    ] as Columns[])
      expect(() => read(columns)).toThrow(/^its column of values is .+, and lists of numbers are read$/);
  });

  test('a row for each row of an array, with the sizes that `dims` says where they fit', () => {
    const rows = { stage: text('a', 'b', 'a'), values: lists([[1, 2], [9], [3, 4]]) };
    expect(found(rows)).toEqual([
      ['a', 'F32', [2, 2], [1, 2, 3, 4]],
      ['b', 'F32', [1, 1], [9]],
    ]);
    const row = vectorFromArray([0, 0, 1], new Int32());
    expect(found({ ...rows, row })).toEqual(found(rows));
    const sized = (dims: string) => found({ ...rows, dims: text(dims, 'dim=1', dims) }).map(([, , shape]) => shape);
    expect(sized('head=2,token=1,dim=2')).toEqual([[2, 1, 2], [1]]);
    expect(sized('token=4')).toEqual([[4], [1]]);
    expect(sized('token=5,dim=2')).toEqual([[2, 2], [1]]);
    expect(sized('')).toEqual([[2, 2], [1]]);
  });

  test('compressed, as pyarrow and pandas write feather when nothing is said', () => {
    const lz4 = gunzipSync(
      Buffer.from(
        'H4sIAAAAAAACA+1UvU4CQRD+9jiOi27MFRQUJBKiD2BCYefR2RgTGlvOcAkmYEhQ64sVpQ/gA/Ao9wgWvgt+uzucsAHU3klmZ2bn2/nbvesPBrd3F8CKdKmABIaOoBGhjpgaSYW0QSvmGsoK1Mif5JHYKWMQrJvU27LHkDB2RH7JJs/5HOgRN3HYWrKBhciHp3xqTsTkyO4qvB+IXSfPx9ksp3wjrnTYwMTu7IxtetHkhu3FhEphem/anA3bbSKzUPVdNT5m09zpobXN/MbK1WNIoyUT1DYaaqGNUeKbNHcSO0+H+ZA8TekNVT6X4xj76VRkR2RbZOrhUg8/9Pxr+1zkwvMvvPNLz7/0/JD7UR7Ot4M/+uP1bLo3rWH6SrNYp8KmIn6aRT69z0c/nK/SJNv+E6pdxaqK4Fd1BAf9xVV1Eyv7Vl0+zZuP7GtI3Jvhrfe4nm2892sZzExkuVXL//e57/scspi+/dd9AdNPGynyBAAA',
        'base64',
      ),
    ); // pyarrow's IpcWriteOptions(compression='lz4')
    expect(() => arrowArrays(lz4, bad)).toThrow(
      /^it is compressed, and what is not is read: compression='uncompressed' in pandas, None in pyarrow$/,
    );
  });

  test('bytes that are no Arrow: what the library says of them, cut off, and not what it trips over', () => {
    const told = /^it (cannot be read as Arrow \(.{1,100}\)|is cut short or damaged|has no columns .*)$/;
    expect(() => arrowArrays(own([1, 2, 3]), bad)).toThrow(told);
    expect(() => arrowArrays(new Uint8Array([...Buffer.from('ARROW1\0\0'), ...Array(64).fill(255)]), bad)).toThrow(
      told,
    );
  });

  describe('of Loupe’s own', () => {
    const pattern = new Activation(
      'layers.0.attn.pattern',
      [
        { name: 'head', size: 2 },
        { name: 'query', size: 3 },
        { name: 'key', size: 3 },
      ],
      Float32Array.from({ length: 18 }, (_, i) => i),
    );
    const last = new Activation(
      'logits',
      [
        { name: 'token', size: 1, from: 2, of: 3 },
        { name: 'vocab', size: 2 },
      ],
      floats32(7, 8),
    );
    const own = { loupe_trace: '1', ids: '[2,3,4]' };
    const saved = traceToIpc([pattern, last], own);
    const changed = (
      change: (columns: Record<string, Vector>) => void,
      metadata: Readonly<Record<string, string>> = own,
    ) => {
      const table = tableFromIPC(saved);
      const columns = Object.fromEntries(table.schema.fields.map(({ name }) => [name, table.getChild(name)!]));
      change(columns);
      return () => read(columns, metadata);
    };
    const set = (columns: Record<string, Vector>, name: string, row: number, value: unknown) => {
      const values = [...columns[name]];
      values[row] = value;
      columns[name] = vectorFromArray(values as never, columns[name].type);
    };

    test('whole stages, and the last token’s', () => {
      const { arrays } = arrowArrays(saved, bad);
      expect([...arrays].map(([name, { dtype, shape, values }]) => [name, dtype, shape, [...values()]])).toEqual([
        ['layers.0.attn.pattern', 'F32', [2, 3, 3], [...pattern.data]],
        ['logits', 'F32', [1, 2], [7, 8]],
      ]);
      const unknown = traceToIpc([pattern, last], { loupe_trace: '1' });
      expect(arrowArrays(unknown, bad).arrays.size).toBe(2);
      expect(arrowArrays(traceToIpc([last], { loupe_trace: '1', ids: 'none' }), bad).arrays.size).toBe(1);
    });

    test.each<[string, number, unknown, string]>([
      [
        'row',
        4,
        5,
        "the rows of 'layers.0.attn.pattern' are not one after the other: some are missing, in another order, or there twice",
      ],
      ['head', 4, 0, "row 4 of 'layers.0.attn.pattern' says head 0, where it is 1"],
      ['query', 4, 2, "row 4 of 'layers.0.attn.pattern' says query 2, where it is 1"],
      ['token', 4, 1, "row 4 of 'layers.0.attn.pattern' says token 1, where it is null"],
      ['token', 6, 1, "row 0 of 'logits' says token 1, where it is 2"],
      ['head', 6, 0, "row 0 of 'logits' says head 0, where it is null"],
      ['first', 6, 1, "row 0 of 'logits' says first 1, where it is 0"],
      ['dims', 6, 'token=1:2,vocab=2', "'logits' is a part of its stage, token=1:2,vocab=2"],
      ['dims', 0, 'head=1:2,query=3,key=3', "'layers.0.attn.pattern' is a part of its stage, head=1:2,query=3,key=3"],
      [
        'dims',
        5,
        'head=1,query=3,key=3',
        "the rows of 'layers.0.attn.pattern' are not one after the other: some are missing, in another order, or there twice",
      ],
    ])('%s of row %i is %j', (name, row, value, said) => {
      expect(changed(columns => set(columns, name, row, value))).toThrow(new Error(said));
    });

    test('its last rows left out', () => {
      const less = (rows: number) =>
        changed(columns => {
          for (const [name, column] of Object.entries(columns)) columns[name] = column.slice(0, rows);
        });
      expect(less(4)).toThrow(
        new Error("it has 4 of the 6 rows of 'layers.0.attn.pattern', and a part is not compared"),
      );
      expect(less(6)().arrays.size).toBe(1); // the other stage is not there at all
    });

    test.each(['row', 'dims', 'first', 'token', 'head', 'query'])('without the column %s', name => {
      expect(changed(columns => delete columns[name])).toThrow(
        new Error(`it lacks the column '${name}' that a trace of Loupe has`),
      );
    });

    test('a slice is other rows, which nobody compares; what is not ours has no such columns', () => {
      const odd = (columns: Record<string, Vector>) => set(columns, 'row', 0, 9);
      expect(changed(odd, { ...own, slice: '{}' })().arrays.size).toBe(2);
      expect(changed(odd, { slice: '{}' })().arrays.size).toBe(2);
      expect(changed(odd, {})).toThrow(/not one after the other from 0/);
      expect(changed(columns => delete columns.first, {})).toThrow(/'logits' are not one after the other from 0/);
    });

    test('one activation', () => {
      const [[name, { dtype, shape, values }], ...more] = arrowArrays(tableToIPC(toArrow(pattern), 'file'), bad).arrays;
      expect([name, dtype, shape, values(), more]).toEqual([pattern.name, 'F32', [2, 3, 3], pattern.data, []]);
      expect(() => read({ values: text('x') }, { loupe: '99' })).toThrow(
        new Error("its metadata 'loupe' names no activation"),
      );
    });

    test('a column twice, a file cut short, and what the library says itself', () => {
      const long = 'x'.repeat(90);
      const bytes = tableToIPC(
        new Table({ name: text('a'), [`${long}1`]: text('a'), [`${long}2`]: text('b') } as never),
        'file',
      );
      const twice = Buffer.from(bytes);
      for (let at = twice.indexOf(`${long}2`); at >= 0; at = twice.indexOf(`${long}2`)) twice.write(`${long}1`, at);
      expect(() => arrowArrays(twice, bad)).toThrow(new Error(`it has the column '${'x'.repeat(80)}' twice`));
      expect(() => arrowArrays(saved.subarray(0, 40), bad)).toThrow(new Error('it is cut short or damaged'));
      expect(() => arrowArrays(saved.subarray(0, saved.length >> 1), bad)).toThrow(
        /^it (is cut short or damaged|cannot be read as Arrow \(.{1,100}\))$/,
      );
    });
  });
});

function floats32(...values: number[]): Float32Array {
  return Float32Array.from(values);
}
