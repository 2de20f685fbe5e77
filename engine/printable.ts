// Text from files and from models, on its way to a terminal or a page. Control characters steer a terminal (its title, its clipboard, what was said
// before), and directional ones show a text in another order than it has. They are shown as signs, or written as escapes; nothing is dropped.

/** C0 but for tab and line end, DEL, C1; marks, embeddings, overrides and isolates of direction; halves of surrogate pairs. */
const STEERING =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Running text: line ends and tabs stay, what steers becomes a sign: ␛ for an escape, \ufffd for what has none. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(STEERING, sign);
}

/** One line: white space at the ends, line ends and what takes no room are shown too. */
export function visible(text: string): string {
  return text
    .replace(/\r\n|[\n\u2028\u2029]/g, '↵')
    .replace(/\t/g, '⇥')
    .replace(/^ | $/g, '␣')
    .replace(/[\u00ad\u200b\u2060\ufeff]/g, '·')
    .replace(STEERING, character => (character.charCodeAt(0) < 0xa0 ? '·' : '\ufffd'));
}

/** JSON of a value, the same value with less in it that steers: as \u escapes. Numbers that JSON has not are words. */
export function printableJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, (_, v) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v), indent);
  // Within strings only: outside of them JSON has none of these.
  return text.replace(STEERING, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function sign(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}
