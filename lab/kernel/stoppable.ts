// Loops that Stop can end. A loop that never waits for anything real leaves the event loop no turn, so that no signal handler and no
// message gets through, and V8's own way to end it from outside takes the process with it. So every loop and function of a cell looks
// at a shared flag as it goes round; what it throws is an ordinary error, and finally blocks and disposers run.

import type typescript from 'typescript';
import { ts } from './tslab.js';

/** The name under which compiled cells find the check. */
export const CHECK = '__loupe_check';
/** A function whose text is taken elsewhere, into a worker or a page, runs there without. */
const CALL = `globalThis.${CHECK}?.()`;

/** Text to put in at an offset. */
export interface Edit {
  readonly at: number;
  readonly text: string;
}

export interface Stoppable {
  readonly code: string;
  /** Where text was put in, by offset in the original, ascending. */
  readonly inserted: readonly { readonly at: number; readonly length: number }[];
}

/**
 * @param code JavaScript; lines stay lines
 * @param more what else to put in
 */
export function stoppable(code: string, more: readonly Edit[] = []): Stoppable {
  const edits: Edit[] = [...more];
  const enter = (block: typescript.Block) => {
    // 'use strict' must stay first.
    const first = block.statements.findIndex(s => !(ts.isExpressionStatement(s) && ts.isStringLiteral(s.expression)));
    const directive = first < 0 ? block.statements.at(-1) : block.statements[first - 1];
    edits.push(directive ? { at: directive.end, text: `;${CALL};` } : { at: block.getStart() + 1, text: `${CALL};` });
  };
  const around = (node: typescript.Node, before: string, after: string) =>
    edits.push({ at: node.getStart(), text: before }, { at: node.end, text: after });
  const visit = (node: typescript.Node): void => {
    if (ts.isIterationStatement(node, false)) {
      if (ts.isBlock(node.statement)) enter(node.statement);
      else around(node.statement, `{${CALL};`, '}');
    } else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
      around(node.body, `(${CALL},`, ')');
    } else if (ts.isFunctionLike(node)) {
      const { body } = node as typescript.FunctionLikeDeclaration;
      if (body && ts.isBlock(body)) enter(body);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('cell.js', code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS));
  // Of two edits at one place the outer one was made first and must open first; for ends it is the other way round.
  const ordered = edits
    .map((edit, order) => ({ ...edit, order }))
    .sort(
      (a, b) =>
        a.at - b.at || rank(a.text) - rank(b.text) || (rank(a.text) === 0 ? b.order - a.order : a.order - b.order),
    );
  let out = '';
  let from = 0;
  for (const { at, text } of ordered) {
    out += code.slice(from, at) + text;
    from = at;
  }
  return { code: out + code.slice(from), inserted: ordered.map(({ at, text }) => ({ at, length: text.length })) };
}

/** Ends before beginnings. */
const rank = (text: string) => (text === '}' || text === ')' ? 0 : 1);

/** The offset in the original of an offset in the stoppable code. */
export function withoutInserted({ inserted }: Stoppable, offset: number): number {
  let moved = 0;
  for (const { at, length } of inserted) {
    if (at + moved + length > offset) break;
    moved += length;
  }
  return offset - moved;
}
