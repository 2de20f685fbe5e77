// Byte-pair encoding as SentencePiece does it: the text is cut into characters and user-defined pieces, and the two neighbours that
// form the piece of the highest score are joined, leftmost first, until none do. An agenda keeps that n log n.

import { TokenizerError } from '../errors.js';
import { DecodedText } from './decode.js';
import type { DecodeStream, Tokenizer } from './tokenizer.js';
import type { Vocabulary } from './vocabulary.js';

const SPACE = '\u2581'; // ▁ stands for a space inside pieces

export class BpeTokenizer implements Tokenizer {
  readonly size: number;
  readonly bosId: number;
  readonly eosId: number;
  readonly unkId: number;
  readonly #vocabulary: Vocabulary;
  /** Pieces that text may become: normal, user-defined and unused ones. */
  readonly #ids = new Map<string, number>();
  readonly #bytes = new Int32Array(256).fill(-1);
  /** User-defined pieces by their first UTF-16 unit, longest first. */
  readonly #user = new Map<number, string[]>();

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    const { pieces, kinds, bosId, eosId, unkId } = vocabulary;
    this.size = pieces.length;
    this.bosId = bosId;
    this.eosId = eosId;
    this.unkId = unkId;
    pieces.forEach((piece, id) => {
      const kind = kinds[id];
      if (kind === 'byte') this.#bytes[Number.parseInt(piece.slice(3, 5), 16)] = id;
      if (kind === 'normal' || kind === 'user' || kind === 'unused') this.#ids.set(piece, id);
      if (kind === 'user' && piece.length > 0) {
        const first = piece.charCodeAt(0);
        const same = this.#user.get(first) ?? [];
        this.#user.set(first, [...same, piece]);
      }
    });
    for (const list of this.#user.values()) list.sort((a, b) => b.length - a.length);
  }

  encode(text: string, { bos = false }: { bos?: boolean } = {}): number[] {
    const ids = bos ? [this.bosId] : [];
    const normal = this.#normalise(text);
    if (normal.length > 0) this.#merge(normal, ids);
    return ids;
  }

  decode(ids: readonly number[]): string {
    const stream = this.stream();
    let text = '';
    for (const id of ids) text += stream.push(id);
    return text + stream.end();
  }

  stream(): DecodeStream {
    const { pieces, kinds, dummyPrefix } = this.#vocabulary;
    const text = new DecodedText();
    let first = true;
    return {
      push: id => {
        this.#check(id);
        const kind = kinds[id];
        if (kind === 'control') return '';
        if (kind === 'byte') {
          first = false;
          return text.byte(Number.parseInt(pieces[id].slice(3, 5), 16));
        }
        let piece = kind === 'unknown' ? ' \u2047 ' : pieces[id].replaceAll(SPACE, ' ');
        if (first && dummyPrefix && piece.startsWith(' ')) piece = piece.slice(1);
        first = false;
        return text.whole(piece);
      },
      end: () => text.end(),
    };
  }

  piece(id: number): string {
    this.#check(id);
    return this.#vocabulary.pieces[id];
  }

  idOf(piece: string): number | null {
    const id = this.#ids.get(piece);
    if (id !== undefined) return id;
    const other = this.#vocabulary.pieces.indexOf(piece);
    return other < 0 ? null : other;
  }

