// What Python does to text where JavaScript does otherwise: templates were written for it.

// str.isspace: not U+FEFF, which JavaScript's trim takes, but U+001C to U+001F and U+0085, which it leaves.
const SPACES = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const LEADING = new RegExp(`^[${SPACES}]+`);
const LAST = new RegExp(`[${SPACES}]`);

/** str.strip, lstrip, rstrip: white space, or the characters of `characters`. */
export function strip(text: string, side: 'strip' | 'lstrip' | 'rstrip' = 'strip', characters?: string): string {
  const set = characters === undefined ? null : new Set(characters);
  let points: readonly string[] | string = text;
  if (set) points = Array.from(text);
  const goes = (unit: string) => (set ? set.has(unit) : LAST.test(unit));
  let from = 0;
  let to = points.length;
  if (side !== 'rstrip') {
    if (set) while (from < to && goes(points[from])) from++;
    else from = LEADING.exec(text)?.[0].length ?? 0;
  }
  if (side !== 'lstrip') while (to > from && goes(points[to - 1])) to--;
  return typeof points === 'string' ? points.slice(from, to) : points.slice(from, to).join('');
}

/**
 * str.split.
 * @param separator null for runs of white space @param most pieces that are cut off; the rest is the last; less than 0 for all
 */
export function split(text: string, separator: string | null, most = -1): string[] {
  if (separator !== null) {
    const parts = text.split(separator);
    if (most < 0 || parts.length <= most + 1) return parts;
    return [...parts.slice(0, most), parts.slice(most).join(separator)];
  }
  const parts: string[] = [];
  let rest = strip(text, 'lstrip');
  while (rest !== '') {
    const end = rest.search(LAST);
    if (end < 0 || parts.length === most) return [...parts, rest];
    parts.push(rest.slice(0, end));
    rest = strip(rest.slice(end), 'lstrip');
  }
  return parts;
}

/** str.capitalize: the first letter large, the others small. */
export function capitalised(text: string): string {
  const [first = ''] = text;
  const [large = '', ...more] = first.toUpperCase();
  return large + more.join('').toLowerCase() + text.slice(first.length).toLowerCase();
}

/** str.title, for which an apostrophe ends a word. */
export const titled = (text: string): string => text.replace(/\p{Cased}+/gu, capitalised);

/** str.islower and str.isupper: there are letters, and all of them are. */
export const isLower = (text: string): boolean => /\p{Cased}/u.test(text) && text === text.toLowerCase();
export const isUpper = (text: string): boolean => /\p{Cased}/u.test(text) && text === text.toUpperCase();

/** repr of a float. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf';
  const [digits, power] = value.toExponential().split('e');
  if (Number(power) < -4 || Number(power) >= 16) {
    return `${digits}e${power[0]}${power.slice(1).padStart(2, '0')}`;
  }
  if (Object.is(value, -0)) return '-0.0';
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** int(text) or float(text), whichever takes it; null where none does. */
export function numberIn(text: string): number | null {
  const plain = text.trim();
  return /^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)(e[+-]?\d+)?$/i.test(plain)
    ? Number(plain.replaceAll('_', ''))
    : null;
}
