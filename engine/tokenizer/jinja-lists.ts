// Filters of lists: choosing, ordering, adding up, as Python's Jinja does.

import { type Argument, bound } from './jinja-arguments.js';
import { itemsOf, once } from './jinja-items.js';
import type { Value } from './jinja-library.js';
import { attributeOf } from './jinja-members.js';
import { binary } from './jinja-operators.js';
import { compared, equal, sorted } from './jinja-order.js';
import { tested } from './jinja-tests.js';
import { isList, isNone, isText, isTrue, listOf, kindOf, runtime, type Spend } from './jinja-values.js';

/** A filter by its name, for `map('upper')`. */
export type Filter = (name: string, operand: Value, args: readonly Argument[]) => Value;

/** Filters of what holds items; null for one that is none of these. */
export function listFiltered(
  name: string,
  operand: Value,
  args: readonly Argument[],
  spend: Spend,
  filter: Filter,
): Value | null {
  const items = () => {
    const all = itemsOf(name, operand, spend);
    spend(all.length);
    return all;
  };
  switch (name) {
    case 'sort': {
      const [reverse, caseful, attribute] = bound(name, args, ['reverse', 'case_sensitive', 'attribute']);
      return listOf(sorted(items(), inTurn(attribute, isTrue(caseful)), turned(name, reverse), spend));
    }
    case 'dictsort': {
      const [caseful, by, reverse] = bound(name, args, ['case_sensitive', 'by', 'reverse']);
      if (operand.type !== 'ObjectValue') throw new Error(`it asks for dictsort of ${kindOf(operand)}`);
      const which = by === undefined ? 'key' : by.value;
      if (which !== 'key' && which !== 'value') throw new Error("dictsort takes 'key' or 'value'");
      const key = caseless(isTrue(caseful));
      const part = (pair: Value) => key((pair.value as Value[])[which === 'key' ? 0 : 1]);
      return listOf(sorted(pairsOf(operand), part, turned(name, reverse), spend));
    }
    case 'items':
      bound(name, args, []);
      if (operand.type === 'UndefinedValue') return once([]);
      if (operand.type !== 'ObjectValue') throw new Error(`it asks for items of ${kindOf(operand)}`);
      return once(pairsOf(operand));
    case 'reverse':
      bound(name, args, []);
      if (isText(operand)) spend(2 * (operand.value as string).length);
      if (isText(operand))
        return runtime(
          Array.from(operand.value as string)
            .reverse()
            .join(''),
        );
      return once([...items()].reverse());
    case 'unique': {
      const [caseful, attribute] = bound(name, args, ['case_sensitive', 'attribute']);
      return once(unique(items(), keyed(attribute, isTrue(caseful)), spend));
    }
    case 'min':
    case 'max': {
      const [caseful, attribute] = bound(name, args, ['case_sensitive', 'attribute']);
      const key = keyed(attribute, isTrue(caseful));
      const better = (a: Value, b: Value) => {
        const order = compared(key(a), key(b), spend);
        return name === 'max' ? order > 0 : order < 0;
      };
      return (
        items().reduce<Value | null>((best, one) => (best && !better(one, best) ? best : one), null) ??
        runtime(undefined)
      );
    }
    case 'sum': {
      const [attribute, start] = bound(name, args, ['attribute', 'start']);
      const read = attribute && !isNone(attribute) ? attributeOf(attribute) : (item: Value) => item;
      if (start && isText(start)) throw new Error('it adds up texts');
      return items().reduce((sum, item) => binary('+', sum, read(item), spend), start ?? runtime(0));
    }
    case 'batch': {
      const [count, fill] = bound(name, args, ['linecount', 'fill_with'], 1);
      if (count!.type !== 'IntegerValue' || (count!.value as number) < 1)
        throw new Error('batch takes a number from 1');
      return once(batches(items(), count!.value as number, fill));
    }
    case 'map':
      return once(mapped(items(), args, filter));
    case 'select':
    case 'reject':
    case 'selectattr':
    case 'rejectattr': {
      const test = chooser(name, args, spend);
      const keeps = name.startsWith('select');
      return once(items().filter(item => test(item) === keeps));
    }
    default:
      return null;
  }
}

