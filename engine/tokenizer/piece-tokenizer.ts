// A tokenizer of any vocabulary: special pieces are taken out of the text, the rest is normalised, cut, and written as ids.

import { TokenizerError } from '../errors.js';
import { BytePairs } from './bpe.js';
import { DecodedText } from './decode.js';
import { Matcher } from './matcher.js';
import { normaliser } from './normalise.js';
import { PairsByList, PairsByScore } from './pairs.js';
import type { Segmenter } from './segmenter.js';
import type { DecodeStream, EncodeOptions, Tokenizer } from './tokenizer.js';
import { Unigram } from './unigram.js';
import { SPACE, type Vocabulary } from './vocabulary.js';

export class PieceTokenizer implements Tokenizer {
  readonly size: number;
  readonly bosId: number;
  readonly eosId: number;
  readonly unkId: number;
  readonly #vocabulary: Vocabulary;
  /** Pieces that text may become, and the others. */
  readonly #ids = new Map<string, number>();
  readonly #others = new Map<string, number>();
  readonly #bytes = new Int32Array(256).fill(-1);
  readonly #normalise: (text: string) => string;
  readonly #segmenter: Segmenter;
  /** Pieces looked for in the text as it is: with control pieces, and without. */
  readonly #withControl: Matcher;
  readonly #withoutControl: Matcher;

  /** @param where path of the vocabulary, for messages */
  constructor(vocabulary: Vocabulary, where = 'The vocabulary') {
    this.#vocabulary = vocabulary;
    const { pieces, kinds, userBeforeNormalising } = vocabulary;
    this.size = pieces.length;
    this.bosId = vocabulary.bosId;
    this.eosId = vocabulary.eosId;
    this.unkId = vocabulary.unkId;
    const user: [string, number][] = [];
    const control: [string, number][] = [];
    for (let id = 0; id < pieces.length; id++) {
      const piece = pieces[id];
      const kind = kinds[id];
      (kind === 'normal' || kind === 'user' || kind === 'unused' ? this.#ids : this.#others).set(piece, id);
      if (kind === 'user') user.push([piece, id]);
      else if (kind === 'control') control.push([piece, id]);
      else if (kind === 'byte') this.#bytes[Number.parseInt(piece.slice(3, 5), 16)] = id;
    }
    const none = new Matcher([]);
    const users = new Matcher(user);
    this.#withControl = new Matcher(userBeforeNormalising ? [...control, ...user] : control);
    this.#withoutControl = userBeforeNormalising ? users : none;
    this.#normalise = normaliser(vocabulary.normalisation, users, where);
    this.#segmenter = segmenter(vocabulary, this.#ids, userBeforeNormalising ? none : users, where);
  }

  encode(text: string, { bos = false, special = false }: EncodeOptions = {}): number[] {
    const ids: number[] = [];
    const literal = special ? this.#withControl : this.#withoutControl;
    let from = 0;
    for (let found = literal.next(text, 0); found; found = literal.next(text, from)) {
      this.#plain(text.slice(from, found.at), ids);
      ids.push(found.id);
      from = found.at + found.piece.length;
    }
    this.#plain(from === 0 ? text : text.slice(from), ids);
    if (bos && ids[0] !== this.bosId) ids.unshift(this.bosId);
    return ids;
  }

  decode(ids: readonly number[]): string {
    const stream = this.stream();
    const parts = ids.map(id => stream.push(id));
    return parts.join('') + stream.end();
  }

  stream(): DecodeStream {
    const { pieces, kinds, unkSurface, normalisation } = this.#vocabulary;
    const text = new DecodedText();
    // SentencePiece takes the space it put in front away again: one, or all of them where it collapses them.
    let leading = normalisation.dummyPrefix || normalisation.collapseSpaces;
    return {
      push: id => {
        this.#check(id);
        const kind = kinds[id];
        if (kind === 'control') return '';
        if (kind === 'byte') {
          leading = false;
          return text.byte(Number.parseInt(pieces[id].slice(3, 5), 16));
        }
        let piece = pieces[id];
        if (leading && kind !== 'unknown' && piece.startsWith(SPACE)) {
          piece = piece.slice(1);
          if (!normalisation.collapseSpaces || piece.length > 0) leading = false;
        } else leading = false;
        return text.whole(kind === 'unknown' ? unkSurface : piece.replaceAll(SPACE, ' '));
      },
      end: () => text.end(),
    };
  }

  piece(id: number): string {
    this.#check(id);
    return this.#vocabulary.pieces[id];
  }

  idOf(piece: string): number | null {
    return this.#ids.get(piece) ?? this.#others.get(piece) ?? null;
  }

  isControl(id: number): boolean {
    this.#check(id);
    return this.#vocabulary.kinds[id] === 'control';
  }

  /** Text without special pieces. */
  #plain(text: string, ids: number[]): void {
    const normal = this.#normalise(text);
    if (normal.length === 0) return;
    const symbols: number[] = [];
    this.#segmenter.segment(normal, symbols);
    const { byteFallback } = this.#vocabulary;
    let unknown = false;
    for (const symbol of symbols) {
      if (symbol < this.size) ids.push(symbol);
      else if (byteFallback) {
        this.#pushBytes(symbol - this.size, ids);
      } else if (!unknown) ids.push(this.unkId); // one for a run of them
      unknown = symbol >= this.size;
    }
  }

  /** The UTF-8 bytes of a code point. */
  #pushBytes(point: number, ids: number[]): void {
    const push = (byte: number) => ids.push(this.#bytes[byte] >= 0 ? this.#bytes[byte] : this.unkId);
    if (point < 0x80) {
      push(point);
      return;
    }
    const more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    push(((0xff00 >> (more + 1)) & 0xff) | (point >> (6 * more)));
    for (let shift = 6 * (more - 1); shift >= 0; shift -= 6) push(0x80 | ((point >> shift) & 0x3f));
  }

  #check(id: number): void {
    if (Number.isInteger(id) && id >= 0 && id < this.size) return;
    throw new TokenizerError(`Token id ${id} is not in the vocabulary; ids go from 0 to ${this.size - 1}.`);
  }
}

function segmenter(vocabulary: Vocabulary, ids: Map<string, number>, user: Matcher, where: string): Segmenter {
  const { algorithm, pieces, scores } = vocabulary;
  if (algorithm.kind === 'unigram') return new Unigram(vocabulary);
  const size = pieces.length;
  const text = (symbol: number) => (symbol < size ? pieces[symbol] : String.fromCodePoint(symbol - size));
  const pairs =
    algorithm.kind === 'bpe'
      ? new PairsByScore(ids, scores, text)
      : new PairsByList(algorithm.merges, ids, text, where);
  return new BytePairs(vocabulary, pairs, user, point => ids.get(String.fromCodePoint(point)) ?? size + point);
}
