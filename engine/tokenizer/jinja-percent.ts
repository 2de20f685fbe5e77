// Numbers rounded and put into texts as Python does it: exactly, and to the even one of two that are as near.

import type { Argument } from './jinja-arguments.js';
import type { Value } from './jinja-library.js';
import { isMarked } from './jinja-marks.js';
import { numberOf } from './jinja-order.js';
import { isText, kindOf, printed, text } from './jinja-values.js';

/** `%.3f`: with so many digits behind the point. Throws Error for numbers that have no such form here. */
export function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21 || digits > 60)
    throw new Error('it rounds too large a number');
  const up = value.toFixed(digits);
  // toFixed is exact, and takes the larger of two that are as near: a half is met where one digit more says 5 and nothing follows.
  const more = value.toFixed(Math.min(100, digits + 30));
  const behind = more.slice(more.indexOf('.') + 1 + digits);
  if (!/^50*$/.test(behind) || Number(more) !== value) return up;
  const down = more.slice(0, digits === 0 ? more.indexOf('.') : more.indexOf('.') + 1 + digits);
  return Number(down.at(-1)) % 2 === 0 ? down : up;
}

/** `text % values`, for %s, %d, %i, %f and %%. Throws Error for other directives, and for values that do not fit. */
export function filledIn(form: Value, values: Value): Value {
  if (isMarked(form)) throw new Error('it fills in a text that is marked as safe');
  const several = values.type === 'TupleValue';
  const given = several ? [...(values.value as Value[])] : [values];
  const written = (form.value as string).replace(
    /%(?:\.(\d+))?(.?)/gs,
    (_, digits: string | undefined, kind: string) => {
      if (kind === '%' && digits === undefined) return '%';
      const value = given.shift();
      if (value === undefined) throw new Error('it has too few values for the places in a text');
      if (kind === 's' && digits === undefined) return printed(value);
      const number = numberOf(value);
      if (!'dif'.includes(kind) || kind === '' || (kind !== 'f' && digits !== undefined)) {
        throw new Error(`Unknown directive %${digits === undefined ? '' : `.${digits}`}${kind}`);
      }
      if (number === null) throw new Error(`it writes ${kindOf(value)} where a number belongs`);
      if (kind === 'f') return fixed(number, Number(digits ?? 6));
      if (!Number.isSafeInteger(Math.trunc(number))) throw new Error('it writes too large a number');
      return String(Math.trunc(number));
    },
  );
  // A mapping or a list may stand beside a text that has no place for it.
  if (given.length > 0 && (several || isText(values) || numberOf(values) !== null)) {
    throw new Error('it has too many values for the places in a text');
  }
  if (given.length > 0) throw new Error(`it fills in ${kindOf(values)}`);
  return text(written);
}

/** `text.format(…)`, for {}, {0}, {name}, {{ and }}. Throws Error for conversions, widths and parts of values, and for what is not given. */
export function formatted(form: string, args: readonly Argument[]): string {
  const places = args.filter(([name]) => name === null).map(([, value]) => value);
  const names = new Map(args.filter(([name]) => name !== null) as [string, Value][]);
  let next = 0;
  let counted: boolean | null = null; // by itself, or by the template
  return form.replace(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (whole, field: string | undefined) => {
    if (whole === '{{' || whole === '}}') return whole[0];
    if (field === undefined) throw new Error(`a single '${whole}' stands in a text with places`);
    if (/[!:.[\]]/.test(field)) throw new Error(`Unknown directive {${field.slice(0, 40)}}`);
    const digits = /^\d*$/.test(field);
    if (digits) {
      if (counted !== null && counted !== (field === ''))
        throw new Error('it numbers some places of a text, and some not');
      counted = field === '';
    }
    const value = digits ? places[field === '' ? next++ : Number(field)] : names.get(field);
    if (value === undefined) throw new Error(`it gives nothing for the place {${field.slice(0, 40)}} of a text`);
    return printed(value);
  });
}
