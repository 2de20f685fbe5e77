// A template's source cut into texts and tags as Jinja cuts it. The library would do so by expressions over the whole source, which take
// blanks out of texts that only look like tags, and of strings within them.

import { tokenize } from './jinja-library.js';
import { plainNumbers } from './jinja-literals.js';

/** As the library's parser takes them. */
export interface Token {
  readonly type: string;
  readonly value: string;
}

// What \s is for Python: with U+001C to U+001F and U+0085, without U+FEFF.
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const SPACES = new RegExp(`${SPACE}*`, 'y');
const BLANK = new RegExp(`^${SPACE}+$`);
const RAW = new RegExp(`\\{%([-+]?)${SPACE}*raw${SPACE}*(-?)%\\}`, 'y');
const END_RAW = new RegExp(`\\{%([-+]?)${SPACE}*endraw${SPACE}*([-+]?)%\\}`, 'g');
const TAG = [
  ['OpenStatement', '{%'],
  ['CloseStatement', '%}'],
];
/** The word of a `generation`, which no template can write. */
export const GENERATION = 'in a generation';
// What transformers marks as the model's own: a call block.
const GENERATION_TAG = new RegExp(`^${SPACE}*(end)?generation${SPACE}*$`);

/** Texts, and the tokens of tags. Throws Error for what has no end. @param source with LF alone at the ends of lines */
export function tokensOf(source: string): Token[] {
  const whole = source.endsWith('\n') ? source.slice(0, -1) : source;
  const tokens: Token[] = [];
  let at = 0;
  let lineStarts = true;
  /** The text up to `end`, which a tag that begins with `sign` follows. */
  const say = (end: number, sign: string, cuts: boolean) => {
    let text = whole.slice(at, end);
    if (sign === '-') text = trimmedEnd(text);
    else if (sign !== '+' && cuts) {
      const line = text.lastIndexOf('\n') + 1;
      if ((line > 0 || lineStarts) && BLANK.test(text.slice(line))) text = text.slice(0, line);
    }
    if (text !== '') tokens.push({ type: 'Text', value: text });
  };
  /** Goes on at `end`, behind a tag that ends with `sign`. */
  const go = (end: number, sign: string, takesLine: boolean) => {
    at = end;
    if (sign === '-') at += matchAt(SPACES, whole, end)![0].length;
    else if (sign !== '+' && takesLine && whole[end] === '\n') at += 1;
    lineStarts = whole[at - 1] === '\n';
  };
  while (at < whole.length) {
    const open = nextTag(whole, at);
    if (open < 0) {
      tokens.push({ type: 'Text', value: whole.slice(at) });
      break;
    }
    const raw = matchAt(RAW, whole, open);
    if (raw) {
      say(open, raw[1], true);
      go(open + raw[0].length, raw[2], false);
      END_RAW.lastIndex = at;
      const end = END_RAW.exec(whole);
      if (!end) throw new Error('a raw block has no end.');
      say(end.index, end[1], true);
      go(end.index + end[0].length, end[2], true);
      continue;
    }
    const kind = whole[open + 1];
    const first = whole[open + 2] ?? '';
    const sign = first === '-' || first === '+' ? first : '';
    say(open, sign, kind !== '{');
    const inside = open + 2 + sign.length;
    const { end, close } = kind === '#' ? endOfComment(whole, inside) : endOfTag(whole, inside, kind === '%');
    const body = whole.slice(inside, end);
    go(end + close.length, close[0], kind !== '{');
    if (kind === '#') continue;
    const generation = kind === '%' ? GENERATION_TAG.exec(body) : null;
    if (generation) {
      const word = generation[1] ? `end ${GENERATION}` : GENERATION;
      for (const [type, value] of [...TAG.slice(0, 1), ['Identifier', word], ...TAG.slice(1)])
        tokens.push({ type, value });
      continue;
    }
    const [opening, closing] = kind === '%' ? ['{%', '%}'] : ['{{', '}}'];
    tokens.push(...(tokenize(`${opening} ${plainNumbers(body)} ${closing}`, {}) as Token[]));
  }
  return tokens;
}

function nextTag(source: string, from: number): number {
  for (let at = source.indexOf('{', from); at >= 0; at = source.indexOf('{', at + 1)) {
    if ('{%#'.includes(source[at + 1] ?? ' ')) return at;
  }
  return -1;
}

function endOfComment(source: string, from: number): { end: number; close: string } {
  const end = source.indexOf('#}', from);
  if (end < 0) throw new Error('a comment has no end.');
  const signed = end > from && '-+'.includes(source[end - 1]);
  return signed ? { end: end - 1, close: `${source[end - 1]}#}` } : { end, close: '#}' };
}

const CLOSES: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Where a tag ends: outside of its texts and brackets. */
function endOfTag(source: string, from: number, statement: boolean): { end: number; close: string } {
  const closes = statement ? ['%}', '-%}', '+%}'] : ['}}', '-}}'];
  const open: string[] = [];
  for (let at = from; at < source.length; at++) {
    const unit = source[at];
    if (open.length === 0) {
      const close = closes.find(one => source.startsWith(one, at));
      if (close) return { end: at, close };
    }
    if (unit === '"' || unit === "'") {
      at = endOfText(source, at);
    } else if ('([{'.includes(unit)) open.push(unit);
    else if (unit in CLOSES && open.pop() !== CLOSES[unit]) throw new Error(`'${unit}' closes what is not open.`);
  }
  throw new Error('a tag has no end.');
}

function endOfText(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === source[from]) return at;
  }
  throw new Error('a text has no end.');
}

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

/** str.rstrip, without an expression that takes the square of a run of blanks. */
function trimmedEnd(text: string): string {
  let end = text.length;
  while (BLANK.test(text[end - 1] ?? '')) end -= 1;
  return text.slice(0, end);
}
