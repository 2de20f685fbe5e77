// Operators of Jinja as Python has them.

import { isOnce, isRange, isView, over, type Range, type View } from './jinja-items.js';
import type { Value } from './jinja-library.js';
import { joinedMarks, marked } from './jinja-marks.js';
import { alike, compared, equal, hashable, numberOf } from './jinja-order.js';
import { filledIn } from './jinja-percent.js';
import {
  float,
  isList,
  isText,
  listOf,
  LONGEST_TEXT,
  kindOf,
  printed,
  runtime,
  type Spend,
  text,
  tooLong,
  tupleOf,
} from './jinja-values.js';

/** `left operator right`. Throws Error for values that the operator does not take. */
export function binary(operator: string, left: Value, right: Value, spend: Spend): Value {
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
    case '<':
      return runtime(compared(left, right, spend) < 0);
    case '>':
      return runtime(compared(left, right, spend) > 0);
    case '<=':
      return runtime(compared(left, right, spend) <= 0);
    case '>=':
      return runtime(compared(left, right, spend) >= 0);
    case '+':
      return sum(left, right, spend);
    case '*': {
      const repeated = times(left, right, spend) ?? times(right, left, spend);
      return repeated ?? arithmetic(operator, left, right);
    }
    case '%':
      return isText(left) ? filledIn(left, right) : arithmetic(operator, left, right);
    default:
      return arithmetic(operator, left, right);
  }
}

function sum(left: Value, right: Value, spend: Spend): Value {
  if (isText(left) && isText(right)) {
    return marked(text((left.value as string) + (right.value as string)), joinedMarks([left, right]));
  }
  if (isText(left) || isText(right)) throw new Error(`it adds ${kindOf(left)} and ${kindOf(right)}`);
  if (!isList(left) || left.type !== right.type) return arithmetic('+', left, right);
  const [one, two] = [left.value as Value[], right.value as Value[]];
  spend((one.length + two.length) >> 2);
  return (left.type === 'TupleValue' ? tupleOf : listOf)([...one, ...two]);
}

/** A text or a list over and over; null for what is neither, or not a whole number of times. */
function times(one: Value, often: Value, spend: Spend): Value | null {
  if (often.type !== 'IntegerValue' && often.type !== 'BooleanValue') return null;
  const count = Math.max(0, Number(often.value));
  if (isText(one)) {
    if ((one.value as string).length * count > LONGEST_TEXT) throw tooLong();
    return marked(runtime((one.value as string).repeat(count)), joinedMarks([one]));
  }
  if (!isList(one)) return null;
  const items = one.value as Value[];
  spend(items.length * count);
  return (one.type === 'TupleValue' ? tupleOf : listOf)(Array.from({ length: count }, () => items).flat());
}

/** Numbers, among them True and False as 1 and 0: whole where both are, but for a quotient. */
function arithmetic(operator: string, left: Value, right: Value): Value {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a === null || b === null) throw new Error(`it reckons ${kindOf(left)} ${operator} ${kindOf(right)}`);
  const made =
    left.type === 'FloatValue' || right.type === 'FloatValue' ? float : (value: number) => runtime(value + 0);
  if ('/ // %'.split(' ').includes(operator) && b === 0) throw new Error('it divides by zero');
  switch (operator) {
    case '+':
      return made(a + b);
    case '-':
      return made(a - b);
    case '*':
      return made(a * b);
    case '/':
      return float(a / b);
    case '//':
      return made(quotient(a, b));
    case '%':
      return made(remainderOf(a, b));
    default: {
      if (a === 0 && b < 0) throw new Error('it divides by zero');
      // Python's roots are nearer than V8's, whose last digit may be another.
      if (!Number.isInteger(b) && Number.isFinite(b) && b !== 0.5)
        throw new Error('it has a power that is no whole number');
      if (!Number.isInteger(a) && Number.isFinite(a) && Math.abs(b) > 2)
        throw new Error('it has a power of a number that is not whole');
      if (b === 0.5 && a >= 0) return float(Math.sqrt(a));
      // A whole power is exact more often than one part in it.
      const whole = a ** -b;
      const power = b < 0 && Number.isFinite(whole) ? 1 / whole : a ** b;
      if (Number.isNaN(power) || (!Number.isFinite(power) && Number.isFinite(a)))
        throw new Error('it has a power that is too large, or no number');
      return b < 0 ? float(power) : made(power);
    }
  }
}

/** Python's remainder has the sign of the divisor. */
export function remainderOf(a: number, b: number): number {
  const rest = a % b;
  if (rest !== 0) return rest < 0 !== b < 0 ? rest + b : rest;
  return b < 0 ? -0 : 0;
}

/** Python's a // b: rounded down, from what the remainder leaves. */
function quotient(a: number, b: number): number {
  const rest = remainderOf(a, b);
  const whole = (a - rest) / b;
  if (whole === 0) return (a / b) * 0;
  const low = Math.floor(whole);
  return whole - low > 0.5 ? low + 1 : low;
}

/** `part in whole`. Throws Error for a whole that holds nothing. */
export function contains(whole: Value, part: Value, spend: Spend): boolean {
  if (isRange(whole)) {
    const { start, step, length } = whole.value as Range;
    const at = (numberOf(part) ?? Number.NaN) - start;
    return at % step === 0 && at / step >= 0 && at / step < length;
  }
  if (isView(whole) && (whole.value as View).kind !== 'values') return inView(whole.value as View, part, spend);
  if (isList(whole) || isView(whole) || isOnce(whole)) {
    for (const value of over('in', whole, spend)) if (alike(value, part, spend)) return true;
    return false;
  }
  if (whole.type === 'UndefinedValue') return false;
  if (whole.type === 'ObjectValue') {
    if (!hashable(part)) throw new Error(`it looks for ${kindOf(part)} in a mapping`);
    return isText(part) && (whole.value as Map<string, Value>).has(part.value as string);
  }
  if (isText(whole)) spend((whole.value as string).length >> 6);
  if (isText(whole) && isText(part)) return (whole.value as string).includes(part.value as string);
  throw new Error(`it looks for ${kindOf(part)} in ${kindOf(whole)}`);
}

/** `key in d.keys()`, `(key, value) in d.items()`. */
function inView({ kind, of }: View, part: Value, spend: Spend): boolean {
  if (kind === 'items' && (part.type !== 'TupleValue' || (part.value as Value[]).length !== 2)) return false;
  const [key, value] = kind === 'items' ? (part.value as Value[]) : [part];
  if (!hashable(key)) throw new Error(`it looks for ${kindOf(key)} in a part of a mapping`);
  const found = isText(key) ? of.get(key.value as string) : undefined;
  return found !== undefined && (kind === 'keys' || alike(found, value, spend));
}
