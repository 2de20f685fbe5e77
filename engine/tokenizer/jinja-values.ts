// Operators, filters and printing of Jinja's values as Python has them. What is not here the library does as Python does, or refuses.

import { Environment, type Value } from './jinja-library.js';
import { strip } from './python-text.js';

type Spend = (steps: number) => void;

/** More steps, output or time than any template needs. */
export class Limit extends Error {}

const LONGEST_TEXT = 1 << 22;

/** A value of the library's for one of JavaScript's. */
export function runtime(value: unknown): Value {
  if (typeof value === 'string') return new Text(value);
  if (typeof value === 'boolean') return value ? TRUE : FALSE;
  return new Environment().set('value', value);
}
const [TRUE, FALSE] = [true, false].map(value => new Environment().set('value', value));
const Text = new Environment().set('text', '').constructor as new (text: string) => Value;

export const isNothing = ({ type }: Value): boolean => type === 'NullValue' || type === 'UndefinedValue';

/** str(value). Throws Error for what has no place in a prompt: lists, mappings, functions. */
export function printed(value: Value): string {
  switch (value.type) {
    case 'StringValue':
      return value.value as string;
    case 'UndefinedValue':
      return '';
    case 'NullValue':
      return 'None';
    case 'BooleanValue':
      return value.value ? 'True' : 'False';
    case 'IntegerValue':
    case 'FloatValue':
      return value.toString();
    default:
      throw new Error(`it writes ${NAMES[value.type] ?? 'a value'} where a text belongs`);
  }
}

const NAMES: Readonly<Record<string, string>> = {
  ArrayValue: 'a list',
  TupleValue: 'a list',
  ObjectValue: 'a mapping',
  KeywordArgumentsValue: 'a mapping',
  NamespaceValue: 'a namespace',
  FunctionValue: 'a function',
  StringValue: 'a text',
  IntegerValue: 'a number',
  FloatValue: 'a number',
  BooleanValue: 'True or False',
  NullValue: 'None',
  UndefinedValue: 'what is undefined',
};

const isNumber = ({ type }: Value): boolean => type === 'IntegerValue' || type === 'FloatValue';
const isList = ({ type }: Value): boolean => type === 'ArrayValue' || type === 'TupleValue';

/** `left operator right` where Python's answer is not the library's; null where it is. */
export function binary(operator: string, left: Value, right: Value, spend: Spend): Value | null {
  const texts = left.type === 'StringValue' && right.type === 'StringValue';
  switch (operator) {
    case '~':
      return text(printed(left) + printed(right));
    case '==':
      return runtime(equal(left, right, spend));
    case '!=':
      return runtime(!equal(left, right, spend));
    case 'in':
    case 'not in':
      return runtime(contains(right, left, spend) === (operator === 'in'));
    case '+':
      if (texts) return text((left.value as string) + (right.value as string));
      if (left.type === 'StringValue' || right.type === 'StringValue') {
        throw new Error(`it adds ${NAMES[left.type]} and ${NAMES[right.type]}`);
      }
      if (isList(left) && isList(right))
        spend(((left.value as unknown[]).length + (right.value as unknown[]).length) >> 2);
      return null;
    case '*': {
      const [one, times] = left.type === 'StringValue' ? [left, right] : [right, left];
      if (one.type !== 'StringValue' || times.type !== 'IntegerValue') return null;
      const count = Math.max(0, times.value as number);
      if ((one.value as string).length * count > LONGEST_TEXT) throw tooLong();
      return runtime((one.value as string).repeat(count));
    }
    case '/':
    case '//':
    case '%':
      if (!isNumber(left) || !isNumber(right)) return null;
      if (right.value === 0) throw new Error('it divides by zero');
      if (operator !== '%' || left.type !== 'IntegerValue' || right.type !== 'IntegerValue') return null;
      return runtime(
        (((left.value as number) % (right.value as number)) + (right.value as number)) % (right.value as number),
      );
    case '<':
      return texts ? runtime((left.value as string) < (right.value as string)) : null;
    case '>':
      return texts ? runtime((left.value as string) > (right.value as string)) : null;
    case '<=':
      return texts ? runtime((left.value as string) <= (right.value as string)) : null;
    case '>=':
      return texts ? runtime((left.value as string) >= (right.value as string)) : null;
    default:
      return null;
  }
}

/** Python's ==: lists and mappings by what they hold, no number equal to a text. */
export function equal(a: Value, b: Value, spend: Spend): boolean {
  spend(1);
  if (a === b) return true;
  const number = (value: Value) => (isNumber(value) || value.type === 'BooleanValue' ? Number(value.value) : null);
  const [x, y] = [number(a), number(b)];
  if (x !== null && y !== null) return x === y;
  if (isList(a) && isList(b)) {
    const [one, two] = [a.value as Value[], b.value as Value[]];
    return one.length === two.length && one.every((value, i) => equal(value, two[i], spend));
  }
  if (a.type !== b.type) return false;
  if (a.value instanceof Map && b.value instanceof Map) {
    const [one, two] = [a.value as Map<string, Value>, b.value as Map<string, Value>];
    return (
      one.size === two.size && [...one].every(([key, value]) => two.has(key) && equal(value, two.get(key)!, spend))
    );
  }
  return a.value === b.value;
}

function contains(whole: Value, part: Value, spend: Spend): boolean {
  if (isList(whole)) return (whole.value as Value[]).some(value => equal(value, part, spend));
  if (whole.type === 'UndefinedValue') return false;
  if (whole.type === 'ObjectValue')
    return part.type === 'StringValue' && (whole.value as Map<string, Value>).has(part.value as string);
  if (whole.type === 'StringValue' && part.type === 'StringValue')
    return (whole.value as string).includes(part.value as string);
  throw new Error(`it looks for ${NAMES[part.type]} in ${NAMES[whole.type]}`);
}

