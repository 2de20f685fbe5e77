// Objects that have their parts under names, as options, cuts and maps of names are given.

import { attempt } from './plain.js';

/** What an object is: `Object` for those with names, of any class that does not say otherwise; `Map`, `Promise`, `AbortSignal`, whose parts are elsewhere. */
export const kindOf = (value: object): string =>
  attempt(() => /^\[object (\w{1,40})\]$/.exec(Object.prototype.toString.call(value))?.[1]) ?? 'Object';

/** Whether parts can be read by name. Of a Map or a Promise none would be found, and what was asked for be left out. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && ['Object', 'Module'].includes(kindOf(value));
}
