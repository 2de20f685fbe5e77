// What was submitted and is not known to be done. Nobody asks for each submit: whoever reads a result learns that all before it is done, and where nobody
// reads for a while, it is asked for.

import { mapWhenDone, tryMap } from './wait.js';
import type { Watchdog } from './watchdog.js';

interface Submit {
  /** Tells the watchdog. */
  end(): void;
  /** Its own, where it may have to be told from those before and after it. */
  readonly fence: GPUBuffer | null;
}

const AFTER = 500; // ms

export class Running {
  /** In the order of submits. */
  #open: Submit[] = [];
  #asking: NodeJS.Timeout | null = null;
  /** What the last two waits took, in ms. A short one says that the next may be short too, as what is read behind a long chunk. */
  #lately: readonly number[] = [];

  constructor(
    readonly device: GPUDevice,
    readonly watchdog: Watchdog,
    private readonly hot: number,
    private readonly lost: () => boolean,
    /** Whether what runs has been given up. */
    private readonly stuck: () => boolean,
  ) {}

  /**
   * Submits, and has it watched until its end.
   * @param alone whether it must be known of this submit alone when it is done, and not only of what is read after it
   */
  submit(what: string, commands: readonly GPUCommandBuffer[], allowance?: () => number, alone = false): void {
    this.device.queue.submit([...commands]);
    let end = () => {};
    const done = new Promise<void>(resolve => {
      end = resolve;
    });
    this.#open.push({ end, fence: alone ? this.#fence() : null });
    this.watchdog.watch(what, done, allowance);
    this.#askLater();
  }

  /** Resolves when everything submitted so far is done. */
  async all(): Promise<void> {
    const fence = this.#fence();
    try {
      await this.whenDone(fence);
    } finally {
      fence.destroy();
    }
  }

  /** What was submitted so far and is not known to be done. */
  soFar(): ReadonlySet<unknown> {
    return new Set(this.#open);
  }

  /** Maps what the last of these submits writes, and with it knows that all of them are done. */
  async whenDone(buffer: GPUBuffer, before = this.soFar()): Promise<void> {
    try {
      const began = performance.now();
      await mapWhenDone(buffer, this.hot, this.stuck, this.#lately.length < 2 ? 0 : Math.min(...this.#lately));
      this.#lately = [performance.now() - began, ...this.#lately].slice(0, 2);
      this.#close(before);
    } catch (error) {
      if (this.lost()) this.#close(before);
      throw error;
    } finally {
      this.#askLater();
    }
  }

  /** Four bytes that are written after everything submitted so far. */
  #fence(): GPUBuffer {
    const { COPY_DST, MAP_READ } = GPUBufferUsage;
    const buffer = this.device.createBuffer({ label: 'fence', size: 4, usage: COPY_DST | MAP_READ });
    const encoder = this.device.createCommandEncoder();
    encoder.clearBuffer(buffer);
    this.device.queue.submit([encoder.finish()]);
    return buffer;
  }

  #close(done: ReadonlySet<unknown>): void {
    const ended = this.#open.filter(submit => done.has(submit));
    this.#open = this.#open.filter(submit => !done.has(submit));
    for (const { end, fence } of ended) {
      fence?.destroy();
      end();
    }
  }

  #askLater(): void {
    if (this.#open.length > 0) {
      this.#asking ??= setTimeout(() => {
        this.#ask()
          .catch(() => {}) // a lost device is told to who uses it next
          .finally(() => {
            this.#asking = null;
            this.#askLater();
          });
      }, AFTER);
      if (this.stuck()) this.#asking.unref();
    } else if (this.#asking !== null) {
      clearTimeout(this.#asking);
      this.#asking = null;
    }
  }

  /** Which of what is open is done. */
  async #ask(): Promise<void> {
    if (this.lost()) return this.#close(new Set(this.#open));
    for (const submit of [...this.#open]) {
      if (!this.#open.includes(submit)) continue; // learnt meanwhile by who read a result, and its fence is gone
      const fence = submit.fence ?? this.#fence();
      try {
        if (!(await tryMap(fence))) return;
      } finally {
        if (submit.fence === null) fence.destroy();
      }
      this.#close(new Set([submit]));
    }
  }
}
