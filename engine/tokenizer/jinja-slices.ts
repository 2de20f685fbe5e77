// Parts of texts, lists and ranges, as Python cuts them.

import { isRange, type Range, rangeOf, sizeOf } from './jinja-items.js';
import type { Value } from './jinja-library.js';
import { isList, isText, kindOf, listOf, runtime, type Spend, tupleOf } from './jinja-values.js';

type Bound = Value | undefined;

/** `value[start:stop:step]`. Throws Error for what has no places, and for bounds that are no whole numbers. */
export function sliced(value: Value, [start, stop, step]: readonly Bound[], spend: Spend): Value {
  if (!isText(value) && !isList(value) && !isRange(value)) throw new Error(`it slices ${kindOf(value)}`);
  const [from, to, by] = [bound(start), bound(stop), bound(step) ?? 1];
  if (by === 0) throw new Error('it slices with a step of zero');
  if (isText(value)) return runtime(textBetween(value.value as string, from, to, by, spend));
  const places = placesOf(sizeOf('a part', value), from, to, by);
  if (isRange(value)) {
    const range = value.value as Range;
    const { first, length } = places;
    return rangeOf({ start: range.start + first * range.step, step: range.step * by, length });
  }
  const items = value.value as readonly Value[];
  spend(places.length >> 4);
  return (isList(value) && value.type === 'TupleValue' ? tupleOf : listOf)(taken(items, places, by));
}

function bound(value: Bound): number | null {
  if (value === undefined || value.type === 'NullValue') return null;
  if (value.type === 'UndefinedValue') throw new Error('it slices at what is undefined');
  if (value.type !== 'IntegerValue' && value.type !== 'BooleanValue')
    throw new Error(`it slices at ${kindOf(value)}, where a whole number belongs`);
  return Number(value.value);
}

interface Places {
  readonly first: number;
  readonly length: number;
}

/** slice.indices of Python. */
function placesOf(size: number, from: number | null, to: number | null, by: number): Places {
  const [low, high] = by > 0 ? [0, size] : [-1, size - 1];
  const place = (at: number | null, otherwise: number) =>
    at === null ? otherwise : Math.min(high, Math.max(low, at < 0 ? at + size : at));
  const [first, end] = [place(from, by > 0 ? low : high), place(to, by > 0 ? high : low)];
  return { first, length: Math.max(0, Math.ceil((end - first) / by)) };
}

function taken<T>(items: ArrayLike<T> & { slice(from: number, to: number): readonly T[] }, places: Places, by: number) {
  const { first, length } = places;
  if (by === 1) return items.slice(first, first + length);
  return Array.from({ length }, (_, i) => items[first + i * by]);
}

/** By characters, and not by units of UTF-16. */
function textBetween(text: string, from: number | null, to: number | null, by: number, spend: Spend): string {
  spend(text.length >> 6);
  if (by === 1 && !/[\ud800-\udfff]/.test(text)) {
    const { first, length } = placesOf(text.length, from, to, by);
    return text.slice(first, first + length);
  }
  spend(text.length >> 3);
  const points = Array.from(text);
  return taken(points, placesOf(points.length, from, to, by), by).join('');
}
