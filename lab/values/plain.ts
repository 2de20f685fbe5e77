// The text of any value, whatever it does when it is looked at: getters that throw, proxies that refuse, cycles, methods that return
// nonsense. What shows a value must never fail for the value's sake.

import { inspect, types } from 'node:util';

/** What a look gives, or undefined where looking throws. */
export function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

export interface Plain {
  readonly text: string;
  /** What the value's own method threw, where it could only be shown without. */
  readonly problem?: string;
}

/** Node's text for a value; a string is its own. Never throws. */
export function plain(value: unknown, depth = 2): Plain {
  if (typeof value === 'string') return { text: value };
  try {
    return { text: inspect(value, { depth }) };
  } catch (error) {
    const bare = attempt(() => inspect(value, { depth, customInspect: false }));
    return { text: bare ?? '(a value that cannot be looked at)', problem: briefly(error) };
  }
}

/** An error, or whatever else was thrown, in one line. Never throws. */
export function briefly(thrown: unknown, most = 300): string {
  const named = isError(thrown) && attempt(() => `${thrown.name}: ${thrown.message}`);
  const text = (named || plain(thrown).text).replace(/\s+/g, ' ');
  return text.length > most ? `${cut(text, most).text}…` : text;
}

/** `instanceof` asks a proxy, which may throw; and another realm's errors are errors too. */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || attempt(() => value instanceof Error) === true;
}

/** Cuts text that no page can hold, at a whole character. @returns the text, and how much of it was left out */
export function cut(text: string, most: number): { readonly text: string; readonly left: number } {
  if (text.length <= most) return { text, left: 0 };
  const last = text.charCodeAt(most - 1);
  const kept = text.slice(0, last >= 0xd800 && last < 0xdc00 ? most - 1 : most);
  return { text: kept, left: text.length - kept.length };
}
