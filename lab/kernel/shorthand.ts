// tslab reaches the variables of earlier cells as properties of `exports` and forgets `{ name }`, which stays a bare name that nobody
// declared. This finds those.

import type typescript from 'typescript';
import type { Edit } from './stoppable.js';
import { ts } from './tslab.js';

/**
 * @param code what tslab made of a cell
 * @param earlier declarations of the cells before it
 */
export function bareShorthands(code: string, earlier: string): Edit[] {
  const file = ts.createSourceFile('cell.js', code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const found: typescript.ShorthandPropertyAssignment[] = [];
  const visit = (node: typescript.Node): void => {
    if (ts.isShorthandPropertyAssignment(node) && new RegExp(`\\b${node.name.text}\\b`).test(earlier)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(file);
  if (found.length === 0) return [];
  const host: typescript.CompilerHost = {
    getSourceFile: name => (name === file.fileName ? file : undefined),
    getDefaultLibFileName: () => 'lib.d.ts',
    writeFile: () => {},
    getCurrentDirectory: () => '/',
    getCanonicalFileName: name => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
    fileExists: name => name === file.fileName,
    readFile: () => undefined,
  };
  const options = { allowJs: true, noLib: true, noResolve: true, types: [] };
  const checker = ts.createProgram([file.fileName], options, host).getTypeChecker();
  return found
    .filter(node => !checker.getShorthandAssignmentValueSymbol(node))
    .map(({ name }) => ({ at: name.end, text: `: exports.${name.text}` }));
}
