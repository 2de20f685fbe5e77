// One's own numbers on their way into a picture: what is taken for numbers, what is refused, and the picture as an object that shows itself.

import { OptionError } from '../../engine/errors.js';
import { Activation } from '../values/activation.js';
import { said } from '../values/dims.js';
import { label } from '../values/html.js';
import { minus, sci, shortened } from '../values/numbers.js';
import { type Figure, Shown } from '../values/shown.js';
import { isMasked, MASKED } from '../values/stats.js';

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
export function exact(n: number): string {
  if (n === MASKED) return 'masked';
  return Number.isFinite(n) ? minus(String(Number(n.toPrecision(7)))) : sci(n);
}

/** Whether it is numbers in a row. */
export const isNumbers = (value: unknown): value is Numbers =>
  value instanceof Activation || Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** The numbers; what attention hides is MASKED. Throws OptionError for what is none. */
export function numbers(who: string, name: string, value: unknown): number[] {
  if (!isNumbers(value)) throw new OptionError(`${who} was given ${said(value)} as ${name}, and numbers are needed.`);
  if (value instanceof Activation) {
    if (value.dims.length === 1) return Array.from(value.data, v => (isMasked(v) ? MASKED : v));
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

/** What a page draws: the ratio and the distance of any two are numbers still, with room around them. */
const FARTHEST = 1e250;
const NEAREST = 1e-250;

/** Numbers as a figure has them. */
export interface Drawn {
  /** Null where one is left out. */
  readonly lists: readonly (readonly (number | null)[])[];
  /** What is left out, and why. */
  readonly notes: readonly string[];
}

/**
 * What can be drawn of numbers that share an axis.
 * @param what they are: 'the values'
 * @param instead what is where one is left out: 'a gap'
 * @param log whether the axis is logarithmic
 */
export function drawn(lists: readonly (readonly number[])[], what: string, instead: string, log = false): Drawn {
  const tiny = (v: number) => v !== 0 && Math.abs(v) < NEAREST;
  const size = (v: number) => (Number.isFinite(v) && v !== MASKED && Math.abs(v) <= FARTHEST ? Math.abs(v) : 0);
  // Beside larger ones they stand where zero does.
  const zeros = !log && lists.every(list => list.every(v => size(v) < NEAREST));
  const counts = new Map<string, number>();
  const count = (why: string): void => void counts.set(why, (counts.get(why) ?? 0) + 1);
  const of = (v: number): number | null => {
    const why =
      v === MASKED
        ? 'masked'
        : !Number.isFinite(v)
          ? 'no finite number'
          : Math.abs(v) > FARTHEST
            ? 'farther from 0 than 1e250, more than a page draws'
            : log && v <= 0
              ? '0 or less, which a logarithmic axis has not'
              : log && tiny(v)
                ? 'nearer to 0 than 1e-250, less than a page draws'
                : undefined;
    if (why) count(`${why}: ${instead}`);
    else if (zeros && tiny(v)) count('nearer to 0 than 1e-250, less than a page draws: drawn as 0');
    return why ? null : zeros ? 0 : v;
  };
  const seen = lists.map(list => list.map(of));
  return { lists: seen, notes: [...counts].map(([why, n]) => `${n} of ${what} ${n === 1 ? 'is' : 'are'} ${why}`) };
}
