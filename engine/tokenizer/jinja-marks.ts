// Texts that a template has marked as safe for HTML. Python escapes whatever + adds to one of them; ~ and join give plain texts.

import type { Value } from './jinja-library.js';
import { isText, text } from './jinja-values.js';

const MARKED = new WeakSet<object>();

export const isMarked = (value: Value): boolean => MARKED.has(value);

/** The value, with a mark where `mark` is true and it is a text. */
export function marked(value: Value, mark: boolean): Value {
  if (mark && isText(value)) MARKED.add(value);
  return value;
}

/** Whether what is made of these is marked. Throws Error where Python would escape a part of it. */
export function joinedMarks(values: readonly Value[]): boolean {
  if (!values.some(isMarked)) return false;
  if (values.some(value => isText(value) && !isMarked(value) && /[&<>"']/.test(value.value as string)))
    throw new Error('it joins a text that is marked as safe to one that would be escaped');
  return true;
}

/** The text with entities for what HTML reads, marked. */
export function escaped(value: string): Value {
  const whole = value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll("'", '&#39;')
    .replaceAll('"', '&#34;');
  return marked(text(whole), true);
}