const OF_TEXTS = new Set(['trim', 'string', 'upper', 'lower', 'title', 'capitalize', 'replace', 'indent']);

/** `operand | name(args)` where Python's answer is not the library's; null where it is. */
export function filtered(
  name: string,
  operand: Value,
  args: () => readonly (readonly [string | null, Value])[],
  spend: Spend,
): Value | null {
  if (OF_TEXTS.has(name) && operand.type !== 'StringValue') {
    const made = runtime(printed(operand));
    // What is no text becomes one, as Jinja's soft_str does it.
    return filtered(name, made, args, spend) ?? plain(name, made);
  }
  const value = operand.value as string;
  switch (name) {
    case 'trim': {
      const [characters] = args();
      if (characters && characters[1].type !== 'StringValue') throw new Error('trim takes a text');
      return runtime(strip(value, 'strip', characters?.[1].value as string | undefined));
    }
    case 'string':
      return operand;
    case 'capitalize':
      return runtime(value.charAt(0).toUpperCase() + value.slice(1).toLowerCase());
    case 'title':
      return runtime(value.replace(/[^-\s({[<]+/g, word => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase()));
    case 'replace': {
      const [from, to, count] = args().map(([, arg]) => arg);
      if (!from || !to) throw new Error('replace takes two texts');
      const [old, fresh] = [printed(from), printed(to)];
      const most = count === undefined || count.type === 'NullValue' ? -1 : Number(count.value);
      const found = old === '' ? Array.from(value).length + 1 : value.split(old).length - 1;
      const times = most < 0 ? found : Math.min(most, found);
      if (value.length + times * fresh.length > LONGEST_TEXT) throw tooLong();
      let left = times;
      return runtime(
        old === ''
          ? emptyReplaced(value, fresh, times)
          : value.split(old).reduce((all, part) => all + (left-- > 0 ? fresh : old) + part),
      );
    }
    case 'indent': {
      const wide = args().some(
        ([, arg]) => isNumber(arg) && (arg.value as number) * (value.split('\n').length + 1) > LONGEST_TEXT,
      );
      if (wide) throw tooLong();
      return null;
    }
    case 'length':
    case 'count':
      if (operand.type === 'StringValue') return runtime(Array.from(value).length);
      if (operand.type === 'UndefinedValue') return runtime(0);
      return name === 'count'
        ? filtered('length', operand, args, spend)
        : isList(operand)
          ? runtime((operand.value as unknown as unknown[]).length)
          : null;
    case 'list':
      if (operand.type === 'UndefinedValue') return runtime([]);
      return operand.type === 'StringValue' ? runtime(Array.from(value)) : null;
    case 'first':
    case 'last': {
      const items: readonly Value[] | null = isList(operand)
        ? (operand.value as unknown as Value[])
        : operand.type === 'StringValue'
          ? Array.from(value, runtime)
          : operand.type === 'UndefinedValue'
            ? []
            : null;
      return items === null ? null : (items.at(name === 'first' ? 0 : -1) ?? runtime(undefined));
    }
    case 'join':
      return joined(operand, args());
    case 'tojson':
      if (operand.type === 'UndefinedValue') throw new Error('it writes what is undefined as JSON');
      if (args().some(([, arg]) => isNumber(arg) && Number(arg.value) > 64)) throw tooLong();
      weigh(operand, spend);
      return null;
    default:
      if (isList(operand)) spend((operand.value as unknown as unknown[]).length);
      return null;
  }
}

/** Filters of texts without arguments that the library does as Python does. */
function plain(name: string, { value }: Value): Value {
  if (name === 'upper') return runtime((value as string).toUpperCase());
  if (name === 'lower') return runtime((value as string).toLowerCase());
  return runtime(value);
}

function emptyReplaced(value: string, fresh: string, times: number): string {
  const points = Array.from(value);
  let left = times;
  const put = () => (left-- > 0 ? fresh : '');
  return points.reduce((all, point) => all + put() + point, '') + put();
}

function joined(operand: Value, args: readonly (readonly [string | null, Value])[]): Value {
  const items =
    operand.type === 'UndefinedValue'
      ? []
      : operand.type === 'StringValue'
        ? Array.from(operand.value as string, runtime)
        : operand.value;
  if (!Array.isArray(items)) throw new Error(`it joins ${NAMES[operand.type]}`);
  if (args.length > 1 || (args[0] && args[0][0] !== null && args[0][0] !== 'd'))
    throw new Error('join takes one text here');
  const between = args.length > 0 ? printed(args[0][1]) : '';
  const parts = (items as Value[]).map(printed);
  if (parts.reduce((n, part) => n + part.length + between.length, 0) > LONGEST_TEXT) throw tooLong();
  return runtime(parts.join(between));
}

/** Spends a step a value within, so that what holds itself over and over is not written out. */
function weigh(value: Value, spend: Spend): void {
  spend(1);
  if (isList(value)) for (const item of value.value as Value[]) weigh(item, spend);
  else if (value.value instanceof Map)
    for (const item of (value.value as Map<string, Value>).values()) weigh(item, spend);
}

function text(value: string): Value {
  if (value.length > LONGEST_TEXT) throw tooLong();
  return runtime(value);
}

const tooLong = () => new Limit(`a text of more than ${LONGEST_TEXT} characters`);
