// How fast a cell may send. Jupyter's server drops everything, status included, from a cell that sends a thousand messages in a second;
// a loop that shows something as it goes round sends eight thousand. So it waits its turn.

/** Messages in a second, and how many may come at once. */
const RATE = 100;
const BURST = 100;
/** Characters that cost as much as a message. */
const PER_MESSAGE = 100_000;

export class Pace {
  #left = BURST;
  #at = performance.now();

  /** Takes note of a message that is sent. `share`: how much of a message it counts as. */
  spend(characters: number, share = 1): void {
    this.#refill();
    this.#left -= share + characters / PER_MESSAGE;
  }

  /** ms until the next may be sent. */
  get wait(): number {
    this.#refill();
    return this.#left >= 0 ? 0 : (-this.#left / RATE) * 1000;
  }

  /** Holds the thread until the next may be sent: a loop that never awaits can be slowed in no other way. */
  hold(): void {
    const ms = this.wait;
    if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }

  #refill(): void {
    const now = performance.now();
    this.#left = Math.min(BURST, this.#left + ((now - this.#at) / 1000) * RATE);
    this.#at = now;
  }
}
