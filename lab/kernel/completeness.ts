// Whether Enter should run what was typed, for consoles.

import type ts from 'typescript';
import { attempt } from '../values/plain.js';
import { parse } from './stoppable.js';

export type Completeness = { status: 'complete' | 'invalid' | 'unknown' } | { status: 'incomplete'; indent: string };

/** No next line can end it. */
const UNTERMINATED_STRING = 1002;

export function completeness(source: string): Completeness {
  const parsed = attempt(() => parse('cell.ts', source));
  if (!parsed) return { status: 'unknown' }; // nested deeper than the compiler's stack
  const { parseDiagnostics } = parsed as unknown as { parseDiagnostics: readonly ts.DiagnosticWithLocation[] };
  if (parseDiagnostics.length === 0) return { status: 'complete' };
  const end = source.trimEnd().length;
  // An error at the very end is one that more text can mend; so is a template or a comment that is not closed.
  const open = parseDiagnostics.every(
    ({ start, code }) => (start >= end && code !== UNTERMINATED_STRING) || code === 1160 || code === 1010,
  );
  return open ? { status: 'incomplete', indent: indentAfter(source) } : { status: 'invalid' };
}

function indentAfter(source: string): string {
  const line = source.trimEnd().split('\n').at(-1) ?? '';
  const indent = /^\s*/.exec(line)![0];
  return /[{([]\s*$|=>\s*$/.test(line) ? `${indent}  ` : indent;
}
