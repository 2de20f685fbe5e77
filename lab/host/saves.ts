// Files that people save, as they are looked at: a few times a second each file's stamp is read. Editors write, truncate, or put another file in the place of the
// one that was there; a stamp that stays the same from one look to the next is a save that is over, whichever way it was made, on whatever kind of disk.

import { isEmpty, stampOf } from '../../engine/files.js';

/** A file that is not what it was. */
export interface Save {
  readonly path: string;
  /** Whether it is there no more. */
  readonly gone: boolean;
}

const EVERY = 120; // ms between two looks
/** Looks after which a file that is not there, or has nothing in it, is so: some editors take it away, most empty it, and then write it anew. */
const GONE_AFTER = 6;

interface Seen {
  /** As it was told last. */
  told: string | null;
  /** As it was at the last look, and for how many looks it has been so. */
  stamp: string | null;
  still: number;
}

export class Saves {
  readonly #seen = new Map<string, Seen>();
  readonly #timer: NodeJS.Timeout;

  /**
   * What is there now is no save.
   * @param list the files to look at, as they are now @param tell what was saved since the last time, in one piece where it was saved at once; never an empty list
   */
  constructor(
    private readonly list: () => readonly string[],
    private readonly tell: (saves: readonly Save[]) => void,
  ) {
    for (const path of list()) {
      const stamp = stampOf(path);
      this.#seen.set(path, { told: stamp, stamp, still: 0 });
    }
    this.#timer = setInterval(() => this.#look(), EVERY);
  }

  #look(): void {
    for (const path of this.list())
      if (!this.#seen.has(path)) this.#seen.set(path, { told: null, stamp: null, still: 0 });
    const over: Save[] = [];
    let writing = false;
    for (const [path, seen] of this.#seen) {
      const stamp = stampOf(path);
      seen.still = stamp === seen.stamp ? seen.still + 1 : 0;
      seen.stamp = stamp;
      if (stamp === seen.told) continue;
      // While one is being written, those that were saved with it wait.
      if (seen.still >= (stamp === null || isEmpty(path) ? GONE_AFTER : 1)) over.push({ path, gone: stamp === null });
      else writing ||= stamp !== null;
    }
    if (writing) return;
    for (const { path, gone } of over) {
      const seen = this.#seen.get(path)!;
      seen.told = seen.stamp;
      if (gone) this.#seen.delete(path);
    }
    if (over.length > 0) this.tell(over);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
