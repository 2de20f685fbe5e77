// Plain objects that say what they are within a text: `${model.plan}` is a sentence and not [object Object]. What says it is no part of what they hold,
// so that copies, JSON and comparisons are as without.

/** The same object, which says `words` of itself. */
export function inWords<T extends object>(value: T, words: (value: T) => string): T {
  return Object.defineProperty(value, 'toString', {
    value: () => words(value),
    enumerable: false,
    configurable: true,
    writable: true,
  });
}
