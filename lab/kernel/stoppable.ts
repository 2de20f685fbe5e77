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
  /** @param cleans in a finally block, which goes on to its end */
  const visit = (node: ts.Node, cleans: boolean): void => {
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return;
    // What comes after a wait must not run in a cell that was stopped meanwhile. An identifier in front: a bracket would go on from the
    // line before.
    if (ts.isAwaitExpression(node) && !cleans) around(node, 'globalThis.Reflect.get([', `, ${CALL}], 0)`);
    if (ts.isIterationStatement(node, false)) {
      if (ts.isBlock(node.statement)) enter(node.statement);
      else around(node.statement, `{${CALL};`, '}');
    } else if (cleans) {
      // A function of what cleans up may run.
    } else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
      around(node.body, `(${CALL},`, ')');
    } else if (ts.isFunctionLike(node)) {
      const { body } = node as ts.FunctionLikeDeclaration;
      if (body && ts.isBlock(body)) enter(body);
    }
    ts.forEachChild(node, child => {
      const cleaning = ts.isTryStatement(node) && child === node.finallyBlock;
      visit(child, cleaning || (cleans && !ts.isFunctionLike(node)));
    });
  };
  visit(file, false);
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
