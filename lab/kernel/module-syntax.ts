// What a cell may say that a module may and a notebook has no use for: `export` in front of a declaration is left out, and what has no
// meaning in a cell is refused in one sentence, as JSX is.

import ts from 'typescript';
import { parse } from './stoppable.js';

export interface Refused {
  readonly start: number;
  readonly end: number;
  readonly sentence: string;
}

export interface PlainCell {
  /** As long as the source, line by line, so that places stay. */
  readonly text: string;
  readonly refused: readonly Refused[];
  /** The names in `export { … }`, which must be there although they are exported nowhere. */
  readonly exported: readonly Named[];
}

export interface Named {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const NO_JSX =
  'JSX is not supported in a cell. Return HTML through an object with Symbol.for("Jupyter.display"), or call the function that the element stands for.';

export function plainCell(written: string): PlainCell {
  const source = written.replace(/^(\ufeff?)#!/, '$1//'); // what a shell reads
  const file = parse('cell.ts', source);
  const jsx = jsxIn(file);
  if (jsx) return { text: source, refused: [{ ...jsx, sentence: NO_JSX }], exported: [] };
  const refused: Refused[] = [];
  const exported: Named[] = [];
  const blanks: { at: number; end: number; text: string }[] = [];
  const blank = (at: number, end: number, text = '') => blanks.push({ at, end, text });
  const refuse = (node: ts.Node, sentence: string) =>
    refused.push({ start: node.getStart(file), end: node.end, sentence });
  for (const node of file.statements) {
    if (ts.isExportAssignment(node)) {
      const expression = node.expression.getStart(file);
      if (node.isExportEquals)
        refuse(node, '`export =` means nothing in a cell. Give the value a name: const name = ….');
      else blank(node.getStart(file), expression, 'void 0,');
    } else if (ts.isExportDeclaration(node)) {
      const { exportClause: clause, moduleSpecifier: from } = node;
      if (!from) {
        const renamed =
          clause &&
          ts.isNamedExports(clause) &&
          clause.elements.find(one => one.propertyName && one.name.text !== 'default');
        if (renamed)
          refuse(
            renamed,
            `A cell has no exports to name: say const ${renamed.name.text} = ${renamed.propertyName!.text}.`,
          );
        else {
          blank(node.getStart(file), node.end);
          for (const { propertyName, name } of clause && ts.isNamedExports(clause) ? clause.elements : []) {
            const own = propertyName ?? name; // `as default` gives it no other
            exported.push({ name: own.text, start: own.getStart(file), end: own.end });
          }
        }
      } else if (clause) {
        // `export { a as b } from 'x'` declares b as the import does.
        const word = node.getStart(file);
        blank(word, word + 'export'.length, 'import');
      } else
        refuse(
          node,
          `\`export *\` means nothing in a cell. Import the module by a name: import * as name from ${from.getText(file)}.`,
        );
    } else if (ts.canHaveModifiers(node)) {
      const exports =
        ts
          .getModifiers(node)
          ?.filter(({ kind }) => kind === ts.SyntaxKind.ExportKeyword || kind === ts.SyntaxKind.DefaultKeyword) ?? [];
      if (exports.length === 0) continue;
      const nameless = (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) && !node.name;
      for (const [i, word] of exports.entries()) {
        blank(word.getStart(file), word.end, nameless ? ['void 0', ','][i] : '');
      }
    }
  }
  let text = '';
  let from = 0;
  for (const { at, end, text: instead } of blanks) {
    text +=
      source.slice(from, at) + instead + source.slice(at + instead.length, end).replace(/[^\r\n\u2028\u2029]/g, ' ');
    from = end;
  }
  return { text: text + source.slice(from), refused, exported };
}

const errorsOf = (file: ts.SourceFile) =>
  (file as unknown as { parseDiagnostics: readonly ts.DiagnosticWithLocation[] }).parseDiagnostics;

/** The first element of JSX, where the cell is none without it. `<T>(x: T) => x` and `<number>x` are no JSX. */
function jsxIn(file: ts.SourceFile): { start: number; end: number } | null {
  const [error] = errorsOf(file);
  if (!error || !/<[\w>]/.test(file.text)) return null;
  const other = ts.createSourceFile('cell.tsx', file.text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const whole = errorsOf(other).length === 0;
  let found: { start: number; end: number } | null = null;
  const visit = (node: ts.Node): void => {
    if (found) return;
    const element =
      ts.isJsxSelfClosingElement(node) ||
      (ts.isJsxFragment(node) && node.closingFragment.end > node.closingFragment.pos) ||
      (ts.isJsxElement(node) &&
        node.openingElement.tagName.getText(other) === node.closingElement.tagName.getText(other));
    const [start, end] = [node.getStart(other), node.end];
    if (element && (whole || (start <= error.start && error.start <= end))) found = { start, end };
    ts.forEachChild(node, visit);
  };
  visit(other);
  return found;
}
