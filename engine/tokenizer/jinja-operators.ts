// Operators and tests of Jinja as Python has them. What is not here the library does as Python does, or refuses.

import type { Value } from './jinja-library.js';
import {
  float,
  isList,
  isNumber,
  isText,
  LONGEST_TEXT,
  NAMES,
  printed,
  runtime,
  type Spend,
  text,
  tooLong,
} from './jinja-values.js';
import { isLower, isUpper } from './python-text.js';

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
      if (operator !== '%') return null;
      return remainder(left, right);
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
  if (a.type !== b.type) return false;
  if (isList(a)) {
    const [one, two] = [a.value as Value[], b.value as Value[]];
    return one.length === two.length && one.every((value, i) => equal(value, two[i], spend));
  }
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

/** Python's remainder has the sign of the divisor. */
function remainder(left: Value, right: Value): Value {
  const [a, b] = [left.value as number, right.value as number];
  const rest = a % b;
  const signed = rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
  return left.type === 'IntegerValue' && right.type === 'IntegerValue' ? runtime(signed + 0) : float(signed);
}

/** `operand is name` where Python's answer is not the library's; null where it is. */
export function tested(name: string, operand: Value): boolean | null {
  switch (name) {
    case 'iterable':
      return isList(operand) || isText(operand) || /^(Object|Undefined)Value$/.test(operand.type);
    case 'sequence':
      return operand.type === 'UndefinedValue' ? true : null;
    case 'number':
      return operand.type === 'BooleanValue' ? true : null;
    case 'lower':
      return isText(operand) ? isLower(operand.value as string) : null;
    case 'upper':
      return isText(operand) ? isUpper(operand.value as string) : null;
    default:
      return null;
  }
}
