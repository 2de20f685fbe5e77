// show(x): puts what an object shows into the notebook, or its text on a terminal.

import { inspect } from 'node:util';
import { sendBundle } from '../kernel/mime.js';
import { type Bundle, DISPLAY } from './bundle.js';

export function show(...values: readonly unknown[]): void {
  for (const value of values) {
    const bundle = bundleOf(value);
    if (!sendBundle(bundle)) process.stdout.write(`${bundle['text/plain']}\n`);
  }
}

/** The bundle of any value: its own, or Node's text for it. */
export function bundleOf(value: unknown): Bundle {
  const own = (value as Record<symbol, unknown> | null | undefined)?.[DISPLAY];
  if (typeof own === 'function') return own.call(value) as Bundle;
  return { 'text/plain': typeof value === 'string' ? value : inspect(value) };
}