  #check(id: number): void {
    if (Number.isInteger(id) && id >= 0 && id < this.size) return;
    throw new TokenizerError(`Token id ${id} is not in the vocabulary; ids go from 0 to ${this.size - 1}.`);
  }

  #normalise(text: string): string {
    const { dummyPrefix, collapseSpaces } = this.#vocabulary;
    let t = text.toWellFormed();
    if (collapseSpaces) t = t.replace(/ +/g, ' ').replace(/^ | $/g, '');
    if (t.length === 0) return t;
    return (dummyPrefix ? ` ${t}` : t).replaceAll(' ', SPACE);
  }

  /** Cuts and joins `text`, and appends the ids. Symbols are ranges of the text, linked to their neighbours. */
  #merge(text: string, out: number[]): void {
    const ids = this.#ids;
    const { scores, kinds } = this.#vocabulary;
    const starts: number[] = [];
    const frozen: boolean[] = [];
    for (let at = 0; at < text.length; ) {
      const user = this.#user.get(text.charCodeAt(at))?.find(piece => text.startsWith(piece, at));
      starts.push(at);
      frozen.push(user !== undefined);
      at += user ? user.length : text.codePointAt(at)! > 0xffff ? 2 : 1;
    }
    const n = starts.length;
    const start = Int32Array.from(starts);
    const end = new Int32Array(n);
    const previous = new Int32Array(n);
    const next = new Int32Array(n);
    for (let i = 0; i < n; i++) {
      end[i] = i + 1 < n ? starts[i + 1] : text.length;
      previous[i] = i - 1;
      next[i] = i + 1 < n ? i + 1 : -1;
    }
    // How an unused piece came about, so that it can be taken apart again at the end.
    const parts = new Map<string, [string, string]>();
    const agenda = new Agenda();
    const propose = (left: number, right: number): void => {
      if (left < 0 || right < 0 || frozen[left] || frozen[right]) return;
      const piece = text.slice(start[left], end[right]);
      const id = ids.get(piece);
      if (id === undefined) return;
      agenda.push(scores[id], left, right, piece.length);
      if (kinds[id] === 'unused')
        parts.set(piece, [text.slice(start[left], end[left]), text.slice(start[right], end[right])]);
    };
    for (let i = 1; i < n; i++) propose(i - 1, i);
    while (agenda.pop()) {
      const { left, right } = agenda;
      // The pair is stale when either side has been joined to something else meanwhile.
      if (end[left] < 0 || end[right] < 0 || next[left] !== right || end[right] - start[left] !== agenda.length)
        continue;
      end[left] = end[right];
      end[right] = -1;
      next[left] = next[right];
      if (next[right] >= 0) previous[next[right]] = left;
      propose(previous[left], left);
      propose(left, next[left]);
    }
    for (let i = 0; i >= 0 && i < n; i = next[i]) this.#emit(text.slice(start[i], end[i]), parts, out);
  }

  #emit(piece: string, parts: ReadonlyMap<string, [string, string]>, out: number[]): void {
    const id = this.#ids.get(piece);
    const { kinds, byteFallback } = this.#vocabulary;
    if (id !== undefined && kinds[id] === 'unused' && parts.has(piece)) {
      for (const part of parts.get(piece)!) this.#emit(part, parts, out);
    } else if (id !== undefined) {
      out.push(id);
    } else if (byteFallback) {
      for (const byte of utf8.encode(piece)) out.push(this.#bytes[byte] >= 0 ? this.#bytes[byte] : this.unkId);
    } else {
      out.push(this.unkId);
    }
  }
}

const utf8 = new TextEncoder();

/** A binary heap of candidate pairs: highest score first, then leftmost. */
class Agenda {
  left = 0;
  right = 0;
  length = 0;
  #size = 0;
  #score = new Float64Array(64);
  #left = new Int32Array(64);
  #right = new Int32Array(64);
  #length = new Int32Array(64);

  push(score: number, left: number, right: number, length: number): void {
    if (this.#size === this.#score.length) this.#grow();
    let i = this.#size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#before(score, left, this.#score[parent], this.#left[parent])) break;
      this.#move(parent, i);
      i = parent;
    }
    this.#put(i, score, left, right, length);
  }

  /** Takes the best pair into left, right and length. @returns false when there is none */
  pop(): boolean {
    if (this.#size === 0) return false;
    this.left = this.#left[0];
    this.right = this.#right[0];
    this.length = this.#length[0];
    const last = --this.#size;
    const score = this.#score[last];
    const left = this.#left[last];
    let i = 0;
    for (let child = 1; child < last; child = 2 * i + 1) {
      const other = child + 1;
      if (other < last && this.#before(this.#score[other], this.#left[other], this.#score[child], this.#left[child]))
        child = other;
      if (!this.#before(this.#score[child], this.#left[child], score, left)) break;
      this.#move(child, i);
      i = child;
    }
    this.#put(i, score, left, this.#right[last], this.#length[last]);
    return true;
  }

  #before(score: number, left: number, otherScore: number, otherLeft: number): boolean {
    return score > otherScore || (score === otherScore && left < otherLeft);
  }

  #put(i: number, score: number, left: number, right: number, length: number): void {
    this.#score[i] = score;
    this.#left[i] = left;
    this.#right[i] = right;
    this.#length[i] = length;
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#score[from], this.#left[from], this.#right[from], this.#length[from]);
  }

  #grow(): void {
    const larger = <A extends Float64Array | Int32Array>(old: A, fresh: A): A => {
      fresh.set(old);
      return fresh;
    };
    const n = 2 * this.#score.length;
    this.#score = larger(this.#score, new Float64Array(n));
    this.#left = larger(this.#left, new Int32Array(n));
    this.#right = larger(this.#right, new Int32Array(n));
    this.#length = larger(this.#length, new Int32Array(n));
  }
}
