// The way into a notebook's output: the kernel puts itself on globalThis, and everything else asks here. Outside a notebook there is
// none and nothing is sent.

import { LoupeError, OptionError } from '../../engine/errors.js';
import { checkOptions } from '../values/arguments.js';
import { said } from '../values/dims.js';
import type { Bundle } from '../values/shown.js';

const KEY = Symbol.for('gemma-loupe.notebook');

export interface DisplayMessage {
  readonly data: Bundle;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly transient: { readonly display_id?: string };
}

/** What the kernel does for the code of a cell. */
export interface Notebook {
  display(message: DisplayMessage, update: boolean): void;
  /** Takes an output away again, as far as Jupyter can. */
  vanish(id: string): void;
  clear(wait: boolean): void;
  ask(prompt: string, hidden: boolean): Promise<string>;
  /** The cell does not end before this has. */
  until?(done: Promise<unknown>): void;
}

const store = globalThis as { [KEY]?: Notebook };

/** Called by the kernel, once. */
export function setNotebook(notebook: Notebook): void {
  store[KEY] = notebook;
}

export const notebook = (): Notebook | undefined => store[KEY];

/** Sends a bundle as one output with all its forms. With an id it can be replaced later. @returns false outside a notebook */
export function sendBundle(data: Bundle, { id, update = false }: { id?: string; update?: boolean } = {}): boolean {
  store[KEY]?.display({ data, metadata: {}, transient: id ? { display_id: id } : {} }, update);
  return store[KEY] !== undefined;
}

/** Empties the cell's output; with `wait`, only when the next output comes, so that nothing flickers. Throws OptionError for what is neither true nor false. */
export function clearOutput(wait = false): void {
  if (typeof wait !== 'boolean')
    throw new OptionError(`clearOutput() takes true, to wait for the next output, or false, not ${said(wait)}.`);
  store[KEY]?.clear(wait);
}

/**
 * Asks the person in front of the notebook. Throws LoupeError where there is none, as in nbclient or papermill.
 * @param prompt what stands before the field
 * @param options `hidden`: what is typed is not shown, as with passwords
 * @example const key = await ask('Key: ', { hidden: true })
 */
export async function ask(prompt = '', options: { hidden?: boolean } = {}): Promise<string> {
  const { hidden = false } = checkOptions('ask', options, { hidden: true });
  const asked = store[KEY]?.ask(prompt, hidden);
  if (asked) return asked;
  throw new LoupeError(`Nobody can be asked '${prompt}': this is no notebook.`);
}
