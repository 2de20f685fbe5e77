// What Python does to text where JavaScript does otherwise: templates were written for it.

// str.isspace: not U+FEFF, which JavaScript's trim takes, but U+001C to U+001F and U+0085, which it leaves.
export const SPACES = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const LAST = new RegExp(`[${SPACES}]`);

/** str.strip, lstrip, rstrip: white space, or the characters of `characters`. */
export function strip(text: string, side: 'strip' | 'lstrip' | 'rstrip' = 'strip', characters?: string): string {
  const set = characters === undefined ? null : new Set(characters);
  const points = set ? Array.from(text) : text;
  // What lies beyond the ends is none of these.
  const goes = (unit: string | undefined) => (set ? set.has(unit as string) : LAST.test(unit ?? ''));
  let from = 0;
  let to = points.length;
  if (side !== 'rstrip') while (goes(points[from])) from++;
  if (side !== 'lstrip') while (goes(points[to - 1])) to--;
  return typeof points === 'string' ? points.slice(from, to) : points.slice(from, to).join('');
}

/** len(text), in characters and not in UTF-16. */
export const pointsIn = (text: string): number =>
  text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);

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

/** str.rsplit: as split, from the end. */
export function rightSplit(text: string, separator: string | null, most = -1): string[] {
  const turned = (part: string) => Array.from(part).reverse().join('');
  return split(turned(text), separator === null ? null : turned(separator), most)
    .map(turned)
    .reverse();
}

// What has a form for titles of its own; others are their large letter, and the small ones of what it becomes.
const TITLES: Readonly<Record<string, string>> = {
  ŉ: 'ʼN',
  Ǆ: 'ǅ',
  ǅ: 'ǅ',
  Ǉ: 'ǈ',
  ǈ: 'ǈ',
  Ǌ: 'ǋ',
  ǋ: 'ǋ',
  Ǳ: 'ǲ',
  ǲ: 'ǲ',
};

/** str.capitalize: the first letter large, the others small. */
export function capitalised(text: string): string {
  const [first = ''] = text;
  const upper = first.toUpperCase();
  const [large = '', ...more] = upper;
  // A sigma's form is that of its place in the whole.
  const rest = text.toLowerCase().slice(first.toLowerCase().length);
  return (TITLES[first] ?? TITLES[upper] ?? large + more.join('').toLowerCase()) + rest;
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

/** A text in which a number is looked for: without blanks around it, of which those of ASCII are C's and not Python's. */
export const numeral = (text: string): string => plainDigits(strip(text, undefined, BLANKS));
const BLANKS =
  ' \t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';

/** Digits of all scripts as 0 to 9. */
const plainDigits = (text: string): string =>
  text.replace(/(?![0-9])\p{Nd}/gu, digit => {
    const point = digit.codePointAt(0)!;
    if (point >= 0x1d7ce && point <= 0x1d7ff) return String((point - 0x1d7ce) % 10);
    // Scripts begin their digits at a place that ends in 0 or 6, to the base 16.
    const low = point & 15;
    return String(/\p{Nd}/u.test(String.fromCodePoint(point - low)) ? low : low - 6);
  });

/** float(text); null where Python refuses it. */
export function numberIn(text: string): number | null {
  const plain = numeral(text);
  const named = /^([+-]?)(?:(inf|infinity)|nan)$/i.exec(plain);
  if (named) return named[2] === undefined ? Number.NaN : named[1] === '-' ? -Infinity : Infinity;
  return /^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)(e[+-]?\d+(_\d+)*)?$/i.test(plain)
    ? Number(plain.replaceAll('_', ''))
    : null;
}

const ENDS = '\\n-\\r\\x1c-\\x1e\\x85\\u2028\\u2029';
const LINE_ENDS = new RegExp(`\\r\\n|[${ENDS}]`, 'g');

/** str.splitlines. @param keeps the ends of lines stay */
export function linesOf(text: string, keeps = false): string[] {
  const lines: string[] = [];
  let from = 0;
  for (const end of text.matchAll(LINE_ENDS)) {
    lines.push(text.slice(from, keeps ? end.index + end[0].length : end.index));
    from = end.index + end[0].length;
  }
  if (from < text.length) lines.push(text.slice(from));
  return lines;
}

/** str.center: where the blanks cannot be shared alike, the one more is where Python has it. */
export function centred(text: string, width: number, fill = ' '): string {
  const missing = Math.max(0, width - pointsIn(text));
  const left = (missing >> 1) + (missing & width & 1);
  return fill.repeat(left) + text + fill.repeat(missing - left);
}
