// One's own numbers on their way into a picture: what is taken for numbers, what is refused, and the picture as an object that shows itself.

import { OptionError } from '../../engine/errors.js';
import { Activation } from '../values/activation.js';
import { said } from '../values/dims.js';
import { label } from '../values/html.js';
import { minus, sci, shortened } from '../values/numbers.js';
import { type Figure, Shown } from '../values/shown.js';

/** Numbers in a row: an array, a typed array, or an activation of one dimension. */
export type Numbers = ArrayLike<number> | Activation;

/** A picture of one's own numbers. */
export class OwnPicture extends Shown {
  constructor(
    /** As plotly draws it. */
    readonly figure: Figure,
    /** As a terminal shows it. */
    readonly text: string,
  ) {
    super();
  }
}

/** Signs that fit along the axis of a picture. */
const ALONG = { x: 80, y: 36 };

/** What stands at an axis. */
export const axisTitle = (letter: 'x' | 'y', text: string) => ({ text: label(shortened(text, ALONG[letter])) });

/** Names as a legend has room for them: where their beginnings are alike, their ends. */
export function legendNames(names: readonly string[]): string[] {
  const short = names.map(name => shortened(name, 60));
  return names.map((name, i) =>
    short.indexOf(short[i]) === short.lastIndexOf(short[i]) ? short[i] : shortened(name, 60, 'start'),
  );
}

/** Points, bars and cells that a page carries. */
const MOST = 20_000;

/** As many digits as an f32 has: neighbours must not look equal. */
export const exact = (n: number): string => (Number.isFinite(n) ? minus(String(Number(n.toPrecision(7)))) : sci(n));

/** Whether it is numbers in a row. */
export const isNumbers = (value: unknown): value is Numbers =>
  value instanceof Activation || Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** The numbers. Throws OptionError for what is none. */
export function numbers(who: string, name: string, value: unknown): number[] {
  if (!isNumbers(value)) throw new OptionError(`${who} was given ${said(value)} as ${name}, and numbers are needed.`);
  if (value instanceof Activation) {
    if (value.dims.length === 1) return Array.from(value.data);
    throw new OptionError(
      `${who} was given '${value.name}' of ${value.dims.length} dimensions as ${name}, and numbers in a row are needed. Take a slice, or a mean.`,
    );
  }
  const list = Array.from(value as ArrayLike<unknown>);
  const odd = list.findIndex(v => typeof v !== 'number');
  if (odd < 0) return list as number[];
  throw new OptionError(`${who} was given ${said(list[odd])} as ${name}[${odd}], and a number is needed.`);
}

/** Throws OptionError unless there are as many of both. */
export function sameLength(who: string, a: string, many: number, b: string, others: number): void {
  if (many !== others) throw new OptionError(`${who} was given ${many} of ${a} and ${others} of ${b}. Give as many.`);
}

/** Throws OptionError for more than a page carries. */
export function checkMany(who: string, many: number, what: string): void {
  if (many > MOST)
    throw new OptionError(`${who} was given ${many} ${what}, and a page carries ${MOST}. Take every nth, or a mean.`);
}
