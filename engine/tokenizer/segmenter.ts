// What cuts normalised text into pieces.

export interface Segmenter {
  /**
   * Appends the symbols of `text` to `out`: ids of pieces, and `size` + code point for a character that no piece covers, where size is
   * that of the vocabulary.
   */
  segment(text: string, out: number[]): void;
}
