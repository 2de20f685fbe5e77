// Tests of Jinja (`x is odd`, `x is eq 1`) as Python has them.

import { type Argument, bound, placed } from './jinja-arguments.js';
import { isOnce, isRange, isView } from './jinja-items.js';
import type { Value } from './jinja-library.js';
import { LOOP } from './jinja-members.js';
import { contains, remainderOf } from './jinja-operators.js';
import { compared, equal, numberOf } from './jinja-order.js';
import { isList, isNone, isText, kindOf, printed, type Spend } from './jinja-values.js';
import { isLower, isUpper } from './python-text.js';

type Asked = (value: Value, other: Value, spend: Spend) => boolean;

/** Tests of a value alone. */
const ALONE: Readonly<Record<string, (value: Value) => boolean>> = {
  boolean: ({ type }) => type === 'BooleanValue',
  callable: ({ type }) => type === 'FunctionValue' || type === 'UndefinedValue' || type === LOOP,
  defined: ({ type }) => type !== 'UndefinedValue',
  undefined: ({ type }) => type === 'UndefinedValue',
  even: value => Math.abs(whole(value, 'even') % 2) === 0,
  odd: value => Math.abs(whole(value, 'odd') % 2) === 1,
  false: ({ type, value }) => type === 'BooleanValue' && value === false,
  true: ({ type, value }) => type === 'BooleanValue' && value === true,
  float: ({ type }) => type === 'FloatValue',
  integer: ({ type }) => type === 'IntegerValue',
  number: value => numberOf(value) !== null,
  iterable: value =>
    isList(value) ||
    isText(value) ||
    isRange(value) ||
    isView(value) ||
    isOnce(value) ||
    /^(Object|Undefined|Loop)Value$/.test(value.type),
  sequence: value => isList(value) || isText(value) || isRange(value) || /^(Object|Undefined)Value$/.test(value.type),
  mapping: ({ type }) => type === 'ObjectValue',
  none: ({ type }) => type === 'NullValue',
  string: isText,
  lower: value => isLower(printed(value)),
  upper: value => isUpper(printed(value)),
};

const less: Asked = (value, other, spend) => compared(value, other, spend) < 0;
const least: Asked = (value, other, spend) => compared(value, other, spend) <= 0;
const more: Asked = (value, other, spend) => compared(value, other, spend) > 0;
const most: Asked = (value, other, spend) => compared(value, other, spend) >= 0;
const same: Asked = (value, other, spend) => equal(value, other, spend);
const differs: Asked = (value, other, spend) => !equal(value, other, spend);

/** Tests of a value beside another. */
const BESIDE: Readonly<Record<string, Asked>> = {
  divisibleby: (value, other) => {
    const [a, b] = [whole(value, 'divisibleby'), whole(other, 'divisibleby')];
    if (b === 0) throw new Error('it divides by zero');
    return remainderOf(a, b) === 0;
  },
  in: (value, other, spend) => contains(other, value, spend),
  sameas: (value, other) => {
    const single = [value, other].some(one => isNone(one) || one.type === 'BooleanValue');
    if (!single) throw new Error(`sameas takes True, False or None, and not ${kindOf(other)}`);
    return value.type === other.type && value.value === other.value;
  },
  ...{ eq: same, equalto: same, '==': same, ne: differs, '!=': differs },
  ...{ lt: less, lessthan: less, '<': less, le: least, '<=': least },
  ...{ gt: more, greaterthan: more, '>': more, ge: most, '>=': most },
};

/** What Python calls the other; those that are operators take no name. */
const NAMED: Readonly<Record<string, string | undefined>> = { divisibleby: 'num', in: 'seq', sameas: 'other' };

function whole(value: Value, name: string): number {
  const number = numberOf(value);
  if (number === null) throw new Error(`${name} takes a number, and not ${kindOf(value)}`);
  return number;
}

/** `value is name(args)`. Throws Error for a test that there is none of. */
export function tested(name: string, value: Value, args: readonly Argument[], spend: Spend): boolean {
  if (Object.hasOwn(ALONE, name)) {
    bound(name, args, []);
    return ALONE[name](value);
  }
  if (!Object.hasOwn(BESIDE, name)) throw new Error(`Unknown test: ${name}`);
  const named = NAMED[name];
  const [other] = named === undefined ? placed(name, args, 1, 1) : bound(name, args, [named], 1);
  return BESIDE[name](value, other!, spend);
}
