// Random numbers that come again: input `index` of a reader depends on the seed, the reader's name and the index alone.

export class Random {
  #state: number;

  constructor(seed: number, name = '', index = 0) {
    let h = 0x811c9dc5;
    for (const byte of Buffer.from(`${seed}/${name}/${index}`)) h = Math.imul(h ^ byte, 0x01000193);
    this.#state = h;
  }

  /** From 0 to 1, without 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to n − 1. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** True once in n times. */
  once(n: number): boolean {
    return this.below(n) === 0;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}
