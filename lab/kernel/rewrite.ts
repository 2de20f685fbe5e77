// What a cell needs besides what is written in it: variables of earlier cells are properties of the scope, imports come from the
// kernel's loader, its own variables are shown to later cells, and the value of its last expression is returned.

import ts from 'typescript';
import type { Edit } from './edits.js';
import { type Import, importOf, isType, isValue } from './import-lines.js';

/** Names that compiled cells find as parameters. */
export const SCOPE = '__loupe_scope';
export const IMPORTS = '__loupe_imports';
export const IMPORT = '__loupe_import';
export const META = '__loupe_meta';
/** What the scope has for them: no name of a variable. */
export const DECLARE = '(declare)';
/** Called with the names of a declaration that was come to. */
export const REACHED = '__loupe_reached';

/**
 * How a value comes to be. A `let`, a class or an import is there or it throws; a function is there from the beginning. The others are
 * undefined until they are come to: `var`, which goes on with what an earlier cell's had; an enum or a namespace, which is there when its
 * last member is; and all of a cell with `using`, which TypeScript makes `var`.
 */
export type Hoisting = 'own' | 'function' | 'var' | 'members' | 'using';

export interface Value {
  readonly name: string;
  /** Never assigned. */
  readonly fixed: boolean;
  readonly hoisting: Hoisting;
}

export interface Rewritten {
  readonly edits: readonly Edit[];
  readonly imports: readonly Import[];
  readonly values: readonly Value[];
  readonly types: readonly string[];
  readonly async: boolean;
  /** Names of what it adds to the global scope or to other modules. */
  readonly augments: readonly string[];
}

/**
 * @param isEarlier whether a symbol's file is an earlier cell; told of each that is used
 * @param names which names earlier cells have
 */
