// Texts of files inside messages: a token may hold what steers a terminal or turns the direction of a line.

/** `'text'`, cut at 40 characters, with control and format characters (bidirectional marks too) as escapes. */
export function quoted(text: string): string {
  const points = Array.from(text);
  const shown = points.slice(0, 40).join('') + (points.length > 40 ? '…' : '');
  return `'${shown.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, c => `\\u{${c.codePointAt(0)!.toString(16)}}`)}'`;
}

/** The first half of a surrogate pair that stands alone in a text, as an escape. */
export function halfOf(text: string): string {
  const alone = Array.from(text).find(point => !point.isWellFormed()) ?? '';
  return `\\u${alone.charCodeAt(0).toString(16)}`;
}
