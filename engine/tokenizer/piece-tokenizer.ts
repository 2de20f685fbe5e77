// A tokenizer of any vocabulary: special pieces are taken out of the text, the rest is normalised, cut, and written as ids.

import { OptionError, TokenizerError } from '../errors.js';
import { told } from '../sample.js';
import { isId, listOfIds, narrow } from '../token-ids.js';
import { ADDED, AddedTokens } from './added-tokens.js';
import { BytePairs } from './bpe.js';
import { DecodedText } from './decode.js';
import { type Ends, endsNotices } from './ends.js';
import { Matcher } from './matcher.js';
import { normaliser } from './normalise.js';
import { PairsByList, PairsByScore } from './pairs.js';
import { quoted } from './quoted.js';
import type { Segmenter } from './segmenter.js';
import type { DecodeStream, EncodeOptions, Tokenizer } from './tokenizer.js';
import { Unigram } from './unigram.js';
import { type AddedToken, SPACE, type Vocabulary } from './vocabulary.js';

export class PieceTokenizer implements Tokenizer {
  readonly size: number;
  readonly bosId: number;
  readonly eosId: number;
  readonly unkId: number;
  readonly source: string;
  readonly ends: Ends | null;
  readonly notices: readonly string[];
  readonly #vocabulary: Vocabulary;
  /** Pieces that text may become, and the others. */
  readonly #ids = new Map<string, number>();
  readonly #others = new Map<string, number>();
  /** Added tokens that have the id of another piece: text may become the piece, and the id stands for the token. */
  readonly #over = new Map<number, AddedToken>();
  readonly #bytes = new Int32Array(256).fill(-1);
  readonly #normalise: (text: string) => string;
  readonly #segmenter: Segmenter;
  /** Tokens looked for in the text as it is, and in the normalised text: with control pieces, and without. */
  readonly #withControl: readonly [AddedTokens, AddedTokens];
  readonly #withoutControl: readonly [AddedTokens, AddedTokens];

