// A vocabulary in memory, the same for its three sources: a SentencePiece model, a tokenizer.json, a GGUF's metadata.

import type { MergeList } from './merge-list.js';

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

/** How normalised text is cut into pieces. */
export type Algorithm =
  /** Neighbours that form the piece of the highest score are joined first (SentencePiece). */
  | { readonly kind: 'bpe' }
  /** Neighbours are joined by a list, first entries first (`tokenizers`). */
  | { readonly kind: 'merges'; readonly merges: MergeList }
  /** The pieces whose scores have the largest sum. */
  | { readonly kind: 'unigram' };

export interface Vocabulary {
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
  /** User pieces are found in the text as it is, before it is normalised: `tokenizers` does so, SentencePiece does not. */
  readonly userBeforeNormalising: boolean;
  /** What an unknown piece is decoded to. */
  readonly unkSurface: string;
}

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