export function rewrite(
  file: ts.SourceFile,
  checker: ts.TypeChecker,
  names: { has(name: string): boolean },
  isEarlier: (file: ts.SourceFile) => boolean,
): Rewritten {
  const edits: Edit[] = [];
  const lines: Omit<Import, 'needs'>[] = [];
  /** Names that are used where something runs, and where types are. */
  const [ran, typed] = [new Set<string>(), new Set<string>()];
  const augments: string[] = [];
  const last = lastExpression(file);
  if (last) {
    edits.push(
      { at: last.getStart(file), text: 'return { value: (' },
      { at: last.expression.end, text: ') }', kind: 'close' },
    );
  }

  const blank = (node: ts.Node) =>
    edits.push({
      at: node.getStart(file),
      end: node.end,
      text: `;${file.text.slice(node.getStart(file), node.end).replace(/[^\r\n\u2028\u2029]/g, '')}`,
      kind: 'replace',
    });

  const reference = (node: ts.Identifier, runs: boolean): void => {
    const { parent } = node;
    const short = ts.isShorthandPropertyAssignment(parent) && parent.name === node;
    const symbol = short ? checker.getShorthandAssignmentValueSymbol(parent) : checker.getSymbolAtLocation(node);
    const [declaration] = symbol?.declarations ?? [];
    if (!symbol || !declaration || !isEarlier(declaration.getSourceFile())) return;
    if (!runs || symbol.declarations!.every(isAmbient)) return;
    const property = `${SCOPE}.${node.text}`;
    if (short) edits.push({ at: node.end, text: `: ${property}` });
    else {
      const called =
        (ts.isCallExpression(parent) && parent.expression === node) ||
        (ts.isTaggedTemplateExpression(parent) && parent.tag === node);
      const text = called ? `${beginsStatement(node, file, last) ? ';' : ''}(0, ${property})` : property;
      edits.push({ at: node.getStart(file), end: node.end, text, kind: 'replace' });
    }
  };

  /** @param runs false where only types are */
  const visit = (node: ts.Node, runs: boolean): void => {
    if (ts.isIdentifier(node)) {
      if (!isReference(node)) return;
      (runs ? ran : typed).add(node.text);
      if (names.has(node.text)) reference(node, runs);
      return;
    }
    if (ts.isImportDeclaration(node)) {
      const found = importOf(node, checker);
      if (found) lines.push(found);
      blank(node);
      return;
    }
    if (ts.isImportEqualsDeclaration(node) && runs) {
      const word = node.getStart(file);
      if (node.isTypeOnly || !isValue(checker.getSymbolAtLocation(node.name), checker)) {
        blank(node);
        return;
      }
      if (node.parent === file) edits.push({ at: word, end: word + 'import'.length, text: 'const', kind: 'replace' });
    }
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword && runs) {
      edits.push({ at: node.getStart(file), end: node.end, text: META, kind: 'replace' });
      return;
    }
    if (node.kind === ts.SyntaxKind.ImportKeyword && ts.isCallExpression(node.parent) && runs) {
      edits.push({ at: node.getStart(file), end: node.end, text: IMPORT, kind: 'replace' });
      return;
    }
    if (ts.isModuleDeclaration(node) && node.parent === file && isAugmentation(node)) {
      augments.push(node.name.text, ...bodyNames(node));
    }
    const still = runs && !onlyTypes(node);
    ts.forEachChild(node, child => visit(child, still));
  };
  ts.forEachChild(file, child => visit(child, true));
  const imports = lines.map(line => ({
    ...line,
    needs: line.names.flatMap(([local, theirs]) =>
      theirs === null || line.erased.has(local) || (typed.has(local) && !ran.has(local)) ? [] : [theirs],
    ),
  }));

  const values: Value[] = [];
  const hoists = file.statements.some(isUsing);
  const types: string[] = [];
  for (const symbol of localsOf(file).values()) {
    const declarations = symbol.declarations ?? [];
    if (declarations.every(each => ts.isModuleDeclaration(each) && isAugmentation(each))) continue;
    if (symbol.flags & ts.SymbolFlags.Alias) {
      if (isValue(symbol, checker)) values.push({ name: symbol.name, fixed: true, hoisting: 'own' });
      if (isType(symbol, checker)) types.push(symbol.name);
      continue;
    }
    if (symbol.flags & ts.SymbolFlags.Value && !declarations.every(isAmbient)) {
      values.push({
        name: symbol.name,
        fixed: declarations.some(isConstant),
        hoisting: hoistingOf(symbol, hoists),
      });
    }
    if (symbol.flags & (ts.SymbolFlags.Type | ts.SymbolFlags.Namespace) || declarations.some(isAmbient))
      types.push(symbol.name);
  }
  const waits = new Set(values.filter(value => !/own|function/.test(value.hoisting)).map(value => value.name));
  for (const node of file.statements) {
    const reached = declaredBy(node).filter(name => waits.has(name));
    if (reached.length > 0)
      edits.push({ at: node.end, text: `;${REACHED}(${reached.map(name => `'${name}'`)});`, kind: 'close' });
  }
  return { edits, imports, values, types, async: awaits(file), augments };
}

/** Names that a bound file declares. */
export const localsOf = (file: ts.SourceFile): Map<ts.__String, ts.Symbol> =>
  (file as unknown as { locals?: Map<ts.__String, ts.Symbol> }).locals ?? new Map();

function lastExpression(file: ts.SourceFile): ts.ExpressionStatement | null {
  const last = file.statements.findLast(
    node => !ts.isEmptyStatement(node) && !ts.isInterfaceDeclaration(node) && !ts.isTypeAliasDeclaration(node),
  );
  return last && ts.isExpressionStatement(last) ? last : null;
}

/** Whether an identifier is one that scopes answer: no property, label or name of its own declaration. */
function isReference(node: ts.Identifier): boolean {
  const parent = node.parent as ts.Node & { name?: ts.Node; propertyName?: ts.Node; label?: ts.Node; right?: ts.Node };
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isQualifiedName(parent)) return parent.left === node;
  return parent.name !== node && parent.propertyName !== node && parent.label !== node;
}

