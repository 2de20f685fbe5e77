// Which two neighbours may be joined, how soon, and into what. A symbol is a piece's id, or `size` + code point for a character that is
// no piece.

import { TokenizerError } from '../errors.js';
import type { MergeList } from './vocabulary.js';
import { quoted } from './quoted.js';

export interface Pairs {
  /** Rank and piece of the last pair that `find` found; the smaller rank is joined first. */
  readonly rank: number;
  readonly piece: number;
  /** Whether the pair may be joined. */
  find(left: number, right: number): boolean;
}

const SLOTS = 1 << 18;
const MOST_RANKS = 2 ** 25; // what the agenda sorts by

/** SentencePiece: any two neighbours whose texts together are a piece; ranked by the scores of the pieces. */
export class PairsByScore implements Pairs {
  rank = 0;
  piece = 0;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #text: (symbol: number) => string;
  readonly #ranks: Int32Array;
  // What was looked up last with each hash: text repeats itself, and a lookup by number is cheaper than one by string.
  readonly #left = new Int32Array(SLOTS).fill(-1);
  readonly #right = new Int32Array(SLOTS);
  readonly #found = new Int32Array(SLOTS);

  constructor(ids: ReadonlyMap<string, number>, scores: ArrayLike<number>, text: (symbol: number) => string) {
    this.#ids = ids;
    this.#text = text;
    this.#ranks = ranks(scores);
  }

  find(left: number, right: number): boolean {
    const slot = hash(left, right) & (SLOTS - 1);
    if (this.#left[slot] !== left || this.#right[slot] !== right) {
      this.#left[slot] = left;
      this.#right[slot] = right;
      this.#found[slot] = this.#ids.get(this.#text(left) + this.#text(right)) ?? -1;
    }
    this.piece = this.#found[slot];
    if (this.piece < 0) return false;
    this.rank = this.#ranks[this.piece];
    return true;
  }
}

/** `tokenizers`: only the pairs of a list, in its order. */
export class PairsByList implements Pairs {
  rank = 0;
  piece = 0;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #text: (symbol: number) => string;
  readonly #mask: number;
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #rank: Int32Array;
  /** What the pair becomes, once it is needed. */
  readonly #piece: Int32Array;

  constructor(
    { left, right }: MergeList,
    ids: ReadonlyMap<string, number>,
    text: (symbol: number) => string,
    readonly where: string,
  ) {
    this.#ids = ids;
    this.#text = text;
    let slots = 1024;
    while (slots < 2 * left.length) slots *= 2;
    this.#mask = slots - 1;
    this.#left = new Int32Array(slots).fill(-1);
    this.#right = new Int32Array(slots);
    this.#rank = new Int32Array(slots);
    this.#piece = new Int32Array(slots).fill(-1);
    for (let rank = 0; rank < left.length; rank++) {
      const slot = this.#slot(left[rank], right[rank]);
      this.#left[slot] = left[rank];
      this.#right[slot] = right[rank];
      this.#rank[slot] = rank;
    }
  }

  find(left: number, right: number): boolean {
    const slot = this.#slot(left, right);
    if (this.#left[slot] < 0) return false;
    this.rank = this.#rank[slot];
    this.piece = this.#piece[slot];
    if (this.piece < 0) this.piece = this.#piece[slot] = this.#joined(left, right);
    return true;
  }

  #joined(left: number, right: number): number {
    const piece = this.#text(left) + this.#text(right);
    const id = this.#ids.get(piece);
    if (id !== undefined) return id;
    throw new TokenizerError(`${this.where} makes ${quoted(piece)} by a merge, and has no such piece. Fetch it again.`);
  }

  /** Where the pair is, or would be. */
  #slot(left: number, right: number): number {
    let slot = hash(left, right) & this.#mask;
    while (this.#left[slot] >= 0 && (this.#left[slot] !== left || this.#right[slot] !== right)) {
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }
}

function hash(left: number, right: number): number {
  const h = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
  return h ^ (h >>> 15);
}

/** Smaller for higher scores; equal scores have equal ranks. */
function ranks(scores: ArrayLike<number>): Int32Array {
  let most = Number.NEGATIVE_INFINITY;
  let least = Number.POSITIVE_INFINITY;
  let whole = true;
  for (let id = 0; id < scores.length; id++) {
    most = Math.max(most, scores[id]);
    least = Math.min(least, scores[id]);
    whole &&= Number.isInteger(scores[id]);
  }
  // SentencePiece numbers the pieces of its BPE models: 0, -1, -2 …
  if (whole && most - least < MOST_RANKS) return Int32Array.from(scores, score => most - score);
  const rank = new Map<number, number>();
  for (const score of Float64Array.from(scores).sort().reverse()) if (!rank.has(score)) rank.set(score, rank.size);
  return Int32Array.from(scores, score => rank.get(score)!);
}
