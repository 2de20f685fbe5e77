// Numbers in texts, and rounding, as Python has them.

import type { Value } from './jinja-library.js';
import { numberOf } from './jinja-order.js';
import { fixed } from './jinja-percent.js';
import { float, kindOf, runtime } from './jinja-values.js';
import { numeral } from './python-text.js';

/** int(text, base); null where Python refuses it, and for what float() reads alike: digits to the base 0. */
export function wholeIn(text: string, base: number): number | null {
  if (base !== 0 && (base < 2 || base > 36)) return null;
  const [, sign, prefix = '', digits] = /^([+-]?)(0[xob]_?)?(\w+)$/i.exec(numeral(text)) ?? [];
  if (digits === undefined) return null;
  const own = { x: 16, o: 8, b: 2 }[prefix[1]?.toLowerCase()];
  // Without its base, what looks like a prefix is digits: 0b1 to the base 16.
  const prefixed = own !== undefined && (base === 0 || base === own);
  if (base === 0 && !prefixed) return null;
  const all = prefixed ? digits : prefix + digits;
  const radix = prefixed ? own : base;
  if (!/^[0-9a-z]+(_[0-9a-z]+)*$/i.test(all)) return null;
  const plain = all.replaceAll('_', '').toLowerCase();
  let value = 0;
  for (const digit of plain) {
    const one = Number.parseInt(digit, 36);
    if (one >= radix) return null;
    value = value * radix + one;
  }
  return sign === '-' ? -value : value;
}

/** Jinja's round. Whole numbers stay so, but for ceil and floor. */
export function rounded(operand: Value, precision: Value | undefined, method: Value | undefined): Value {
  const number = numberOf(operand);
  if (number === null) throw new Error(`it asks for round of ${kindOf(operand)}`);
  const digits = precision === undefined ? 0 : precision.type === 'IntegerValue' ? (precision.value as number) : null;
  if (digits === null || Math.abs(digits) > 60) throw new Error('round takes a whole number of digits');
  const way = method === undefined ? 'common' : method.value;
  if (way !== 'common' && way !== 'ceil' && way !== 'floor') throw new Error("round takes 'common', 'ceil' or 'floor'");
  if (way !== 'common') {
    const scale = 10 ** digits;
    return float(Math[way](number * scale) / scale);
  }
  if (digits < 0) throw new Error('round takes a number of digits from 0');
  if (operand.type !== 'FloatValue') return runtime(number);
  return float(Number(fixed(number, digits)));
}
