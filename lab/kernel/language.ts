// TypeScript over a notebook: a program of all cells that count, in which each sees the names of those before it, and the services of
// an editor. A cell is a module without imports of the others; its outer scope is the cell before (`parent`), so that types come from
// where they were written and nothing has to be printed as a declaration.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { packageRoot } from '../../engine/files.js';
import { NODE_LIBRARIES, NODE_TYPES } from './node-types.js';

export interface CellFile {
  readonly path: string;
  readonly text: string;
  /** The cell before it, as it was when this one was compiled. */
  before: CellFile | null;
  /** Cells whose names it uses. */
  readonly uses: Set<CellFile>;
}

export const OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  moduleDetection: ts.ModuleDetectionKind.Force,
  customConditions: ['node'],
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', ...NODE_LIBRARIES],
  types: [],
  esModuleInterop: true,
  resolveJsonModule: true,
  experimentalDecorators: true,
  allowImportingTsExtensions: true,
  allowJs: true,
  noEmit: true,
  skipLibCheck: true,
  newLine: ts.NewLineKind.LineFeed,
};

const EXTRA = '/node-types.d.ts';
const inPackages = (path: string) => path.includes('/node_modules/') || path === EXTRA;
const slashes = (path: string) => path.replaceAll('\\', '/');

/** As what is shown is written: with `null`, which cells are not held to. Nothing that changes how a file is parsed. */
const AS_WRITTEN: ts.CompilerOptions = { ...OPTIONS, strictNullChecks: true, noImplicitAny: true };

export class Language {
  #service: ts.LanguageService;
  #asWritten: ts.LanguageService;
  readonly #host: ts.LanguageServiceHost;
  readonly #folder: string;
  readonly #roots: string[];
  /** What `/// <reference types="…" />` means, whoever says it: two versions of Node's types are at odds in every class that both have. */
  readonly #types: ReadonlyMap<string, string>;
  #cells: CellFile[] = [];
  #byPath = new Map<string, CellFile>();
  readonly #own = slashes(join(packageRoot(), 'cell.ts'));
  /** Of files in packages, which stay as they are. */
  readonly #resolved: ts.ModuleResolutionCache;

