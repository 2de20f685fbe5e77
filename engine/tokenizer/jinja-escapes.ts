// Texts in a tag as Python reads them, of which the library knows the usual escapes alone: `\d` is a backslash and a d.

/** Those that the library reads as Python does, and `\N{…}`, of which Loupe knows no names. */
const KNOWN = /^[ntrbfvxuN'"\\]$/;

/** A text between quotes with its escapes written as the library reads them. */
export function plainEscapes(quoted: string): string {
  if (!quoted.includes('\\')) return quoted;
  return quoted.replace(/\\(?:([0-7]{1,3})|U([\da-fA-F]{8})|([\s\S]))/g, (whole, octal, long, unit) => {
    if (octal !== undefined) return units(String.fromCodePoint(Number.parseInt(octal, 8)));
    if (long !== undefined) {
      const point = Number.parseInt(long, 16);
      return point > 0x10ffff ? whole : units(String.fromCodePoint(point));
    }
    if (unit === '\n') return '';
    if (unit === 'a') return '\\x07';
    // What is not ASCII is escaped by Jinja before it reads escapes.
    return KNOWN.test(unit) || unit === 'U' || unit > '\x7f' ? whole : `\\\\${unit}`;
  });
}

const units = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
