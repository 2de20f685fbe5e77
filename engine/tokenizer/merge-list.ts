// The merges of a tokenizer.json: half a million pairs of strings, three quarters of the file. They are read from its bytes straight to
// ids, because as JavaScript strings they would take most of the time that opening takes.

import { TokenizerError } from '../errors.js';
import { quoted } from './quoted.js';
import { findValue } from './vocab-list.js';
import type { MergeList } from './vocabulary.js';

const MAX_MERGES = 1 << 21; // Gemma's tokenizer.json has 514,906
const QUOTE = 0x22;
const SPACE = 0x20;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const BETWEEN = [SPACE, 0x2c, 0x0a, 0x0d, 0x09]; // a comma and white space

/** The list as it stands in the file: where its strings are, two a merge, with their hashes. */
export interface MergeText {
  /** From '[' to behind ']'. */
  readonly start: number;
  readonly end: number;
  readonly strings: Strings;
}

/** Finds the list and reads through it once. Null if there is none. Throws TokenizerError for what is no list of pairs. */
export function findMerges(file: Uint8Array, where: string): MergeText | null {
  const start = findValue(file, 'merges', '[');
  return start < 0 ? null : scanned(file, start, where);
}

/** Entries are `["a", "b"]`, or "a b" in older files. */
function scanned(bytes: Uint8Array, start: number, where: string): MergeText {
  const strings = new Strings();
  let depth = 0;
  let before = 0; // strings when the pair at hand began, and where that is
  let began = start;
  for (let i = start; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === OPEN) {
      depth++;
      if (depth > 2) throw bad(bytes, i, where);
      before = strings.count;
      began = i;
    } else if (byte === CLOSE) {
      depth--;
      if (depth === 0) return { start, end: i + 1, strings };
      if (strings.count !== before + 2) throw bad(bytes, began, where);
    } else if (byte === QUOTE) {
      if (depth === 1) before = strings.count;
      let from = i + 1;
      let escaped = false;
      let h = SEED;
      for (i = from; i < bytes.length && bytes[i] !== QUOTE; i++) {
        if (bytes[i] === SPACE && depth === 1) {
          strings.add(from, i, finished(h), escaped);
          from = i + 1;
          h = SEED;
          continue;
        }
        if (bytes[i] === BACKSLASH) {
          escaped = true;
          i++;
        }
        h = Math.imul(h ^ bytes[i], PRIME);
      }
      strings.add(from, i, finished(h), escaped);
      if (depth === 1 && strings.count !== before + 2) throw bad(bytes, from, where);
      if (strings.count > 2 * MAX_MERGES) {
        throw new TokenizerError(
          `${where} has more than ${MAX_MERGES} merges, far more than a vocabulary. Fetch it again.`,
        );
      }
    } else if (!BETWEEN.includes(byte)) throw bad(bytes, i, where);
  }
  throw bad(bytes, start, where);
}

/** Ids of the merges' strings. @param pieces all of the vocabulary, by id */
export function readMerges(
  bytes: Uint8Array,
  { strings }: MergeText,
  pieces: readonly string[],
  where: string,
): MergeList {
  const index = new PieceIndex(pieces);
  const left = new Int32Array(strings.count / 2);
  const right = new Int32Array(strings.count / 2);
  for (let i = 0; i < strings.count; i++) {
    const from = strings.from[i];
    const to = strings.to[i];
    const id = strings.escaped.has(i)
      ? index.ofText(unescaped(bytes, from, to))
      : index.ofBytes(bytes, from, to, strings.hash[i]);
    if (id < 0) throw bad(bytes, from, where, to);
    (i % 2 === 0 ? left : right)[i >> 1] = id;
  }
  return { left, right };
}

/** @param to the end of a string that is no piece */
function bad(bytes: Uint8Array, from: number, where: string, to = from + 40): TokenizerError {
  const what = new TextDecoder().decode(bytes.subarray(from, Math.min(to, from + 160))).split('\n')[0];
  return new TokenizerError(
    `${where} has ${quoted(what)} among its merges, where two pieces of its vocabulary are expected. Fetch it again.`,
  );
}

/** Places of strings in the file, without their quotes, and their hashes. */
class Strings {
  count = 0;
  from = new Int32Array(1 << 16);
  to = new Int32Array(1 << 16);
  hash = new Int32Array(1 << 16);
  /** Those that hold a backslash. */
  readonly escaped = new Set<number>();

  add(from: number, to: number, hash: number, escaped: boolean): void {
    if (this.count === this.from.length) {
      this.from = doubled(this.from);
      this.to = doubled(this.to);
      this.hash = doubled(this.hash);
    }
    if (escaped) this.escaped.add(this.count);
    this.from[this.count] = from;
    this.to[this.count] = to;
    this.hash[this.count++] = hash;
  }
}

function doubled(old: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const fresh = new Int32Array(2 * old.length);
  fresh.set(old);
  return fresh;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true }); // a piece may begin with one

const unescaped = (bytes: Uint8Array, from: number, to: number): string => {
  try {
    return JSON.parse(`"${utf8.decode(bytes.subarray(from, to))}"`);
  } catch {
    return '';
  }
};

/** Ids of pieces by their UTF-8 bytes: a hash table with open addressing. */
class PieceIndex {
  readonly #bytes: Uint8Array;
  readonly #starts: Int32Array;
  readonly #slots: Int32Array;
  readonly #mask: number;

  constructor(pieces: readonly string[]) {
    const text = pieces.join('');
    this.#bytes = new TextEncoder().encode(text);
    this.#starts = new Int32Array(pieces.length + 1);
    let size = 1024;
    while (size < 2 * pieces.length) size *= 2;
    this.#slots = new Int32Array(size).fill(-1);
    this.#mask = size - 1;
    for (let id = 0; id < pieces.length; id++) {
      const from = this.#starts[id];
      const to = from + Buffer.byteLength(pieces[id]);
      this.#starts[id + 1] = to;
      if (to === from) continue;
      let slot = hashOf(this.#bytes, from, to) & this.#mask;
      while (this.#slots[slot] >= 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = id;
    }
  }

  /** @returns -1 for what is no piece */
  ofBytes(bytes: Uint8Array, from: number, to: number, hash = hashOf(bytes, from, to)): number {
    let slot = hash & this.#mask;
    for (let id = this.#slots[slot]; id >= 0; id = this.#slots[slot]) {
      if (this.#equal(id, bytes, from, to)) return id;
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }

  ofText(text: string): number {
    const bytes = new TextEncoder().encode(text);
    return this.ofBytes(bytes, 0, bytes.length);
  }

  #equal(id: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#starts[id];
    if (this.#starts[id + 1] - start !== to - from) return false;
    for (let i = from, j = start; i < to; i++, j++) if (bytes[i] !== this.#bytes[j]) return false;
    return true;
  }
}

// FNV-1a, its high bits mixed into the low ones.
const SEED = 0x811c9dc5;
const PRIME = 0x01000193;
const finished = (h: number): number => h ^ (h >>> 15);

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let h = SEED;
  for (let i = from; i < to; i++) h = Math.imul(h ^ bytes[i], PRIME);
  return finished(h);
}
