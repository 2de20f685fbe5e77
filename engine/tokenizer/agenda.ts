// Candidate pairs, best first: a binary heap over one number that holds the rank and the place, so that it sorts by both.

const PLACES = 2 ** 28; // a JavaScript string has fewer characters

export class Agenda {
  /** Place of the pair that pop took, and the piece it would form. */
  left = 0;
  piece = 0;
  #size = 0;
  #keys = new Float64Array(64);
  #pieces = new Int32Array(64);

  /** @param rank smaller is joined sooner; below 2²⁵. @param left place of the left symbol; ties go to the smaller */
  push(rank: number, left: number, piece: number): void {
    if (this.#size === this.#keys.length) this.#grow();
    const keys = this.#keys;
    const pieces = this.#pieces;
    const key = rank * PLACES + left;
    let i = this.#size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (key >= keys[parent]) break;
      keys[i] = keys[parent];
      pieces[i] = pieces[parent];
      i = parent;
    }
    keys[i] = key;
    pieces[i] = piece;
  }

  /** Takes the best pair. @returns false when there is none */
  pop(): boolean {
    if (this.#size === 0) return false;
    const keys = this.#keys;
    const pieces = this.#pieces;
    this.left = keys[0] % PLACES;
    this.piece = pieces[0];
    const last = --this.#size;
    const key = keys[last];
    let i = 0;
    for (let child = 1; child < last; child = 2 * i + 1) {
      if (child + 1 < last && keys[child + 1] < keys[child]) child++;
      if (keys[child] >= key) break;
      keys[i] = keys[child];
      pieces[i] = pieces[child];
      i = child;
    }
    keys[i] = key;
    pieces[i] = pieces[last];
    return true;
  }

  #grow(): void {
    const keys = new Float64Array(2 * this.#keys.length);
    const pieces = new Int32Array(keys.length);
    keys.set(this.#keys);
    pieces.set(this.#pieces);
    this.#keys = keys;
    this.#pieces = pieces;
  }
}
