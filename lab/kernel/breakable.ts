// Synchronous code that a signal may break off. Node has that for scripts alone, and takes its own handler away around them and puts it back:
// a signal that came then would end the process. So one is sent only while the code is within, and one that is on its way is waited for.

import vm from 'node:vm';

/** The slot of the courier's memory that says whether a signal may come: 1, and 2 when one is on its way. */
export const BREAKABLE = 4;
/** ms in which a signal arrives. */
const TO_ARRIVE = 2000;

/** @param state the courier's memory */
export function breakable<T>(call: () => T, state: Int32Array | null): () => T {
  if (!state) return call;
  return () => {
    Atomics.store(state, BREAKABLE, 1);
    try {
      return call();
    } finally {
      if (Atomics.compareExchange(state, BREAKABLE, 1, 0) !== 1) {
        for (const end = Date.now() + TO_ARRIVE; Date.now() < end; );
      }
    }
  };
}

const CALL = 'gemma-loupe.broken-off';
const global = globalThis as { [key: symbol]: unknown };
const script = new vm.Script(`globalThis[Symbol.for('${CALL}')]()`);

/**
 * The value of a call that Stop may break off wherever it is: it runs no `finally` then. Throws what it throws, and what Node says of a script
 * that a signal broke off.
 */
export function brokenOff<T>(call: () => T, state: Int32Array | null): T {
  if (!state) return call();
  global[Symbol.for(CALL)] = breakable(call, state);
  try {
    return script.runInThisContext({ breakOnSigint: true, displayErrors: false }) as T;
  } finally {
    Atomics.store(state, BREAKABLE, 0);
    delete global[Symbol.for(CALL)];
  }
}
