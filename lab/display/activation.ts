// An activation as a picture: rows × last dimension, blue below zero and red above, with limits that one outlier cannot stretch.

import type { Activation } from '../values/activation.js';
import { isMasked } from '../values/stats.js';
import { type Dim, labelsOf, rowIndex, rowName } from '../values/dims.js';
import { blockSize, blocksOf, poolText } from './blocks.js';
import type { Bundle, Figure } from '../values/shown.js';
import { CONFIG, HOLE, lengthOf, menuFrom, PAGE, titled, titleLines } from './page.js';
import { barOf, DIVERGING, packed, scaleThrough } from './chart.js';
import { label } from '../values/html.js';
import { sci, shortened } from '../values/numbers.js';
import { drawn } from './drawn.js';
import { withoutUnseen } from './unseen.js';

/** Cells of a picture, down and across: what a page has points for. More are pooled, and the picture says so. */
const DOWN = 240;
const ACROSS = 360;
/** Pixels of a plot that has room for a scale of colours. */
const LEAST = 70;
/** Characters that a pooled picture and all its values may take together, so that a page stays below a megabyte. */
const ROOM = 870_000;
/** A channel whose root mean square is so many times the middle one's is an outlier, if there are rows enough to say so and at most one in twenty is. */
const OUTLIER = 8;
const ROWS = 8;

