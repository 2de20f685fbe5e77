// Lines and bars of one's own numbers, in the lab's style.

import { OptionError } from '../../engine/errors.js';
import { checkOptions, checkTexts } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { label, visible } from '../values/html.js';
import { sci, shortened } from '../values/numbers.js';
import { Activation } from '../values/activation.js';
import { isRecord } from '../values/record.js';
import type { Figure } from '../values/shown.js';
import {
  axisTitle,
  checkMany,
  drawn,
  exact,
  isNumbers,
  legendNames,
  type Numbers,
  numbers,
  OwnPicture,
  sameLength,
} from './own.js';
import { ACCENT, CONFIG, GRID, legendUnder, PAGE, standing, titled, titleLines } from './page.js';
import { textTable } from './table.js';

/** What stands around lines and bars. */
export interface PlotOptions {
  /** Above the picture. */
  readonly title?: string;
  /** What the axes count. */
  readonly x?: string;
  /** What the other axis counts. */
  readonly y?: string;
  /** Axes on a logarithmic scale; of bars 'y' alone, because names stand along x. What is 0 or less has no place there: it is left out, and said. */
  readonly log?: 'x' | 'y' | 'xy';
}

const AROUND = { title: true, x: true, y: true, log: true } as const;
/** Pixels from the top of lines to the bottom. */
const PLOT = 256;
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#7f8791'];

function around(who: 'plot' | 'bar', options: PlotOptions): PlotOptions {
  const taken = checkOptions(who, options, AROUND);
  checkTexts(who, { title: taken.title, x: taken.x, y: taken.y });
  const { log } = taken;
  const names = log === 'x' || log === 'xy';
  if (log === undefined || log === 'y' || (names && who === 'plot')) return taken;
  if (who === 'plot') throw new OptionError(`log of plot is 'x', 'y' or 'xy', not ${said(log)}.`);
  const why = names ? ': along x stand names, which have no scale. Leave x out.' : '.';
  throw new OptionError(`log of bar is 'y', not ${said(log)}${why}`);
}

/**
 * Lines of numbers: `plot(y)`, `plot(x, y)`, or several by name, `plot(x, { exact, fast })`, each with options behind. An activation alone stands at its positions in the model. What cannot be drawn is a gap, and said: no finite number, masked, 0 or less on a logarithmic axis.
 * Throws OptionError for lists of different lengths, for none at all, for what is no number, and for more than 20,000 points.
 * @example plot(layers, { mean: means, largest: maxima }, { x: 'layer', y: 'L2 norm' })
 */
export function plot(
  x: Numbers,
  given?: Numbers | Readonly<Record<string, Numbers>> | PlotOptions,
  last: PlotOptions = {},
): OwnPicture {
  const first = numbers('plot', 'x', x);
  const [y, options] = isOptions(given) ? [undefined, given] : [given, last];
  const byName = y === undefined ? { '': x } : isNumbers(y) ? { '': y } : y;
  if (!isRecord(byName))
    throw new OptionError(
      `plot takes numbers, or { name: numbers }, as y, not ${said(byName)}. Leave it out to plot x.`,
    );
  const lines = Object.entries(byName).map(([name, values]) => ({ name, y: numbers('plot', name || 'y', values) }));
  // An activation's values stand at their positions in the model, whatever part of it this is.
  const own = y === undefined && x instanceof Activation ? x : null;
  const from = own?.dims[0].from ?? 0;
  const xs = y === undefined ? first.map((_, i) => from + i) : first;
  if (lines.length === 0) throw new OptionError('plot was given no line. Give numbers, or { name: numbers }.');
  for (const line of lines) sameLength('plot', 'x', xs.length, line.name || 'y', line.y.length);
  checkMany('plot', lines.length * xs.length, 'points');
  if (xs.length === 0) throw new OptionError('plot was given no values. Give numbers, or { name: numbers }.');
  const { title = own ? String(own) : '', log = '', x: below = own?.dims[0].name, y: beside } = around('plot', options);
  const several = lines.length > 1;
  const [heading, ...more] = titleLines(title);
  const across = drawn([xs], 'x', 'a gap', log.includes('x'));
  const heights = drawn(
    lines.map(line => line.y),
    'the values',
    'a gap',
    log.includes('y'),
  );
  const notes = [...more.map(label), ...across.notes, ...heights.notes];
  const short = legendNames(lines.map(({ name }) => name));
  const under = legendUnder(
    short.map(name => label(name)),
    PLOT,
  );
  const [top, bottom] = [50 + 15 * notes.length, several ? under.room : 54];
  const close = closeNumbers(heights.lists.flat().filter(v => v !== null));
  const axis = (name: string | undefined, letter: 'x' | 'y') => ({
    gridcolor: GRID,
    ...(name ? { title: axisTitle(letter, name) } : {}),
    ...(log.includes(letter) ? { type: 'log', exponentformat: 'power' } : letter === 'x' ? entriesOf(xs) : close.axis),
  });
  const figure: Figure = {
    data: lines.map((line, i) => ({
      type: 'scatter',
      mode: xs.length <= 40 ? 'lines+markers' : 'lines',
      x: across.lists[0],
      y: heights.lists[i],
      ...(line.name && { name: label(short[i]) }),
      line: { color: COLOURS[i % COLOURS.length], width: 2 },
      marker: { size: 5 },
      xhoverformat: '.7~g',
      yhoverformat: '.7~g',
      hovertemplate: `%{x}<br>%{y}<extra>${line.name ? '%{fullData.name}' : ''}</extra>`,
    })),
    layout: {
      ...PAGE,
      title: titled(label(heading), notes),
      height: top + PLOT + bottom,
      margin: { l: close.room, r: 20, t: top, b: bottom },
      ...(several && { legend: under.legend }),
      xaxis: axis(below, 'x'),
      yaxis: axis(beside, 'y'),
    },
    config: CONFIG,
  };
  const shown = xs.slice(0, 20);
  const table = textTable(
    [below ?? 'x', ...lines.map(({ name }) => name || (beside ?? 'y'))].map(text => ({
      title: visible(text),
      right: true,
    })),
    shown.map((at, i) => ({ cells: [exact(at), ...lines.map(line => exact(line.y[i]))] })),
  );
  const left = xs.length > shown.length ? `\n… and ${xs.length - shown.length} points more` : '';
  return new OwnPicture(figure, `${title ? `${visible(title)}\n` : ''}${table}${left}`);
}

