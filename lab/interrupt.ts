// The Stop button and Ctrl-C: one AbortSignal that every loop of the lab looks at, once a token, a chunk or a stage.

import { Interrupted, OptionError } from '../engine/errors.js';

const KEY = Symbol.for('gemma-loupe.interrupt');
const store = globalThis as { [KEY]?: AbortController };

/** Aborted by the next interrupt. Ask for it when work begins. */
export function interruptSignal(): AbortSignal {
  return (store[KEY] ??= new AbortController()).signal;
}

/** Stops what runs now; what begins later is not affected. */
export function fireInterrupt(): void {
  const current = store[KEY];
  store[KEY] = new AbortController();
  current?.abort(new Interrupted());
}

/** Aborted by an interrupt or by the caller's own signal. */
export function eitherSignal(own?: AbortSignal): AbortSignal {
  if (own === undefined || own === null) return interruptSignal();
  try {
    return AbortSignal.any([own, interruptSignal()]);
  } catch {
    throw new OptionError('signal is an AbortSignal: that of `new AbortController()`.');
  }
}