  /** @param where path of the vocabulary, for messages */
  constructor(vocabulary: Vocabulary, where = 'The vocabulary') {
    this.#vocabulary = vocabulary;
    const { pieces, kinds, added, foreign } = vocabulary;
    this.size = pieces.length;
    this.bosId = vocabulary.bosId;
    this.eosId = vocabulary.eosId;
    this.unkId = vocabulary.unkId;
    this.source = vocabulary.source;
    this.ends = vocabulary.ends ?? null;
    const literal = new Map((added ?? []).map(token => [token.id, token] as const));
    const user: [string, number][] = [];
    const control: AddedToken[] = [];
    for (let id = 0; id < pieces.length; id++) {
      const piece = pieces[id];
      const kind = kinds[id];
      // In a list of merges a control piece may be one's result all the same.
      const text = kind === 'normal' || kind === 'user' || kind === 'unused' || (literal.has(id) && kind === 'control');
      if (piece === '') continue;
      (text && !(foreign?.has(id) && literal.get(id)!.content === piece) ? this.#ids : this.#others).set(piece, id);
      if (kind === 'user' && !literal.has(id)) user.push([piece, id]);
      else if ((kind === 'control' || kind === 'unknown') && !literal.has(id))
        control.push({ ...ADDED, id, content: piece, special: true });
      else if (kind === 'byte') this.#bytes[Number.parseInt(piece.slice(3, 5), 16)] = id;
    }
    const users = new Matcher(user);
    this.#normalise = normaliser(vocabulary.normalisation, users, where);
    for (const token of literal.values()) {
      // Of a token that is looked for in normalised text, `tokenizers` knows the normalised form alone afterwards.
      const content = token.normalized ? this.#normalise(token.content) : token.content;
      const special = token.special && content === token.content;
      if (pieces[token.id] !== content) this.#over.set(token.id, { ...token, content, special });
      this.#others.set(token.content, token.id);
    }
    const groups = (tokens: readonly AddedToken[]) =>
      [
        new AddedTokens(tokens.filter(({ normalized }) => !normalized)),
        new AddedTokens(
          tokens
            .filter(({ normalized }) => normalized)
            .map(token => ({ ...token, content: this.#normalise(token.content) })),
        ),
      ] as const;
    const listed = [...(added ?? []), ...control];
    this.#withControl = groups(listed);
    this.#withoutControl = groups(listed.filter(({ special }) => !special));
    this.#segmenter = segmenter(vocabulary, this.#ids, users, where);
    this.notices = [...(vocabulary.notices ?? []), ...endsNotices(this.ends, this.bosId, id => this.piece(id))];
  }

  encode(text: string, options: EncodeOptions = {}): number[] {
    if (typeof text !== 'string')
      throw new TokenizerError(`Only a text can be encoded, not ${told(text)}. Give a string.`);
    checkEncode(options);
    const { bos = false, special = false } = options;
    const ids: number[] = [];
    const [asWritten, normalised] = special ? this.#withControl : this.#withoutControl;
    const push = (id: number) => ids.push(id);
    asWritten.cut(text, part => normalised.cut(this.#normalise(part), rest => this.#plain(rest, ids), push), push);
    if (bos && this.bosId >= 0 && ids[0] !== this.bosId) ids.unshift(this.bosId);
    return ids;
  }

  decode(ids: readonly number[]): string {
    const list = listOfIds(ids);
    if (list === null)
      throw new TokenizerError(
        `Only a list of token ids can be decoded, not ${told(ids)}. Give one, as [${this.bosId}].`,
      );
    const stream = this.stream();
    const parts = list.map(id => stream.push(id as number));
    return parts.join('') + stream.end();
  }

  stream(): DecodeStream {
    const { pieces, kinds, unkSurface, normalisation, dropsFirstSpace, bytesFirst } = this.#vocabulary;
    const text = new DecodedText();
    // SentencePiece takes the space it put in front away again: one, or all of them where it collapses them.
    let leading = dropsFirstSpace ?? (normalisation.dummyPrefix || normalisation.collapseSpaces);
    let waiting = false; // nothing has been given yet but bytes that make no character so far
    return {
      push: given => {
        const id = this.#id(given);
        const over = this.#over.get(id);
        const kind = over ? (over.special ? 'control' : 'user') : this.has(id) ? kinds[id] : 'control';
        if (kind === 'control') return '';
        if (kind === 'byte') {
          // A tokenizer.json strips the text, whatever wrote its space; SentencePiece a piece.
          const begins = waiting || (leading && dropsFirstSpace === true);
          leading = false;
          const made = text.byte(Number.parseInt(pieces[id].slice(3, 5), 16));
          waiting = begins && made === '';
          const said = bytesFirst ? made.replaceAll(SPACE, ' ') : made;
          return begins && said.startsWith(' ') ? said.slice(1) : said;
        }
        waiting = false;
        let piece = over?.content ?? pieces[id];
        if (leading && kind !== 'unknown' && piece.startsWith(SPACE)) {
          piece = piece.slice(1);
          if (!normalisation.collapseSpaces || piece.length > 0) leading = false;
        } else leading = false;
        return text.whole(kind === 'unknown' ? unkSurface : piece.replaceAll(SPACE, ' '));
      },
      end: () => text.end(),
    };
  }

  has(given: number): boolean {
    const id = this.#id(given);
    return id < this.size && this.#vocabulary.pieces[id] !== '';
  }

  piece(given: number): string {
    const id = this.#id(given);
    return this.#over.get(id)?.content ?? (this.has(id) ? this.#vocabulary.pieces[id] : `#${id}`);
  }

  idOf(piece: string): number | null {
    return this.#others.get(piece) ?? this.#ids.get(piece) ?? null;
  }

  isControl(given: number): boolean {
    const id = this.#id(given);
    return this.#over.get(id)?.special ?? (this.has(id) && this.#vocabulary.kinds[id] === 'control');
  }

  /** The id that is given. Throws TokenizerError for what is none. */
  #id(given: unknown): number {
    const id = narrow(given);
    if (isId(id)) return id;
    const found =
      typeof id === 'string' ? quoted(id) : typeof id === 'object' && id !== null ? 'An object' : String(id);
    throw new TokenizerError(`${found} is no token id; these are whole numbers from 0 to ${this.size - 1}.`);
  }

  /** Normalised text without special pieces. */
  #plain(normal: string, ids: number[]): void {
    if (normal.length === 0) return;
    const symbols: number[] = [];
    this.#segmenter.segment(normal, symbols);
    const { byteFallback } = this.#vocabulary;
    let unknown = false;
    for (const symbol of symbols) {
      const bytes = symbol >= this.size && byteFallback ? this.#bytesOf(symbol - this.size) : null;
      if (symbol < this.size) ids.push(symbol);
      else if (bytes) ids.push(...bytes);
      else if (!unknown) ids.push(this.unkId); // one for a run of them
      unknown = symbol >= this.size && !bytes;
    }
  }

  /** Ids of the UTF-8 bytes of a code point; null if one of them is no piece. */
  #bytesOf(point: number): number[] | null {
    const ids = Array.from(utf8.encode(String.fromCodePoint(point)), byte => this.#bytes[byte]);
    return ids.includes(-1) ? null : ids;
  }
}

const utf8 = new TextEncoder();

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

/** Throws OptionError for what a program without types may give: a text for true, a name that there is not. */
function checkEncode(options: unknown): void {
  if (typeof options !== 'object' || options === null)
    throw new OptionError(`The options of encode are an object, such as { bos: true }, not ${told(options)}.`);
  for (const [name, value] of Object.entries(options)) {
    if (name !== 'bos' && name !== 'special')
      throw new OptionError(`encode has no option '${name}'. There are bos, special.`);
    if (value !== undefined && typeof value !== 'boolean')
      throw new OptionError(`${name} of encode is true or false, not ${told(value)}.`);
  }
}
