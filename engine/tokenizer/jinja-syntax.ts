// What Jinja's grammar has and the library's has not, written as what it has: tests with arguments, `with`, comparisons in a chain.

import { GENERATION, type Token } from './jinja-source.js';
import { tuplesWritten } from './jinja-tuples.js';

/** `x is name(y)` becomes a filter with this in front of its name: in Jinja both bind alike. */
export const TEST = 'is ';
export const NEGATED = 'is not ';
/** A filter that gives what it is given, behind brackets around a comparison: they end a chain. */
export const GROUP = 'in brackets';
/** The condition of an `if` that is a `with`, one that sets values first, or a `generation`: no names that a template could have. */
export const WITH = 'in a scope';
export const WITH_VALUES = 'in a scope with values';

const token = (type: string, value: string): Token => ({ type, value });
const PIPE = token('Pipe', '|');
const COMMA = token('Comma', ',');
const EQUALS = token('Equals', '=');
const [OPEN, CLOSE] = [token('OpenParen', '('), token('CloseParen', ')')];
const [OPEN_TAG, CLOSE_TAG] = [token('OpenStatement', '{%'), token('CloseStatement', '%}')];
const OPENS = new Set(['OpenParen', 'OpenSquareBracket', 'OpenCurlyBracket']);
const CLOSES = new Set(['CloseParen', 'CloseSquareBracket', 'CloseCurlyBracket']);
const ENDS = new Set(['and', 'or', 'else']);
/** Jinja takes these behind a test for the value that it asks about. */
const MISTAKEN = new Set(['if', 'in', 'not']);
const KEYWORDS = new Set([...ENDS, ...MISTAKEN, 'is', 'elif', 'for', 'set', 'recursive']);

const isWord = (one: Token | undefined, value: string): boolean => one?.type === 'Identifier' && one.value === value;

/** The tokens of a template as the library's parser takes them. Throws Error where Jinja would refuse them. */
export const rewritten = (tokens: readonly Token[]): Token[] =>
  chainsEnded(testsAsFilters(withAsIf(tuplesWritten(tokens))));

/** Index behind what the bracket at `from` opens: tags are cut where all are closed. */
function behindBrackets(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let at = from; ; at++) {
    if (OPENS.has(tokens[at].type)) depth += 1;
    else if (CLOSES.has(tokens[at].type) && --depth === 0) return at + 1;
  }
}

function testsAsFilters(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const name = isWord(tokens[at + 1], 'not') ? at + 2 : at + 1;
    if (isWord(tokens[at], 'is') && tokens[name].type === 'OpenParen') throw new Error('a test has no name.');
    if (!isWord(tokens[at], 'is') || tokens[at - 1].type === 'Dot' || tokens[name].type !== 'Identifier') {
      out.push(tokens[at]);
      continue;
    }
    const negated = name === at + 2;
    out.push(PIPE, token('Identifier', (negated ? NEGATED : TEST) + tokens[name].value));
    at = name;
    const end = behindArgument(tokens, name + 1);
    if (end > name + 1) {
      out.push(OPEN, ...testsAsFilters(tokens.slice(name + 1, end)), CLOSE);
      at = end - 1;
    }
  }
  return out;
}

/** Index behind the one value that stands after a test without brackets; `from` where there is none, or there are brackets. */
function behindArgument(tokens: readonly Token[], from: number): number {
  const first = tokens[from];
  if (isWord(first, 'is')) throw new Error('two tests stand one behind the other.');
  if (first.type === 'Identifier' && MISTAKEN.has(first.value))
    throw new Error(`'${first.value}' stands behind a test.`);
  const value = first.type === 'Identifier' && !ENDS.has(first.value);
  let end = from;
  if (first.type === 'StringLiteral' || first.type === 'NumericLiteral' || value) end += 1;
  else if (first.type === 'OpenSquareBracket' || first.type === 'OpenCurlyBracket') end = behindBrackets(tokens, from);
  else return from;
  for (;;) {
    if (tokens[end].type === 'Dot') end += 2;
    else if (tokens[end].type === 'OpenParen' || tokens[end].type === 'OpenSquareBracket')
      end = behindBrackets(tokens, end);
    else return end;
  }
}

/**
 * Marks brackets around a comparison, for they make of `a < (b < c)` something else than a chain. A mark gives what it is given: it may
 * stand behind a list or a tuple too, but not where a macro or a call is declared, nor where what is in the brackets is read on.
 */
