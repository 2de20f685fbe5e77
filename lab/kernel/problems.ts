// What is wrong with a cell before it runs, as tsc prints it: place, code, message, and the line with what is meant under it.

import ts from 'typescript';
import { LINE_END } from './line-ends.js';

export interface Problem {
  readonly short: string;
  readonly long: string;
}

/** Front ends show errors on red, light or dark: bold is read on both, red and grey are not. */
export const [BOLD, CYAN, INVERSE, RESET] = ['\x1b[1m', '\x1b[36m', '\x1b[7m', '\x1b[0m'];

/** More would not be read, and a page with thousands is slow. */
const MOST = 50;
const WIDEST = 200;

export interface Fault {
  /** The file's name as it is told. */
  readonly name: string;
  /** Null where the file's lines are not shown. */
  readonly text: string | null;
  readonly start: ts.LineAndCharacter;
  readonly end: ts.LineAndCharacter;
  /** `TS2322`, or nothing where the sentence is ours. */
  readonly code: string;
  readonly message: string;
}

export function problemsOf(faults: readonly Fault[]): Problem[] {
  const problems = faults.slice(0, MOST).map(problemOf);
  const more = faults.length - problems.length;
  if (more > 0) problems.push({ short: `and ${more} more`, long: `and ${more} more` });
  return problems;
}

function problemOf({ name, text, start, end, code, message }: Fault): Problem {
  const place = `${name}:${start.line + 1}:${start.character + 1}`;
  const line = text?.split(LINE_END)[start.line];
  const long = [`${CYAN}${place}${RESET} - ${BOLD}error${code && ` ${code}`}${RESET}: ${message}`];
  if (line !== undefined) {
    const until = end.line === start.line ? end.character : line.length;
    const number = String(start.line + 1);
    const shown = shownPart(line, start.character, Math.max(1, until - start.character));
    const under = ' '.repeat(shown.column) + '~'.repeat(shown.length);
    long.push('', `${INVERSE}${number}${RESET} ${shown.text}`, `${' '.repeat(number.length)} ${BOLD}${under}${RESET}`);
  }
  return {
    short: `${start.line + 1}:${start.character + 1} - error${code && ` ${code}`}: ${message}`,
    long: long.join('\n'),
  };
}

/** As much of a line as a page shows, around what is meant. */
export function shownPart(
  line: string,
  column: number,
  length: number,
): { text: string; column: number; length: number } {
  if (line.length <= WIDEST) return { text: line, column, length };
  const from = Math.max(0, Math.min(column - WIDEST / 4, line.length - WIDEST));
  const [before, after] = [from > 0 ? '…' : '', from + WIDEST < line.length ? '…' : ''];
  const at = column - from + before.length;
  const text = before + line.slice(from, from + WIDEST) + after;
  return { text, column: at, length: Math.max(1, Math.min(length, text.length - at)) };
}

export function faultOf(diagnostic: ts.Diagnostic, name: string, text: string | null): Fault {
  const { file, start = 0, length = 0, code, messageText } = diagnostic;
  const at = (offset: number) => (file ? ts.getLineAndCharacterOfPosition(file, offset) : { line: 0, character: 0 });
  return {
    name,
    text,
    start: at(start),
    end: at(start + length),
    code: `TS${code}`,
    message: ts.flattenDiagnosticMessageText(messageText, '\n'),
  };
}
