// Filters of Jinja as Python has them. What is not here the library does as Python does, or refuses.

import { jsonOf } from './jinja-json.js';
import type { Value } from './jinja-library.js';
import { equal } from './jinja-operators.js';
import {
  float,
  isList,
  isNothing,
  isNumber,
  isText,
  listOf,
  LONGEST_TEXT,
  NAMES,
  printed,
  runtime,
  type Spend,
  text,
  tooLong,
} from './jinja-values.js';
import { capitalised, numberIn, strip } from './python-text.js';

/** An argument's name, where it has one, and its value. */
export type Argument = readonly [string | null, Value];

const OF_TEXTS = new Set(['trim', 'string', 'upper', 'lower', 'title', 'capitalize', 'replace']);

/** `operand | name(args)` where Python's answer is not the library's; null where it is. */
export function filtered(name: string, operand: Value, args: () => readonly Argument[], spend: Spend): Value | null {
  // What is no text becomes one, as Jinja's soft_str does it.
  if (OF_TEXTS.has(name)) return ofText(name, printed(operand), args, spend);
  switch (name) {
    case 'indent': {
      if (!isText(operand)) throw new Error(`it indents ${NAMES[operand.type]}`);
      const lines = (operand.value as string).split('\n').length + 1;
      if (args().some(([, arg]) => isNumber(arg) && (arg.value as number) * lines > LONGEST_TEXT)) throw tooLong();
      return null;
    }
    case 'int':
    case 'float':
      return number(name, operand, args());
    case 'length':
    case 'count':
      return runtime(itemsOf(name, operand).length);
    case 'list': {
      const items = itemsOf(name, operand);
      spend(items.length);
      return isList(operand) ? null : runtime(items);
    }
    case 'first':
      return made(itemsOf(name, operand).at(0));
    case 'last':
      return made(itemsOf(name, operand).at(-1));
    case 'join':
      return joined(itemsOf(name, operand), args());
    case 'unique':
      return isList(operand) && args().length === 0 ? unique(operand.value as Value[], spend) : null;
    case 'tojson':
      return text(json(operand, args(), spend));
    default:
      if (isList(operand)) spend((operand.value as Value[]).length);
      return null;
  }
}

