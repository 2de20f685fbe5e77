// Compiling a cell: TypeScript looks at it with the cells before it (language.ts), what it needs is put in (rewrite.ts, stoppable.ts),
// and what comes out is a function to call (scope.ts). The way back to its own lines is kept (place.ts).

import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import ts from 'typescript';
import { packageRoot } from '../../engine/files.js';
import { brokenOff } from './breakable.js';
import type { CompiledCell, FailedImport } from './compiled.js';
import { edited } from './edits.js';
import { CLOSING, opening, transpile } from './emit.js';
import { type CellFile, Language, OPTIONS } from './language.js';
import { plainCell } from './module-syntax.js';
import { hasPackage } from './modules.js';
import { LINE_END } from './line-ends.js';
import { otherTongue } from './other-tongues.js';
import { type Fault, faultOf, type Problem, problemsOf } from './problems.js';
import type { Import } from './import-lines.js';
import { localsOf, type Rewritten, rewrite } from './rewrite.js';
import { checks } from './stoppable.js';
import { isTooDeep, tooDeep } from './too-deep.js';

/** A cell that can be run. */
export interface RunnableCell {
  readonly name: string;
  readonly code: string;
  readonly imports: readonly Import[];
  readonly values: readonly string[];
}

interface Kept extends Pick<Rewritten, 'types' | 'augments'> {
  readonly file: CellFile;
  values: readonly string[];
  /** Names that the cell declares and never came to. */
  hidden: ReadonlySet<string>;
}

/** Of texts that were run, for the places of errors. */
const MOST_KEPT = 50_000_000;

/** Whatever `export { … }` may name. */
const ANY_NAME = ts.SymbolFlags.Value | ts.SymbolFlags.Type | ts.SymbolFlags.Namespace | ts.SymbolFlags.Alias;

export class CellCompiler {
  /** What was wrong with the cell that was compiled last, ready to print. */
  problems: readonly Problem[] = [];
  /** What an import line of the cell threw, before the cell began. */
  failedImport: FailedImport | null = null;
  /** By name: cells, and TypeScript files beside the notebook by their path. */
  readonly cells = new Map<string, CompiledCell>();
  readonly language: Language;
  /** The courier's memory, where Stop breaks the compiler off. */
  signals: Int32Array | null = null;
  #kept: Kept[] = [];
  #next: Kept | null = null;
  #name = 'cell';
  #count = 0;

  /** @param folder where types and packages are looked for */
  constructor(readonly folder: string) {
    this.language = new Language(folder);
  }

  /** Names the cell that is compiled next. */
  begin(name: string): void {
    this.problems = [];
    this.failedImport = null;
    this.#name = name;
  }

