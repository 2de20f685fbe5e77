// What an import line of a cell asks for.

import ts from 'typescript';

export interface Import {
  readonly specifier: string;
  /** Of the import line, one-based. */
  readonly line: number;
  readonly column: number;
  /** Local name and what it is called there; null for the namespace. */
  readonly names: readonly (readonly [local: string, theirs: string | null])[];
  /** Of them what must be there: the others may be types alone, which no module has when it runs. */
  readonly needs: readonly string[];
  /** Local names of constant enums, which are nowhere when a module runs. */
  readonly erased: ReadonlySet<string>;
}

function meaning(symbol: ts.Symbol, checker: ts.TypeChecker): ts.SymbolFlags {
  const found = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  // A package without types is anything.
  return found.declarations ? found.flags : ts.SymbolFlags.Value;
}
export const isValue = (symbol: ts.Symbol | undefined, checker: ts.TypeChecker) =>
  symbol !== undefined && (meaning(symbol, checker) & ts.SymbolFlags.Value) !== 0;
export const isType = (symbol: ts.Symbol, checker: ts.TypeChecker) =>
  (meaning(symbol, checker) & (ts.SymbolFlags.Type | ts.SymbolFlags.Namespace)) !== 0;

/** @returns null for a line of types alone */
export function importOf(node: ts.ImportDeclaration, checker: ts.TypeChecker): Omit<Import, 'needs'> | null {
  const { importClause, moduleSpecifier } = node;
  const file = node.getSourceFile();
  const { line, character } = file.getLineAndCharacterOfPosition(node.getStart(file));
  const found = { specifier: (moduleSpecifier as ts.StringLiteral).text, line: line + 1, column: character + 1 };
  const erased = new Set<string>();
  if (!importClause) return { ...found, names: [], erased };
  if (importClause.isTypeOnly) return null;
  const names: [string, string | null][] = [];
  const add = (name: ts.Identifier, theirs: string | null) => {
    const symbol = checker.getSymbolAtLocation(name);
    if (!isValue(symbol, checker)) return;
    names.push([name.text, theirs]);
    if ((meaning(symbol!, checker) & ts.SymbolFlags.Value) === ts.SymbolFlags.ConstEnum) erased.add(name.text);
  };
  const { name, namedBindings } = importClause;
  if (name) add(name, 'default');
  if (namedBindings && ts.isNamespaceImport(namedBindings)) add(namedBindings.name, null);
  else if (namedBindings) {
    for (const { isTypeOnly, name: local, propertyName } of namedBindings.elements) {
      if (!isTypeOnly) add(local, (propertyName ?? local).text);
    }
  }
  return names.length > 0 ? { ...found, names, erased } : null;
}
