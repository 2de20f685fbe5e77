// What Python goes over: lists, characters, keys; ranges and views of a mapping, which are no lists; and generators, which give each of
// their items once, when it is asked for.

import type { Value } from './jinja-library.js';
import { isList, isText, kindOf, runtime, type Spend, tupleOf } from './jinja-values.js';
import { pointsIn } from './python-text.js';

/** A value that the library has no class for. */
class Held<T> implements Value {
  constructor(
    readonly type: string,
    readonly value: T,
    readonly truth: () => boolean,
  ) {}
  __bool__(): { readonly value: boolean } {
    return { value: this.truth() };
  }
}

export interface Range {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}
/** What range gives. */
export const rangeOf = (range: Range): Value => new Held('RangeValue', range, () => range.length > 0);
export const isRange = ({ type }: Value): boolean => type === 'RangeValue';
const numberAt = ({ start, step }: Range, at: number): Value => runtime(start + at * step);

export interface View {
  readonly kind: 'keys' | 'values' | 'items';
  readonly of: ReadonlyMap<string, Value>;
}
/** Keys, values or items of a mapping, which have a length and no places. */
export const view = (kind: View['kind'], of: ReadonlyMap<string, Value>): Value =>
  new Held('ViewValue', { kind, of }, () => of.size > 0);
export const isView = ({ type }: Value): boolean => type === 'ViewValue';

/** A generator: true though it may be empty, without a length, and gone once it was gone over. */
export function once(items: Iterable<Value>): Value {
  const source = items[Symbol.iterator]();
  // A loop that is left must not end it.
  const left: IterableIterator<Value> = { next: () => source.next(), [Symbol.iterator]: () => left };
  return new Held('GeneratorValue', left, () => true);
}
export const isOnce = ({ type }: Value): boolean => type === 'GeneratorValue';

/** [key, value] of a mapping. */
function* pairs(of: ReadonlyMap<string, Value>): Iterable<Value> {
  for (const [key, value] of of) yield tupleOf([runtime(key), value]);
}
export const pairsOf = (mapping: Value): Value[] => [...pairs(mapping.value as ReadonlyMap<string, Value>)];

function* numbers(range: Range): Iterable<Value> {
  for (let at = 0; at < range.length; at++) yield numberAt(range, at);
}
function* characters(text: string, spend: Spend): Iterable<Value> {
  for (const character of text) {
    spend(1);
    yield runtime(character);
  }
}
function* keys(of: ReadonlyMap<string, Value>): Iterable<Value> {
  for (const key of of.keys()) yield runtime(key);
}

/** Goes over a value, one item after the other. Throws Error for a value that holds nothing. @param what asks for it */
export function over(what: string, value: Value, spend: Spend): Iterable<Value> {
  switch (value.type) {
    case 'UndefinedValue':
      return [];
    case 'StringValue':
      return characters(value.value as string, spend);
    case 'ObjectValue':
    case 'KeywordArgumentsValue':
      return keys(value.value as ReadonlyMap<string, Value>);
    case 'ArrayValue':
    case 'TupleValue':
      return value.value as readonly Value[];
    case 'GeneratorValue':
      return value.value as Iterable<Value>;
    case 'RangeValue':
      return numbers(value.value as Range);
    case 'ViewValue': {
      const { kind, of } = value.value as View;
      return kind === 'items' ? pairs(of) : kind === 'keys' ? keys(of) : of.values();
    }
    default:
      throw new Error(`it asks for ${what} of ${kindOf(value)}`);
  }
}

/** How many items a value has; null for a generator, and for what has none. */
export function lengthOf(value: Value): number | null {
  if (isText(value)) return pointsIn(value.value as string);
  if (isList(value)) return (value.value as readonly Value[]).length;
  if (value.type === 'UndefinedValue') return 0;
  if (value.type === 'ObjectValue') return (value.value as ReadonlyMap<string, Value>).size;
  if (isRange(value)) return (value.value as Range).length;
  return isView(value) ? (value.value as View).of.size : null;
}

/** The same where it has to have one. Throws Error. @param what asks for it */
export function sizeOf(what: string, value: Value): number {
  const length = lengthOf(value);
  if (length === null) throw new Error(`it asks for ${what} of ${kindOf(value)}`);
  return length;
}

/** All items of a value: none of what is undefined. Throws Error for a value that holds nothing. @param what asks for them */
export function itemsOf(what: string, value: Value, spend: Spend): readonly Value[] {
  if (isList(value)) return value.value as readonly Value[];
  if (isText(value))
    spend(4 * (value.value as string).length); // before they are made
  else if (isRange(value) || isView(value) || value.type === 'ObjectValue') spend(lengthOf(value)!);
  const items: Value[] = [];
  for (const item of over(what, value, spend)) {
    if (isOnce(value)) spend(1);
    items.push(item);
  }
  return items;
}

/** What stands first; undefined where nothing does. */
export function firstOf(value: Value, spend: Spend): Value | undefined {
  for (const item of over('first', value, spend)) return item;
  return undefined;
}

/** The item at a place, from the end where it is less than 0. */
export function placeOf(value: Value, at: number): Value | undefined {
  if (isList(value)) return (value.value as readonly Value[]).at(at);
  if (!isRange(value)) return undefined;
  const range = value.value as Range;
  const from = at < 0 ? at + range.length : at;
  return from >= 0 && from < range.length ? numberAt(range, from) : undefined;
}
