// Text to token ids and back, the same for every vocabulary format.

export interface Tokenizer {
  /** Number of pieces, reserved ones included. */
  readonly size: number;
  readonly bosId: number;
  readonly eosId: number;
  readonly unkId: number;
  /** Ids of `text`. Lone surrogates are encoded as U+FFFD, as UTF-8 does. */
  encode(text: string, options?: EncodeOptions): number[];
  /** Text of `ids`; control tokens give nothing. Throws TokenizerError for an id outside the vocabulary. */
  decode(ids: readonly number[]): string;
  /** The piece as the vocabulary writes it (`▁the`, `<0x0A>`, `<bos>`). */
  piece(id: number): string;
  /** Id of an exact piece, or null. */
  idOf(piece: string): number | null;
  /** Whether the id stands for no text: bos, eos, the marks of turns. */
  isControl(id: number): boolean;
  /** A stream that never gives half a character: push ids, get the text that is certain so far. */
  stream(): DecodeStream;
}

export interface EncodeOptions {
  /** The bos id in front, unless the text has it already. */
  readonly bos?: boolean;
  /**
   * Control pieces that the text names (`<start_of_turn>`) become their ids, as in `tokenizers` and chat templates. Without, they are
   * text like any other, as in SentencePiece.
   */
  readonly special?: boolean;
}

export interface DecodeStream {
  push(id: number): string;
  /** What is left when no more ids come; an unfinished character becomes U+FFFD. */
  end(): string;
}
