// Whether Enter should run what was typed, for consoles.

import type ts from 'typescript';
import { LINE_END } from './line-ends.js';
import { parse } from './stoppable.js';
import { isTooDeep } from './too-deep.js';

export type Completeness = { status: 'complete' | 'invalid' | 'unknown' } | { status: 'incomplete'; indent: string };

/** No next line can end it. */
const UNTERMINATED_STRING = 1002;

/** What is nested too deeply to be read is `unknown`: the protocol has no word for a failure. */
export function completeness(source: string): Completeness {
  try {
    return verdictOn(source);
  } catch (error) {
    if (isTooDeep(error)) return { status: 'unknown' };
    throw error;
  }
}

function verdictOn(source: string): Completeness {
  const { parseDiagnostics } = parse('cell.ts', source) as unknown as {
    parseDiagnostics: readonly ts.DiagnosticWithLocation[];
  };
  if (parseDiagnostics.length === 0) return { status: 'complete' };
  const end = source.trimEnd().length;
  // An error at the very end is one that more text can mend; so is a template or a comment that is not closed.
  const open = parseDiagnostics.every(
    ({ start, code }) => (start >= end && code !== UNTERMINATED_STRING) || code === 1160 || code === 1010,
  );
  return open ? { status: 'incomplete', indent: indentAfter(source) } : { status: 'invalid' };
}

function indentAfter(source: string): string {
  const line = source.trimEnd().split(LINE_END).at(-1) ?? '';
  const indent = /^\s*/.exec(line)![0];
  return /[{([]\s*$|=>\s*$/.test(line) ? `${indent}  ` : indent;
}
