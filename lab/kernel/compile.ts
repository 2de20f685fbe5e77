// Compiling a cell: tslab's converter, with what Jupyter needs besides. All diagnostics come with place, code and source line, as tsc
// prints them, and the compiled text is kept, so that a place in it can be found again in the cell (place.ts).

import type typescript from 'typescript';
import { bareShorthands } from './shorthand.js';
import { type Stoppable, stoppable } from './stoppable.js';
import { type Converted, type Converter, createConverter, type Diagnostic, ts } from './tslab.js';

export interface CompiledCell {
  /** As stack traces name it. */
  readonly name: string;
  readonly source: string;
  /** What tslab made of it. */
  output: string;
  /** What runs. */
  running: Stoppable;
}

const NOTHING: Stoppable = { code: '', inserted: [] };

export class CellCompiler {
  readonly converter: Converter;
  /** What was wrong with the cell that was compiled last, ready to print. */
  problems: { readonly short: string; readonly long: string }[] = [];
  /** By name. */
  readonly cells = new Map<string, CompiledCell>();
  #cell: CompiledCell = { name: 'cell', source: '', output: '', running: NOTHING };

  /** @param folder where types and packages are looked for */
  constructor(folder: string) {
    const back = process.cwd();
    process.chdir(folder); // tslab's compiler looks around in the working folder of its birth
    const node = createConverter({ isJS: false, isBrowser: false });
    process.chdir(back);
    this.converter = {
      ...node,
      convert: (earlier, source) => this.#convert(node, earlier, source),
      addModule: (name, content, meta) => this.#report(node.addModule(name, content, meta), content),
    };
  }

  /** Names the cell that is compiled next. */
  begin(name: string, source: string): void {
    this.problems = [];
    this.#cell = { name, source, output: '', running: NOTHING };
  }

  #convert(node: Converter, earlier: string, source: string): Converted {
    const converted = node.convert(earlier, source);
    this.#report(converted.diagnostics, source);
    if (converted.output === undefined) return converted;
    this.#cell.output = converted.output;
    this.#cell.running = stoppable(converted.output, bareShorthands(converted.output, earlier));
    this.cells.set(this.#cell.name, this.#cell);
    return {
      ...converted,
      output: `${this.#cell.running.code}\n//# sourceURL=${this.#cell.name}`,
      // tslab sees `await x`, but neither `for await` nor `await (await x).y`.
      hasToplevelAwait: converted.hasToplevelAwait || awaits(source),
    };
  }

  #report(diagnostics: readonly Diagnostic[], source: string): readonly Diagnostic[] {
    const lines = source.split('\n');
    for (const group of grouped(diagnostics)) {
      const { start, end, code, fileName } = group[0];
      const place = `${fileName ?? this.#cell.name}:${start.line + 1}:${start.character + 1}`;
      const message = group.map(({ messageText }, depth) => '  '.repeat(depth) + messageText).join('\n');
      const line = fileName ? undefined : lines[start.line];
      const until = end.line === start.line ? end.character : (line?.length ?? 0);
      const long = [`${CYAN}${place}${RESET} - ${BOLD}error TS${code}${RESET}: ${message}`];
      if (line !== undefined) {
        const number = String(start.line + 1);
        const under = ' '.repeat(start.character) + '~'.repeat(Math.max(1, until - start.character));
        long.push('', `${INVERSE}${number}${RESET} ${line}`, `${' '.repeat(number.length)} ${BOLD}${under}${RESET}`);
      }
      this.problems.push({
        short: `${start.line + 1}:${start.character + 1} - error TS${code}: ${message}`,
        long: long.join('\n'),
      });
    }
    return diagnostics;
  }
}

/** Front ends show errors on red, light or dark: bold is read on both, red and grey are not. */
export const [BOLD, CYAN, INVERSE, RESET] = ['\x1b[1m', '\x1b[36m', '\x1b[7m', '\x1b[0m'];

/** tslab flattens a message and its explanations into entries with the same place. */
function grouped(diagnostics: readonly Diagnostic[]): Diagnostic[][] {
  const groups: Diagnostic[][] = [];
  for (const diagnostic of diagnostics) {
    const last = groups.at(-1);
    const same =
      last && last[0].start.offset === diagnostic.start.offset && last[0].end.offset === diagnostic.end.offset;
    if (same) last.push(diagnostic);
    else groups.push([diagnostic]);
  }
  return groups;
}

export const parseCell = (source: string): typescript.SourceFile =>
  ts.createSourceFile('cell.ts', source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);

/** Whether a cell awaits outside any function of its own. */
function awaits(source: string): boolean {
  if (!/\bawait\b/.test(source)) return false;
  const visit = (node: typescript.Node): boolean =>
    ts.isAwaitExpression(node) ||
    (ts.isForOfStatement(node) && node.awaitModifier !== undefined) ||
    (!ts.isFunctionLike(node) && !ts.isClassLike(node) && (ts.forEachChild(node, visit) ?? false));
  return visit(parseCell(`${source}\nexport {}`)); // in a module, await is a keyword
}

export type Completeness = { status: 'complete' | 'invalid' } | { status: 'incomplete'; indent: string };

/** No next line can end it. */
const UNTERMINATED_STRING = 1002;

/** Whether Enter should run what was typed, for consoles. */
export function completeness(source: string): Completeness {
  const { parseDiagnostics } = parseCell(source) as unknown as {
    parseDiagnostics: readonly typescript.DiagnosticWithLocation[];
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
  const line = source.trimEnd().split('\n').at(-1) ?? '';
  const indent = /^\s*/.exec(line)![0];
  return /[{([]\s*$|=>\s*$/.test(line) ? `${indent}  ` : indent;
}
