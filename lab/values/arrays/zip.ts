// What a .npz is: a ZIP archive of stored or deflated members. The list at its end is believed where the members bear it out; a member is read whole or its
// first bytes alone, and never more of it than the list says.

import { constants, inflateRawSync } from 'node:zlib';
import type { RandomAccessFile } from '../../../engine/files.js';

/** A file of the archive. */
export interface Member {
  readonly name: string;
  readonly deflated: boolean;
  readonly packed: number;
  readonly size: number;
  readonly crc: number;
  /** Of its own header. */
  readonly offset: number;
}

const MOST_MEMBERS = 100_000;
const MOST_LIST = 64 << 20; // bytes of the list of members
/** Deflate packs at most 1 to 1032. */
const MOST_RATIO = 1040;
const END = 0x06054b50;
const WIDE_END = 0x06064b50;
const WIDE_PLACE = 0x07064b50;
const LISTED = 0x02014b50;
const LOCAL = 0x04034b50;

type Bad = (what: string) => Error;

/** Reads the list at the end. Throws what `bad` makes of a clause. */
export async function readMembers(file: RandomAccessFile, bad: Bad): Promise<Member[]> {
  const tail = Math.min(file.size, 65_535 + 22);
  const end = await file.read(file.size - tail, tail);
  const view = new DataView(end.buffer);
  let at = end.length - 22;
  while (at >= 0 && !(view.getUint32(at, true) === END && at + 22 + view.getUint16(at + 20, true) === end.length)) at--;
  if (at < 0) throw bad('the list of what is in it, which stands at its end, is missing: it is truncated, or no ZIP');
  let [count, bytes, from] = [
    view.getUint16(at + 10, true),
    view.getUint32(at + 12, true),
    view.getUint32(at + 16, true),
  ];
  if (count === 0xffff || bytes === 0xffffffff || from === 0xffffffff) {
    if (at < 20 || view.getUint32(at - 20, true) !== WIDE_PLACE) throw bad('its end lacks the numbers of 64 bits');
    const place = whole(view.getBigUint64(at - 12, true));
    if (place === null || place + 56 > file.size) throw bad('the place of its list lies outside of it');
    const wide = new DataView((await file.read(place, 56)).buffer);
    const numbers = [32, 40, 48].map(offset => whole(wide.getBigUint64(offset, true)));
    if (wide.getUint32(0, true) !== WIDE_END || numbers.includes(null))
      throw bad('its end lacks the numbers of 64 bits');
    [count, bytes, from] = numbers as number[];
  }
  if (count > MOST_MEMBERS) throw bad(`it lists ${count} members, and at most ${MOST_MEMBERS} are read`);
  if (bytes > MOST_LIST || from + bytes > file.size) throw bad('its list lies outside of it');
  const list = await file.read(from, bytes);
  return membersOf(list, count, file.size, bad);
}

function membersOf(list: Uint8Array<ArrayBuffer>, count: number, fileSize: number, bad: Bad): Member[] {
  const view = new DataView(list.buffer);
  const members: Member[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > list.length || view.getUint32(at, true) !== LISTED)
      throw bad(`its list ends after ${i} of ${count} members`);
    const [flags, method, crc] = [
      view.getUint16(at + 8, true),
      view.getUint16(at + 10, true),
      view.getUint32(at + 16, true),
    ];
    const [nameBytes, extra, comment] = [28, 30, 32].map(offset => view.getUint16(at + offset, true));
    const next = at + 46 + nameBytes + extra + comment;
    if (next > list.length) throw bad(`its list ends after ${i} of ${count} members`);
    const name = Buffer.from(list.subarray(at + 46, at + 46 + nameBytes)).toString('utf8');
    const extras = new DataView(list.buffer, at + 46 + nameBytes, extra);
    const [packed, size, offset] = wideNumbers(
      [view.getUint32(at + 20, true), view.getUint32(at + 24, true), view.getUint32(at + 42, true)],
      extras,
    );
    const told = `its member '${name.slice(0, 80)}' `;
    if (flags & 1) throw bad(`${told}is encrypted`);
    if (method !== 0 && method !== 8)
      throw bad(`${told}is packed by method ${method}, and stored or deflated ones are read`);
    if (offset + 30 + packed > fileSize) throw bad(`${told}lies outside of it: it is truncated`);
    if (method === 0 ? size !== packed : size > packed * MOST_RATIO)
      throw bad(`${told}claims ${size} bytes, and has ${packed}`);
    members.push({ name, deflated: method === 8, packed, size, crc, offset });
    at = next;
  }
  return members;
}

/** Packed, size and offset: those of 32 bits that are full stand among the extras, in this order. */
function wideNumbers([size0, size1, offset]: [number, number, number], extras: DataView): [number, number, number] {
  const numbers: [number, number, number] = [size1, size0, offset]; // the extras have the size first
  for (let at = 0; at + 4 <= extras.byteLength; at += 4 + extras.getUint16(at + 2, true)) {
    if (extras.getUint16(at, true) !== 1) continue;
    let from = at + 4;
    for (const i of [0, 1, 2]) {
      if (numbers[i] !== 0xffffffff || from + 8 > extras.byteLength) continue;
      numbers[i] = whole(extras.getBigUint64(from, true)) ?? Number.MAX_SAFE_INTEGER;
      from += 8;
    }
  }
  return [numbers[1], numbers[0], numbers[2]];
}

const whole = (value: bigint): number | null => (value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null);

/** Bytes of a member, or its first `most`. Whole, they are held against the list's checksum. Throws what `bad` makes of a clause. */
export async function readMember(
  file: RandomAccessFile,
  member: Member,
  bad: Bad,
  most?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { name, deflated, size, crc, offset } = member;
  const told = `its member '${name.slice(0, 80)}' `;
  const header = new DataView((await file.read(offset, 30)).buffer);
  if (header.getUint32(0, true) !== LOCAL) throw bad(`${told}is not where its list says`);
  const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  if (start + member.packed > file.size) throw bad(`${told}lies outside of it: it is truncated`);
  const packed = await file.read(start, most === undefined ? member.packed : Math.min(member.packed, most));
  if (!deflated) {
    if (most === undefined) checkCrc(packed);
    return packed;
  }
  let bytes: Buffer<ArrayBuffer>;
  try {
    const partly = most === undefined ? {} : { finishFlush: constants.Z_SYNC_FLUSH };
    bytes = inflateRawSync(packed, { ...partly, maxOutputLength: Math.max(1, size) }) as Buffer<ArrayBuffer>;
  } catch {
    throw bad(`${told}cannot be inflated`);
  }
  if (most !== undefined) return bytes;
  if (bytes.length !== size) throw bad(`${told}has ${bytes.length} bytes, and its list says ${size}`);
  checkCrc(bytes);
  return new Uint8Array(bytes); // at a multiple of any type's size

  function checkCrc(bytes: Uint8Array): void {
    if (crc32(bytes) !== crc) throw bad(`${told}is not what its checksum says`);
  }
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
