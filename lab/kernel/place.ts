// From a place in what tslab made of a cell back to the cell's own line. tslab gives no source map, so the cell is compiled once more
// with one, when something was thrown, and the two outputs are laid side by side line by line.

import { SourceMap } from 'node:module';
import { BOLD, type CompiledCell, CYAN, INVERSE, RESET } from './compile.js';
import { withoutInserted } from './stoppable.js';
import { ts } from './tslab.js';

/** One-based. */
export interface CellPlace {
  readonly line: number;
  readonly column: number;
}

/** @returns null where the line came from no line of the cell */
export function placeInCell(cell: CompiledCell, runningLine: number, runningColumn: number): CellPlace | null {
  const { source, output, running } = cell;
  if (runningLine > output.split('\n').length) return null; // tslab's call of the cell
  const { line, column } = lineAndColumn(
    output,
    withoutInserted(running, offsetOf(running.code, runningLine, runningColumn)),
  );
  const { outputText, sourceMapText } = ts.transpileModule(`${source}\nexport {}`, {
    fileName: 'cell.ts',
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      esModuleInterop: true,
      sourceMap: true,
      noImplicitUseStrict: true,
    },
  });
  const at = aligned(output.split('\n').map(plain), outputText.split('\n').map(plain), line - 1);
  if (at === null) return null;
  const removed =
    output
      .split('\n')
      [line - 1].slice(0, column - 1)
      .match(ADDED)
      ?.join('').length ?? 0;
  const entry = new SourceMap(JSON.parse(sourceMapText!)).findEntry(at, Math.max(0, column - 1 - removed));
  if (!('originalLine' in entry) || entry.originalLine >= source.split('\n').length) return null;
  return { line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let i = 1; i < line; i++) start = text.indexOf('\n', start) + 1;
  return start + column - 1;
}

function lineAndColumn(text: string, offset: number): CellPlace {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

/** What tslab adds to reach the variables of earlier cells and the value of the last expression. */
const ADDED = /exports\.(tsLastExpr\d* = )?/g;
const plain = (line: string) => line.replace(ADDED, '').replace(/;$/, '').trim();

/** The line of `there` beside line `at` of `here`, by their longest common subsequence. */
function aligned(here: readonly string[], there: readonly string[], at: number): number | null {
  const best = here.map(() => new Uint16Array(there.length + 1));
  best.push(new Uint16Array(there.length + 1));
  for (let i = here.length - 1; i >= 0; i--) {
    for (let j = there.length - 1; j >= 0; j--) {
      best[i][j] = here[i] === there[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
    }
  }
  let [i, j] = [0, 0];
  while (i < here.length && j < there.length) {
    if (here[i] === there[j]) {
      if (i === at) return j;
      i += 1;
      j += 1;
    } else if (best[i + 1][j] >= best[i][j + 1]) {
      if (i === at) return j; // changed here: its neighbours on the other side
      i += 1;
    } else j += 1;
  }
  return null;
}

const FRAME = /^(\s*at )(?:(.*?) \()?((?:cell|silent)-\d+):(\d+):(\d+)\)?$/;
const OURS = /node_modules|node:|dist\/lab\/kernel\//;

/** A stack as its cells know it: their own lines, the first one shown, and nothing of what carries them. */
export function stackInCells(stack: string, cells: ReadonlyMap<string, CompiledCell>): string[] {
  const out: string[] = [];
  let shown: string[] | null = null;
  for (const line of stack.split('\n')) {
    const [, at, what, name, row, column] = FRAME.exec(line) ?? [];
    if (!at) {
      if (!/^\s+at /.test(line) || !OURS.test(line)) out.push(line);
      continue;
    }
    const cell = cells.get(name);
    const place = cell && placeInCell(cell, Number(row), Number(column));
    if (!place) continue;
    const where = `${CYAN}${name}:${place.line}:${place.column}${RESET}`;
    // Functions of earlier cells are properties of a proxy.
    const label =
      what && !/^(async )?(eval|Object\.<anonymous>)$/.test(what) ? what.replace(/^(async )?Proxy\./, '$1') : '';
    out.push(`${at}${label ? `${label} (${where})` : where}`);
    shown ??= excerpt(cell.source, place);
  }
  return shown ? [...out, '', ...shown] : out;
}

function excerpt(source: string, { line, column }: CellPlace): string[] {
  const lines = source.split('\n');
  const width = String(line).length;
  const number = (n: number) => String(n).padStart(width);
  return [
    ...(line > 1 ? [`${number(line - 1)} ${lines[line - 2]}`] : []),
    `${INVERSE}${number(line)}${RESET} ${lines[line - 1]}`,
    `${' '.repeat(width)} ${' '.repeat(column - 1)}${BOLD}^${RESET}`,
  ];
}
