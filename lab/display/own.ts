// Pictures of one's own numbers, in the lab's style: a line, bars, a grid. Each is an object that shows itself, as everything here is.

import { OptionError } from '../../engine/errors.js';
import { Activation } from '../values/activation.js';
import { checkOptions } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { label, visible } from '../values/html.js';
import { sci, shortened } from '../values/numbers.js';
import { isMasked } from '../values/stats.js';
import { type Figure, Shown } from '../values/shown.js';
import { blockSize, blocksOf, poolText } from './blocks.js';
import { barOf, CIVIDIS, DIVERGING, packed, scaleThrough } from './chart.js';
import { ACCENT, CONFIG, GRID, HOLE, PAGE, standing, titled, titleLines } from './page.js';
import { textTable } from './table.js';
import { withoutUnseen } from './unseen.js';

/** Numbers in a row: an array, a typed array, or an activation of one dimension. */
export type Numbers = ArrayLike<number> | Activation;

/** What stands around lines and bars. */
export interface PlotOptions {
  /** Above the picture. */
  readonly title?: string;
  /** What the axes count. */
  readonly x?: string;
  /** What the other axis counts. */
  readonly y?: string;
  /** Axes on a logarithmic scale. */
  readonly log?: 'x' | 'y' | 'xy';
}

/** What stands around a grid. */
export interface HeatmapOptions {
  /** Above the picture. */
  readonly title?: string;
  /** A name for each column and each row; an activation brings its own. */
  readonly x?: readonly (string | number)[];
  /** A name for each row. */
  readonly y?: readonly (string | number)[];
}

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

const AROUND = { title: true, x: true, y: true, log: true } as const;
/** Points, bars and cells that a page carries. */
const MOST = 20_000;
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#7f8791'];

/**
 * Lines of numbers: `plot(y)`, `plot(x, y)`, or several by name, `plot(x, { exact, fast })`, each with options behind. What is no finite number is a gap, and said.
 * Throws OptionError for lists of different lengths, for what is no number, and for more than 20,000 points.
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
  const lines = Object.entries(byName).map(([name, values]) => ({ name, y: numbers('plot', name || 'y', values) }));
  const xs = y === undefined ? first.map((_, i) => i) : first;
  if (lines.length === 0) throw new OptionError('plot was given no line. Give numbers, or { name: numbers }.');
  for (const line of lines) sameLength('plot', 'x', xs.length, line.name || 'y', line.y.length);
  checkMany('plot', lines.length * xs.length, 'points');
  const gaps = lines.reduce((n, line) => n + line.y.filter(v => !Number.isFinite(v)).length, 0);
  const { title = '', log = '' } = checkOptions('plot', options, AROUND);
  const several = lines.length > 1;
  const [heading, ...more] = titleLines(title);
  const gapped = gaps > 0 ? [`${gaps} of the values ${gaps === 1 ? 'is' : 'are'} no finite number: a gap`] : [];
  const notes = [...more.map(label), ...gapped];
  const close = closeNumbers(lines.flatMap(line => line.y));
  const axis = (name: string | undefined, letter: string) => ({
    gridcolor: GRID,
    ...(name ? { title: { text: label(name) } } : {}),
    ...(log.includes(letter) ? { type: 'log' } : letter === 'x' ? entriesOf(xs) : close.axis),
  });
  const figure: Figure = {
    data: lines.map((line, i) => ({
      type: 'scatter',
      mode: xs.length <= 40 ? 'lines+markers' : 'lines',
      x: xs,
      y: line.y.map(v => (Number.isFinite(v) ? v : null)),
      ...(line.name && { name: label(line.name) }),
      line: { color: COLOURS[i % COLOURS.length], width: 2 },
      marker: { size: 5 },
      hovertemplate: `%{x:.7~g}<br>%{y:.7~g}<extra>${line.name ? '%{fullData.name}' : ''}</extra>`,
    })),
    layout: {
      ...PAGE,
      title: titled(label(heading), notes),
      height: 360 + 15 * more.length,
      margin: { l: close.room, r: 20, t: 50 + 15 * notes.length + (several ? 30 : 0), b: 54 },
      legend: { orientation: 'h', x: 0, xanchor: 'left', y: 1, yanchor: 'bottom' },
      xaxis: axis(options.x, 'x'),
      yaxis: axis(options.y, 'y'),
    },
    config: CONFIG,
  };
  const shown = xs.slice(0, 20);
  const table = textTable(
    [options.x ?? 'x', ...lines.map(({ name }) => name || (options.y ?? 'y'))].map(text => ({
      title: visible(text),
      right: true,
    })),
    shown.map((at, i) => ({ cells: [exact(at), ...lines.map(line => exact(line.y[i]))] })),
  );
  const left = xs.length > shown.length ? `\n… and ${xs.length - shown.length} points more` : '';
  return new OwnPicture(figure, `${title ? `${visible(title)}\n` : ''}${table}${left}`);
}

/**
 * Bars: `bar({ head0: 0.3, head1: 0.1 })`, or `bar(names, values)`. Throws OptionError for lists of different lengths, for what is no number,
 * and for more than 20,000 bars.
 * @example bar({ 'head 0': 0.3, 'head 1': 0.1 }, { y: 'copying' })
 */