function ofText(name: string, value: string, args: () => readonly Argument[], spend: Spend): Value {
  switch (name) {
    case 'trim': {
      const characters = args()[0]?.[1];
      if (characters === undefined || characters.type === 'NullValue') return runtime(strip(value));
      if (!isText(characters)) throw new Error('trim takes a text');
      return runtime(strip(value, 'strip', characters.value as string));
    }
    case 'upper':
      return text(value.toUpperCase());
    case 'lower':
      return text(value.toLowerCase());
    case 'capitalize':
      return text(capitalised(value));
    case 'title':
      spend(value.length >> 4); // a word or two
      return text(value.replace(/[^-\s({[<]+/gu, largeFirst));
    case 'replace':
      return replaced(
        value,
        args().map(([, arg]) => arg),
      );
    default:
      return runtime(value);
  }
}

/** The first letter large as Jinja has it, which is not always as a title has it. */
function largeFirst(word: string): string {
  const [first] = word;
  return first.toUpperCase() + word.slice(first.length).toLowerCase();
}

/** str.replace. @param args what goes, what comes, and how often at most */
export function replaced(value: string, [from, to, count]: readonly Value[]): Value {
  if (!from || !to) throw new Error('replace takes two texts');
  const [old, fresh] = [printed(from), printed(to)];
  const most = count === undefined || count.type === 'NullValue' ? -1 : Number(count.value);
  // An empty text stands before every character, and at the end.
  const parts = old === '' ? ['', ...Array.from(value), ''] : value.split(old);
  const times = most < 0 ? parts.length - 1 : Math.min(most, parts.length - 1);
  if (value.length + times * fresh.length > LONGEST_TEXT) throw tooLong();
  return runtime(parts.reduce((all, part, i) => all + (i <= times ? fresh : old) + part));
}

/** What Python goes over: characters of a text, keys of a mapping, nothing of what is undefined. Throws Error for a value that holds nothing. */
function itemsOf(filter: string, { type, value }: Value): readonly unknown[] {
  if (type === 'UndefinedValue') return [];
  if (type === 'StringValue') return Array.from(value as string);
  if (type === 'ObjectValue') return [...(value as Map<string, Value>).keys()];
  if (type === 'ArrayValue' || type === 'TupleValue') return value as Value[];
  throw new Error(`it asks for ${filter} of ${NAMES[type] ?? 'a value'}`);
}

/** A value of an item: those of lists are values already. */
const made = (item: unknown): Value => (typeof item === 'object' ? (item as Value) : runtime(item));

/** Jinja's int and float, which give what stands in a text, or the default. */
function number(name: 'int' | 'float', operand: Value, args: readonly Argument[]): Value | null {
  if (name === 'int' && operand.type === 'FloatValue') return runtime(Math.trunc(operand.value as number));
  if (!isText(operand) && operand.type !== 'NullValue') return null;
  if (args.length > 1) throw new Error(`${name} takes one value here`);
  const found = isText(operand) ? numberIn(operand.value as string) : null;
  if (found === null) return args[0]?.[1] ?? (name === 'int' ? runtime(0) : float(0));
  return name === 'int' ? runtime(Math.trunc(found)) : float(found);
}

function joined(items: readonly unknown[], args: readonly Argument[]): Value {
  if (args.length > 1 || (args[0] && args[0][0] !== null && args[0][0] !== 'd'))
    throw new Error('join takes one text here');
  const between = args.length > 0 ? printed(args[0][1]) : '';
  const parts = items.map(item => printed(made(item)));
  if (parts.reduce((n, part) => n + part.length + between.length, 0) > LONGEST_TEXT) throw tooLong();
  return runtime(parts.join(between));
}

/** The first of those that are alike, large and small letters too. */
function unique(items: readonly Value[], spend: Spend): Value {
  const small = (value: Value) => {
    if (isList(value) || value.value instanceof Map) throw new Error(`it asks for unique ones of ${NAMES[value.type]}`);
    return isText(value) ? runtime((value.value as string).toLowerCase()) : value;
  };
  const kept: [Value, Value][] = [];
  for (const item of items) {
    const key = small(item);
    if (!kept.some(([other]) => equal(other, key, spend))) kept.push([key, item]);
  }
  return listOf(kept.map(([, item]) => item));
}

const JSON_ARGUMENTS = ['ensure_ascii', 'indent', 'separators', 'sort_keys'];

function json(operand: Value, args: readonly Argument[], spend: Spend): string {
  const given = new Map(args.map(([name, value], i) => [name ?? JSON_ARGUMENTS[i], value]));
  const odd = [...given.keys()].find(name => !JSON_ARGUMENTS.includes(name));
  if (odd !== undefined || args.length > JSON_ARGUMENTS.length)
    throw new Error(`tojson takes no ${odd ?? 'fifth value'}`);
  const { indent, separators, sort_keys, ensure_ascii } = Object.fromEntries(given);
  const width = indent && !isNothing(indent) ? indent : null;
  if (width && width.type !== 'IntegerValue')
    throw new Error(`tojson takes a number for indent, not ${NAMES[width.type]}`);
  const apart = separators && !isNothing(separators) ? separators : null;
  const texts = apart && isList(apart) ? (apart.value as Value[]).filter(isText).map(one => one.value as string) : null;
  if (apart && texts?.length !== 2) throw new Error('tojson takes two texts for separators');
  return jsonOf(
    operand,
    {
      indent: width ? Math.max(0, width.value as number) : null,
      separators: texts ? [texts[0], texts[1]] : [width ? ',' : ', ', ': '],
      sortKeys: isTrue(sort_keys),
      ascii: isTrue(ensure_ascii),
    },
    spend,
  );
}

const isTrue = (value: Value | undefined): boolean => value !== undefined && Boolean(value.value);
