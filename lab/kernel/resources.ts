// What Node keeps on a promise or a timer to know which cell it belongs to: nothing that a cell which shows one has written.

import { inspect } from 'node:util';

const KEPT = new Set(['async_id_symbol', 'trigger_async_id_symbol', 'kResourceStore']);

function show(this: object): object {
  for (const key of Object.getOwnPropertySymbols(this)) {
    if (KEPT.has(key.description ?? '')) Object.defineProperty(this, key, { enumerable: false });
  }
  return this;
}

/** In this process, wherever one is shown or printed. */
export function hideResources(): void {
  const timers = [setTimeout(() => {}), setImmediate(() => {})] as const;
  for (const prototype of [Promise.prototype, ...timers.map(timer => Object.getPrototypeOf(timer) as object)]) {
    Object.defineProperty(prototype, inspect.custom, { value: show, configurable: true, writable: true });
  }
  clearTimeout(timers[0]);
  clearImmediate(timers[1]);
}
