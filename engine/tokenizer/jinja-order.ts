// What is equal and what comes before what, as Python has it: numbers by size, texts by code points, lists by their first difference.

import { isOnce, isRange, isView, lengthOf, placeOf, type View } from './jinja-items.js';
import type { Value } from './jinja-library.js';
import { isList, isNumber, isText, kindOf, type Spend } from './jinja-values.js';

/** A number, or True as 1 and False as 0; null for what is neither. */
export const numberOf = (value: Value): number | null =>
  isNumber(value) || value.type === 'BooleanValue' ? Number(value.value) : null;

/** Python's ==: lists and mappings by what they hold, no number equal to a text. */
export function equal(a: Value, b: Value, spend: Spend): boolean {
  spend(1);
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== null || y !== null) return x === y;
  if (a === b) return true;
  if (a.type !== b.type || isOnce(a)) return false;
  if (isList(a)) {
    const [one, two] = [a.value as Value[], b.value as Value[]];
    return one.length === two.length && one.every((value, i) => alike(value, two[i], spend));
  }
  if (isRange(a)) {
    const ends = [0, -1].every(at => placeOf(a, at)?.value === placeOf(b, at)?.value);
    return ends && lengthOf(a) === lengthOf(b);
  }
  if (isView(a)) {
    const [one, two] = [a.value as View, b.value as View];
    if (one.kind === 'values' || two.kind === 'values') return false;
    if (one.kind !== two.kind) return one.of.size + two.of.size === 0;
    return sameEntries(one.of, two.of, one.kind === 'items', spend);
  }
  if (a.type === 'ObjectValue')
    return sameEntries(a.value as Map<string, Value>, b.value as Map<string, Value>, true, spend);
  if (isText(a)) spend((a.value as string).length >> 8);
  return a.value === b.value;
}

function sameEntries(
  one: ReadonlyMap<string, Value>,
  two: ReadonlyMap<string, Value>,
  values: boolean,
  spend: Spend,
): boolean {
  if (one.size !== two.size) return false;
  for (const [key, value] of one) {
    spend(1);
    const other = two.get(key);
    if (other === undefined || (values && !alike(value, other, spend))) return false;
  }
  return true;
}

/** Whether Python can look a value up: no list, no mapping, and no tuple of these. */
export const hashable = (value: Value): boolean =>
  value.type === 'TupleValue'
    ? (value.value as readonly Value[]).every(hashable)
    : value.type !== 'ArrayValue' && value.type !== 'ObjectValue' && !isView(value);

/** What lists and mappings hold is alike where it is the same, though it is no number. */
export function alike(a: Value, b: Value, spend: Spend): boolean {
  if (a !== b) return equal(a, b, spend);
  spend(1);
  return true;
}

/** Less than 0, 0 or more than 0. Throws Error for what has no order. */
export function compared(a: Value, b: Value, spend: Spend): number {
  spend(1);
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== null && y !== null) return x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN;
  if (isText(a) && isText(b)) {
    spend(Math.min((a.value as string).length, (b.value as string).length) >> 6);
    return comparedTexts(a.value as string, b.value as string);
  }
  if (isList(a) && a.type === b.type) {
    const [one, two] = [a.value as Value[], b.value as Value[]];
    for (let i = 0; i < Math.min(one.length, two.length); i++) {
      if (!alike(one[i], two[i], spend)) return compared(one[i], two[i], spend);
    }
    return one.length - two.length;
  }
  throw new Error(`it compares ${kindOf(a)} and ${kindOf(b)}`);
}

/** UTF-16 puts the surrogates of characters beyond U+FFFF before U+E000. */
export function comparedTexts(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] === b[i]) continue;
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    const beyond = (unit: number) => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit);
    return beyond(x) - beyond(y);
  }
  return a.length - b.length;
}

/** A new list in order, equal ones as they were. @param key what counts of a value */
export function sorted(items: readonly Value[], key: (item: Value) => Value, reverse: boolean, spend: Spend): Value[] {
  const keyed = items.map(item => ({ item, key: key(item) }));
  keyed.sort((a, b) => compared(a.key, b.key, spend) * (reverse ? -1 : 1));
  return keyed.map(({ item }) => item);
}
