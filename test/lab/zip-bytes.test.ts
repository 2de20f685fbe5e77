// ZIP to the byte, as .npz has it: every bound met exactly and missed by one. What is right, Python's zipfile says of the same bytes.

import { describe, expect, test } from 'vitest';
import type { RandomAccessFile } from '../../engine/files.js';
import { readMember, readMembers } from '../../lab/values/arrays/zip.js';
import { zip } from '../fixtures/array-files.js';

const bad = (what: string) => new Error(what);
const own = (bytes: ArrayLike<number>) => Uint8Array.from(bytes);

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
