// What comes out of the compiler: JavaScript of what was put together, and what stands around a cell so that it is a function to call.

import ts from 'typescript';
import { OPTIONS } from './language.js';
import { DECLARE, IMPORT, IMPORTS, META, REACHED, type Rewritten, SCOPE } from './rewrite.js';

/** JavaScript, line by line as its source map says. */
export function transpile(text: string, module: ts.ModuleKind, fileName = 'cell.ts'): { code: string; map: string } {
  const { outputText, sourceMapText = '' } = ts.transpileModule(text, {
    fileName: fileName.replace(/\.[cm]([jt]s)$/, '.$1'), // of .mjs and .mts TypeScript makes modules, whatever is asked for
    compilerOptions: {
      ...OPTIONS,
      lib: undefined,
      module,
      noEmit: false,
      allowImportingTsExtensions: false,
      sourceMap: true,
    },
    transformers: { after: [() => withoutMark] },
  });
  const end = outputText.lastIndexOf('//# sourceMappingURL=');
  return { code: end < 0 ? outputText : outputText.slice(0, end), map: sourceMapText };
}

/** Without `export {}`, by which TypeScript marks a module that has no imports and exports: a cell is run as a function. */
function withoutMark(file: ts.SourceFile): ts.SourceFile {
  const isMark = (node: ts.Statement) =>
    ts.isExportDeclaration(node) &&
    !node.moduleSpecifier &&
    node.exportClause !== undefined &&
    ts.isNamedExports(node.exportClause) &&
    node.exportClause.elements.length === 0;
  const left = file.statements.filter(node => !isMark(node));
  if (left.length === file.statements.length) return file;
  return ts.factory.updateSourceFile(file, ts.setTextRange(ts.factory.createNodeArray(left), file.statements));
}

/** What stands before a cell's first line, on that line; `CLOSING` ends it. */
export function opening({ imports, values, async }: Rewritten): string {
  const bindings = imports.flatMap(({ names }, i) =>
    names.map(
      ([local, theirs]) =>
        `const ${local} = ${IMPORTS}[${i}].${theirs === null ? 'namespace' : `pick(${JSON.stringify(theirs)})`};`,
    ),
  );
  const shown = values.map(
    ({ name, fixed, hoisting }) =>
      `['${name}', '${hoisting}', () => ${name}${fixed ? '' : `, to => { ${name} = to; }`}]`,
  );
  return [
    `(function (${SCOPE}, ${IMPORTS}, ${IMPORT}, ${META}, require, __filename, __dirname) { return (${async ? 'async ' : ''}function () { 'use strict';`,
    shown.length > 0 ? `const ${REACHED} = ${SCOPE}['${DECLARE}']([${shown.join(', ')}]);` : '',
    ...bindings,
    ' ',
  ].join('');
}

/** Strict as a module; `this` is the global object all the same, as in other notebooks. */
export const CLOSING = '\n}).call(globalThis); })';
