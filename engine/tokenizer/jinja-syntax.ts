// What Jinja's grammar has and the library's has not, written as what it has: tests with arguments, `with`, comparisons in a chain.

import type { Token } from './jinja-source.js';

/** `x is name(y)` becomes a filter with this in front of its name: in Jinja both bind alike. */
export const TEST = 'is ';
export const NEGATED = 'is not ';
/** A filter that gives what it is given, behind brackets around a comparison: they end a chain. */
export const GROUP = 'in brackets';
/** The condition of an `if` that is a `with`. */
export const WITH = 'with';

const token = (type: string, value: string): Token => ({ type, value });
const OPENS = new Set(['OpenParen', 'OpenSquareBracket', 'OpenCurlyBracket']);
const CLOSES = new Set(['CloseParen', 'CloseSquareBracket', 'CloseCurlyBracket']);
const ENDS = new Set(['and', 'or', 'else', 'if', 'in', 'not']);
const KEYWORDS = new Set([...ENDS, 'is', 'elif', 'for', 'set', 'recursive']);

const isWord = (one: Token | undefined, value: string): boolean => one?.type === 'Identifier' && one.value === value;

/** The tokens of a template as the library's parser takes them. Throws Error where Jinja would refuse them. */
export const rewritten = (tokens: readonly Token[]): Token[] => chainsEnded(testsAsFilters(withAsIf(tokens)));

/** Index behind what the bracket at `from` opens. */
function behindBrackets(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at++) {
    if (OPENS.has(tokens[at].type)) depth += 1;
    else if (CLOSES.has(tokens[at].type) && --depth === 0) return at + 1;
  }
  return tokens.length;
}

function testsAsFilters(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const name = isWord(tokens[at + 1], 'not') ? at + 2 : at + 1;
    if (!isWord(tokens[at], 'is') || out.at(-1)?.type === 'Dot' || tokens[name]?.type !== 'Identifier') {
      out.push(tokens[at]);
      continue;
    }
    const negated = name === at + 2;
    out.push(token('Pipe', '|'), token('Identifier', (negated ? NEGATED : TEST) + tokens[name].value));
    at = name;
    const end = behindArgument(tokens, name + 1);
    if (end > name + 1) {
      out.push(token('OpenParen', '('), ...testsAsFilters(tokens.slice(name + 1, end)), token('CloseParen', ')'));
      at = end - 1;
    }
  }
  return out;
}

/** Index behind the one value that stands after a test without brackets; `from` where there is none, or there are brackets. */
function behindArgument(tokens: readonly Token[], from: number): number {
  const first = tokens[from];
  if (first === undefined) return from;
  if (isWord(first, 'is')) throw new Error('two tests stand one behind the other.');
  const value = first.type === 'Identifier' && !ENDS.has(first.value);
  let end = from;
  if (first.type === 'StringLiteral' || first.type === 'NumericLiteral' || value) end += 1;
  else if (first.type === 'OpenSquareBracket' || first.type === 'OpenCurlyBracket') end = behindBrackets(tokens, from);
  else return from;
  for (;;) {
    if (tokens[end]?.type === 'Dot') end += 2;
    else if (tokens[end]?.type === 'OpenParen' || tokens[end]?.type === 'OpenSquareBracket')
      end = behindBrackets(tokens, end);
    else return end;
  }
}

/** Marks brackets around a comparison, for they make of `a < (b < c)` something else than a chain. */
function chainsEnded(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  const open: { compares: boolean; calls: boolean }[] = [];
  for (const [at, one] of tokens.entries()) {
    out.push(one);
    if (OPENS.has(one.type)) {
      const before = tokens[at - 1];
      const calls =
        (before?.type === 'Identifier' && !KEYWORDS.has(before.value)) ||
        (before !== undefined && CLOSES.has(before.type));
      open.push({ compares: false, calls: one.type !== 'OpenParen' || calls });
    } else if (CLOSES.has(one.type)) {
      const { compares, calls } = open.pop() ?? { compares: false, calls: true };
      const next = tokens[at + 1];
      const goesOn = next?.type === 'Dot' || (next !== undefined && OPENS.has(next.type));
      if (compares && !calls && !goesOn) out.push(token('Pipe', '|'), token('Identifier', GROUP));
    } else if (one.type === 'Comma') {
      if (open.length > 0) open[open.length - 1].calls = true; // a tuple
    } else if (one.type === 'ComparisonBinaryOperator' || isWord(one, 'in')) {
      if (open.length > 0) open[open.length - 1].compares = true;
    }
  }
  return out;
}

function withAsIf(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  const tag = (...inside: Token[]) => [token('OpenStatement', '{%'), ...inside, token('CloseStatement', '%}')];
  for (let at = 0; at < tokens.length; at++) {
    const opens = tokens[at].type === 'OpenStatement';
    if (opens && isWord(tokens[at + 1], 'endwith')) {
      out.push(token('OpenStatement', '{%'), token('Identifier', 'endif'));
      at += 1;
    } else if (opens && isWord(tokens[at + 1], 'with')) {
      const end = tokens.findIndex((one, i) => i > at && one.type === 'CloseStatement');
      if (end < 0) throw new Error('a tag has no end.');
      out.push(...tag(token('Identifier', 'if'), token('Identifier', WITH)));
      const given = assignments(tokens.slice(at + 2, end));
      if (given.length > 0) {
        const comma = token('Comma', ',');
        const names = given.flatMap(([name], i) => (i > 0 ? [comma, name] : [name]));
        const values = given.flatMap(([, value], i) => {
          const bracketed = [token('OpenParen', '('), ...value, token('CloseParen', ')')];
          return i > 0 ? [comma, ...bracketed] : bracketed;
        });
        out.push(...tag(token('Identifier', 'set'), ...names, token('Equals', '='), ...values));
      }
      at = end;
    } else out.push(tokens[at]);
  }
  return out;
}

/** `a = 1, b = 2` as names and values. */
function assignments(tokens: readonly Token[]): [Token, Token[]][] {
  const found: [Token, Token[]][] = [];
  let at = 0;
  while (at < tokens.length) {
    const name = tokens[at];
    if (name.type !== 'Identifier' || tokens[at + 1]?.type !== 'Equals')
      throw new Error('with takes names and their values.');
    let end = at + 2;
    while (end < tokens.length && tokens[end].type !== 'Comma') {
      end = OPENS.has(tokens[end].type) ? behindBrackets(tokens, end) : end + 1;
    }
    if (end === at + 2) throw new Error('with takes names and their values.');
    found.push([name, tokens.slice(at + 2, end)]);
    at = end + 1;
  }
  return found;
}
