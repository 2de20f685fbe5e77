// The functions that a template may call, as transformers gives them.

import type { Argument } from './jinja-arguments.js';
import { itemsOf, over, rangeOf } from './jinja-items.js';
import type { Value } from './jinja-library.js';
import { isText, kindOf, Limit, objectOf, type Spend } from './jinja-values.js';
import { strftime } from './python-time.js';

const LONGEST_RANGE = 100_000; // Jinja's sandbox, which transformers uses, allows no more

/** What a template itself says of a conversation that it does not take. */
export class Raised extends Error {}

export const FUNCTIONS = {
  raise_exception(message: unknown): never {
    const said = message instanceof Map ? message.get('message') : message;
    if (said === undefined) throw new Error('raise_exception takes a text');
    throw new Raised(String(said));
  },
  /** By `rangeFrom`, for what it gives is no list. */
  range: (): never => {
    throw new Error('range is called by what is no template');
  },
  /** By `dictFrom`, for its arguments have names. */
  dict: (): never => {
    throw new Error('dict is called by what is no template');
  },
  strftime_now: (format: unknown): string => strftime(new Date(), String(format)),
};

/** range(a), range(a, b) or range(a, b, step). Throws Error for what are no such numbers, and Limit for a range that is too long. */
export function rangeFrom(bounds: readonly Value[]): Value {
  const numbers = bounds.map(({ type, value }) =>
    type === 'IntegerValue' || type === 'BooleanValue' ? Number(value) : null,
  );
  if (numbers.length === 0 || numbers.length > 3 || numbers.includes(null))
    throw new Error('range takes one to three whole numbers');
  const [a, b, step = 1] = numbers as number[];
  const [start, stop] = numbers.length === 1 ? [0, a] : [a, b];
  if (step === 0) throw new Error('range has a step of zero');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > LONGEST_RANGE) throw new Limit(`a range of ${length} numbers, where Jinja allows ${LONGEST_RANGE}`);
  return rangeOf({ start, step, length });
}

/** dict(mapping or pairs, name=value, …). Throws Error for what is neither, and for keys that are no texts. */
export function dictFrom(args: readonly Argument[], spend: Spend): Value {
  const [first, ...more] = args.filter(([name]) => name === null).map(([, value]) => value);
  if (more.length > 0) throw new Error('dict takes not more than 1 value without a name');
  if (first?.type === 'UndefinedValue') throw new Error('dict takes no undefined value');
  const entries = new Map<string, Value>();
  if (first?.type === 'ObjectValue')
    for (const [key, value] of first.value as ReadonlyMap<string, Value>) entries.set(key, value);
  else if (first !== undefined) {
    for (const item of over('dict', first, spend)) {
      const pair = itemsOf('dict', item, spend);
      if (pair.length !== 2) throw new Error(`dict takes pairs, and not ${kindOf(item)} of ${pair.length}`);
      if (!isText(pair[0])) throw new Error(`dict takes texts for its keys, and not ${kindOf(pair[0])}`);
      entries.set(pair[0].value as string, pair[1]);
    }
  }
  const named = new Set<string>();
  for (const [name, value] of args) {
    if (name === null) continue;
    if (named.has(name)) throw new Error(`dict takes ${name} once`);
    named.add(name);
    entries.set(name, value);
  }
  spend(1 + (entries.size >> 2));
  return objectOf(entries);
}