/**
 * Bars: `bar({ head0: 0.3, head1: 0.1 })`, or `bar(names, values)`. Throws OptionError for lists of different lengths, for none at all, for what is
 * no number, and for more than 20,000 bars. What cannot be drawn has no bar, and is said.
 * @example bar({ 'head 0': 0.3, 'head 1': 0.1 }, { y: 'copying' })
 */
export function bar(
  names: Readonly<Record<string, number>> | readonly (string | number)[],
  values?: Numbers | PlotOptions,
  options: PlotOptions = {},
): OwnPicture {
  const listed = Array.isArray(names);
  if (!listed && !isRecord(names))
    throw new OptionError(`bar takes { name: value }, or a list of names and their values, not ${said(names)}.`);
  const texts = (listed ? (names as readonly unknown[]) : Object.keys(names)).map(String);
  if (listed && (values === undefined || !isNumbers(values)))
    throw new OptionError('bar was given names without values. Give bar(names, values), or bar({ name: value }).');
  const heights = numbers('bar', 'values', listed ? (values as Numbers) : Object.values(names));
  const { title = '', log, x, y } = around('bar', listed ? options : ((values as PlotOptions | undefined) ?? options));
  sameLength('bar', 'names', texts.length, 'values', heights.length);
  checkMany('bar', texts.length, 'bars');
  if (texts.length === 0) throw new OptionError('bar was given no values. Give { name: value }, or names and values.');
  const [heading, ...more] = titleLines(title);
  const {
    lists: [seen],
    notes: leftOut,
  } = drawn([heights], 'the values', 'no bar', log === 'y');
  const notes = [...more.map(label), ...leftOut];
  const short = texts.map(text => shortened(text, 16));
  const { tickangle, room } = standing(short);
  const figure: Figure = {
    data: [
      {
        type: 'bar',
        x: short.map((text, i) => `${label(text)}${'\u200b'.repeat(short.indexOf(text) === i ? 0 : i)}`),
        y: seen,
        marker: { color: ACCENT },
        yhoverformat: '.7~g',
        hovertemplate: '%{x}<br>%{y}<extra></extra>',
      },
    ],
    layout: {
      ...PAGE,
      title: titled(label(heading), notes),
      height: 250 + room + 15 * notes.length,
      margin: { l: 70, r: 20, t: 50 + 15 * notes.length, b: room },
      xaxis: { type: 'category', tickangle, ...(x ? { title: axisTitle('x', x) } : {}) },
      yaxis: {
        gridcolor: GRID,
        ...(log ? powersOf(seen) : { rangemode: 'tozero' }),
        ...(y ? { title: axisTitle('y', y) } : {}),
      },
    },
    config: CONFIG,
  };
  const table = textTable(
    [{ title: visible(x ?? '') }, { title: visible(y ?? 'value'), right: true }],
    texts.map((text, i) => ({ cells: [visible(text), exact(heights[i])] })),
  );
  return new OwnPicture(figure, `${title ? `${visible(title)}\n` : ''}${table}`);
}

/** Words about a line, where lines by name would be numbers. */
const isOptions = (value: unknown): value is PlotOptions =>
  typeof value === 'object' &&
  value !== null &&
  !isNumbers(value) &&
  Object.keys(value).length > 0 &&
  Object.values(value).every(one => typeof one === 'string' || one === undefined);

/** The axis of bars without a zero: they stand on a power of ten below the least, so that the least is a bar too. */
function powersOf(heights: readonly (number | null)[]) {
  const powers = heights.filter(v => v !== null).map(Math.log10);
  const low = powers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = powers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const from = Math.ceil(low) - 1;
  const range = powers.length > 0 ? [from, high + 0.05 * (high - from)] : [0, 1];
  return { type: 'log', exponentformat: 'power', range };
}

/** A few whole numbers are named each, and nothing between them. */
const entriesOf = (xs: readonly number[]) =>
  xs.length <= 10 && xs.every(Number.isInteger) && Math.max(...xs) - Math.min(...xs) <= 10
    ? { tickvals: xs, ticktext: xs.map(String) }
    : {};

/** How numbers are written that only their last digits tell apart: in full, and with room for it. */
function closeNumbers(values: readonly number[]) {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [
    finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  ];
  const most = Math.max(Math.abs(low), Math.abs(high));
  if (!(high > low) || high - low > 0.01 * most || most >= 1e12) return { axis: {}, room: 70 };
  const digits = Math.min(9, Math.max(0, Math.ceil(-Math.log10((high - low) / 8))));
  const text = (value: number) =>
    Number.isFinite(value)
      ? value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
      : sci(value);
  const room = 34 + 7 * Math.max(text(low).length, text(high).length);
  return { axis: { tickformat: `,.${digits}f` }, room: Math.max(70, room) };
}
