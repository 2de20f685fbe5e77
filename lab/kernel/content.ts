// What a front end put into a request, which may be anything.

import { LoupeError } from '../../engine/errors.js';

type Content = Readonly<Record<string, unknown>>;

/** A front end's text. Throws LoupeError where it sent something else. */
export function textIn(content: Content, name: string): string {
  const text = content[name];
  if (typeof text === 'string') return text;
  throw new LoupeError(
    `The front end sent '${name}' as ${text === undefined ? 'nothing' : `a ${typeof text}`}, where text is needed.`,
  );
}

/** In code points; without a sensible one, the end. */
export function cursorIn({ code, cursor_pos }: Content): number {
  const end = String(code).length;
  return typeof cursor_pos === 'number' && cursor_pos >= 0 ? Math.min(Math.floor(cursor_pos), end) : end;
}
