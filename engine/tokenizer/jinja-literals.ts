// Numbers in a tag as Python writes them, which the library reads in one form alone, and its texts.

import { plainEscapes } from './jinja-escapes.js';

// A text, a name or what looks like a number, as Jinja's lexer tells them apart.
const PIECES =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\p{L}_][\p{L}\p{N}_]*|(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)|0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/gisu;

/** The inside of a tag with its numbers and texts written plainly: 1_000 as 1000, 1e3 as 1000.0, 0x1F as 31, '\d' as '\\d'. Throws Error for 012 and 1a. */
export function plainNumbers(body: string): string {
  return body.replace(PIECES, (piece, at: number) => {
    if (!/^\d/.test(piece)) return /^["']/.test(piece) ? plainEscapes(piece) : piece;
    const next = body.slice(at + piece.length).match(/^[\p{L}\p{N}_]+/u)?.[0];
    if (next !== undefined && !/^(if|else|and|or|in|is|not)$/.test(next))
      throw new Error(`'${(piece + next).slice(0, 40)}' is no number.`);
    const plain = piece.replaceAll('_', '').toLowerCase();
    const whole = /^(0[xob])|^\d+$/.exec(plain);
    const written = whole ? (whole[1] ? String(BigInt(plain)) : plain.replace(/^0+(?=\d)/, '')) : decimal(plain);
    return next === undefined ? written : `${written} `;
  });
}

/** A float without an exponent. */
function decimal(plain: string): string {
  if (!plain.includes('e')) return plain;
  const value = Number(plain);
  if (value === Infinity) return `1${'0'.repeat(400)}.0`;
  const [digits, power] = value.toExponential().split('e');
  const [all, point] = [digits.replace('.', ''), Number(power) + 1];
  if (point <= 0) return `0.${'0'.repeat(-point)}${all}`;
  return `${all.slice(0, point).padEnd(point, '0')}.${all.slice(point) || '0'}`;
}
