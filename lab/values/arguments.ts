// What the lab's functions are given, before they act on it: a notebook's cell may pass anything, and a plain JavaScript program has no types.

import { GoldenError, LoupeError, OptionError, PromptError } from '../../engine/errors.js';
import { nearest } from '../../engine/plan.js';
import { isId, listOfIds } from '../../engine/token-ids.js';
import { said } from './dims.js';
import { attempt, briefly, isError } from './plain.js';
import { owned } from './owned.js';
import { isRecord } from './record.js';

/** All the options there are, so that the compiler tells of one that was forgotten. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** What options are that mean the same wherever they are. */
const KINDS: Readonly<Record<string, { readonly text: string; is(value: unknown): boolean }>> = {
  ablation: { text: 'is true or false', is: value => typeof value === 'boolean' },
  alone: { text: 'is true or false', is: value => typeof value === 'boolean' },
  another: { text: 'is true or false', is: value => typeof value === 'boolean' },
  budget: { text: 'is a number of bytes', is: value => typeof value === 'number' && value >= 0 },
  hidden: { text: 'is true or false', is: value => typeof value === 'boolean' },
  ignoreEos: { text: 'is true or false', is: value => typeof value === 'boolean' },
  quiet: { text: 'is true or false', is: value => typeof value === 'boolean' },
  shaders: {
    text: 'are those that an earlier run went by',
    is: value => typeof (value as { source?: unknown }).source === 'function',
  },
};

/**
 * The options as they are now, which are read once; lists and objects in them are copied. Throws OptionError for what is no object of options, for an option that there is not, with
 * the nearest, for a signal that is none, and for what throws when it is looked at.
 */
export function checkOptions<T extends object>(who: string, options: T | undefined, known: OptionNames<T>): T {
  if (options === undefined) return {} as T;
  if (!isRecord(options))
    throw new OptionError(`The options of ${who} are an object, such as { tap: '…' }, not ${said(options)}.`);
  const taken = looked(`The options of ${who}`, OptionError, () => {
    checkKeys(who, options, known);
    const entries = Object.keys(known).map(name => [name, owned((options as Record<string, unknown>)[name])] as const);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  });
  const none = Object.entries(taken).find(([, value]) => value === null);
  if (none) throw new OptionError(`${none[0]} of ${who} is null. Give it a value, or leave it out.`);
  for (const [name, kind] of Object.entries(KINDS)) {
    const value: unknown = (taken as Record<string, unknown>)[name];
    if (value !== undefined && attempt(() => kind.is(value)) !== true)
      throw new OptionError(`${name} of ${who} ${kind.text}, not ${said(value)}.`);
  }
  const { signal } = taken;
  if (signal === undefined || signal instanceof AbortSignal) return taken as T;
  throw new OptionError(`The signal of ${who} is an AbortSignal, not ${said(signal)}. Give one, or leave it out.`);
}

/** Throws OptionError, with the nearest, for a key that is not known. */
export function checkKeys(who: string, given: object, known: Readonly<Record<string, true>>): void {
  const other = Object.keys(given).find(name => !Object.hasOwn(known, name));
  if (other === undefined) return;
  const names = Object.keys(known);
  // Who writes `stop` means what begins so, and not what has as many letters.
  const longer = other.length > 2 ? names.filter(name => name.startsWith(other)) : [];
  throw new OptionError(
    `${who} has no option '${other}'. ${nearest(other, longer.length > 0 ? longer : names, 1)} There are ${names.join(', ')}.`,
  );
}

/** What looking at a value gives. A getter or a proxy may throw anything at all: then an error that says what could not be read. */
export function looked<T>(
  what: string,
  kind: new (message: string, options?: ErrorOptions) => LoupeError,
  look: () => T,
): T {
  try {
    return look();
  } catch (error) {
    if (attempt(() => error instanceof LoupeError)) throw error;
    throw new kind(`${what} cannot be read: ${briefly(error)}. Give plain values.`, { cause: error });
  }
}

/** Whether a text is a number as people write it: no hexadecimal, no Infinity, no empty text. */
export const isDecimal = (text: string): boolean => /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text);

