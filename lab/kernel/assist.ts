// What the editor asks while a cell is written: completions, and what the thing under the cursor is.

import type typescript from 'typescript';
import { parseCell } from './compile.js';
import { pointsOf, unitsOf } from './cursor.js';
import { namesAt } from './stage-names.js';
import { type Executor, ts } from './tslab.js';

/** A complete_reply. */
export function complete(executor: Executor, source: string, points: number): Record<string, unknown> {
  const position = unitsOf(source, points);
  const quoted = namesAt(source, position, executor.locals);
  const reply = (start: number, end: number, found: readonly { text: string; type: string; signature: string }[]) => {
    const [from, to] = [pointsOf(source, start), pointsOf(source, end)];
    return {
      status: 'ok',
      matches: found.map(({ text }) => text),
      cursor_start: from,
      cursor_end: to,
      metadata: { _jupyter_types_experimental: found.map(match => ({ ...match, start: from, end: to })) },
    };
  };
  if (quoted) {
    const typed = source.slice(quoted.start, position);
    const fitting = quoted.names.filter(({ text }) => text.startsWith(typed));
    const found = fitting.length > 0 ? fitting : quoted.names.filter(({ text }) => text.includes(typed));
    return reply(
      quoted.start,
      quoted.end,
      found.map(({ text, kind, signature }) => ({ text, type: kind, signature })),
    );
  }
  const { start, end, candidates, original } = executor.complete(source, position);
  const kinds = new Map(original?.entries.map(({ name, kind }) => [name, kind]));
  // Internals that TypeScript lists, and nobody who completes wants first.
  const wanted = candidates.filter(text => !/^(__tslab__|tsLastExpr)/.test(text));
  return reply(
    start,
    end,
    wanted.map(text => ({ text, type: kinds.get(text) ?? '', signature: '' })),
  );
}

/** An inspect_reply: signature and documentation of what is at the cursor, or of the function whose argument it is in. */
export function inspect(executor: Executor, source: string, points: number): Record<string, unknown> {
  const position = unitsOf(source, points);
  const quoted = namesAt(source, position, executor.locals);
  const stage = quoted?.names.find(({ text }) => text === source.slice(quoted.start, quoted.end));
  if (stage) return found(`${stage.kind} ${stage.text} ${stage.signature}`.trim(), '');
  for (const at of [position, position - 1, calleeEnd(source, position)]) {
    if (at === null || at < 0) continue;
    const info = executor.inspect(source, at);
    if (info?.displayParts?.length) return found(textOf(info.displayParts), documentation(info));
  }
  return { status: 'ok', found: false, data: {}, metadata: {} };
}

function found(signature: string, docs: string): Record<string, unknown> {
  const data = {
    'text/plain': docs ? `${signature}\n\n${docs}` : signature,
    'text/markdown': `\`\`\`typescript\n${signature}\n\`\`\`\n\n${docs}`,
  };
  return { status: 'ok', found: true, data, metadata: {} };
}

const textOf = (parts: readonly typescript.SymbolDisplayPart[] = []) => parts.map(({ text }) => text).join('');

function documentation({ documentation, tags = [] }: typescript.QuickInfo): string {
  const lines = tags.map(({ name, text }) => `@${name} ${textOf(text)}`.trimEnd());
  return [textOf(documentation), ...lines].filter(line => line !== '').join('\n\n');
}

/** The end of the function's name, for a position among its arguments. */
function calleeEnd(source: string, position: number): number | null {
  let end: number | null = null;
  const visit = (node: typescript.Node): void => {
    if (node.getStart() > position || node.end < position) return;
    if (ts.isCallExpression(node) && node.expression.end < position) end = node.expression.end - 1;
    ts.forEachChild(node, visit);
  };
  visit(parseCell(source));
  return end;
}
