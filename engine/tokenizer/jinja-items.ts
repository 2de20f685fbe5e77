// What Python goes over: lists, characters, keys; and what it goes over once, because a generator is empty afterwards.

import type { Value } from './jinja-library.js';
import { isList, isText, listOf, kindOf, runtime, type Spend } from './jinja-values.js';
import { pointsIn } from './python-text.js';

const ONCE = new WeakSet<object>();
const VIEWS = new WeakSet<object>();

/** What a generator gives: true though it may be empty, without a length, and gone once it was gone over. */
export function once(items: readonly Value[]): Value {
  const list = listOf([...items]);
  Object.defineProperty(list, '__bool__', { value: () => runtime(true) });
  ONCE.add(list);
  return list;
}

/** Keys, values or items of a mapping, which have a length and no places. */
export function view(items: readonly Value[]): Value {
  const list = listOf(items);
  VIEWS.add(list);
  return list;
}

const RANGES = new WeakSet<object>();

/** What range gives: a list but for its start, stop and step. */
export function noteRange(value: Value): Value {
  if (value.type === 'ArrayValue') RANGES.add(value);
  return value;
}
/** A part of a range is one. */
export const rangeLike = (whole: Value, part: Value): Value => (RANGES.has(whole) ? noteRange(part) : part);
export const isRange = (value: Value): boolean => RANGES.has(value);

export const isOnce = (value: Value): boolean => ONCE.has(value);
/** A list that has no places: `x[0]` is undefined. */
export const isUnplaced = (value: Value): boolean => ONCE.has(value) || VIEWS.has(value);

/** How many items a value has. Throws Error for a value that holds nothing. @param what asks for it */
export function sizeOf(what: string, value: Value): number {
  return value.type === 'StringValue' ? pointsIn(value.value as string) : itemsOf(what, value).length;
}

/** Items of a value: none of what is undefined. Throws Error for a value that holds nothing. @param what asks for them */
export function itemsOf(what: string, value: Value, spend: Spend = () => {}): readonly Value[] {
  switch (value.type) {
    case 'UndefinedValue':
      return [];
    case 'StringValue':
      spend(4 * (value.value as string).length); // before they are made
      return Array.from(value.value as string, character => runtime(character));
    case 'ObjectValue':
      return Array.from((value.value as Map<string, Value>).keys(), key => runtime(key));
    case 'ArrayValue':
    case 'TupleValue': {
      const items = value.value as Value[];
      return isOnce(value) ? items.splice(0) : items;
    }
    default:
      throw new Error(`it asks for ${what} of ${kindOf(value)}`);
  }
}

/** What a loop goes over: nothing of what is undefined, the characters of a text, what is left of a generator. @param unpacks it takes each apart */
export function iterated(value: Value, unpacks: boolean): Value {
  const texts = value.type === 'StringValue' || value.type === 'UndefinedValue' || isList(value);
  if (value.type === 'LoopValue') throw new Error('it goes over a loop that it is in');
  if (!texts) return value;
  const items = itemsOf('a loop', value);
  // The library takes apart lists alone.
  const apart = (item: Value) => (item.type === 'TupleValue' || isText(item) ? listOf(itemsOf('a loop', item)) : item);
  return listOf(unpacks ? items.map(apart) : items);
}