export function activationBundle(activation: Activation): Bundle {
  const { dims, data } = activation;
  const stats = activation.stats();
  const { infinite } = stats;
  const left = [
    [stats.nans, 'NaN'],
    [infinite, 'infinite'],
    [stats.masked, 'masked'],
  ].flatMap(([n, what]) => (n ? [`${n} ${what}`] : []));
  const trouble = left.map(one => `, ${one}`).join('');
  const summary = `${activation}  min ${sci(stats.min)}  max ${sci(stats.max)}  mean ${sci(stats.mean)}  std ${sci(stats.std)}${trouble}`;
  if (dims.length === 0) return { 'text/plain': `${activation.name} = ${data[0]}` };
  if (stats.nans + infinite + stats.masked === data.length)
    return { 'text/plain': `${activation}: ${left.join(', ')}, and no finite number` };
  const last = dims[dims.length - 1];
  const lead = dims.slice(0, -1);
  const columns = last.size;
  const rows = data.length / columns;
  const limit = robustLimit(data, columns);
  // Without a value below zero half of the colours would stand for nothing.
  const low = data.some(v => v < 0 && Number.isFinite(v) && !isMasked(v)) ? -limit : 0;
  // What is masked or no number is a hole, not a 0; a pooled picture shows what else is in the block.
  const holes = withoutUnseen(activation).map(v => (isMasked(v) || !Number.isFinite(v) ? Number.NaN : v));
  const grid = blocksOf(holes, rows, columns, blockSize(rows, DOWN), blockSize(columns, ACROSS));
  const { byRows, byColumns } = grid;
  const rowsName = lead.length === 1 ? lead[0].name : 'row';
  const pool = poolText(grid, rowsName, last.name);
  const nameOf = (row: number) => rowName(lead, row, text => label(shortened(text, 12)));
  const numbered = lead.map(dim => ({ ...dim, labels: undefined }));
  // A block by its first and last, so that nobody takes it for one.
  const rowText = (i: number) => {
    const [first, end] = [i * byRows, Math.min(rows, (i + 1) * byRows) - 1];
    if (first === end) return nameOf(first);
    if (lead.length === 1) return `${nameOf(first)} – ${nameOf(end)}`;
    const [from, to] = [first, end].map(row => rowName(numbered, row, label));
    const outer = from.lastIndexOf(', ') + 2;
    if (to.startsWith(from.slice(0, outer))) return `${from}–${to.slice(to.lastIndexOf(' ') + 1)}`;
    return `${from} – ${rowIndex(lead, end).join(', ')}`; // what they count is said once
  };
  // Columns are called by their numbers in the model, and by their texts where they are tokens.
  const texts = last.labels ? labelsOf(last) : null;
  const columnText = (j: number) => {
    const [first, end] = [j * byColumns, Math.min(columns, (j + 1) * byColumns) - 1];
    if (first !== end) return `${last.from + first}–${last.from + end}`;
    return `${last.from + first} ${label(shortened(texts![first], 12))}`;
  };
  const across = texts
    ? { x: Array.from({ length: grid.columns }, (_, j) => columnText(j)) }
    : { x0: last.from + (byColumns - 1) / 2, dx: byColumns };
  // Of a pooled cell: the channel where its value stands, and its row by number.
  const where = pool
    ? {
        customdata: packed(
          grid.at.map(at => last.from + (at % columns)),
          grid.rows,
          grid.columns,
        ),
        zhoverformat: '.7~g',
        hovertemplate: `%{y}<br>${label(last.name)} around %{x}, of ${last.of}<br>largest |x|: %{z} at ${label(last.name)} %{customdata}<extra></extra>`,
      }
    : { zhoverformat: '.7~g', hovertemplate: `%{y}<br>${label(last.name)} %{x} of ${last.of}<br>%{z}<extra></extra>` };
  const grey = left.length > 0 ? `grey: ${left.join(', ')}` : '';
  // Of all zeros one word says more than a colour.
  const zeros = stats.maxAbs > 0 && holes.includes(0);
  const violet = zeros ? 'violet: exactly 0' : '';
  const none = zeros && pool ? (grid.z.includes(0) ? 'violet: all of a cell is exactly 0' : '') : violet;
  const clipped = `colours end at ${low < 0 ? '±' : ''}${sci(limit)}; the largest |x| is ${sci(stats.maxAbs)}`;
  const [name, ...more] = titleLines(`${activation}`);
  const notesOf = (first: readonly string[], zero = none) =>
    [
      ...more,
      ...first,
      stats.maxAbs === 0 ? 'every value is 0' : '',
      stats.maxAbs > limit ? clipped : '',
      zero,
      grey,
    ].filter(Boolean);
  // Every value for whoever zooms in, where a page has room for them; else how to see some of them.
  const needed = (4 / 3) * (4 * data.length + (grid.z.includes(0) ? 10 : 6) * grid.z.length);
  const whole = pool !== '' && needed < ROOM;
  const wholeZeros = needed + (4 / 3) * 4 * data.length < ROOM;
  const elsewhere = `.slice({ ${(lead[0] ?? last).name}: [from, to] }) shows every value of a part`;
  const notes = notesOf([pool, whole || !pool ? '' : elsewhere]);
  const colours = {
    zmin: low,
    zmax: limit,
    colorscale: scaleThrough(low < 0 ? DIVERGING : DIVERGING.slice(DIVERGING.length >> 1)),
  };
  const names = Array.from({ length: grid.rows }, (_, i) => rowText(i));
  const widest = names.reduce((n, name) => Math.max(n, lengthOf(name)), 0);
  const margin = {
    l: byRows > 1 ? 230 : Math.max(130, Math.min(230, 24 + 6.5 * widest)),
    r: 20,
    t: 50 + 15 * notes.length + (whole ? 30 : 0),
    b: texts ? Math.max(104, 48 + 6 * across.x!.reduce((n, name) => Math.max(n, lengthOf(name)), 0)) : 50,
  };
  const plot = Math.max(LEAST, Math.min(510, 30 + 16 * grid.rows));
  const colorbar = barOf(plot, low, limit);
  const heading = (notes: readonly string[]) => titled(label(name), notes.map(label));
  const pooled = {
    type: 'heatmap',
    z: packed(grid.z, grid.rows, grid.columns),
    ...colours,
    colorbar,
    hoverongaps: false,
    ...where,
    ...across,
    y: names,
  };
  const views = [
    withZeros(pooled, grid.z, grid.rows, grid.columns),
    ...(whole ? [wholeZeros ? withZeros(everyValue(), holes, rows, columns) : [everyValue()]] : []),
  ];
  const order = views
    .flatMap((view, of) => view.map((trace, over) => ({ trace, of, over })))
    .sort((a, b) => a.over - b.over);
  const figure = {
    // What is exactly 0 lies over both.
    data: order.map(({ trace }) => trace),
    layout: {
      ...PAGE,
      plot_bgcolor: HOLE,
      title: heading(notes),
      height: margin.t + plot + margin.b,
      margin,
      xaxis: {
        title: {
          text: `${label(last.name)}${byColumns > 1 ? `, ${byColumns} a cell` : ''}`,
          ...(texts && { standoff: 6 }),
        },
        showgrid: false,
        zeroline: false,
        ...(texts ? { type: 'category', tickangle: -60 } : { tickangle: 0, ...entries(last) }),
      },
      yaxis: { autorange: 'reversed', showgrid: false, zeroline: false, type: 'category' },
      ...(whole && {
        updatemenus: [
          {
            ...menuFrom(margin.l),
            type: 'buttons',
            direction: 'right',
            buttons: [
              { label: 'the largest of each cell', shown: 0, notes },
              {
                label: 'every value, to zoom into',
                shown: 1,
                notes: notesOf([], zeros && !wholeZeros ? '0 and what is nearly 0 look alike' : violet),
              },
            ].map(({ label, shown, notes }) => ({
              label,
              method: 'update',
              args: [
                { visible: order.map(({ of }) => of === shown) },
                { title: heading(notes), 'yaxis.autorange': 'reversed', 'xaxis.autorange': true },
              ],
            })),
          },
        ],
      }),
    },
    config: CONFIG,
  };
  return drawn(figure, summary);

  /** A view, and over it what is exactly 0, which looks like what is nearly 0 else. */
  function withZeros(view: Trace, values: Float32Array, down: number, over: number): Trace[] {
    if (!zeros || !values.includes(0)) return [view];
    const z = values.map(value => (value === 0 ? 0 : Number.NaN));
    const { colorbar: _, customdata: __, ...same } = view;
    const one = {
      zmin: 0,
      zmax: 1,
      colorscale: [0, 1].map(at => [at, ZERO]),
      showscale: false,
      hoverinfo: 'skip',
      hovertemplate: '',
    };
    return [view, { ...same, z: packed(z, down, over), ...one }];
  }

  /** The same without pooling. */
  function everyValue() {
    return {
      type: 'heatmap',
      visible: false,
      z: packed(holes, rows, columns),
      ...colours,
      colorbar,
      hoverongaps: false,
      zhoverformat: '.7~g',
      hovertemplate: `%{y}<br>${label(last.name)} %{x} of ${last.of}<br>%{z}<extra></extra>`,
      ...(texts
        ? { x: texts.map((text, j) => `${last.from + j} ${label(shortened(text, 12))}`) }
        : { x0: last.from, dx: 1 }),
      y: Array.from({ length: rows }, (_, row) => nameOf(row)),
    };
  }
}

