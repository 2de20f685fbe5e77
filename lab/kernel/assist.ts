// What the editor asks while a cell is written: completions, and what the thing under the cursor is.

import ts from 'typescript';
import type { CellCompiler } from './compile.js';
import { pointsOf, unitsOf } from './cursor.js';
import { namesAt } from './stage-names.js';
import { parse } from './stoppable.js';
import { isTooDeep } from './too-deep.js';

type Variables = Readonly<Record<string, unknown>>;

/** A complete_reply; an empty one where the compiler cannot follow what is written. */
export function complete(
  compiler: CellCompiler,
  variables: Variables,
  source: string,
  points: number,
): Record<string, unknown> {
  const nothing = { status: 'ok', matches: [], cursor_start: points, cursor_end: points, metadata: {} };
  return unlessTooDeep(() => matchesAt(compiler, variables, source, points), nothing);
}

function unlessTooDeep<T>(answer: () => T, nothing: T): T {
  try {
    return answer();
  } catch (error) {
    if (isTooDeep(error)) return nothing;
    throw error;
  }
}

function matchesAt(
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
    const literal = stringAt(file, position);
    const word = literal ? null : wordAt(file, position);
    const { start, end } = literal
      ? writtenIn(literal, file, position, found)
      : { start: word?.getStart(file) ?? position, end: word?.end ?? position };
    // Half a name fits by its other half as well; of what is within quotes, only what is before the cursor was meant.
    const typed = literal ? file.text.slice(start, position) : word ? word.text : '';
    const fitting = found
      .map((entry, order) => ({ entry, order, fit: fitOf(entry.name, typed) }))
      .filter(({ fit }) => fit >= 0 && !(literal && fit === 2))
      .sort(
        (a, b) =>
          a.fit - b.fit ||
          compare(a.entry.sortText, b.entry.sortText) ||
          (word ? a.order - b.order : compare(a.entry.name, b.entry.name)),
      );
    return reply(
      start,
      end,
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

/** The text in quotes that the cursor is in. */
function stringAt(file: ts.SourceFile, position: number): ts.StringLiteralLike | null {
  let found: ts.StringLiteralLike | null = null;
  const visit = (node: ts.Node): void => {
    const start = node.getStart(file);
    if (start > position || node.end < position) return;
    if (ts.isStringLiteralLike(node) && start < position && (position < node.end || node.isUnterminated)) found = node;
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** What a name takes the place of within quotes: the last part of a path, where the names are parts of paths; else all of it. */
function writtenIn(
  literal: ts.StringLiteralLike,
  file: ts.SourceFile,
  position: number,
  names: readonly ts.CompletionEntry[],
): { start: number; end: number } {
  const end = literal.isUnterminated ? position : literal.end - 1;
  const first = literal.getStart(file) + 1;
  const typed = file.text.slice(first, position);
  const whole = names.some(({ name }) => name.startsWith(typed));
  const start = names[0]?.replacementSpan?.start ?? (whole ? first : first + typed.lastIndexOf('/') + 1);
  return { start, end };
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
  return unlessTooDeep(() => descriptionAt(compiler, variables, source, points), NOT_FOUND);
}

const NOT_FOUND = { status: 'ok', found: false, data: {}, metadata: {} };

function descriptionAt(
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
    return NOT_FOUND;
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
