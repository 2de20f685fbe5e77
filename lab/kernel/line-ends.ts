// What ends a line, for TypeScript and for V8 alike: both count their lines by it, and so must who looks one up.

export const LINE_END = /\r\n|[\n\r\u2028\u2029]/;

/** Where each line of a text begins. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (const { index, 0: end } of text.matchAll(new RegExp(LINE_END, 'g'))) starts.push(index + end.length);
  return starts;
}
