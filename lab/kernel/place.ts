// From a place in what runs back to the line that was written: through the compiler's source map, and past what was put in before it.

import { SourceMap } from 'node:module';
import type { CompiledCell } from './compile.js';
import { originalOffset } from './edits.js';
import { BOLD, CYAN, INVERSE, RESET, shownPart } from './problems.js';

/** One-based. */
export interface CellPlace {
  readonly line: number;
  readonly column: number;
}

/** What is needed to look many places up; made once a cell, when something is thrown. */
interface Lookup {
  readonly map: SourceMap;
  readonly written: readonly number[];
  readonly read: readonly number[];
}
const lookups = new WeakMap<CompiledCell, Lookup>();

function lookupOf(cell: CompiledCell): Lookup {
  let found = lookups.get(cell);
  if (!found) {
    found = {
      map: new SourceMap(JSON.parse(cell.map)),
      written: lineStarts(cell.source),
      read: lineStarts(cell.edited.code),
    };
    lookups.set(cell, found);
  }
  return found;
}

/** @returns null where the line came from no line of the cell */
export function placeInCell(cell: CompiledCell, runningLine: number, runningColumn: number): CellPlace | null {
  const { map, written, read } = lookupOf(cell);
  const column = runningColumn - 1 - (runningLine === 1 ? cell.prefix : 0);
  if (column < 0) return null;
  const entry = map.findEntry(runningLine - 1, column);
  if (!('originalLine' in entry) || entry.generatedLine !== runningLine - 1 || entry.originalLine >= read.length)
    return null;
  const offset = originalOffset(cell.edited, read[entry.originalLine] + entry.originalColumn);
  const line = lineOf(written, offset);
  return { line: line + 1, column: offset - written[line] + 1 };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lineOf(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (starts[middle] <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

const FRAME = /^(\s*at )(?:(.*?) \()?(?:async )?([^()]+?):(\d+):(\d+)\)?$/;
const OURS = /node_modules|node:|lab\/kernel\//;

/** A stack as its cells know it: their own lines, the first one shown, and nothing of what carries them. */
export function stackInCells(stack: string, cells: ReadonlyMap<string, CompiledCell>): string[] {
  const out: string[] = [];
  let shown: string[] | null = null;
  for (const line of stack.split('\n')) {
    const [, at, what, name, row, column] = FRAME.exec(line) ?? [];
    const cell = name === undefined ? undefined : cells.get(name);
    if (!cell) {
      if (!/^\s+at /.test(line) || !OURS.test(line)) out.push(line);
      continue;
    }
    const place = placeInCell(cell, Number(row), Number(column));
    if (!place) continue;
    const where = `${CYAN}${name}:${place.line}:${place.column}${RESET}`;
    const label = what && !/^(async )?(eval|Object\.<anonymous>|<anonymous>)$/.test(what) ? what : '';
    out.push(`${at}${label ? `${label} (${where})` : where}`);
    shown ??= excerpt(cell.source, place);
  }
  return shown ? [...out, '', ...shown] : out;
}

function excerpt(source: string, { line, column }: CellPlace): string[] {
  const lines = source.split(/\r?\n/);
  const width = String(line).length;
  const number = (n: number) => String(n).padStart(width);
  const at = shownPart(lines[line - 1], column - 1, 1);
  return [
    ...(line > 1 ? [`${number(line - 1)} ${shownPart(lines[line - 2], 0, 1).text}`] : []),
    `${INVERSE}${number(line)}${RESET} ${at.text}`,
    `${' '.repeat(width)} ${' '.repeat(at.column)}${BOLD}^${RESET}`,
  ];
}
