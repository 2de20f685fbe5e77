// What the lab's functions are given, before they act on it: a notebook's cell may pass anything, and a plain JavaScript program has no types.

import { GoldenError, OptionError, PromptError } from '../engine/errors.js';
import { said } from './dims.js';

/** Throws OptionError for options that are no object of options, or whose signal is none. */
export function checkOptions(who: string, options: unknown): void {
  if (options === undefined) return;
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) {
    const { signal } = options as { readonly signal?: unknown };
    if (signal === undefined || signal instanceof AbortSignal) return;
    throw new OptionError(`The signal of ${who} is an AbortSignal, not ${said(signal)}. Give one, or leave it out.`);
  }
  throw new OptionError(`The options of ${who} are an object, such as { tap: '…' }, not ${said(options)}.`);
}

/** Throws PromptError for what is no list of numbers. */
export function checkIdList(ids: unknown): asserts ids is ArrayLike<number> & Iterable<number> {
  const list = Array.isArray(ids) || (ArrayBuffer.isView(ids) && !(ids instanceof DataView));
  if (!list) throw new PromptError(`A prompt is text or a list of token ids, not ${said(ids)}. Give one of them.`);
  const bad = (ids as readonly unknown[]).findIndex(id => typeof id !== 'number');
  if (bad < 0) return;
  const found = said((ids as readonly unknown[])[bad]);
  throw new PromptError(`Token ids are whole numbers, and at place ${bad} is ${found}. Give numbers.`);
}

/** Throws OptionError for what is no text, or an empty one. */
export function checkName(who: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && name !== '' && !name.includes('\0')) return;
  throw new OptionError(`${who} needs a name or a path, not ${said(name)}.`);
}

/** Throws OptionError for what is no number of bytes. */
export function checkBudget(budget: unknown): void {
  if (typeof budget === 'number' && budget >= 0) return;
  throw new OptionError(`budget is a number of bytes, not ${said(budget)}.`);
}

/** Throws GoldenError for what is no golden, OptionError for limits that are none. */
export function checkDiff(
  golden: unknown,
  options?: { readonly accumulated?: unknown; readonly local?: unknown },
): void {
  const { ids, chunks, stages } = (typeof golden === 'object' && golden !== null ? golden : {}) as Record<
    string,
    unknown
  >;
  if (!Array.isArray(ids) || !Array.isArray(chunks) || !(stages instanceof Map)) {
    throw new GoldenError(
      `A golden is needed, not ${said(golden)}: await golden('atlas/capital'), or a file of golden/make_golden.py.`,
    );
  }
  checkOptions('diff', options);
  for (const name of ['accumulated', 'local'] as const) {
    const limit = options?.[name];
    if (limit === undefined || (typeof limit === 'number' && limit >= 0)) continue;
    throw new OptionError(`The limit ${name} is a number from 0, not ${said(limit)}.`);
  }
}
