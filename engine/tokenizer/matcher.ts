// Literal pieces inside a text: the longest that starts at a place.

export class Matcher {
  readonly #ids = new Map<string, number>();
  /** By the first UTF-16 unit: the lengths that pieces have, longest first. Thousands begin with '<', in a dozen lengths. */
  readonly #lengths = new Map<number, number[]>();
  /** Which units begin a piece. */
  readonly #begins = new Uint8Array(1 << 16);

  constructor(pieces: Iterable<readonly [string, number]>) {
    const lengths = new Map<number, Set<number>>();
    for (const [piece, id] of pieces) {
      if (piece.length === 0) continue;
      this.#ids.set(piece, id);
      const first = piece.charCodeAt(0);
      this.#begins[first] = 1;
      const known = lengths.get(first);
      if (known) known.add(piece.length);
      else lengths.set(first, new Set([piece.length]));
    }
    for (const [first, known] of lengths)
      this.#lengths.set(
        first,
        [...known].sort((a, b) => b - a),
      );
  }

  get empty(): boolean {
    return this.#ids.size === 0;
  }

  /** The longest piece that starts at `at`, if any. */
  at(text: string, at: number): { readonly piece: string; readonly id: number } | undefined {
    const first = text.charCodeAt(at);
    if (!this.#begins[first]) return undefined;
    for (const length of this.#lengths.get(first)!) {
      if (at + length > text.length) continue;
      const piece = text.slice(at, at + length);
      const id = this.#ids.get(piece);
      if (id !== undefined) return { piece, id };
    }
    return undefined;
  }

  /** The first piece at or after `from`, and where it is. */
  next(text: string, from: number): { readonly at: number; readonly piece: string; readonly id: number } | null {
    if (this.empty) return null;
    for (let at = from; at < text.length; at++) {
      if (!this.#begins[text.charCodeAt(at)]) continue;
      const found = this.at(text, at);
      if (found) return { at, ...found };
    }
    return null;
  }
}
