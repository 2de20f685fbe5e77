// The Stop button and Ctrl-C: an AbortSignal that every loop of the lab looks at, once a token, a chunk or a stage. In a notebook each cell
// has its own, so that Stop ends what the cell began and nothing that another has in the background.

import { Interrupted, OptionError } from '../../engine/errors.js';

const KEY = Symbol.for('gemma-loupe.interrupt');
const CELL = Symbol.for('gemma-loupe.interrupt.cell');
const store = globalThis as { [KEY]?: AbortController; [CELL]?: () => AbortSignal | undefined };

/** The notebook says which cell the running code belongs to. */
export function setCellSignal(ofCell: () => AbortSignal | undefined): void {
  store[CELL] = ofCell;
}

/** What may stop the code that asks: its cell's signal, and the one of everything. */
export function interruptSources(): AbortSignal[] {
  store[KEY] ??= new AbortController();
  const cell = store[CELL]?.();
  return cell ? [cell, store[KEY].signal] : [store[KEY].signal];
}

/** Aborted by the next interrupt that means the code that asks. Ask for it when work begins. */
export function interruptSignal(): AbortSignal {
  const sources = interruptSources();
  return sources.length === 1 ? sources[0] : AbortSignal.any(sources);
}

/** Stops everything that runs now; what begins later is not affected. */
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
