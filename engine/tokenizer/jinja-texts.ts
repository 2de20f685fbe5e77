// Filters of texts as Python's Jinja has them. What is no text becomes one.

import { type Argument, bound } from './jinja-arguments.js';
import type { Value } from './jinja-library.js';
import { isText, isTrue, LONGEST_TEXT, kindOf, printed, runtime, type Spend, text, tooLong } from './jinja-values.js';
import { capitalised, centred, linesOf, SPACES, strip } from './python-text.js';

const WORDS = new RegExp(`[^-({[<${SPACES}]+`, 'gu');

/** `operand | name(args)`; null where it is no filter of texts. */
export function textFiltered(name: string, operand: Value, args: readonly Argument[], spend: Spend): Value | null {
  switch (name) {
    case 'string':
      bound(name, args, []);
      return runtime(printed(operand));
    case 'trim': {
      const [characters] = bound(name, args, ['chars']);
      if (characters === undefined || characters.type === 'NullValue') return runtime(strip(printed(operand)));
      if (!isText(characters)) throw new Error('trim takes a text');
      return runtime(strip(printed(operand), undefined, characters.value as string));
    }
    case 'upper':
      bound(name, args, []);
      return text(printed(operand).toUpperCase());
    case 'lower':
      bound(name, args, []);
      return text(printed(operand).toLowerCase());
    case 'capitalize':
      bound(name, args, []);
      return text(capitalised(printed(operand)));
    case 'title': {
      bound(name, args, []);
      const value = printed(operand);
      spend(value.length >> 1); // words
      return text(value.replace(WORDS, largeFirst));
    }
    case 'wordcount':
      bound(name, args, []);
      return runtime([...printed(operand).matchAll(/[\p{L}\p{N}_]+/gu)].length);
    case 'center': {
      const [width] = bound(name, args, ['width']);
      return text(centred(printed(operand), wholeOf(name, width ?? runtime(80))));
    }
    case 'indent':
      return indented(operand, args);
    default:
      return null;
  }
}

/** A whole number. Throws Error for what is none. */
export function wholeOf(what: string, value: Value): number {
  if (value.type !== 'IntegerValue' && value.type !== 'BooleanValue') throw new Error(`${what} takes a whole number`);
  const number = Number(value.value);
  if (Math.abs(number) > LONGEST_TEXT) throw tooLong();
  return number;
}

/** The first letter large as Jinja has it, which is not always as a title has it. */
function largeFirst(word: string): string {
  const [first] = word;
  return first.toUpperCase() + word.slice(first.length).toLowerCase();
}

/** str.replace. @param count how often at most; all where it is None or less than 0 */
export function replaced(value: string, from: Value, to: Value, count?: Value): Value {
  const [old, fresh] = [printed(from), printed(to)];
  const most = count === undefined || count.type === 'NullValue' ? -1 : wholeOf('replace', count);
  // An empty text stands before every character, and at the end.
  const parts = old === '' ? ['', ...Array.from(value), ''] : value.split(old);
  const times = most < 0 ? parts.length - 1 : Math.min(most, parts.length - 1);
  if (value.length + times * fresh.length > LONGEST_TEXT) throw tooLong();
  return runtime(parts.reduce((all, part, i) => all + (i <= times ? fresh : old) + part));
}

/** Lines behind blanks or a text, the first and empty ones only where that is asked for. All ends of lines become LF. */
function indented(operand: Value, args: readonly Argument[]): Value {
  const [width, first, blank] = bound('indent', args, ['width', 'first', 'blank']);
  if (!isText(operand)) throw new Error(`it indents ${kindOf(operand)}`);
  const before =
    width && isText(width) ? (width.value as string) : ' '.repeat(Math.max(0, width ? wholeOf('indent', width) : 4));
  // A text that ends a line has an empty one behind it.
  const lines = linesOf(`${operand.value}\n`);
  if (before.length * (lines.length + 1) > LONGEST_TEXT) throw tooLong();
  const all = isTrue(blank);
  return text(
    lines.map((line, i) => ((i === 0 ? isTrue(first) : all || line !== '') ? before + line : line)).join('\n'),
  );
}
