// What ended a cell, as Jupyter's `error`: name, value and a traceback that points into the cell.

import { inspect } from 'node:util';
import { Interrupted, LoupeError } from '../../engine/errors.js';
import { BOLD, type CellCompiler, RESET } from './compile.js';
import { stackInCells } from './place.js';

export interface Failure {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/** Ours, and what Node says of a script that a signal broke off. */
const interrupted = (error: unknown) =>
  error instanceof Interrupted ||
  (error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED');

export function failureOf(thrown: unknown, { problems, cells }: CellCompiler): Failure {
  if (problems.length > 0) {
    return {
      ename: 'TypeScriptError',
      evalue: problems.map(({ short }) => short).join('\n'),
      traceback: problems.flatMap(({ long }) => [long, '']).slice(0, -1),
    };
  }
  if (interrupted(thrown)) {
    return failure(
      'Interrupted',
      'The cell was stopped. The session and the variables of earlier cells are still there.',
    );
  }
  if (!(thrown instanceof Error)) {
    return failure('Thrown', typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 3 }));
  }
  const { name, message } = thrown;
  const stack = stackInCells(ownFrames(thrown), cells);
  // A user's own mistake is one sentence and its place; everything else comes with its frames and causes.
  const frames =
    thrown instanceof LoupeError
      ? stack.filter(line => /cell-\d+|silent-\d+/.test(line) || !/^\s+at /.test(line))
      : stack;
  const cause = thrown.cause === undefined ? [] : [`Caused by: ${inspect(thrown.cause, { depth: 2 })}`];
  const more = thrown instanceof AggregateError ? thrown.errors.map(error => `  - ${String(error)}`) : [];
  return { ...failure(name, message), traceback: [headline(name, message), ...more, ...frames, ...cause] };
}

const headline = (name: string, message: string) => `${BOLD}${name}${RESET}: ${message}`;

function failure(ename: string, evalue: string): Failure {
  return { ename, evalue, traceback: [headline(ename, evalue)] };
}

/** The stack without its first lines, which repeat name and message. */
export function ownFrames({ stack = '' }: Error): string {
  const lines = String(stack).split('\n');
  const first = lines.findIndex(line => /^\s+at /.test(line));
  return first < 0 ? '' : lines.slice(first).join('\n');
}
