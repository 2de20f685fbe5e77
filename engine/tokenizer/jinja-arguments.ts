// Arguments of filters, tests and methods by the names that Python gives them: what it takes no place for is refused.

import type { Value } from './jinja-library.js';

/** An argument's name, where it has one, and its value. */
export type Argument = readonly [string | null, Value];

const COUNTS = ['nothing', 'one value', 'two values', 'three values', 'four values'];

/**
 * Values in the order of `names`; undefined for those that are not given. Throws Error for one too many, one that has no such name or
 * that is given twice, and for fewer than `least`.
 */
export function bound(
  what: string,
  args: readonly Argument[],
  names: readonly string[],
  least = 0,
): (Value | undefined)[] {
  const values = new Map<string, Value>();
  for (const [i, [name, value]] of args.entries()) {
    const place = name ?? names[i];
    if (place === undefined) throw new Error(`${what} takes ${COUNTS[names.length]}, and not more`);
    if (!names.includes(place)) throw new Error(`${what} takes no ${place}`);
    if (values.has(place)) throw new Error(`${what} takes ${place} once`);
    values.set(place, value);
  }
  const missing = names.slice(0, least).find(name => !values.has(name));
  if (missing !== undefined) throw new Error(`${what} takes a value for ${missing}`);
  return names.map(name => values.get(name));
}

/** Values of what Python takes no names for. Throws Error for a name, for more values than `most` and for fewer than `least`. */
export function placed(what: string, args: readonly Argument[], most: number, least = 0): (Value | undefined)[] {
  const named = args.find(([name]) => name !== null);
  if (named) throw new Error(`${what} takes no ${named[0]}`);
  if (args.length > most) throw new Error(`${what} takes ${COUNTS[most]}, and not more`);
  if (args.length < least) throw new Error(`${what} takes ${COUNTS[least]} at least`);
  return args.map(([, value]) => value);
}
