// The functions that a template may call, as transformers gives them.

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
  range(...bounds: unknown[]): number[] {
    if (bounds.length === 0 || bounds.length > 3 || !bounds.every(Number.isSafeInteger))
      throw new Error('range takes one to three whole numbers');
    const [a, b, step = 1] = bounds as number[];
    const [start, stop] = bounds.length === 1 ? [0, a] : [a, b];
    if (step === 0) throw new Error('range has a step of zero');
    const length = Math.max(0, Math.ceil((stop - start) / step));
    if (length > LONGEST_RANGE) throw new Limit(`a range of ${length} numbers, where Jinja allows ${LONGEST_RANGE}`);
    return Array.from({ length }, (_, i) => start + i * step);
  },
  strftime_now: (format: unknown): string => strftime(new Date(), String(format)),
};
