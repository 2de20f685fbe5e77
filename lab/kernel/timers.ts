// An interval that a cell set goes on after the cell; when the cell is stopped, it ends.

import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import { type CellOutput, current } from './output.js';

/** Intervals that were cleared, and are held by nobody else, are forgotten once there are so many more. */
const AT_LEAST = 1000;

/** A listener each would be looked through for each that is added: a hundred thousand would take a minute. */
class Intervals {
  #timers: WeakRef<NodeJS.Timeout>[] = [];
  #most = AT_LEAST;

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => {
      for (const timer of this.#timers.splice(0)) clearInterval(timer.deref());
    });
  }

  add(timer: NodeJS.Timeout): void {
    this.#timers.push(new WeakRef(timer)); // Node holds those that go on
    if (this.#timers.length < this.#most) return;
    this.#timers = this.#timers.filter(timer => timer.deref());
    this.#most = Math.max(AT_LEAST, 2 * this.#timers.length);
  }
}

export function endIntervalsWithCells(): void {
  const own = globalThis.setInterval;
  const byCell = new WeakMap<CellOutput, Intervals>();
  const ofCells = ((callback: (...given: unknown[]) => void, ...rest: [ms?: number, ...given: unknown[]]) => {
    const cell = current.getStore();
    if (!cell || typeof callback !== 'function') return own(callback, ...rest);
    const timer = own((...given: unknown[]) => callback(...given), ...rest);
    const intervals = byCell.get(cell) ?? new Intervals(cell.signal);
    byCell.set(cell, intervals);
    intervals.add(timer);
    return timer;
  }) as typeof setInterval;
  globalThis.setInterval = Object.assign(ofCells, own);
  timers.setInterval = globalThis.setInterval;
  syncBuiltinESMExports();
}
