// Filters of lists: choosing, ordering, adding up, as Python's Jinja does.

import { type Argument, bound } from './jinja-arguments.js';
import { isOnce, itemsOf, lengthOf, once, over, pairsOf } from './jinja-items.js';
import type { Value } from './jinja-library.js';
import { attributeOf } from './jinja-members.js';
import { binary } from './jinja-operators.js';
import { alike, compared, hashable, sorted } from './jinja-order.js';
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
      return listOf(sorted(items(), inTurn(attribute, isTrue(caseful), spend), turned(name, reverse), spend));
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
      return once(later(() => itemsIn(operand)));
    case 'reverse':
      bound(name, args, []);
      if (isText(operand)) spend(2 * (operand.value as string).length);
      if (isText(operand))
        return runtime(
          Array.from(operand.value as string)
            .reverse()
            .join(''),
        );
      // What cannot be gone over backwards becomes a list.
      return isOnce(operand) ? listOf([...items()].reverse()) : once([...items()].reverse());
    case 'unique': {
      const [caseful, attribute] = bound(name, args, ['case_sensitive', 'attribute']);
      const key = keyed(attribute, isTrue(caseful), spend);
      return once(later(() => unique(over(name, operand, spend), key, spend)));
    }
    case 'min':
    case 'max': {
      const [caseful, attribute] = bound(name, args, ['case_sensitive', 'attribute']);
      const key = keyed(attribute, isTrue(caseful), spend);
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
      const read = attribute && !isNone(attribute) ? attributeOf(attribute, spend) : (item: Value) => item;
      if (start && isText(start)) throw new Error('it adds up texts');
      return items().reduce((sum, item) => binary('+', sum, read(item), spend), start ?? runtime(0));
    }
    case 'batch': {
      const [count, fill] = bound(name, args, ['linecount', 'fill_with'], 1);
      if (count!.type !== 'IntegerValue' || (count!.value as number) < 1)
        throw new Error('batch takes a number from 1');
      return once(later(() => batches(over(name, operand, spend), count!.value as number, fill)));
    }
    case 'map':
      return once(later(() => (isEmpty(operand) ? [] : mapped(over(name, operand, spend), args, filter, spend))));
    case 'select':
    case 'reject':
    case 'selectattr':
    case 'rejectattr': {
      return once(later(() => (isEmpty(operand) ? [] : kept(name, over(name, operand, spend), args, spend))));
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

const caseless =
  (caseful: boolean) =>
  (value: Value): Value =>
    !caseful && isText(value) ? runtime((value.value as string).toLowerCase()) : value;

/** What counts of an item: itself, or what its attribute holds. */
function keyed(attribute: Value | undefined, caseful: boolean, spend: Spend): (item: Value) => Value {
  const key = caseless(caseful);
  if (attribute === undefined || isNone(attribute)) return key;
  const read = attributeOf(attribute, spend);
  return item => key(read(item));
}

/** What counts of an item for its order, one after the other: `a,b` names two attributes. */
function inTurn(attribute: Value | undefined, caseful: boolean, spend: Spend): (item: Value) => Value {
  const names = attribute && isText(attribute) ? (attribute.value as string).split(',').map(runtime) : [attribute];
  const keys = names.map(name => keyed(name, caseful, spend));
  return item => listOf(keys.map(key => key(item)));
}

/** Nothing of a filter that gives a generator is done before its first item is asked for. */
function* later(items: () => Iterable<Value>): Iterable<Value> {
  for (const item of items()) yield item;
}

const isEmpty = (value: Value): boolean => lengthOf(value) === 0;

function* itemsIn(value: Value): Iterable<Value> {
  if (value.type === 'UndefinedValue') return;
  if (value.type !== 'ObjectValue') throw new Error(`it asks for items of ${kindOf(value)}`);
  yield* pairsOf(value);
}

/** The first of those that are alike. */
function* unique(items: Iterable<Value>, key: (item: Value) => Value, spend: Spend): Iterable<Value> {
  const texts = new Set<unknown>();
  const others: Value[] = [];
  for (const item of items) {
    spend(1);
    const one = key(item);
    if (one.type === 'ArrayValue' || one.value instanceof Map || (isList(one) && !hashable(one)))
      throw new Error(`it asks for unique ones of ${kindOf(one)}`);
    if (isText(one) ? texts.has(one.value) : others.some(other => alike(other, one, spend))) continue;
    if (isText(one)) texts.add(one.value);
    else others.push(one);
    yield item;
  }
}

function* batches(items: Iterable<Value>, count: number, fill: Value | undefined): Iterable<Value> {
  let row: Value[] = [];
  for (const item of items) {
    // As in Jinja, which looks at one item more before it gives a row.
    if (row.length === count) {
      yield listOf(row);
      row = [];
    }
    row.push(item);
  }
  if (row.length === 0) return;
  if (fill && !isNone(fill)) while (row.length < count) row.push(fill);
  yield listOf(row);
}

function mapped(items: Iterable<Value>, args: readonly Argument[], filter: Filter, spend: Spend): Iterable<Value> {
  const [first, ...rest] = args;
  if (first === undefined) throw new Error('map takes the name of a filter, or an attribute');
  if (args.every(([name]) => name !== null) && args.some(([name]) => name === 'attribute')) {
    const [attribute, otherwise] = bound('map', args, ['attribute', 'default']);
    const read = attributeOf(attribute!, spend);
    return each(items, spend, item => {
      const value = read(item);
      return value.type === 'UndefinedValue' && otherwise && !isNone(otherwise) ? otherwise : value;
    });
  }
  if (first[0] !== null || !isText(first[1])) throw new Error('map takes the name of a filter, or an attribute');
  return each(items, spend, item => filter(first[1].value as string, item, rest));
}

function* each(items: Iterable<Value>, spend: Spend, made: (item: Value) => Value): Iterable<Value> {
  for (const item of items) {
    spend(1);
    yield made(item);
  }
}

function* kept(name: string, items: Iterable<Value>, args: readonly Argument[], spend: Spend): Iterable<Value> {
  const test = chooser(name, args, spend);
  const keeps = name.startsWith('select');
  for (const item of items) {
    spend(1);
    if (test(item) === keeps) yield item;
  }
}

/** The test of select and its like: a truth, or a test by its name with what it takes. */
function chooser(name: string, args: readonly Argument[], spend: Spend): (item: Value) => boolean {
  const byAttribute = name.endsWith('attr');
  if (byAttribute && (args.length === 0 || args[0][0] !== null)) throw new Error(`${name} takes an attribute`);
  const read = byAttribute ? attributeOf(args[0][1], spend) : (item: Value) => item;
  const [test, ...rest] = byAttribute ? args.slice(1) : args;
  if (test === undefined) return item => isTrue(read(item));
  if (test[0] !== null || !isText(test[1])) throw new Error(`${name} takes the name of a test`);
  return item => tested(test[1].value as string, read(item), rest, spend);
}
