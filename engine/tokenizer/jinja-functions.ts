// The functions that a template may call, as transformers gives them.

import { rangeOf } from './jinja-items.js';
import type { Value } from './jinja-library.js';
import { Limit } from './jinja-values.js';
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