  constructor(folder: string) {
    this.#folder = slashes(folder);
    this.#types = typesOf(folder);
    this.#roots = [...this.#types.values(), EXTRA];
    this.#resolved = ts.createModuleResolutionCache(this.#folder, path => path, OPTIONS);
    const snapshots = new WeakMap<CellFile, ts.IScriptSnapshot>();
    const host: ts.LanguageServiceHost = {
      getCompilationSettings: () => OPTIONS,
      getScriptFileNames: () => [...this.#roots, ...this.#cells.map(({ path }) => path)],
      getScriptVersion: path => (this.#byPath.has(path) || inPackages(path) ? '1' : versionOf(path)),
      getScriptSnapshot: path => {
        const cell = this.#byPath.get(path);
        if (cell) {
          if (!snapshots.has(cell)) snapshots.set(cell, ts.ScriptSnapshot.fromString(cell.text));
          return snapshots.get(cell);
        }
        const text = path === EXTRA ? NODE_TYPES : ts.sys.readFile(path);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => this.#folder,
      getDefaultLibFileName: options => ts.getDefaultLibFilePath(options),
      useCaseSensitiveFileNames: () => true,
      fileExists: path => this.#byPath.has(path) || ts.sys.fileExists(path),
      readFile: ts.sys.readFile,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
      readDirectory: ts.sys.readDirectory,
      realpath: ts.sys.realpath,
      resolveModuleNameLiterals: (names, from) => names.map(({ text }) => this.#resolve(text, from)),
      resolveTypeReferenceDirectiveReferences: (names, from) =>
        names.map(name => this.#typesFor(typeof name === 'string' ? name : name.fileName, from)),
    };
    this.#host = host;
    [this.#service, this.#asWritten] = servicesOf(host);
  }

  get service(): ts.LanguageService {
    return this.#service;
  }

  /** The same cells, for questions about types: only a second checker, the parsed files are those of `service`. */
  get asWritten(): ts.LanguageService {
    return this.#asWritten;
  }

  /** After an error broke the compiler off, whose parts all keep something of what they were at: everything is read again. */
  renew(): void {
    [this.#service, this.#asWritten] = servicesOf(this.#host);
    // One parser and one binder serve everybody, and are as new when they have come to the end of a file.
    const empty = ts.createSourceFile('empty.ts', '', ts.ScriptTarget.Latest);
    (ts as unknown as { bindSourceFile(file: ts.SourceFile, options: ts.CompilerOptions): void }).bindSourceFile(
      empty,
      OPTIONS,
    );
  }

  /** Cells that count. */
  get count(): number {
    return this.#cells.length;
  }

  /** Puts a cell behind the others and looks at it with all of them. */
  with(cell: CellFile): { readonly program: ts.Program; readonly file: ts.SourceFile } {
    if (!this.#cells.includes(cell)) this.#cells.push(cell);
    this.#byPath.set(cell.path, cell);
    const program = this.#service.getProgram()!;
    for (const each of this.#cells)
      scope(program.getSourceFile(each.path)!, each.before && (program.getSourceFile(each.before.path) ?? null));
    return { program, file: program.getSourceFile(cell.path)! };
  }

  /** Keeps these cells, in their order, and no others. */
  keep(cells: readonly CellFile[]): void {
    const kept = new Set(cells);
    const living = (cell: CellFile | null): CellFile | null =>
      cell === null || kept.has(cell) ? cell : living(cell.before);
    for (const cell of cells) cell.before = living(cell.before);
    this.#cells = [...cells];
    this.#byPath = new Map(cells.map(cell => [cell.path, cell]));
  }

  /** Where a name that a file imports is; from the notebook's folder, else from where the lab is. */
  #resolve(name: string, from: string): ts.ResolvedModuleWithFailedLookupLocations {
    if (inPackages(from)) return ts.resolveModuleName(name, from, OPTIONS, ts.sys, this.#resolved);
    const found = ts.resolveModuleName(name, from, OPTIONS, ts.sys);
    if (found.resolvedModule || name.startsWith('.')) return found;
    return ts.resolveModuleName(name, this.#own, OPTIONS, ts.sys, this.#resolved);
  }

  #typesFor(name: string, from: string): ts.ResolvedTypeReferenceDirectiveWithFailedLookupLocations {
    const resolvedFileName = this.#types.get(name);
    if (!resolvedFileName) return ts.resolveTypeReferenceDirective(name, from, OPTIONS, ts.sys);
    return { resolvedTypeReferenceDirective: { primary: true, resolvedFileName, isExternalLibraryImport: true } };
  }
}

/** As cells are held to it, and as it is written. */
function servicesOf(host: ts.LanguageServiceHost): [ts.LanguageService, ts.LanguageService] {
  const files = ts.createDocumentRegistry();
  return [
    ts.createLanguageService(host, files),
    ts.createLanguageService({ ...host, getCompilationSettings: () => AS_WRITTEN }, files),
  ];
}

/** What a name means that the file does not declare is looked up in the cell before. */
function scope(file: ts.SourceFile, before: ts.SourceFile | null): void {
  (file as { parent?: ts.Node }).parent = before ?? undefined;
}

function versionOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs} ${stat.size}` : '';
}

/** Node's types and WebGPU's, the notebook's own where it has them, and whatever else is in its @types: each name's file. */
function typesOf(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = folder; ; at = dirname(at)) {
    const types = join(at, 'node_modules', '@types');
    for (const name of existsSync(types) ? readdirSync(types) : []) {
      const entry = join(types, name, 'index.d.ts');
      if (!found.has(name) && existsSync(entry)) found.set(name, slashes(entry));
    }
    if (at === dirname(at)) break;
  }
  const require = createRequire(join(packageRoot(), 'cell.js'));
  const own = (name: string, entry: string) => slashes(join(dirname(require.resolve(`${name}/package.json`)), entry));
  if (!found.has('node')) found.set('node', own('@types/node', 'index.d.ts'));
  found.set('@webgpu/types', own('@webgpu/types', 'dist/index.d.ts'));
  return found;
}