/** A statement that begins with a bracket would go on from the line before it. */
function beginsStatement(node: ts.Node, file: ts.SourceFile, last: ts.Node | null): boolean {
  const start = node.getStart(file);
  for (let at: ts.Node = node; at && at.getStart(file) === start; at = at.parent) {
    if (!ts.isExpressionStatement(at)) continue;
    const { parent } = at;
    return (
      at !== last &&
      (ts.isSourceFile(parent) || ts.isBlock(parent) || ts.isModuleBlock(parent) || ts.isCaseOrDefaultClause(parent))
    );
  }
  return false;
}

const onlyTypes = (node: ts.Node): boolean =>
  (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isTypeParameterDeclaration(node) ||
  (ts.isHeritageClause(node) && node.token === ts.SyntaxKind.ImplementsKeyword) ||
  (ts.canHaveModifiers(node) && isDeclared(node));

const isDeclared = (node: ts.HasModifiers) =>
  ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword) ?? false;

const isAmbient = (node: ts.Node): boolean =>
  ts.findAncestor(node, at => (ts.isSourceFile(at) ? 'quit' : ts.canHaveModifiers(at) && isDeclared(at))) !== undefined;

const isAugmentation = (node: ts.ModuleDeclaration) =>
  ts.isStringLiteral(node.name) || (node.flags & ts.NodeFlags.GlobalAugmentation) !== 0;

function bodyNames({ body }: ts.ModuleDeclaration): string[] {
  const statements = body && ts.isModuleBlock(body) ? body.statements : [];
  return statements.flatMap(node =>
    ts.isVariableStatement(node)
      ? node.declarationList.declarations.map(({ name }) => name.getText())
      : [(node as unknown as { name?: ts.Node }).name?.getText() ?? ''],
  );
}

const isUsing = (node: ts.Node): boolean =>
  ts.isVariableStatement(node) && (node.declarationList.flags & ts.NodeFlags.Using) !== 0;

function hoistingOf({ flags }: ts.Symbol, hoists: boolean): Hoisting {
  if (flags & ts.SymbolFlags.Function) return 'function';
  if (flags & ts.SymbolFlags.FunctionScopedVariable) return 'var';
  if (flags & (ts.SymbolFlags.BlockScopedVariable | ts.SymbolFlags.Class)) return hoists ? 'using' : 'own';
  return 'members';
}

/** Names that a statement declares, outside of blocks. */
function declaredBy(node: ts.Statement): string[] {
  const names = (name: ts.BindingName): string[] =>
    ts.isIdentifier(name)
      ? [name.text]
      : name.elements.flatMap(each => (ts.isOmittedExpression(each) ? [] : names(each.name)));
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.flatMap(({ name }) => names(name));
  const { name } = node as { name?: ts.Node };
  return (ts.isEnumDeclaration(node) || ts.isModuleDeclaration(node) || ts.isClassDeclaration(node)) &&
    name &&
    ts.isIdentifier(name)
    ? [name.text]
    : [];
}

const isConstant = (node: ts.Node): boolean =>
  (ts.getCombinedNodeFlags(node as ts.Declaration) & ts.NodeFlags.Constant) !== 0;

/** Whether a cell awaits outside any function of its own. */
function awaits(file: ts.SourceFile): boolean {
  if (!/\bawait\b/.test(file.text)) return false;
  const visit = (node: ts.Node): boolean =>
    ts.isAwaitExpression(node) ||
    (ts.isForOfStatement(node) && node.awaitModifier !== undefined) ||
    (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.AwaitUsing) === ts.NodeFlags.AwaitUsing) ||
    (!ts.isFunctionLike(node) && (ts.forEachChild(node, visit) ?? false));
  return ts.forEachChild(file, visit) ?? false;
}