function chainsEnded(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  const open: { compares: boolean; readonly calls: boolean }[] = [];
  let tag = ''; // the word of a statement
  for (const [at, one] of tokens.entries()) {
    if (open.length > 0 && endsValue(tokens, at - 1) && beginsValue(one, tokens[at - 1]))
      throw new Error('a value stands behind another without a comma.');
    if (/^Open(Statement|Expression)$/.test(one.type)) tag = one.type === 'OpenStatement' ? tokens[at + 1].value : '';
    if (open.length === 0) checkCondition(one, tokens[at - 1], tag);
    out.push(one);
    if (OPENS.has(one.type)) {
      const before = tokens[at - 1];
      open.push({ compares: false, calls: before.type === 'Identifier' && !KEYWORDS.has(before.value) });
    } else if (CLOSES.has(one.type)) {
      const closed = open.pop();
      const next = tokens[at + 1];
      const goesOn = next.type === 'Dot' || OPENS.has(next.type);
      if (closed?.compares && !closed.calls && !goesOn) out.push(PIPE, token('Identifier', GROUP));
    } else if (one.type === 'ComparisonBinaryOperator' || isWord(one, 'in') || isWord(one, 'if')) {
      const around = open.at(-1);
      if (around) around.compares = true;
    }
  }
  return out;
}

const isKeyword = (one: Token): boolean => one.type === 'Identifier' && KEYWORDS.has(one.value);
const LITERALS = new Set(['NumericLiteral', 'StringLiteral']);

function endsValue(tokens: readonly Token[], at: number): boolean {
  const one = tokens[at];
  if (LITERALS.has(one.type) || CLOSES.has(one.type)) return true;
  return one.type === 'Identifier' && (!KEYWORDS.has(one.value) || tokens[at - 1].type === 'Dot');
}

/** Texts one behind the other are one text. */
const beginsValue = (one: Token, before: Token): boolean =>
  one.type === 'StringLiteral'
    ? before.type !== 'StringLiteral'
    : one.type === 'NumericLiteral' || (one.type === 'Identifier' && !isKeyword(one));

/** In Jinja the condition of an `if`, and what a loop goes over, is no `a if b else c` without brackets. */
function checkCondition(one: Token, before: Token | undefined, word: string): void {
  if (!(isWord(one, 'if') || isWord(one, 'else')) || /^(Dot|OpenStatement)$/.test(before?.type ?? '')) return;
  if (/^(if|elif)$/.test(word) || (word === 'for' && one.value === 'else'))
    throw new Error(`'${one.value}' stands in the condition of '${word}' without brackets.`);
}

function withAsIf(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  const tag = (...inside: Token[]) => [OPEN_TAG, ...inside, CLOSE_TAG];
  const open: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const opens = tokens[at].type === 'OpenStatement';
    if (opens) nest(tokens[at + 1], open);
    const ends = opens && (isWord(tokens[at + 1], 'endwith') || isWord(tokens[at + 1], `end ${GENERATION}`));
    if (opens && isWord(tokens[at + 1], GENERATION)) {
      out.push(OPEN_TAG, token('Identifier', 'if'), tokens[at + 1]);
      at += 1;
    } else if (ends) {
      out.push(OPEN_TAG, token('Identifier', 'endif'));
      at += 1;
    } else if (opens && isWord(tokens[at + 1], 'with')) {
      const end = tokens.findIndex((one, i) => i > at && one.type === 'CloseStatement');
      const given = assignments(tokens.slice(at + 2, end));
      out.push(...tag(token('Identifier', 'if'), token('Identifier', given.length > 0 ? WITH_VALUES : WITH)));
      if (given.length > 0) {
        const names = given.flatMap(([name], i) => (i > 0 ? [COMMA, name] : [name]));
        const values = given.flatMap(([, value], i) => {
          const bracketed = [OPEN, ...value, CLOSE];
          return i > 0 ? [COMMA, ...bracketed] : bracketed;
        });
        out.push(...tag(token('Identifier', 'set'), ...names, EQUALS, ...values));
      }
      at = end;
    } else out.push(tokens[at]);
  }
  return out;
}

/** Ends of blocks that are an `if` to the library. @param open blocks that have begun, the innermost last */
function nest({ type, value }: Token, open: string[]): void {
  if (type !== 'Identifier') return;
  const ended = /^end(if|for|with| .*)$/.exec(value)?.[1].trim();
  if (ended !== undefined) {
    if (open.pop() !== ended) throw new Error(`a block ends that is none of '${ended.replace('in a ', '')}'.`);
  } else if (/^(if|for|with)$/.test(value) || value === GENERATION) open.push(value);
  else if (/^(else|elif)$/.test(value) && !/^(if|for)$/.test(open.at(-1) ?? ''))
    throw new Error(`'${value}' stands outside of an if and a loop.`);
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
    if (at === tokens.length) throw new Error('with takes names and their values.'); // a comma is the last
  }
  return found;
}
