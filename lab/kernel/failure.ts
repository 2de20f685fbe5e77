// What ended a cell, as Jupyter's `error`: name, value and a traceback that points into the cell. Anything can be thrown, and whatever it
// does when it is looked at, there is a failure to tell; however large it is, a page can show it.

import { Interrupted, LoupeError } from '../../engine/errors.js';
import { TOO_MUCH } from '../host/forms.js';
import { bytesText } from '../values/numbers.js';
import { attempt, briefly, cut, isError, plain } from '../values/plain.js';
import { withoutAdded } from './added.js';
import type { CompiledCell, FailedImport } from './compiled.js';
import { BOLD, RESET } from './problems.js';
import { stackInCells, underImport } from './place.js';
import { finding } from './stacks.js';

export interface Failure {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/** What the compiler knows of the cells that ran. */
interface Cells {
  readonly problems: readonly { readonly short: string; readonly long: string }[];
  readonly cells: ReadonlyMap<string, CompiledCell>;
  readonly failedImport?: FailedImport | null;
}

/** Characters of an error's message, and of its whole traceback. */
const MOST_MESSAGE = 100_000;
const MOST_TRACEBACK = 400_000;
/** Errors of an AggregateError that are listed; causes of causes; frames. */
const LISTED = 20;
const CAUSES = 5;
const FRAMES = 100;

/** Ours, and what Node says of a script that a signal broke off. */
export const isInterrupted = (error: unknown): boolean =>
  attempt(() => error instanceof Interrupted) === true || codeOf(error) === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';

/** Node's code of an error, or undefined. Never throws. */
export const codeOf = (error: unknown): unknown => attempt(() => (error as NodeJS.ErrnoException | undefined)?.code);

/** Never throws. */
export function failureOf(thrown: unknown, { problems, cells, failedImport }: Cells): Failure {
  if (problems.length > 0) {
    return bounded({
      ename: 'TypeScriptError',
      evalue: shortened(problems.map(({ short }) => short).join('\n'), MOST_MESSAGE),
      traceback: problems.flatMap(({ long }) => [long, '']).slice(0, -1),
    });
  }
  if (isInterrupted(thrown)) {
    return failure(
      'Interrupted',
      'The cell was stopped. The session is still there, and so are all variables: its own, as far as it came, and those of earlier cells.',
    );
  }
  const imported = (frames: readonly string[]) =>
    failedImport && Object.is(failedImport.error, thrown) ? underImport(frames, failedImport, cells) : frames;
  if (!isError(thrown)) return failure('Thrown', textOf(thrown, 3), imported([]));
  const name = textOf(attempt(() => thrown.name) ?? 'Error') || 'Error';
  const message = messageOf(thrown);
  const stack = framesOf(thrown, cells);
  // A user's own mistake is one sentence and its place; everything else comes with its frames and causes.
  const frames = attempt(() => thrown instanceof LoupeError)
    ? stack.filter(line => /cell-\d+|silent-\d+/.test(line) || !/^\s+at /.test(line))
    : stack;
  return failure(name, message, [...gathered(thrown), ...imported(frames), ...causesOf(thrown, cells)]);
}

/** The frames of an error, in cells. Never throws. */
export const framesOf = (error: Error, cells: Cells['cells']): string[] => attempt(() => inCells(error, cells)) ?? [];

function inCells(error: Error, cells: Cells['cells']): string[] {
  const frames = ownFrames(error); // its stack is made here, where it was not yet
  return stackInCells(frames, cells, finding(error));
}

function causesOf(thrown: Error, cells: Cells['cells']): string[] {
  const seen = new Set<unknown>([thrown]);
  const out: string[] = [];
  for (let cause = attempt(() => thrown.cause); cause !== undefined; ) {
    const error = isError(cause) ? cause : null;
    if (seen.has(cause)) return [...out, 'Caused by: an error that is told above'];
    if (seen.size > CAUSES) return [...out, 'Caused by: more than can be told'];
    seen.add(cause);
    out.push(`Caused by: ${error ? briefly(error, 2000) : textOf(cause)}`, ...(error ? framesOf(error, cells) : []));
    cause = error ? attempt(() => error.cause) : undefined;
  }
  return out;
}

/** The errors in an AggregateError. */
function gathered(thrown: Error): string[] {
  if (!attempt(() => thrown instanceof AggregateError)) return [];
  const errors = attempt(() => [...(thrown as AggregateError).errors] as unknown[]) ?? [];
  const lines = errors.slice(0, LISTED).map(error => `  - ${briefly(error)}`);
  return errors.length > LISTED ? [...lines, `  and ${errors.length - LISTED} more`] : lines;
}

function messageOf(thrown: Error): string {
  try {
    return textOf(thrown.message);
  } catch (error) {
    return `(its message cannot be read: ${briefly(error)})`;
  }
}

function textOf(value: unknown, depth = 2): string {
  const { text, problem } = plain(value, depth);
  return problem ? `${text} (its text could not be made: ${problem})` : text;
}

function failure(ename: string, evalue: string, more: readonly string[] = []): Failure {
  const [name, message] = [cut(ename, 200).text, shortened(withoutAdded(evalue), MOST_MESSAGE)];
  return bounded({
    ename: name,
    evalue: message,
    traceback: [`${BOLD}${name}${RESET}: ${message}`, ...more.map(withoutAdded)],
  });
}

function bounded(told: Failure): Failure {
  const whole = told.traceback.join('\n');
  return whole.length > MOST_TRACEBACK ? { ...told, traceback: [shortened(whole, MOST_TRACEBACK)] } : told;
}

function shortened(whole: string, most: number): string {
  const { text, left } = cut(whole, most);
  return left > 0 ? `${text}…\n(The rest of the error, ${bytesText(left)}, was left out: ${TOO_MUCH})` : text;
}

/** The stack without its first lines, which repeat name and message. */
function ownFrames(error: Error): string {
  const [stack, message] = [String(error.stack ?? ''), String(error.message)];
  const rest = stack.slice(Math.max(0, stack.indexOf(message)) + message.length);
  const first = rest.search(/^[^\S\n]+at /m);
  return first < 0 ? '' : rest.slice(first).split('\n', FRAMES).join('\n');
}
