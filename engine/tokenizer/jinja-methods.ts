// What stands behind a dot in a template: methods of texts and members of values as Python has them. The rest is the library's.

import { type Argument, replaced } from './jinja-filters.js';
import type { Value } from './jinja-library.js';
import { isList, isText, runtime, type Spend, text } from './jinja-values.js';
import { capitalised, split, strip, titled } from './python-text.js';

/** `value.name(args)` where Python's answer is not the library's; null where it is. */
export function methodOf(name: string, value: string, args: () => readonly Argument[], spend: Spend): Value | null {
  switch (name) {
    case 'strip':
    case 'lstrip':
    case 'rstrip': {
      const characters = args()[0]?.[1];
      if (characters === undefined || characters.type === 'NullValue') return runtime(strip(value, name));
      if (!isText(characters)) throw new Error(`${name} takes a text`);
      return runtime(strip(value, name, characters.value as string));
    }
    case 'replace':
      return replaced(
        value,
        args().map(([, arg]) => arg),
      );
    case 'capitalize':
      return text(capitalised(value));
    case 'title':
      spend(value.length >> 4); // a word or two
      return text(titled(value));
    case 'split': {
      const given = new Map(args().map(([key, arg], i) => [key ?? ['sep', 'maxsplit'][i], arg]));
      const [separator, most] = [given.get('sep'), given.get('maxsplit')];
      const whole = separator === undefined || separator.type === 'NullValue';
      if (!whole && (!isText(separator) || separator.value === ''))
        throw new Error('split takes a text that is not empty');
      if (most !== undefined && most.type !== 'IntegerValue') throw new Error('split takes a whole number of cuts');
      const parts = split(value, whole ? null : (separator.value as string), most?.value as number | undefined);
      spend(parts.length);
      return runtime(parts);
    }
    default:
      return null;
  }
}

const DICT = new Set(['get', 'items', 'keys', 'values']);

/**
 * `object.key` or `object[key]` where Python's answer is not the library's; null where it is.
 * @param computed it is `object[key]`
 */
export function memberOf(object: Value, key: Value, computed: boolean): Value | null {
  const name = isText(key) ? (key.value as string) : null;
  if (object.value instanceof Map && name !== null) {
    // A mapping's methods come before its keys behind a dot, and after them between brackets.
    const method =
      object.type === 'ObjectValue' && !computed && DICT.has(name) ? object.builtins?.get(name) : undefined;
    return method ?? (object.value.get(name) as Value | undefined) ?? null;
  }
  if ((isText(object) || isList(object)) && name === 'length') return runtime(undefined);
  if (isText(object) && key.type === 'IntegerValue') {
    const units = object.value as string;
    const points: ArrayLike<string> & { at(index: number): string | undefined } = /[\ud800-\udfff]/.test(units)
      ? Array.from(units)
      : units;
    return runtime(points.at(key.value as number));
  }
  return null;
}
