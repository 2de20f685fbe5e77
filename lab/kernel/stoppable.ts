// Loops that Stop can end. A loop that never waits for anything real leaves the event loop no turn, so that no signal handler and no
// message gets through, and V8's own way to end it from outside takes the process with it. So every loop and function of a cell looks
// at a shared flag as it goes round; what it throws is an ordinary error, and finally blocks and disposers run.

import ts from 'typescript';
import { type Edit, type Edited, edited } from './edits.js';

/** The name under which compiled cells find the check. */
export const CHECK = '__loupe_check';
/** A function whose text is taken elsewhere, into a worker or a page, runs there without. */
const CALL = `globalThis.${CHECK}?.()`;

/** What to put into a file, so that its loops and functions look at the flag. Lines stay lines. */
export function checks(file: ts.SourceFile): Edit[] {
  const edits: Edit[] = [];
  const enter = (block: ts.Block) => {
    // 'use strict' must stay first.
    const first = block.statements.findIndex(s => !(ts.isExpressionStatement(s) && ts.isStringLiteral(s.expression)));
    const directive = first < 0 ? block.statements.at(-1) : block.statements[first - 1];
    edits.push(
      directive ? { at: directive.end, text: `;${CALL};` } : { at: block.getStart(file) + 1, text: `${CALL};` },
    );
  };
  const around = (node: ts.Node, before: string, after: string) =>
    edits.push({ at: node.getStart(file), text: before }, { at: node.end, text: after, kind: 'close' });
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return;
    if (ts.isIterationStatement(node, false)) {
      if (ts.isBlock(node.statement)) enter(node.statement);
      else around(node.statement, `{${CALL};`, '}');
    } else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
      around(node.body, `(${CALL},`, ')');
    } else if (ts.isFunctionLike(node)) {
      const { body } = node as ts.FunctionLikeDeclaration;
      if (body && ts.isBlock(body)) enter(body);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return edits;
}

/** As a module, where `await` is a keyword. */
export const parse = (name: string, source: string): ts.SourceFile =>
  ts.createSourceFile(
    name,
    source,
    {
      languageVersion: ts.ScriptTarget.Latest,
      setExternalModuleIndicator: file => {
        (file as { externalModuleIndicator?: unknown }).externalModuleIndicator ??= true;
      },
    },
    true,
  );

export function stoppable(code: string): Edited {
  return edited(code, checks(parse('cell.ts', code)));
}
