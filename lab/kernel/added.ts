// What the compiler puts into a cell shows nowhere: not in the text of a function, and not in what V8 quotes in a message.

import { IMPORT, META, REACHED, SCOPE } from './rewrite.js';
import { CHECK } from './stoppable.js';

const escaped = (text: string) => text.replace(/[.?()[\]$]/g, '\\$&');
const CALL = escaped(`globalThis.${CHECK}?.()`);
const NAME = '[\\p{ID_Start}$_][\\p{ID_Continue}$]*';
/** Each with what was there before. As V8 quotes them, blanks and all, and as TypeScript prints them. */
const ADDED: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`^[^\\S\\n]*${CALL};[^\\S\\n]*\\n`, 'gm'), ''],
  [new RegExp(`${CALL}; ?`, 'g'), ''],
  [new RegExp(`, ${CALL}\\], 0\\)`, 'g'), ')'],
  [/globalThis\.Reflect\.get\(\[/g, '('],
  [/globalThis\.Reflect\.get\(\.\.\.\)/g, '(intermediate value)'],
  [new RegExp(`${CALL},\\s*`, 'g'), ''],
  [new RegExp(`\\(0 ?, ${SCOPE}\\.(${NAME})\\)`, 'gu'), '$1'],
  [new RegExp(`\\b${SCOPE}\\.`, 'g'), ''],
  [new RegExp(`;?\\b${REACHED}\\([^)]*\\);`, 'g'), ''],
  [new RegExp(`\\b${IMPORT}\\(`, 'g'), 'import('],
  [new RegExp(`\\b${META}\\b`, 'g'), 'import.meta'],
];

/** A text without what the compiler had put into it. */
export function withoutAdded(text: string): string {
  if (!text.includes('__loupe_') && !text.includes('globalThis.Reflect.get(...)')) return text;
  return ADDED.reduce((left, [added, before]) => left.replace(added, before), text);
}

/** From now on, in this process, the text of a function is without it. */
export function hideAdded(): void {
  const own = Function.prototype.toString;
  const hiding = {
    toString(this: unknown): string {
      return withoutAdded(own.call(this === hiding ? own : (this as () => unknown)));
    },
  }.toString;
  Object.defineProperty(Function.prototype, 'toString', { value: hiding, writable: true, configurable: true });
}
