// The way into a notebook's output: the kernel puts a sender on globalThis, and everything else asks here. Outside a notebook there
// is none and nothing is sent.

import type { Bundle } from '../display/bundle.js';

const KEY = Symbol.for('gemma-loupe.display');

export interface DisplayMessage {
  readonly data: Bundle;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly transient: { readonly display_id?: string };
}

export type DisplaySender = (message: DisplayMessage, update: boolean) => void;

const store = globalThis as { [KEY]?: DisplaySender };

/** Called by the kernel, once. */
export function setDisplaySender(sender: DisplaySender): void {
  store[KEY] = sender;
}

export const inNotebook = (): boolean => store[KEY] !== undefined;

/** Sends a bundle as one output with all its forms. With an id it can be replaced later. @returns false outside a notebook */
export function sendBundle(data: Bundle, { id, update = false }: { id?: string; update?: boolean } = {}): boolean {
  const send = store[KEY];
  if (!send) return false;
  send({ data, metadata: {}, transient: id ? { display_id: id } : {} }, update);
  return true;
}
