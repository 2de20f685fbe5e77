// What files say of added tokens, and which ids these get. In `tokenizers` a declared id is a wish: a token that is a piece already keeps
// that piece's id, and any other gets the next free one. transformers reads several files, and adds in the order of the declared ids.

import { TokenizerError } from '../errors.js';
import { ADDED } from './added-tokens.js';
import { quoted } from './quoted.js';
import type { AddedToken, PieceKind } from './vocabulary.js';

/** A token before it has its id. */
export interface DeclaredToken extends Omit<AddedToken, 'id'> {
  /** The id that a file gives it, if one does. */
  readonly id: number | null;
  /** Comes of a default and not of a file: left out where the model has no row for it. */
  readonly assumed?: boolean;
}

/** What the files beside a vocabulary say, as transformers puts it together. */
export interface TokensBeside {
  /** Rows of the model's embedding. */
  readonly rows: number;
  /** All tokens in the order in which they are added. @param listed those of a tokenizer.json */
  all(listed: readonly DeclaredToken[]): readonly DeclaredToken[];
}

const MAX_ADDED = 1 << 16;

/** An entry of `added_tokens` or `added_tokens_decoder`. @param size pieces of the vocabulary @param id where it stands beside the entry */
export function declared(value: unknown, size: number, where: string, id?: number): DeclaredToken {
  const token = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const { content, special, single_word: single, lstrip, rstrip, normalized } = token;
  const number = id ?? token.id;
  if (typeof content !== 'string' || content === '') {
    throw new TokenizerError(
      `${where} has ${JSON.stringify(value)?.slice(0, 80)} among its added tokens, where an object with a text under 'content' is expected. Fetch it again.`,
    );
  }
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > size + MAX_ADDED) {
    throw new TokenizerError(`${where} gives the added token ${quoted(content)} the id ${number}. Fetch it again.`);
  }
  const flags: Readonly<Record<string, unknown>> = { special, single_word: single, lstrip, rstrip, normalized };
  const odd = Object.keys(flags).find(key => flags[key] !== undefined && typeof flags[key] !== 'boolean');
  if (odd) {
    throw new TokenizerError(
      `${where} gives the added token ${quoted(content)} ${odd} = ${JSON.stringify(flags[odd])}, and true or false is expected. Mend the file.`,
    );
  }
  return {
    id: number,
    content,
    special: special === true,
    lstrip: lstrip === true,
    rstrip: rstrip === true,
    singleWord: single === true,
    normalized: normalized === undefined ? special !== true : normalized === true,
  };
}

/** A token that is named alone, as bos and eos are. */
export const named = (content: string, flags: Partial<DeclaredToken> = {}): DeclaredToken => ({
  ...ADDED,
  id: null,
  content,
  special: true,
  ...flags,
});

export interface Placed {
  readonly added: readonly AddedToken[];
  /** Ids of those that are no pieces of the model's own. */
  readonly foreign: ReadonlySet<number>;
  readonly notices: readonly string[];
}

/**
 * Gives tokens their ids.
 * @param pieces of the model's own, by id; may have holes @param rows of the embedding, where it is known
 */
export function placed(
  tokens: readonly DeclaredToken[],
  pieces: readonly (string | undefined)[],
  where: string,
  rows = Number.POSITIVE_INFINITY,
): Placed {
  const ids = new Map<string, number>();
  let size = 0;
  pieces.forEach((piece, id) => {
    if (piece === undefined || piece === '') return;
    if (ids.has(piece)) {
      throw new TokenizerError(
        `${where} has the piece ${quoted(piece)} twice, with the ids ${ids.get(piece)} and ${id}. Fetch it again.`,
      );
    }
    ids.set(piece, id);
    size += 1;
  });
  const own = new Set(ids.keys());
  const byContent = new Map<string, AddedToken>();
  const foreign = new Set<number>();
  const moved: string[] = [];
  let last = -1;
  for (const { id: wish, assumed, ...token } of tokens) {
    const known = byContent.get(token.content)?.id ?? ids.get(token.content);
    const next = last >= size ? last + 1 : size;
    let id = known ?? next;
    if (known === undefined && id >= rows) {
      // transformers' id would be none of the model's; the file's may be.
      if (wish !== null && wish < rows) id = wish;
      else if (assumed) continue;
    }
    if (wish !== null && wish !== id) moved.push(`${quoted(token.content)} is ${id}, not ${wish}`);
    if (!own.has(token.content)) foreign.add(id);
    if (id < rows || id === next) last = Math.max(last, id);
    // Listed again, a token has the later flags, and is special once and for all.
    const special = token.special || byContent.get(token.content)?.special === true;
    byContent.set(token.content, { ...token, special, id });
  }
  const notices =
    moved.length === 0
      ? []
      : [
          `${where} gives ${moved.length} added token${moved.length === 1 ? '' : 's'} other ids than the vocabulary leaves free, and transformers' are taken: ${moved.slice(0, 3).join(', ')}${moved.length > 3 ? ' …' : ''}.`,
        ];
  return { added: [...byContent.values()], foreign, notices };
}

/** Writes added tokens into the lists of pieces. Where one has the id of another piece, as holes bring about, that piece stays: text becomes it. */
export function putInto(
  pieces: string[],
  kinds: PieceKind[],
  added: Placed['added'],
  foreign: Placed['foreign'],
): void {
  for (const { id, content, special } of added) {
    for (let hole = pieces.length; hole < id; hole++) {
      pieces[hole] = '';
      kinds[hole] = 'unused';
    }
    if (foreign.has(id) && pieces[id]) continue;
    pieces[id] = content;
    if (special) kinds[id] = 'control';
    else if (kinds[id] !== 'byte') kinds[id] = 'user'; // a byte stays one when it is read back
  }
}