/** Whether an order is turned: for sorted(), which takes no other truths. */
function turned(name: string, reverse: Value | undefined): boolean {
  if (reverse === undefined) return false;
  if (reverse.type !== 'BooleanValue' && reverse.type !== 'IntegerValue')
    throw new Error(`${name} takes True or False for reverse`);
  return isTrue(reverse);
}

/** [key, value] of a mapping. */
export const pairsOf = (mapping: Value): Value[] =>
  Array.from(mapping.value as Map<string, Value>, ([key, value]) => listOf([runtime(key), value]));

const caseless =
  (caseful: boolean) =>
  (value: Value): Value =>
    !caseful && isText(value) ? runtime((value.value as string).toLowerCase()) : value;

/** What counts of an item: itself, or what its attribute holds. */
function keyed(attribute: Value | undefined, caseful: boolean): (item: Value) => Value {
  const key = caseless(caseful);
  if (attribute === undefined || isNone(attribute)) return key;
  const read = attributeOf(attribute);
  return item => key(read(item));
}

/** What counts of an item for its order, one after the other: `a,b` names two attributes. */
function inTurn(attribute: Value | undefined, caseful: boolean): (item: Value) => Value {
  const names = attribute && isText(attribute) ? (attribute.value as string).split(',').map(runtime) : [attribute];
  const keys = names.map(name => keyed(name, caseful));
  return item => listOf(keys.map(key => key(item)));
}

/** The first of those that are alike. */
function unique(items: readonly Value[], key: (item: Value) => Value, spend: Spend): Value[] {
  const kept: [Value, Value][] = [];
  for (const item of items) {
    const one = key(item);
    if (isList(one) || one.value instanceof Map) throw new Error(`it asks for unique ones of ${kindOf(one)}`);
    if (!kept.some(([other]) => equal(other, one, spend))) kept.push([one, item]);
  }
  return kept.map(([, item]) => item);
}

function batches(items: readonly Value[], count: number, fill: Value | undefined): Value[] {
  const rows: Value[][] = [];
  for (let at = 0; at < items.length; at += count) rows.push(items.slice(at, at + count));
  const last = rows.at(-1);
  if (last && fill && !isNone(fill)) while (last.length < count) last.push(fill);
  return rows.map(listOf);
}

function mapped(items: readonly Value[], args: readonly Argument[], filter: Filter): Value[] {
  const [first, ...rest] = args;
  if (first === undefined) throw new Error('map takes the name of a filter, or an attribute');
  if (args.every(([name]) => name !== null) && args.some(([name]) => name === 'attribute')) {
    const [attribute, otherwise] = bound('map', args, ['attribute', 'default']);
    const read = attributeOf(attribute!);
    return items.map(item => {
      const value = read(item);
      return value.type === 'UndefinedValue' && otherwise && !isNone(otherwise) ? otherwise : value;
    });
  }
  if (first[0] !== null || !isText(first[1])) throw new Error('map takes the name of a filter, or an attribute');
  return items.map(item => filter(first[1].value as string, item, rest));
}

/** The test of select and its like: a truth, or a test by its name with what it takes. */
function chooser(name: string, args: readonly Argument[], spend: Spend): (item: Value) => boolean {
  const byAttribute = name.endsWith('attr');
  if (byAttribute && (args.length === 0 || args[0][0] !== null)) throw new Error(`${name} takes an attribute`);
  const read = byAttribute ? attributeOf(args[0][1]) : (item: Value) => item;
  const [test, ...rest] = byAttribute ? args.slice(1) : args;
  if (test === undefined) return item => isTrue(read(item));
  if (test[0] !== null || !isText(test[1])) throw new Error(`${name} takes the name of a test`);
  return item => tested(test[1].value as string, read(item), rest, spend);
}
