// Work that never ends: a GPU cannot be stopped and does not say that a shader loops for ever, so time is counted here. What was submitted
// is done in its order; when the first of it makes no end for too long, that is told by name.

import { OptionError } from './errors.js';

interface Submitted {
  readonly what: string;
  /** Seconds it may take, beyond those of the watchdog. Asked only when it takes long. */
  allowance(): number;
}

/** No adapter that was measured is slower, not even SwiftShader on a loaded machine. */
export const SLOWEST_FLOPS = 2e7;

export class Watchdog {
  /** Seconds without an end; 0: none. */
  seconds: number;
  readonly #submitted: Submitted[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** Seconds that the first of the submitted has had. */
  #waited = 0;
  #ticked = 0;
  #barked: Submitted | null = null;

  /**
   * @param bark called with what makes no end, once for it
   * @param calm called when it ends after all
   */
  constructor(
    seconds: number,
    private readonly bark: (what: string, seconds: number) => void,
    private readonly calm: () => void,
  ) {
    this.seconds = seconds;
  }

  /** Watches over what was just submitted, until `done`. */
  watch(what: string, done: Promise<unknown>, allowance: () => number = () => 0): void {
    const submitted = { what, allowance };
    this.#submitted.push(submitted);
    this.#start();
    const end = () => {
      this.#submitted.splice(this.#submitted.indexOf(submitted), 1);
      this.#waited = 0;
      if (this.#barked === submitted) {
        this.#barked = null;
        this.calm();
      }
      if (this.#submitted.length === 0) this.#stop();
    };
    done.then(end, end);
  }

  #start(): void {
    if (this.#timer !== null || this.seconds === 0) return;
    const every = Math.min(1000, 250 * this.seconds);
    this.#waited = 0;
    this.#ticked = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      // A machine that slept, or a cell that never let go of the thread, is no GPU that makes no progress.
      this.#waited += Math.min(now - this.#ticked, 2 * every) / 1000;
      this.#ticked = now;
      const [first] = this.#submitted;
      if (this.#waited < this.seconds || this.#barked !== null) return;
      if (this.#waited < this.seconds + first.allowance()) return;
      this.#barked = first;
      this.#stop();
      this.bark(first.what, Math.round(this.#waited));
    }, every);
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

const WATCHDOG = 120; // seconds

/** LOUPE_WATCHDOG, or what is usual. Throws OptionError for what is no number of seconds. */
export function watchdogSeconds(): number {
  const set = process.env.LOUPE_WATCHDOG;
  return set ? checkSeconds(Number(set), 'LOUPE_WATCHDOG', set) : WATCHDOG;
}

/** Throws OptionError for what is no number of seconds. */
export function checkSeconds(seconds: number, name: string, given: unknown = seconds): number {
  if (typeof seconds === 'number' && seconds >= 0 && Number.isFinite(seconds)) return seconds;
  throw new OptionError(`${name} must be a number of seconds from 0, where 0 is for ever, not '${given}'.`);
}
