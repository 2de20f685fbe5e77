// The unigram model: of all ways to cut a text into pieces, the one with the largest sum of scores (Viterbi, from left to right).
// Sums are rounded to f32 as SentencePiece's are, or ties would fall the other way.

import { TokenizerError } from '../errors.js';
import type { Segmenter } from './segmenter.js';
import type { Vocabulary } from './vocabulary.js';

const UNKNOWN_PENALTY = 10;
const POINTS = 0x110000;
const MAX_NODES = 1 << 21; // a quarter of a million pieces of many languages have a third of it
const TOO_LONG = `The pieces of the unigram vocabulary have more than ${MAX_NODES} beginnings between them, far more than one of a model. Fetch it again.`;

export class Unigram implements Segmenter {
  readonly #size: number;
  readonly #scores: Float64Array;
  readonly #unknown: number;
  /** The trie of pieces: node × POINTS + code point → node. */
  readonly #nodes = new Map<number, number>();
  /** Piece that ends at a node. */
  readonly #ends = new Map<number, number>();

  constructor(vocabulary: Vocabulary) {
    const { pieces, kinds, scores } = vocabulary;
    this.#size = pieces.length;
    const normal = pieces.flatMap((_, id) => (kinds[id] === 'normal' ? [scores[id]] : []));
    this.#unknown = Math.fround(normal.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY) - UNKNOWN_PENALTY);
    // A user piece is worth more than any cut of it. By how much, sentencepiece 0.2.3 was asked: a tenth a byte, from the second on.
    const user = (piece: string) => Math.fround(Math.fround(0.1) * (utf8.encode(piece).length - 1));
    this.#scores = Float64Array.from(pieces, (piece, id) => (kinds[id] === 'user' ? user(piece) : scores[id]));
    let nodes = 1;
    pieces.forEach((piece, id) => {
      if (kinds[id] !== 'normal' && kinds[id] !== 'user') return;
      let node = 0;
      for (const character of piece) {
        const key = node * POINTS + character.codePointAt(0)!;
        let child = this.#nodes.get(key);
        if (child === undefined) {
          if (nodes === MAX_NODES) throw new TokenizerError(TOO_LONG);
          this.#nodes.set(key, (child = nodes++));
        }
        node = child;
      }
      this.#ends.set(node, id);
    });
  }

  segment(text: string, out: number[]): void {
    const points = Int32Array.from(Array.from(text, character => character.codePointAt(0)!));
    const n = points.length;
    const best = new Float32Array(n + 1);
    const from = new Int32Array(n + 1).fill(-1);
    const symbol = new Int32Array(n + 1);
    const offer = (start: number, end: number, id: number, score: number): void => {
      if (from[end] >= 0 && score <= best[end]) return;
      best[end] = score;
      from[end] = start;
      symbol[end] = id;
    };
    for (let start = 0; start < n; start++) {
      let single = false;
      let node: number | undefined = 0;
      for (let end = start; end < n; end++) {
        node = this.#nodes.get(node * POINTS + points[end]);
        if (node === undefined) break;
        const id = this.#ends.get(node);
        if (id === undefined) continue;
        offer(start, end + 1, id, Math.fround(this.#scores[id] + best[start]));
        single ||= end === start;
      }
      if (!single) offer(start, start + 1, this.#size + points[start], Math.fround(this.#unknown + best[start]));
    }
    const symbols: number[] = [];
    for (let end = n; end > 0; end = from[end]) symbols.push(symbol[end]);
    for (let i = symbols.length - 1; i >= 0; i--) out.push(symbols[i]);
  }
}

const utf8 = new TextEncoder();
