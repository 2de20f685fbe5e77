// Byte-pair encoding: the text is cut into characters and user pieces, and the two neighbours of the best rank are joined, leftmost first,
// until none may be. An agenda keeps that n log n; words are remembered, because text repeats them.

import { Agenda } from './agenda.js';
import type { Matcher } from './matcher.js';
import type { Pairs } from './pairs.js';
import type { Segmenter } from './segmenter.js';
import { SPACE, type Vocabulary } from './vocabulary.js';

const SPACE_UNIT = SPACE.charCodeAt(0);
const LONGEST_WORD = 48; // UTF-16 units; what is longer seldom comes again
const WORDS = 1 << 16; // remembered at once, some MB

export class BytePairs implements Segmenter {
  readonly #pairs: Pairs;
  readonly #user: Matcher;
  readonly #symbolOf: (point: number) => number;
  /** Symbols of the characters below U+10000, once met; -1 before. */
  readonly #known = new Int32Array(1 << 16).fill(-1);
  /** Ids of unused pieces; usually none. */
  readonly #unused: ReadonlySet<number>;
  /** How an unused piece came about in this text, so that it can be taken apart again at the end. */
  readonly #parts = new Map<number, readonly [number, number]>();
  /** Units that stand before ▁ inside a piece: there, text cannot be cut into words. */
  readonly #beforeSpace: ReadonlySet<number>;
  readonly #words = new Map<string, readonly number[]>();
  readonly #agenda = new Agenda();
  // Of the text at hand, by place: symbol, neighbours (-1: none), and the piece it forms with the next (-1: none).
  #symbol = new Int32Array(256);
  #previous = new Int32Array(256);
  #next = new Int32Array(256);
  #joined = new Int32Array(256);
  #frozen = new Uint8Array(256);

  /** @param user pieces that are never cut @param symbolOf id of a code point's character, or size + code point */
  constructor(vocabulary: Vocabulary, pairs: Pairs, user: Matcher, symbolOf: (point: number) => number) {
    const { pieces, kinds } = vocabulary;
    this.#pairs = pairs;
    this.#user = user;
    this.#symbolOf = symbolOf;
    this.#unused = new Set(Array.from(kinds.keys()).filter(id => kinds[id] === 'unused'));
    const before = new Set<number>();
    for (const piece of pieces) {
      for (let at = piece.indexOf(SPACE, 1); at > 0; at = piece.indexOf(SPACE, at + 1))
        before.add(piece.charCodeAt(at - 1));
    }
    this.#beforeSpace = before.add(SPACE_UNIT);
  }

  segment(text: string, out: number[]): void {
    for (let from = 0; from < text.length; ) {
      let end = text.indexOf(SPACE, from + 1);
      while (this.#beforeSpace.has(text.charCodeAt(end - 1))) end = text.indexOf(SPACE, end + 1);
      if (end < 0) end = text.length;
      this.#word(text.slice(from, end), out);
      from = end;
    }
  }

  #word(word: string, out: number[]): void {
    if (word.length > LONGEST_WORD) {
      this.#merge(word, out);
      return;
    }
    let symbols = this.#words.get(word);
    if (!symbols) {
      const fresh: number[] = [];
      this.#merge(word, fresh);
      if (this.#words.size === WORDS) this.#words.clear();
      this.#words.set(word, fresh);
      symbols = fresh;
    }
    for (let i = 0; i < symbols.length; i++) out.push(symbols[i]);
  }

  #merge(text: string, out: number[]): void {
    const n = this.#cut(text);
    const symbol = this.#symbol;
    const previous = this.#previous;
    const next = this.#next;
    const joined = this.#joined;
    const agenda = this.#agenda;
    for (let i = 0; i < n; i++) this.#propose(i);
    while (agenda.pop()) {
      const { left, piece } = agenda;
      if (joined[left] !== piece) continue; // one of the two has been joined to something else meanwhile
      const right = next[left];
      const after = next[right];
      symbol[left] = piece;
      joined[right] = -1;
      next[left] = after;
      previous[after] = left; // and nowhere if there is none
      if (previous[left] >= 0) this.#propose(previous[left]);
      this.#propose(left);
    }
    for (let i = 0; i >= 0; i = next[i]) this.#emit(symbol[i], out);
    this.#parts.clear();
  }

  /** Characters and user pieces of the text, which is not empty, linked. @returns how many */
  #cut(text: string): number {
    if (this.#symbol.length < text.length) this.#grow(text.length);
    let n = 0;
    for (let at = 0; at < text.length; n++) {
      const user = this.#user.empty ? undefined : this.#user.at(text, at);
      const point = text.codePointAt(at)!;
      const length = user ? user.piece.length : point > 0xffff ? 2 : 1;
      this.#symbol[n] = user ? user.id : this.#character(point);
      this.#frozen[n] = user ? 1 : 0;
      this.#previous[n] = n - 1;
      this.#next[n] = n + 1;
      at += length;
    }
    this.#next[n - 1] = -1;
    return n;
  }

  #character(point: number): number {
    if (point > 0xffff) return this.#symbolOf(point);
    if (this.#known[point] < 0) this.#known[point] = this.#symbolOf(point);
    return this.#known[point];
  }

  /** Puts the pair that starts at `left` on the agenda, if it may be joined. */
  #propose(left: number): void {
    const right = this.#next[left];
    this.#joined[left] = -1;
    if (right < 0 || this.#frozen[left] || this.#frozen[right]) return;
    const symbol = this.#symbol;
    const pairs = this.#pairs;
    if (!pairs.find(symbol[left], symbol[right])) return;
    this.#joined[left] = pairs.piece;
    this.#agenda.push(pairs.rank, left, pairs.piece);
    if (this.#unused.has(pairs.piece)) this.#parts.set(pairs.piece, [symbol[left], symbol[right]]);
  }

  #emit(symbol: number, out: number[]): void {
    const parts = this.#parts.get(symbol);
    if (!parts) out.push(symbol);
    else for (const part of parts) this.#emit(part, out);
  }

  #grow(length: number): void {
    const size = 2 * length;
    this.#symbol = new Int32Array(size);
    this.#previous = new Int32Array(size);
    this.#next = new Int32Array(size);
    this.#joined = new Int32Array(size);
    this.#frozen = new Uint8Array(size);
  }
}