export function bar(
  names: Readonly<Record<string, number>> | readonly (string | number)[],
  values?: Numbers | PlotOptions,
  options: PlotOptions = {},
): OwnPicture {
  const listed = Array.isArray(names);
  const texts = (listed ? (names as readonly unknown[]) : Object.keys(names)).map(String);
  if (listed && (values === undefined || !isNumbers(values)))
    throw new OptionError('bar was given names without values. Give bar(names, values), or bar({ name: value }).');
  const heights = numbers('bar', 'values', listed ? (values as Numbers) : Object.values(names));
  const {
    title = '',
    x,
    y,
  } = checkOptions('bar', listed ? options : ((values as PlotOptions | undefined) ?? options), AROUND);
  sameLength('bar', 'names', texts.length, 'values', heights.length);
  checkMany('bar', texts.length, 'bars');
  const [heading, ...more] = titleLines(title);
  const short = texts.map(text => shortened(text, 16));
  const { tickangle, room } = standing(short);
  const figure: Figure = {
    data: [
      {
        type: 'bar',
        x: short.map((text, i) => `${label(text)}${'\u200b'.repeat(short.indexOf(text) === i ? 0 : i)}`),
        y: heights.map(v => (Number.isFinite(v) ? v : null)),
        marker: { color: ACCENT },
        hovertemplate: '%{x}<br>%{y:.7~g}<extra></extra>',
      },
    ],
    layout: {
      ...PAGE,
      title: titled(label(heading), more.map(label)),
      height: 250 + room + 15 * more.length,
      margin: { l: 70, r: 20, t: 50 + 15 * more.length, b: room },
      xaxis: { type: 'category', tickangle, ...(x ? { title: { text: label(x) } } : {}) },
      yaxis: { gridcolor: GRID, rangemode: 'tozero', ...(y ? { title: { text: label(y) } } : {}) },
    },
    config: CONFIG,
  };
  const table = textTable(
    [{ title: visible(x ?? '') }, { title: visible(y ?? 'value'), right: true }],
    texts.map((text, i) => ({ cells: [visible(text), exact(heights[i])] })),
  );
  return new OwnPicture(figure, `${title ? `${visible(title)}\n` : ''}${table}`);
}

/**
 * A grid of numbers, rows downwards: an activation of two dimensions or rows of numbers. Blue to red through white where some are negative.
 * Grids larger than a page are pooled by the largest magnitude, and the picture says so. Throws OptionError for rows of different lengths.
 * @example heatmap(scores, { x: heads, y: layers, title: 'induction' })
 */
