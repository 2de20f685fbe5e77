// Filters of Jinja as Python has them. Those that are not here are refused by name.

import { type Argument, bound } from './jinja-arguments.js';
import { firstOf, itemsOf, lengthOf, placeOf, sizeOf } from './jinja-items.js';
import { jsonOf } from './jinja-json.js';
import type { Value } from './jinja-library.js';
import { listFiltered } from './jinja-lists.js';
import { escaped, isMarked, marked } from './jinja-marks.js';
import { attributeOf } from './jinja-members.js';
import { rounded, wholeIn } from './jinja-numbers.js';
import { numberOf } from './jinja-order.js';
import { filledIn } from './jinja-percent.js';
import { replaced, textFiltered } from './jinja-texts.js';
import {
  float,
  isList,
  isNone,
  isText,
  isTrue,
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
import { numberIn } from './python-text.js';

/** `operand | name(args)`. Throws Error for a filter that there is none of, and for arguments that it does not take. */
export function filtered(name: string, operand: Value, args: readonly Argument[], spend: Spend): Value {
  if (isText(operand)) spend((operand.value as string).length >> 4);
  const made = byKind(name, operand, args, spend);
  if (!isMarked(operand) || !KEEPS_MARK.has(name)) return made;
  return marked(made, true);
}

/** What Python does to marked texts by their own methods, which keep the mark. */
const KEEPS_MARK = new Set(['trim', 'string', 'upper', 'lower', 'capitalize', 'center', 'indent', 'reverse']);

function byKind(name: string, operand: Value, args: readonly Argument[], spend: Spend): Value {
  switch (name) {
    case 'default':
    case 'd': {
      const [otherwise, falsy] = bound(name, args, ['default_value', 'boolean']);
      const missing = operand.type === 'UndefinedValue' || (isTrue(falsy) && !isTrue(operand));
      return missing ? (otherwise ?? runtime('')) : operand;
    }
    case 'replace': {
      const [old, fresh, count] = bound(name, args, ['old', 'new', 'count'], 2);
      return replaced(printed(operand), old!, fresh!, count);
    }
    case 'safe':
      bound(name, args, []);
      return marked(runtime(printed(operand)), true);
    case 'e':
    case 'escape':
    case 'forceescape':
      bound(name, args, []);
      return isMarked(operand) && name !== 'forceescape' ? operand : escaped(printed(operand));
    case 'int':
      return int(operand, args);
    case 'float': {
      const [otherwise] = bound(name, args, ['default']);
      const found = isText(operand) ? numberIn(operand.value as string) : numberOf(operand);
      if (operand.type === 'UndefinedValue') throw new Error('it asks for float of what is undefined');
      return found === null ? (otherwise ?? float(0)) : float(found);
    }
    case 'abs': {
      bound(name, args, []);
      const number = numberOf(operand);
      if (number === null) throw new Error(`it asks for abs of ${kindOf(operand)}`);
      return operand.type === 'FloatValue' ? float(Math.abs(number)) : runtime(Math.abs(number));
    }
    case 'round': {
      const [precision, method] = bound(name, args, ['precision', 'method']);
      return rounded(operand, precision, method);
    }
    case 'length':
    case 'count':
      bound(name, args, []);
      return runtime(sizeOf(name, operand));
    case 'list': {
      bound(name, args, []);
      const items = itemsOf(name, operand, spend);
      spend(1 + (items.length >> 4));
      return listOf([...items]);
    }
    case 'first':
      bound(name, args, []);
      return firstOf(operand, spend) ?? runtime(undefined);
    case 'last':
      bound(name, args, []);
      if (lengthOf(operand) === null) throw new Error(`it asks for the last of ${kindOf(operand)}`);
      if (isText(operand)) return runtime(Array.from((operand.value as string).slice(-2)).at(-1));
      return placeOf(operand, -1) ?? itemsOf(name, operand, spend).at(-1) ?? runtime(undefined);
    case 'join': {
      const [between, attribute] = bound(name, args, ['d', 'attribute']);
      return joined(itemsOf(name, operand, spend), between, spend, attribute);
    }
    case 'format': {
      if (args.some(([key]) => key !== null)) throw new Error('Unknown arguments of format: those with a name');
      return filledIn(isText(operand) ? operand : text(printed(operand)), tupleOf(args.map(([, value]) => value)));
    }
    case 'tojson':
      return text(json(operand, args, spend));
    default:
      break;
  }
  const ofList = listFiltered(name, operand, args, spend, (other, item, more) => {
    spend(1);
    return filtered(other, item, more, spend);
  });
  const made = ofList ?? textFiltered(name, operand, args, spend);
  if (made === null) throw new Error(`Unknown filter: ${name}`);
  return made;
}

/** Jinja's int, which gives what stands in a text, or the default. */
function int(operand: Value, args: readonly Argument[]): Value {
  const [otherwise, base] = bound('int', args, ['default', 'base']);
  if (operand.type === 'UndefinedValue') throw new Error('it asks for int of what is undefined');
  if (base && base.type !== 'IntegerValue') throw new Error(`int takes a whole number for base, not ${kindOf(base)}`);
  const number = isText(operand)
    ? (wholeIn(operand.value as string, (base?.value as number | undefined) ?? 10) ?? numberIn(operand.value as string))
    : numberOf(operand);
  if (number === null || Number.isNaN(number)) return otherwise ?? runtime(0);
  if (!Number.isFinite(number)) {
    if (isText(operand)) return otherwise ?? runtime(0);
    throw new Error('it asks for int of what is infinite');
  }
  return runtime(Math.trunc(number) + 0);
}

/** The items as texts, one after the other with `between` in between. */
export function joined(items: readonly Value[], between: Value | undefined, spend: Spend, attribute?: Value): Value {
  const read = attribute && !isNone(attribute) ? attributeOf(attribute, spend) : (item: Value) => item;
  spend(items.length);
  const apart = between === undefined ? '' : printed(between);
  const parts = items.map(item => printed(read(item)));
  if (parts.reduce((n, part) => n + part.length + apart.length, 0) > LONGEST_TEXT) throw tooLong();
  return runtime(parts.join(apart));
}

const JSON_ARGUMENTS = ['ensure_ascii', 'indent', 'separators', 'sort_keys'];

function json(operand: Value, args: readonly Argument[], spend: Spend): string {
  const [ascii, indent, separators, sortKeys] = bound('tojson', args, JSON_ARGUMENTS);
  const width = indent && !isNone(indent) ? indent : null;
  if (width && width.type !== 'IntegerValue')
    throw new Error(`tojson takes a whole number for indent, not ${kindOf(width)}`);
  const apart = separators && !isNone(separators) ? separators : null;
  const texts = apart && isList(apart) ? (apart.value as Value[]).filter(isText).map(one => one.value as string) : null;
  if (apart && texts?.length !== 2) throw new Error('tojson takes two texts for separators');
  return jsonOf(
    operand,
    {
      indent: width ? Math.max(0, width.value as number) : null,
      separators: texts ? [texts[0], texts[1]] : [width ? ',' : ', ', ': '],
      sortKeys: isTrue(sortKeys),
      ascii: isTrue(ascii),
    },
    spend,
  );
}