  /** @returns null where something is wrong with it: see `problems`. Throws what breaks it off. */
  compile(source: string): RunnableCell | null {
    try {
      return brokenOff(() => this.#compile(source), this.signals);
    } catch (error) {
      this.#startAgain();
      if (!isTooDeep(error)) throw error;
      this.problems = problemsOf([tooDeep(this.#name, source)]);
      return null;
    }
  }

  /** After the compiler was broken off: nothing of what it had half made is left, and the cells that count are. */
  #startAgain(): void {
    this.#next = null;
    this.language.keep(this.#kept.map(each => each.file));
    this.language.renew();
  }

  #compile(source: string): RunnableCell | null {
    const name = this.#name;
    const { text, refused, exported } = plainCell(source);
    const cell = this.#cell(name, text);
    const { program, file } = this.#look(cell);
    const fault = ({ start, end }: { start: number; end: number }, message: string, code = ''): Fault => ({
      name,
      text: source,
      start: file.getLineAndCharacterOfPosition(start),
      end: file.getLineAndCharacterOfPosition(end),
      code,
      message,
    });
    const ours = refused.map(at => fault(at, at.sentence));
    const faults = ours.length > 0 ? ours : this.#faults(program, cell, source);
    if (faults.length === 0 && exported.length > 0) {
      const known = new Set(
        program
          .getTypeChecker()
          .getSymbolsInScope(file, ANY_NAME)
          .map(symbol => symbol.name),
      );
      const missing = exported.filter(each => !known.has(each.name));
      faults.push(...missing.map(each => fault(each, `Cannot find name '${each.name}'.`, 'TS2304')));
    }
    this.problems = problemsOf(this.#inOtherWords(faults, source));
    if (faults.length > 0) {
      this.language.keep(this.#kept.map(each => each.file));
      return null;
    }
    const byFile = new Map(this.#kept.map(each => [program.getSourceFile(each.file.path), each.file]));
    const rewritten = rewrite(file, program.getTypeChecker(), this.#names(), from => {
      const used = byFile.get(from);
      if (used) cell.uses.add(used);
      return used !== undefined;
    });
    const { values, types, augments, imports } = rewritten;
    const made = edited(text, [...rewritten.edits, ...checks(file)]);
    const prefix = opening(rewritten);
    const { code, map } = transpile(made.code, ts.ModuleKind.ESNext);
    const compiled = {
      name,
      source,
      code: prefix + code + CLOSING,
      prefix: prefix.length,
      edited: made,
      map,
    };
    this.remember(compiled);
    this.#next = { file: cell, values: values.map(value => value.name), types, augments, hidden: new Set() };
    return { name, code: compiled.code, imports, values: this.#next.values };
  }

  /** The cell that was compiled last has run: these of its values have been set, and later cells see them. */
  settle(reached: ReadonlySet<string>): void {
    const next = this.#next;
    if (!next) return;
    this.#next = null;
    next.hidden = new Set(next.values.filter(name => !reached.has(name)));
    next.values = next.values.filter(name => reached.has(name));
    this.#kept = living([...this.#kept, next]);
    this.language.keep(this.#kept.map(each => each.file));
  }

  /** Asks TypeScript about a cell that is being written. */
  ask<T>(source: string, question: (service: ts.LanguageService, path: string, file: ts.SourceFile) => T): T {
    const kept = this.#next ? [...this.#kept, this.#next] : this.#kept;
    const cell = this.#cell('draft', plainCell(source).text);
    try {
      const { file } = this.#look(cell);
      return question(this.language.service, cell.path, file);
    } catch (error) {
      this.language.renew();
      throw error;
    } finally {
      this.language.keep(kept.map(each => each.file));
    }
  }

  remember(compiled: CompiledCell): void {
    this.cells.delete(compiled.name);
    this.cells.set(compiled.name, compiled);
    let size = 0;
    for (const { name, source, code, map } of [...this.cells.values()].reverse()) {
      size += source.length + code.length + map.length;
      if (size > MOST_KEPT && name !== compiled.name) this.cells.delete(name);
    }
  }

  #cell(name: string, text: string): CellFile {
    const path = `${this.folder.replaceAll('\\', '/')}/__${name}-${++this.#count}.ts`;
    return { path, text, before: (this.#next ?? this.#kept.at(-1))?.file ?? null, uses: new Set() };
  }

  #look(cell: CellFile): { program: ts.Program; file: ts.SourceFile } {
    const seen = this.language.with(cell);
    for (const { file, hidden } of this.#kept) {
      if (hidden.size === 0) continue;
      const locals = localsOf(seen.program.getSourceFile(file.path)!);
      for (const name of hidden) locals.delete(ts.escapeLeadingUnderscores(name));
    }
    return seen;
  }

  #names(): Set<string> {
    return new Set(this.#kept.flatMap(({ values, types }) => [...values, ...types]));
  }

  /** One sentence in the place of what a compiler makes of another language. */
  #inOtherWords(faults: readonly Fault[], source: string): readonly Fault[] {
    const [first] = faults;
    if (first?.name !== this.#name) return faults;
    const lines = source.split(LINE_END);
    const other = otherTongue(lines, first.start.line, first.code, first.message);
    if (!other) return faults;
    const { line, sentence } = other;
    const [start, end] = [lines[line].search(/\S/), lines[line].trimEnd().length];
    const place = { start: { line, character: start }, end: { line, character: end } };
    return [{ ...first, ...place, code: '', message: sentence }];
  }

  /** Of the cell, and of the files beside the notebook that it imports. */
  #faults(program: ts.Program, cell: CellFile, source: string): Fault[] {
    const faults: Fault[] = [];
    const file = program.getSourceFile(cell.path)!;
    const syntax = program.getSyntacticDiagnostics(file);
    const found = syntax.length > 0 ? syntax : program.getSemanticDiagnostics(file);
    for (const diagnostic of found) {
      if (!runs(diagnostic, this.folder)) faults.push(faultOf(diagnostic, this.#name, source));
    }
    for (const beside of this.#imported(program, file)) {
      const errors = [...program.getSyntacticDiagnostics(beside), ...program.getSemanticDiagnostics(beside)];
      for (const diagnostic of errors) {
        if (!runs(diagnostic, this.folder)) {
          faults.push(faultOf(diagnostic, relative(this.folder, beside.fileName), beside.text));
        }
      }
    }
    return faults;
  }

  #imported(program: ts.Program, file: ts.SourceFile): Set<ts.SourceFile> {
    const found = new Set<ts.SourceFile>();
    const follow = (from: ts.SourceFile) => {
      for (const { text } of (from as unknown as { imports?: readonly ts.StringLiteral[] }).imports ?? []) {
        if (!text.startsWith('.') && !text.startsWith('/')) continue;
        const { resolvedModule } = ts.resolveModuleName(text, from.fileName, OPTIONS, ts.sys);
        const next = resolvedModule && program.getSourceFile(resolvedModule.resolvedFileName);
        if (!next || found.has(next) || !/(?<!\.d)\.[cm]?ts$/.test(next.fileName)) continue;
        found.add(next);
        follow(next);
      }
    };
    follow(file);
    return found;
  }
}

/** Cells that have a name which no later one has, and those that they use. */
function living(all: readonly Kept[]): Kept[] {
  const [values, types, augments] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const byFile = new Map(all.map(each => [each.file, each]));
  const alive = new Set<Kept>();
  const keep = (each: Kept | undefined) => {
    if (!each || alive.has(each)) return;
    alive.add(each);
    for (const used of each.file.uses) keep(byFile.get(used));
  };
  for (const each of [...all].reverse()) {
    const added = each.augments.join(' ');
    if (
      each.values.some(name => !values.has(name)) ||
      each.types.some(name => !types.has(name)) ||
      (added && !augments.has(added))
    )
      keep(each);
    for (const name of each.values) values.add(name);
    for (const name of each.types) types.add(name);
    augments.add(added);
  }
  return all.filter(each => alive.has(each));
}

/** Whether a cell has what TypeScript misses: a package without types, `import x = require()`, a later year's regular expressions. */
function runs({ code, file, start = 0, length = 0 }: ts.Diagnostic, folder: string): boolean {
  if (code === 1501 || code === 1202) return true; // V8 refuses what it has not
  if (code !== 2307 && code !== 2792) return false;
  const name = /^(['"`])(.*)\1$/.exec(file?.text.slice(start, start + length) ?? '')?.[2];
  if (!name) return false;
  if (/^\.{0,2}\//.test(name)) return existsSync(resolve(dirname(file!.fileName), name));
  return hasPackage(name, folder) || hasPackage(name, packageRoot());
}