export function heatmap(values: Activation | readonly Numbers[], options: HeatmapOptions = {}): OwnPicture {
  const own = values instanceof Activation;
  checkOptions('heatmap', options, { title: true, x: true, y: true });
  if (own && values.dims.length !== 2)
    throw new OptionError(
      `heatmap was given '${values.name}' of ${values.dims.length} dimensions, and it draws two. Take a slice.`,
    );
  const rows = own
    ? Array.from({ length: values.shape[0] }, (_, i) =>
        Array.from(values.data.subarray(i * values.shape[1], (i + 1) * values.shape[1])),
      )
    : Array.from(values, (row, i) => numbers('heatmap', `row ${i}`, row));
  const columns = rows[0]?.length ?? 0;
  if (columns === 0) throw new OptionError('heatmap was given no values. Give rows of numbers.');
  rows.forEach((row, i) => {
    sameLength('heatmap', 'row 0', columns, `row ${i}`, row.length);
  });
  const dims = own ? values.dims : null;
  const names = (axis: 0 | 1, many: number, given?: readonly (string | number)[]) => {
    if (given) sameLength('heatmap', axis === 0 ? 'y' : 'x', given.length, axis === 0 ? 'rows' : 'columns', many);
    const dim = dims?.[axis];
    return Array.from({ length: many }, (_, i) => {
      const text = given?.[i] ?? dim?.labels?.[i];
      return text === undefined
        ? String((dim?.from ?? 0) + i)
        : given
          ? `${text}`
          : `${dim!.from + i} ${visible(text as string)}`;
    });
  };
  const [down, across] = [names(0, rows.length, options.y), names(1, columns, options.x)];
  const flat = Float32Array.from(own ? withoutUnseen(values) : rows.flat(), v =>
    Number.isFinite(v) && !(own && isMasked(v)) ? v : Number.NaN,
  );
  const grid = blocksOf(flat, rows.length, columns, blockSize(rows.length, 160), blockSize(columns, 240));
  const pool = poolText(grid, 'row', 'column');
  const finite = flat.filter(v => !Number.isNaN(v));
  const low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (finite.length === 0) throw new OptionError('heatmap was given no finite number, so there is nothing to draw.');
  const most = Math.max(-low, high) || 1;
  // From zero, unless all values lie far from it.
  const least = low < 0 ? -most : low > 0.5 * high && high > low ? low : 0;
  const title = options.title ?? (own ? String(values) : '');
  const [name, ...more] = titleLines(title);
  const notes = [...more, ...(pool ? [pool] : [])];
  const counts = (axis: 0 | 1) => (dims ? { title: { text: label(dims[axis].name) } } : {});
  const unique = (list: readonly string[]) => {
    const seen = new Map<string, number>();
    return list.map(text => {
      const n = seen.get(text) ?? 0;
      seen.set(text, n + 1);
      return `${label(shortened(text, 20))}${'\u200b'.repeat(n)}`;
    });
  };
  const figure: Figure = {
    data: [
      {
        type: 'heatmap',
        z: packed(grid.z, grid.rows, grid.columns),
        x: unique(across.filter((_, j) => j % grid.byColumns === 0)),
        y: unique(down.filter((_, i) => i % grid.byRows === 0)),
        zmin: least,
        zmax: most,
        colorscale: scaleThrough(low < 0 ? DIVERGING : CIVIDIS),
        colorbar: barOf(18 * grid.rows, least, most),
        hoverongaps: false,
        hovertemplate: `${pool ? 'from ' : ''}%{y}, %{x}<br>%{z:.7~g}<extra></extra>`,
      },
    ],
    layout: {
      ...PAGE,
      plot_bgcolor: HOLE,
      title: titled(label(name), notes.map(label)),
      height: Math.max(200, Math.min(640, 154 + 15 * notes.length + Math.max(70, 18 * grid.rows))),
      margin: { l: 130, r: 20, t: 50 + 15 * notes.length, b: 104 },
      xaxis: { type: 'category', tickangle: -60, showgrid: false, zeroline: false, ...counts(1) },
      yaxis: { type: 'category', autorange: 'reversed', showgrid: false, zeroline: false, ...counts(0) },
    },
    config: CONFIG,
  };
  const text = `${visible(title) || 'heatmap'}: ${rows.length} × ${columns}, from ${sci(low)} to ${sci(high)}`;
  return new OwnPicture(figure, text);
}

/** Words about a line, where lines by name would be numbers. */
const isOptions = (value: unknown): value is PlotOptions =>
  typeof value === 'object' &&
  value !== null &&
  !isNumbers(value) &&
  Object.keys(value).length > 0 &&
  Object.values(value).every(one => typeof one === 'string' || one === undefined);

/** As many digits as an f32 has: neighbours must not look equal. */
const exact = (n: number): string => (Number.isFinite(n) ? String(Number(n.toPrecision(7))) : sci(n));

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

const isNumbers = (value: unknown): value is Numbers =>
  value instanceof Activation || Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

function numbers(who: string, name: string, value: unknown): number[] {
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

function sameLength(who: string, a: string, many: number, b: string, others: number): void {
  if (many !== others) throw new OptionError(`${who} was given ${many} of ${a} and ${others} of ${b}. Give as many.`);
}

function checkMany(who: string, many: number, what: string): void {
  if (many > MOST)
    throw new OptionError(`${who} was given ${many} ${what}, and a page carries ${MOST}. Take every nth, or a mean.`);
}
