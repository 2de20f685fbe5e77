// What the editor asks while a cell is written: completions, and what the thing under the cursor is.

import ts from 'typescript';
import type { CellCompiler } from './compile.js';
import { pointsOf, unitsOf } from './cursor.js';
import { namesAt } from './stage-names.js';
import { parse } from './stoppable.js';

type Variables = Readonly<Record<string, unknown>>;

/** A complete_reply. */
export function complete(
  compiler: CellCompiler,
  variables: Variables,
  source: string,
  points: number,
): Record<string, unknown> {
  const position = unitsOf(source, points);
  const quoted = namesAt(source, position, variables);
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
  return compiler.ask(source, (service, path, file) => {
    const { entries = [], isMemberCompletion = false } = service.getCompletionsAtPosition(path, position, {}) ?? {};
    // What the lab's own rooms call on each other's objects is not for cells.
    const internal = (name: string) =>
      service
        .getCompletionEntrySymbol(path, position, name, undefined)
        ?.getJsDocTags()
        .some(tag => tag.name === 'internal') ?? false;
    const found = isMemberCompletion ? entries.filter(({ name }) => !internal(name)) : entries;
    const word = wordAt(file, position);
    // Within a path or the name of a module, TypeScript says which part of it a name stands for, where that is no word.
    const [before] = /[\w$]*$/.exec(source.slice(0, position))!;
    const behind = { start: position - before.length, length: before.length };
    const part = word ? null : (entries.find(({ replacementSpan }) => replacementSpan)?.replacementSpan ?? behind);
    const typed = part ? source.slice(part.start, position) : word ? word.text : '';
    const fitting = found
      .map((entry, order) => ({ entry, order, fit: fitOf(entry.name, typed) }))
      .filter(({ fit }) => fit >= 0)
      .sort(
        (a, b) =>
          a.fit - b.fit ||
          compare(a.entry.sortText, b.entry.sortText) ||
          (word ? a.order - b.order : compare(a.entry.name, b.entry.name)),
      );
    return reply(
      part?.start ?? word?.getStart(file) ?? position,
      part ? part.start + part.length : (word?.end ?? position),
      fitting.map(({ entry: { name, kind } }) => ({ text: name, type: kind, signature: '' })),
    );
  });
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** How well a name fits what is typed: as its beginning, that in other letters, within; -1 for not at all. */
function fitOf(name: string, typed: string): number {
  if (name.startsWith(typed)) return 0;
  const [low, wanted] = [name.toLowerCase(), typed.toLowerCase()];
  if (low.startsWith(wanted)) return 1;
  return low.includes(wanted) ? 2 : -1;
}

/** The name that the cursor is in or behind. */
function wordAt(file: ts.SourceFile, position: number): ts.Identifier | null {
  let found: ts.Identifier | null = null;
  const visit = (node: ts.Node): void => {
    if (node.getStart(file) > position || node.end < position) return;
    if (ts.isIdentifier(node) && node.text !== '') found = node;
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** An inspect_reply: signature and documentation of what is at the cursor, or of the function whose argument it is in. */
export function inspect(
  compiler: CellCompiler,
  variables: Variables,
  source: string,
  points: number,
): Record<string, unknown> {
  const position = unitsOf(source, points);
  const quoted = namesAt(source, position, variables);
  const stage = quoted?.names.find(({ text }) => text === source.slice(quoted.start, quoted.end));
  if (stage) return found(`${stage.kind} ${stage.text} ${stage.signature}`.trim(), '');
  return compiler.ask(source, (_, path) => {
    const service = compiler.language.asWritten;
    for (const at of [position, position - 1, calleeEnd(source, position)]) {
      if (at === null || at < 0) continue;
      const info = service.getQuickInfoAtPosition(path, at);
      if (!info?.displayParts?.length) continue;
      return found(
        textOf(info.displayParts),
        documentation(info) || ofType(service.getProgram()!, path, info.textSpan.start),
      );
    }
    return { status: 'ok', found: false, data: {}, metadata: {} };
  });
}

function found(signature: string, docs: string): Record<string, unknown> {
  const data = {
    'text/plain': docs ? `${signature}\n\n${docs}` : signature,
    'text/markdown': `\`\`\`typescript\n${signature}\n\`\`\`\n\n${docs}`,
  };
  return { status: 'ok', found: true, data, metadata: {} };
}

const textOf = (parts: readonly ts.SymbolDisplayPart[] = []) => parts.map(({ text }) => text).join('');

function documentation({ documentation, tags = [] }: Pick<ts.QuickInfo, 'documentation' | 'tags'>): string {
  const lines = tags.map(({ name, text }) => `@${name} ${textOf(text)}`.trimEnd());
  return [textOf(documentation), ...lines].filter(line => line !== '').join('\n\n');
}

/** What is said of the type of a value that nothing is said of: of its class, and for promises and lists of what they hold. */
function ofType(program: ts.Program, path: string, start: number): string {
  const checker = program.getTypeChecker();
  const node = nameAt(program.getSourceFile(path)!, start);
  if (!node) return '';
  const bare = checker.getNonNullableType(checker.getTypeAtLocation(node));
  const type = checker.getNonNullableType(checker.getAwaitedType(bare) ?? bare);
  const one = checker.isArrayType(type) ? checker.getTypeArguments(type as ts.TypeReference)[0] : type;
  const symbol = one.aliasSymbol ?? (one.isIntersection() ? one.types[0] : one).getSymbol();
  if (!symbol) return '';
  return documentation({ documentation: symbol.getDocumentationComment(checker), tags: symbol.getJsDocTags(checker) });
}

/** The name that begins there. */
function nameAt(file: ts.SourceFile, start: number): ts.Node | null {
  let found: ts.Node | null = null;
  const visit = (node: ts.Node): void => {
    if (node.getStart(file) > start || node.end <= start) return;
    if (ts.isIdentifier(node)) found = node;
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** The end of the function's name, for a position among its arguments. */
function calleeEnd(source: string, position: number): number | null {
  let end: number | null = null;
  const visit = (node: ts.Node): void => {
    if (node.getStart() > position || node.end < position) return;
    if (ts.isCallExpression(node) && node.expression.end < position) end = node.expression.end - 1;
    ts.forEachChild(node, visit);
  };
  visit(parse('cell.ts', source));
  return end;
}
