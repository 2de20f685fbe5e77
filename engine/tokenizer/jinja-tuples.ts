// Tuples that the library's grammar has not: `(1,)`, `()`, `(1, 2,)`, `for x in 1, 2` and `set x = 1,`, written as lists that a mark makes tuples of.

import type { Token } from './jinja-source.js';

/** A filter that makes a tuple of a list: no name that a template could have. */
export const TUPLE = 'as a tuple';

const token = (type: string, value: string): Token => ({ type, value });
const OPEN = token('OpenParen', '(');
const CLOSE = token('CloseParen', ')');
const OPENS = new Set(['OpenParen', 'OpenSquareBracket', 'OpenCurlyBracket']);
const CLOSES = new Set(['CloseParen', 'CloseSquareBracket', 'CloseCurlyBracket']);
/** What brackets behind these hold is a value; behind another name, or behind a value, it is the arguments of a call. */
const BEFORE_VALUES = new Set(['and', 'or', 'else', 'if', 'elif', 'in', 'not']);

const isWord = (one: Token | undefined, ...words: readonly string[]): boolean =>
  one?.type === 'Identifier' && words.includes(one.value);

/** The tokens of a template with these tuples as the library's parser takes them. */
export function tuplesWritten(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  for (let at = 0; at < tokens.length; ) {
    if (!/^Open(Statement|Expression)$/.test(tokens[at].type)) {
      out.push(tokens[at++]);
      continue;
    }
    let end = at;
    while (!/^Close(Statement|Expression)$/.test(tokens[end].type)) end += 1;
    for (const one of written(bracketed(tokens.slice(at, end + 1)))) out.push(one);
    at = end + 1;
  }
  return out;
}

/** The first place in a tag, outside of brackets, of which `is` is true; -1 where there is none. */
function placeIn(tag: readonly Token[], from: number, is: (one: Token) => boolean): number {
  let depth = 0;
  for (let at = from; at < tag.length; at++) {
    if (depth === 0 && is(tag[at])) return at;
    if (OPENS.has(tag[at].type)) depth += 1;
    else if (CLOSES.has(tag[at].type)) depth -= 1;
  }
  return -1;
}

const isComma = ({ type }: Token): boolean => type === 'Comma';

/** Where the value of a `set` begins, or what a `for` goes over; 0 in other tags. */
function valuesFrom(tag: readonly Token[]): number {
  if (tag[0].type !== 'OpenStatement') return 0;
  if (isWord(tag[1], 'for')) return placeIn(tag, 2, one => isWord(one, 'in')) + 1;
  if (isWord(tag[1], 'set')) return placeIn(tag, 2, ({ type }) => type === 'Equals') + 1;
  return 0;
}

/** A tuple without brackets in brackets, where the library takes none. */
function bracketed(tag: readonly Token[]): readonly Token[] {
  const from = valuesFrom(tag);
  if (from === 0) return tag;
  const loop = isWord(tag[1], 'for');
  if (loop && placeIn(tag, from, one => isWord(one, 'recursive')) > 0)
    throw new Error('it has a recursive loop, which there is none of here: a macro that calls itself does the same.');
  const condition = loop ? placeIn(tag, from, one => isWord(one, 'if')) : -1;
  const end = condition > 0 ? condition : tag.length - 1;
  const values = tag.slice(from, end);
  if (placeIn(values, 0, isComma) <= 0) return tag;
  // Jinja takes it for the name of a value.
  if (condition > 0 && isComma(values[values.length - 1])) throw new Error("a comma stands before the 'if' of a loop.");
  return [...tag.slice(0, from), OPEN, ...values, CLOSE, ...tag.slice(end)];
}

function written(tag: readonly Token[]): Token[] {
  const from = valuesFrom(tag); // names that are set stand before it
  // Jinja's parser takes a comma behind the last value of a call, but not behind a parameter.
  const parameters = isWord(tag[1], 'macro') ? 3 : isWord(tag[1], 'call') ? 2 : -1;
  const out: Token[] = [];
  const open: { readonly at: number; readonly value: boolean }[] = [];
  for (const [at, one] of tag.entries()) {
    if (OPENS.has(one.type)) open.push({ at: out.length, value: one.type === 'OpenParen' && beginsValue(tag, at) });
    if (!CLOSES.has(one.type)) {
      out.push(one);
      continue;
    }
    const begun = open.pop();
    const last = out[out.length - 1];
    if (begun?.at === parameters && isComma(last)) throw new Error('a comma stands behind the last parameter.');
    const behindComma = isComma(last) && !isComma(out[out.length - 2]) && !OPENS.has(out[out.length - 2].type);
    if (begun?.value && at >= from && (behindComma || begun.at === out.length - 1)) {
      if (behindComma) out.pop();
      out.splice(begun.at, 1, OPEN, token('OpenSquareBracket', '['));
      out.push(token('CloseSquareBracket', ']'), token('Pipe', '|'), token('Identifier', TUPLE), CLOSE);
    } else out.push(one);
  }
  return out;
}

/** Whether the bracket at `at` is around a value. */
function beginsValue(tag: readonly Token[], at: number): boolean {
  const before = tag[at - 1];
  if (CLOSES.has(before.type) || before.type === 'StringLiteral' || before.type === 'NumericLiteral') return false;
  if (before.type !== 'Identifier') return true;
  if (tag[at - 2]?.type === 'Dot' || !BEFORE_VALUES.has(before.value)) return false;
  // A test called `in`, with its arguments.
  const named = isWord(tag[at - 2], 'not') ? tag[at - 3] : tag[at - 2];
  return !(before.value === 'in' && isWord(named, 'is'));
}