/** Ids written with commas or blanks between them; the first part that is none where there is one. */
export function idsIn(text: string): number[] | string {
  if (text.trim() === '') return [];
  const parts = text.trim().split(/\s*,\s*|\s+/);
  return parts.find(part => !/^\d+$/.test(part) || !Number.isSafeInteger(Number(part))) ?? parts.map(Number);
}

/** What a function of the user's gives. An error is thrown on as it is; what was thrown and is none becomes one that says who threw it. */
export function called<T>(who: string, call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    if (isError(thrown)) throw thrown;
    throw new OptionError(`${who} threw ${briefly(thrown)}, which is no error. Throw an Error, or none.`, {
      cause: thrown,
    });
  }
}

/**
 * The token ids that are given, in a list of their own. Throws for what is no list of them.
 * @param form what it is and what may be given, for the message
 * @param Fault what is thrown
 */
export function idsGiven(
  ids: unknown,
  form = 'A prompt is text or a list of token ids',
  Fault: new (message: string) => LoupeError = PromptError,
): number[] {
  const list = listOfIds(ids);
  if (list === null) throw new Fault(`${form}, not ${said(ids)}. Give it as such, e.g. [2, 274].`);
  const bad = list.findIndex(id => !isId(id));
  if (bad < 0) return list as number[];
  throw new Fault(`Token ids are whole numbers from 0, and at place ${bad} is ${said(list[bad])}. Give such numbers.`);
}

/** Throws OptionError for what is no text, or an empty one. */
export function checkName(who: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && name !== '' && !name.includes('\0')) return;
  throw new OptionError(`${who} needs a name or a path, not ${said(name)}.`);
}

/** Throws OptionError for what is no text, where there is something. */
export function checkTexts(who: string, given: Readonly<Record<string, unknown>>): void {
  for (const [name, text] of Object.entries(given)) {
    if (text === undefined || typeof text === 'string') continue;
    throw new OptionError(`${name} of ${who} is a text, not ${said(text)}.`);
  }
}

/** Throws GoldenError for what is no golden, OptionError for limits that are none. The options have been read. */
export function checkDiff(
  golden: unknown,
  options?: { readonly [name in 'accumulated' | 'local' | 'alone' | 'oracle' | 'onProgress']?: unknown },
): void {
  const { ids, chunks, stages } = looked('The golden', GoldenError, () => {
    const { ids, chunks, stages } = (typeof golden === 'object' && golden !== null ? golden : {}) as Record<
      string,
      unknown
    >;
    return { ids, chunks, stages };
  });
  if (!Array.isArray(ids) || !Array.isArray(chunks) || !(stages instanceof Map)) {
    throw new GoldenError(
      `A golden is needed, not ${said(golden)}: await golden('atlas/capital'), or a file of golden/make_golden.py.`,
    );
  }
  checkLimits(options);
}

/** Throws OptionError for limits of a diff that are none. */
export function checkLimits(
  options: { readonly [name in 'accumulated' | 'local' | 'alone' | 'oracle' | 'onProgress']?: unknown } | undefined,
): void {
  for (const name of ['accumulated', 'local'] as const) {
    const limit = options?.[name];
    if (limit === undefined || (typeof limit === 'number' && limit >= 0)) continue;
    throw new OptionError(`The limit ${name} is a number from 0, not ${said(limit)}.`);
  }
  if (options?.onProgress !== undefined && typeof options.onProgress !== 'function')
    throw new OptionError(`onProgress is a function of (done, total), not ${said(options.onProgress)}.`);
  if (options?.oracle !== undefined && typeof options.oracle !== 'boolean')
    throw new OptionError(`oracle is true for every stage or false for none, not ${said(options.oracle)}.`);
  if (options?.alone === false && options.oracle === true)
    throw new OptionError(
      'The oracle is asked of stages that run alone, and { alone: false } runs none so. Leave one of them out.',
    );
  if (options?.alone === false && options.local !== undefined)
    throw new OptionError(
      'The limit local is of stages that run alone, and { alone: false } runs none so. Leave one of them out.',
    );
}
