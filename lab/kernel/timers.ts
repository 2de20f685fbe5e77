// An interval that a cell set goes on after the cell; when the cell is stopped, it ends.

import { setMaxListeners } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import { current } from './output.js';

export function endIntervalsWithCells(): void {
  const own = globalThis.setInterval;
  const ofCells = ((callback: (...given: unknown[]) => void, ...rest: [ms?: number, ...given: unknown[]]) => {
    const cell = current.getStore();
    if (!cell || typeof callback !== 'function') return own(callback, ...rest);
    const timer = own((...given: unknown[]) => callback(...given), ...rest);
    setMaxListeners(0, cell.signal); // one each
    cell.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
    return timer;
  }) as typeof setInterval;
  globalThis.setInterval = Object.assign(ofCells, own);
  timers.setInterval = globalThis.setInterval;
  syncBuiltinESMExports();
}
