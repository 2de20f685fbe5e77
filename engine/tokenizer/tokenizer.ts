// Text to token ids and back, the same for every vocabulary format.

export interface Tokenizer {
  /** Number of pieces, reserved ones included. */
  readonly size: number;
  readonly bosId: number;
  readonly eosId: number;
  readonly unkId: number;
  /** Ids of `text`, without bos unless asked for. Lone surrogates are encoded as U+FFFD, as UTF-8 does. */
  encode(text: string, options?: { bos?: boolean }): number[];
  /** Text of `ids`; control tokens give nothing. Throws TokenizerError for an id outside the vocabulary. */
  decode(ids: readonly number[]): string;
  /** The piece as the vocabulary writes it (`▁the`, `<0x0A>`, `<bos>`). */
  piece(id: number): string;
  /** Id of an exact piece, or null. */
  idOf(piece: string): number | null;
  /** A stream that never gives half a character: push ids, get the text that is certain so far. */
  stream(): DecodeStream;
}

export interface DecodeStream {
  push(id: number): string;
  /** What is left when no more ids come; an unfinished character becomes U+FFFD. */
  end(): string;
}