type Trace = Figure['data'][number];

/** Of what is exactly 0: no colour of the scale, and no grey, which is what is no number. */
const ZERO = '#b39ddb';

/** Of a few entries each is named, and nothing between them. */
const entries = ({ from, size }: Dim) => {
  if (size > 10) return {};
  const tickvals = Array.from({ length: size }, (_, i) => from + i);
  return { tickvals, ticktext: tickvals.map(String) };
};

/**
 * The 99th percentile of the magnitudes, so that a few values do not bleach the rest; of less than a hundred, the largest. Outlier channels, which may be more than one in a hundred,
 * are left out.
 */
function robustLimit(data: Float32Array, columns: number): number {
  const isNumber = (v: number) => Number.isFinite(v) && !isMasked(v);
  const sums = Array.from({ length: columns }, () => 0);
  data.forEach((v, i) => {
    if (isNumber(v)) sums[i % columns] += v * v;
  });
  const middle = [...sums].sort((a, b) => a - b)[columns >> 1];
  const out = new Set(sums.flatMap((sum, j) => (sum > OUTLIER ** 2 * middle ? [j] : [])));
  const apart = data.length >= ROWS * columns && middle > 0 && out.size <= columns / 20;
  const sizes = data
    .filter((v, i) => isNumber(v) && !(apart && out.has(i % columns)))
    .map(Math.abs)
    .sort();
  return sizes[Math.ceil(0.99 * (sizes.length - 1))] || sizes[sizes.length - 1] || 1;
}
