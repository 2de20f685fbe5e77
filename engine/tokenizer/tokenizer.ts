// Text to token ids and back, the same for every vocabulary format.

import type { Ends } from './ends.js';

/** Text to ids and back, by one model's vocabulary. */
export interface Tokenizer {
  /** One more than the largest id that has a piece. */
  readonly size: number;
  /** Of `<bos>`, with which a sequence begins. */
  readonly bosId: number;
  /** Of `<eos>`, with which one ends. */
  readonly eosId: number;
  /** Of `<unk>`, for what no piece writes. */
  readonly unkId: number;
  /** What it was read from: sentencepiece, tokenizer.json or gguf. */
  readonly source: string;
  /** What is put around a prompt, where the files say so; null where a bos goes in front, as with Gemma. */
  readonly ends: Ends | null;
  /** Ids of `text`, and nothing around them. Lone surrogates are encoded as U+FFFD, as UTF-8 does. */
  encode(text: string, options?: EncodeOptions): number[];
  /** What a person should know of this vocabulary: which of two files was read, what was decided for want of a key. */
  readonly notices: readonly string[];
  /**
   * Text of `ids`, a list or an array of numbers; control tokens give nothing, and neither do ids that have no piece (models have more rows than their vocabularies
   * have pieces). Throws TokenizerError for what is no list, and for what in it is no whole number from 0.
   */
  decode(ids: readonly number[]): string;
  /** The piece as the vocabulary writes it (`▁the`, `<0x0A>`, `<bos>`); `#id` for an id that has none. */
  piece(id: number): string;
  /** Whether the id has a piece. */
  has(id: number): boolean;
  /** Id of an exact piece, or null. */
  idOf(piece: string): number | null;
  /** Whether the id stands for no text: bos, eos, the marks of turns. */
  isControl(id: number): boolean;
  /** A stream that never gives half a character: push ids, get the text that is certain so far. */
  stream(): DecodeStream;
}

/** How a text becomes ids. */
export interface EncodeOptions {
  /** The bos id in front, unless the text has it already. */
  readonly bos?: boolean;
  /**
   * Control pieces that the text names (`<start_of_turn>`) become their ids, as in `tokenizers` and chat templates. Without, they are
   * text like any other, as in SentencePiece.
   */
  readonly special?: boolean;
}

/** Text of ids as they come. */
export interface DecodeStream {
  /** The next id. @returns the text that is certain now, which may be none */
  push(id: number): string;
  /** What is left when no more ids come; an unfinished character becomes U+FFFD. */
  end(): string;
}
