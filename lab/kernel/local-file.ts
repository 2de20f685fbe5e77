// A file beside the notebook, compiled as a module of CommonJS whose loops can be stopped: a function to call.

import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { LoupeError } from '../../engine/errors.js';
import { textOf } from '../../engine/utf8.js';
import type { CompiledCell } from './compiled.js';
import { type Edit, edited } from './edits.js';
import { transpile } from './emit.js';
import { IMPORT, META } from './rewrite.js';
import { checks, parse } from './stoppable.js';

export interface CompiledFile {
  /** A function of exports, require, module, __filename, __dirname, `import()` and `import.meta`. */
  readonly body: string;
  /** The names that its import lines ask for, by module. */
  readonly imports: ReadonlyMap<string, ReadonlySet<string>>;
  readonly isModule: boolean;
  /** Outside of its functions. */
  readonly awaits: boolean;
}

/** @param remember called with what runs, for the places of errors */
export function compileFile(path: string, remember: (compiled: CompiledCell) => void): CompiledFile {
  const source = textOf(readFileSync(path), what => new LoupeError(`${path} cannot be read: ${what}.`));
  const file = parse(path, source);
  const imports = new Map<string, Set<string>>();
  const edits: Edit[] = [];
  let isModule = /\.m[jt]s$/.test(path);
  let awaits = false;
  const visit = (node: ts.Node, inFunction: boolean): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      isModule = true;
      const asked = askedBy(node);
      if (asked) imports.set(asked.specifier, new Set([...(imports.get(asked.specifier) ?? []), ...asked.names]));
    }
    if (ts.isExportAssignment(node)) isModule = true;
    if (ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
      isModule = true;
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) {
      edits.push({ at: node.getStart(file), end: node.end, text: META, kind: 'replace' });
    } else if (node.kind === ts.SyntaxKind.ImportKeyword && ts.isCallExpression(node.parent)) {
      edits.push({ at: node.getStart(file), end: node.end, text: IMPORT, kind: 'replace' });
    }
    if (!inFunction && (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier))) awaits = true;
    ts.forEachChild(node, child => visit(child, inFunction || ts.isFunctionLike(node)));
  };
  visit(file, false);
  const made = edited(source, [...edits, ...checks(file)]);
  const { code, map } = transpile(made.code, ts.ModuleKind.CommonJS, path);
  const prefix = `(${awaits ? 'async ' : ''}function (exports, require, module, __filename, __dirname, ${IMPORT}, ${META}) { `;
  const body = `${prefix}${code}\n})`;
  remember({ name: path, source, code: body, prefix: prefix.length, edited: made, map });
  return { body, imports, isModule, awaits };
}

/** @returns null for a line of types alone, and for one without a module */
function askedBy(node: ts.ImportDeclaration | ts.ExportDeclaration): { specifier: string; names: string[] } | null {
  const { moduleSpecifier } = node;
  if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) return null;
  const clause = ts.isImportDeclaration(node) ? node.importClause : node;
  if (clause?.isTypeOnly) return null;
  const names: string[] = [];
  if (ts.isImportDeclaration(node) && node.importClause?.name) names.push('default');
  const named = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
  if (named && (ts.isNamedImports(named) || ts.isNamedExports(named))) {
    for (const { isTypeOnly, name, propertyName } of named.elements) {
      if (!isTypeOnly) names.push((propertyName ?? name).text);
    }
  }
  return { specifier: moduleSpecifier.text, names };
}
