// A vocabulary in memory, the same for its three sources: a SentencePiece model, a tokenizer.json, a GGUF's metadata.

import type { Ends } from './ends.js';

/**
 * What a piece is for. Text becomes `normal` and `user` pieces, and bytes where there are none; `user` pieces are never cut. `control`
 * pieces (bos, turns) stand for no text. `unused` ones are formed on the way and taken apart again.
 */
export type PieceKind = 'normal' | 'unknown' | 'control' | 'user' | 'unused' | 'byte';

/** What happens to text before it is cut. Gemma's vocabularies only write spaces as ▁. */
export interface Normalisation {
  /** SentencePiece's compiled table of replacements (NFKC and the like); null for none. */
  readonly charsmap: Uint8Array | null;
  /** Text gets a space in front, or behind with `spaceAsSuffix`. */
  readonly dummyPrefix: boolean;
  /** Runs of spaces become one, and those at the ends go. */
  readonly collapseSpaces: boolean;
  /** Spaces are written ▁. */
  readonly escapeSpaces: boolean;
  readonly spaceAsSuffix: boolean;
}

/** Pairs that may be joined, by rank: the piece left and right. */
export interface MergeList {
  readonly left: Int32Array;
  readonly right: Int32Array;
}

/** How normalised text is cut into pieces. */
export type Algorithm =
  /** Neighbours that form the piece of the highest score are joined first (SentencePiece). */
  | { readonly kind: 'bpe' }
  /** Neighbours are joined by a list, first entries first (`tokenizers`). */
  | { readonly kind: 'merges'; readonly merges: MergeList }
  /** The pieces whose scores have the largest sum. */
  | { readonly kind: 'unigram' };

/** A text that is one id wherever it stands, found before anything is cut: an entry of `added_tokens`, in the words of `tokenizers`. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Stands for no text when decoded, and is text like any other unless control pieces are asked for. */
  readonly special: boolean;
  /** White space on that side belongs to it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Only where neither neighbour is a letter, a digit or an underscore. */
  readonly singleWord: boolean;
  /** Is looked for in normalised text, in its own normalised form. */
  readonly normalized: boolean;
}

export interface Vocabulary {
  readonly source: 'sentencepiece' | 'tokenizer.json' | 'gguf';
  readonly pieces: readonly string[];
  readonly scores: ArrayLike<number>;
  readonly kinds: readonly PieceKind[];
  readonly bosId: number;
  readonly eosId: number;
  readonly unkId: number;
  readonly algorithm: Algorithm;
  readonly normalisation: Normalisation;
  /** Characters that no piece has become pieces of their UTF-8 bytes. */
  readonly byteFallback: boolean;
  /** Found in the text before it is cut, as `tokenizers` does; SentencePiece's user pieces are found while cutting. Null: none are listed. */
  readonly added: readonly AddedToken[] | null;
  /** Added tokens that are no pieces of the model's own, by id: nothing is joined to one of them. */
  readonly foreign?: ReadonlySet<number>;
  /** What is put around a prompt, where the files say so; else a bos in front. */
  readonly ends?: Ends | null;
  /** What a person should know: which of two files was read, what was decided for want of a key. A sentence each. */
  readonly notices?: readonly string[];
  /** Whether the space that a text begins with is taken away when it is decoded; default: where one is put in front of what is encoded. */
  readonly dropsFirstSpace?: boolean;
  /** Whether a ▁ that bytes make is a space as well. */
  readonly bytesFirst?: boolean;
  /** What an unknown piece is decoded to. */
  readonly unkSurface: string;
}

/** Most pieces of a vocabulary, and one more than its largest id. Gemma's have 262,144, and the largest there are fewer than a million. */
export const MAX_PIECES = 1 << 20;

/** Stands for a space inside pieces: ▁, U+2581. */
export const SPACE = '\u2581';

/** Gemma's: spaces become ▁, and nothing else changes. */
export const PLAIN: Normalisation = {
  charsmap: null,
  dummyPrefix: false,
  collapseSpaces: false,
  escapeSpaces: true,
  spaceAsSuffix: false,
};
