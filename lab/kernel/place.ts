// From a place in what runs back to the line that was written: through the compiler's source map, and past what was put in before it.

import { SourceMap } from 'node:module';
import type { CompiledCell, FailedImport } from './compiled.js';
import { originalOffset } from './edits.js';
import { LINE_END, lineStarts } from './line-ends.js';
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

function lineOf(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (starts[middle] <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

const FRAME = /^(\s*at )(async )?(?:(.*?) \()?([^()]+?):(\d+):(\d+)\)?$/;
/** Where a text was made that `eval` runs. */
const MADE = /\(([^()]+):(\d+):(\d+)\)/g;
const OURS = /node_modules|node:|lab\/kernel\//;
const KERNEL = new URL('.', import.meta.url).href;

/** Frames that V8 is asked for: out of the depths of a library to the cell that called it. */
export const DEEP = 60;
/** Of these, so many are told, as V8 gives when it is asked for none, and so many of cells. */
const TOLD = 10;

/** A cell that asks V8 for more or less gets that. */
function few<T>(frames: readonly T[], inCell: (frame: T) => boolean): T[] {
  if (Error.stackTraceLimit !== DEEP) return [...frames];
  let cells = 0;
  return frames.filter((frame, i) => (inCell(frame) && cells++ < TOLD) || i < TOLD);
}

export type Cells = ReadonlyMap<string, CompiledCell>;
type Find = (cell: CompiledCell, line: number, column: number) => CellPlace | null;

interface Frame {
  /** Without its name where it is the cell itself. */
  readonly before: string;
  readonly name: string;
  readonly cell: CompiledCell;
  readonly place: CellPlace;
}

/** @returns null for a frame that is nowhere in what was written, the line where it is no cell's */
function frameOf(line: string, cells: Cells, find: Find): Frame | string | null {
  const [, at, wait = '', what, name, row, column] = FRAME.exec(line) ?? [];
  const cell = name === undefined ? undefined : cells.get(name);
  if (!cell) {
    return line.replace(MADE, (whole, from, row, column) => {
      const made = cells.get(from);
      const place = made && find(made, Number(row), Number(column));
      return place ? `(${from}:${place.line}:${place.column})` : whole;
    });
  }
  const place = find(cell, Number(row), Number(column));
  if (!place) return null;
  const label = what && !/^(eval|Object\.<anonymous>|<anonymous>)$/.test(what) ? what : '';
  return { before: label ? `${at}${wait}${label}` : at, name, cell, place };
}

/**
 * A stack as its cells know it: their own lines, the first one shown, and nothing of what carries them.
 * @param find how a frame's place is found: `asWritten` where it is in the cell's lines already
 */
export function stackInCells(stack: string, cells: Cells, find: Find = placeInCell): string[] {
  const out: { readonly text: string; readonly inCell: boolean }[] = [];
  let shown: string[] | null = null;
  for (const line of stack.split('\n')) {
    const frame = frameOf(line, cells, find);
    if (frame === null) continue;
    if (typeof frame === 'string') {
      if (!/^\s+at /.test(line) || !OURS.test(line)) out.push({ text: frame, inCell: false });
      continue;
    }
    const { before, name, cell, place } = frame;
    const where = `${CYAN}${name}:${place.line}:${place.column}${RESET}`;
    out.push({ text: /at $/.test(before) ? `${before}${where}` : `${before} (${where})`, inCell: true });
    shown ??= excerpt(cell.source, place);
  }
  const lines = few(out, ({ inCell }) => inCell).map(({ text }) => text);
  return shown ? [...lines, '', ...shown] : lines;
}

/** With the import line that what failed was loaded for: no frame leads there. */
export function underImport(frames: readonly string[], failed: FailedImport, cells: Cells): string[] {
  const { name, line, column } = failed;
  const frame = `    at ${CYAN}${name}:${line}:${column}${RESET}`;
  const end = frames.indexOf('');
  if (end >= 0) return [...frames.slice(0, end), frame, ...frames.slice(end)];
  const cell = cells.get(name);
  return [...frames, frame, ...(cell ? ['', ...excerpt(cell.source, failed)] : [])];
}

export const asWritten: Find = (_, line, column) => ({ line, column });

/** A frame as an error of a cell holds it. */
interface Told {
  /** Which of those given. */
  readonly at: number;
  readonly text: string;
  /** Null outside of cells. */
  readonly place: CellPlace | null;
}

/** In the cells' own lines, without the kernel's and what is around the outermost cell. */
function told(frames: readonly string[], cells: Cells): Told[] {
  const out: Told[] = [];
  let end = 0;
  for (const [at, line] of frames.entries()) {
    const frame = frameOf(line, cells, placeInCell);
    if (frame === null) continue;
    if (typeof frame === 'string') {
      if (!line.includes(KERNEL)) out.push({ at, text: frame, place: null });
      else if (line.includes('interrupts.js')) out.length = end; // which overran the stack
      continue;
    }
    const where = `${frame.name}:${frame.place.line}:${frame.place.column}`;
    const text = /at $/.test(frame.before) ? `${frame.before}${where}` : `${frame.before} (${where})`;
    end = out.push({ at, text, place: frame.place });
  }
  const outside = () => out.filter(({ text }) => !/node_modules\/tslab\/|node:cell/.test(text));
  return few(end > 0 ? out.slice(0, end) : outside(), ({ place }) => place !== null);
}

const AT = '    at ';

/** The frames of an error, from V8's. */
export function framesInCells(sites: readonly NodeJS.CallSite[], cells: Cells): string[] {
  return told(
    sites.map(site => AT + site),
    cells,
  ).map(({ text }) => text);
}

/** V8's frames for who makes a stack of them himself. */
export function sitesInCells(sites: readonly NodeJS.CallSite[], cells: Cells): NodeJS.CallSite[] {
  return told(
    sites.map(site => AT + site),
    cells,
  ).map(({ at, text, place }) => (place ? placed(sites[at], place, text.slice(AT.length)) : sites[at]));
}

function placed(site: NodeJS.CallSite, { line, column }: CellPlace, text: string): NodeJS.CallSite {
  const own: Record<string | symbol, unknown> = {
    getLineNumber: () => line,
    getColumnNumber: () => column,
    toString: () => text,
  };
  // Its methods are asked of itself alone.
  const get = (_: object, name: string | symbol) => {
    const value: unknown = Object.hasOwn(own, name) ? own[name] : Reflect.get(site, name);
    return typeof value === 'function' ? value.bind(site) : value;
  };
  return new Proxy<NodeJS.CallSite>(site, { get });
}

function excerpt(source: string, { line, column }: CellPlace): string[] {
  const lines = source.split(LINE_END);
  const width = String(line).length;
  const number = (n: number) => String(n).padStart(width);
  const at = shownPart(lines[line - 1], column - 1, 1);
  return [
    ...(line > 1 ? [`${number(line - 1)} ${shownPart(lines[line - 2], 0, 1).text}`] : []),
    `${INVERSE}${number(line)}${RESET} ${at.text}`,
    `${' '.repeat(width)} ${' '.repeat(at.column)}${BOLD}^${RESET}`,
  ];
}
