// SentencePiece's compiled table of replacements: the length of a trie, the trie (a double array of Darts, over UTF-8 bytes), then the
// replacements, each ended by a zero byte. The longest entry at each place wins.

import { TokenizerError } from '../errors.js';
import type { Matcher } from './matcher.js';

// What keeps a table made to hang from doing so: a trie may lead back into itself, and a replacement be as long as the file. The longest of
// NFKC have 18 and 33 bytes.
const LONGEST_ENTRY = 256;
const LONGEST_REPLACEMENT = 1024;

const utf8 = new TextEncoder();
const text8 = new TextDecoder('utf-8', { ignoreBOM: true });

export class Charsmap {
  readonly #trie: Uint32Array;
  readonly #texts: Uint8Array;
  /** Replacements by their place; texts repeat characters. */
  readonly #decoded = new Map<number, string>();

  constructor(
    bytes: Uint8Array,
    readonly where: string,
  ) {
    const length = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
    if (length < 4 || length % 4 !== 0 || length > bytes.length - 4) {
      throw new TokenizerError(
        `${where} has a table of character replacements that claims ${length} bytes where ${Math.max(0, bytes.length - 4)} are left. Fetch it again.`,
      );
    }
    this.#trie = new Uint32Array(Uint8Array.from(bytes.subarray(4, 4 + length)).buffer);
    this.#texts = bytes.subarray(4 + length);
  }

  /**
   * Replaces what the table has.
   * @param keep pieces to leave alone @param collapse drop spaces at the start and after spaces; those within one replacement stay
   */
  apply(text: string, keep: Matcher, collapse: boolean): string {
    const bytes = utf8.encode(text);
    let out = '';
    let afterSpace = collapse;
    const put = (part: string) => {
      const rest = afterSpace ? part.replace(/^ +/, '') : part;
      out += rest;
      if (rest !== '') afterSpace = collapse && rest.endsWith(' ');
    };
    let at = 0; // in bytes
    for (let i = 0; i < text.length; ) {
      const kept = keep.at(text, i);
      const found = kept ? null : this.#longest(bytes, at);
      if (found) {
        put(this.#replacement(found.value));
        const end = at + found.length;
        while (at < end) {
          const size = unitsAndBytes(text, i);
          i += size.units;
          at += size.bytes;
        }
        continue;
      }
      const end = i + (kept ? kept.piece.length : unitsAndBytes(text, i).units);
      put(text.slice(i, end));
      while (i < end) {
        const size = unitsAndBytes(text, i);
        i += size.units;
        at += size.bytes;
      }
    }
    return out;
  }

  /** The longest entry that `bytes` has from `at` on. */
  #longest(bytes: Uint8Array, at: number): { value: number; length: number } | null {
    const trie = this.#trie;
    let node = offset(trie[0]);
    let best: { value: number; length: number } | null = null;
    const end = Math.min(bytes.length, at + LONGEST_ENTRY);
    for (let i = at; i < end; i++) {
      node ^= bytes[i];
      const unit = trie[node];
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== bytes[i]) break;
      node ^= offset(unit);
      if ((unit >>> 8) & 1 && node < trie.length) best = { value: trie[node] & 0x7fffffff, length: i + 1 - at };
    }
    return best;
  }

  #replacement(value: number): string {
    let text = this.#decoded.get(value);
    if (text === undefined) {
      const end = this.#texts.indexOf(0, value);
      const bytes = this.#texts.subarray(value, end < 0 ? undefined : end);
      if (bytes.length > LONGEST_REPLACEMENT) {
        throw new TokenizerError(
          `${this.where} replaces a character by ${bytes.length} bytes, and at most ${LONGEST_REPLACEMENT} are. Fetch it again.`,
        );
      }
      text = text8.decode(bytes);
      this.#decoded.set(value, text);
    }
    return text;
  }
}

const offset = (unit: number): number => (unit >>> 10) << ((unit & 512) >>> 6);

function unitsAndBytes(text: string, i: number): { units: number; bytes: number } {
  const point = text.codePointAt(i)!;
  if (point > 0xffff) return { units: 2, bytes: 4 };
  return { units: 1, bytes: point < 0x80 ? 1 : point < 0x800 ? 2 : 3 };
}
