// How values are spread: the histogram of an activation, the channels that stick out, and the norms of a stage from layer to layer.

import type { Histogram, Norms, Outliers } from '../values/spread.js';
import { isMasked, statsOf } from '../values/stats.js';
import { partText, rowName } from '../values/dims.js';
import type { Bundle } from '../values/shown.js';
import { ACCENT, CONFIG, GREY, GRID, legendUnder, PAGE, titled, titleLines } from './page.js';
import { label, visible } from '../values/html.js';
import { sci, shortened } from '../values/numbers.js';
import { drawn } from './drawn.js';
import { htmlTable, textTable } from './table.js';

const BINS = 80;

/** Counts over the whole range, on a logarithmic axis: outliers are what a histogram of activations is looked at for. */
export function histogramBundle({ of: activation }: Histogram): Bundle {
  const values = activation.data.filter(v => Number.isFinite(v) && !isMasked(v));
  const { min: least, max } = statsOf(values);
  // Of one value alone, as wide as if it were the middle of others of its size.
  const around = max > least ? 0 : Math.abs(max) || 1;
  const width = (max - least + around) / BINS;
  const min = least - around / 2;
  const counts = new Array<number>(BINS).fill(0);
  for (const v of values) counts[Math.min(BINS - 1, Math.floor((v - min) / width))] += 1;
  const centres = counts.map((_, i) => Number((min + (i + 0.5) * width).toPrecision(4)));
  const without = activation.data.length - values.length;
  const title = `${activation}: ${values.length} values${without > 0 ? `, without ${without} that are masked or not finite` : ''}`;
  if (values.length === 0) return { 'text/plain': title };
  const [heading, ...notes] = titleLines(title).map(label);
  const top = 50 + 15 * notes.length;
  const bars = counts.map((_, i) => i).filter(i => counts[i] > 0);
  const most = Math.max(1, ...counts);
  const figure = {
    data: [
      {
        type: 'bar',
        x: bars.map(i => centres[i]),
        y: bars.map(i => counts[i]),
        width,
        marker: { color: ACCENT, line: { width: 0 } },
        customdata: bars.map(i => [sci(min + i * width), sci(min + (i + 1) * width)]),
        hovertemplate: '%{customdata[0]} to %{customdata[1]}<br>%{y} values<extra></extra>',
      },
    ],
    layout: {
      ...PAGE,
      title: titled(heading, notes),
      height: 270 + top,
      margin: { l: 70, r: 20, t: top, b: 50 },
      xaxis: {
        title: { text: 'value' },
        gridcolor: GRID,
        zerolinecolor: GREY,
        // Said, because plotly would leave half of a picture empty beside bars as far out as f32 goes.
        range: [min, min + BINS * width],
      },
      // From half a value: a bar of one is seen.
      yaxis: {
        type: 'log',
        range: [Math.log10(0.5), Math.log10(most) + 0.1],
        title: { text: 'how many' },
        gridcolor: GRID,
        dtick: 1,
      },
    },
    config: CONFIG,
  };
  return drawn(figure, around > 0 ? `${title}, all ${sci(max)}` : histogramText(title, counts, min, width));
}

function histogramText(title: string, counts: readonly number[], min: number, width: number): string {
  const by = BINS / 16;
  const sums = Array.from({ length: 16 }, (_, i) => counts.slice(i * by, (i + 1) * by).reduce((a, b) => a + b, 0));
  const most = Math.log1p(Math.max(...sums));
  const rows = sums.map((n, i) => ({
    cells: [
      sci(Number((min + i * by * width).toPrecision(3))),
      '█'.repeat(Math.round((30 * Math.log1p(n)) / most)),
      String(n),
    ],
  }));
  return `${title}\n${textTable([{ title: 'from', right: true }, { title: '' }, { title: 'values', right: true }], rows)}`;
}

export function outliersBundle({ of: activation, rows: outliers }: Outliers): Bundle {
  const lead = activation.dims.slice(0, -1);
  const where = (at: readonly number[]) =>
    rowName(
      lead,
      at.reduce((row, index, i) => row * lead[i].size + index - lead[i].from, 0),
      visible,
    );
  const columns = [
    { title: activation.dims[activation.dims.length - 1].name, right: true },
    { title: 'rms', right: true },
    { title: '× median', right: true },
    { title: 'largest', right: true },
    { title: 'at' },
  ];
  const number = (value: number, text = sci(value)) => ({ text, value });
  const rows = outliers.map(({ channel, rms, ratio, maxAbs, at }) => ({
    cells: [
      number(channel, String(channel)),
      number(rms),
      number(ratio, `${ratio < 10_000 ? ratio.toFixed(1) : sci(ratio)}×`),
      number(maxAbs),
      where(at),
    ],
  }));
  return { 'text/html': htmlTable(columns, rows, { tools: true }).text, 'text/plain': textTable(columns, rows) };
}

/** Lines of a picture that are told apart, each with its name. */
const LINES = 6;
/** Pixels from the top of the lines to the bottom. */
const PLOT = 240;
const LINE_COLOURS = ['#0072b2', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7f8791'];

/**
 * L2 norms of the last dimension over the layers: where a residual stream grows, and on which tokens. A line a row (a token, or a head of
 * one) where they are few; of many the largest, and the smallest, the middle and the mean of all.
 */
export function normsBundle({ of: activations, norms }: Norms): Bundle {
  const names = activations.map(({ name }) => name);
  const lead = activations[0].dims.slice(0, -1);
  const ticks = layerTicks(names).map(label);
  const kinds = new Set(names.map(name => name.replace(/^layers\.\d+\./, '')));
  const part = partText(activations[0].dims);
  const rows = norms[0].length;
  const kind = lead.length === 1 && lead[0].name === 'token' ? 'tokens' : 'rows';
  // Of those that are numbers: one NaN would take the mean, and the largest, with it.
  const finite = norms.map(line => line.filter(Number.isFinite));
  const gaps = norms.reduce((n, line, i) => n + line.length - finite[i].length, 0);
  if (finite.every(line => line.length === 0))
    return { 'text/plain': `L2 norm of ${names.join(', ')}: no finite number` };
  const mean = finite.map(line => line.reduce((a, b) => a + b, 0) / line.length);
  const ranked = finite.map(line => [...line].sort((a, b) => a - b));
  const mostOf = (values: readonly number[]) => values.filter(Number.isFinite).reduce((a, b) => Math.max(a, b), -1);
  const largest = norms[0]
    .map((_, row) => ({ row, most: mostOf(norms.map(line => line[row])) }))
    .sort((a, b) => b.most - a.most)
    .slice(0, LINES)
    .map(({ row }) => row)
    .sort((a, b) => a - b);
  const all = rows <= LINES;
  const round = (v: number) => Number(v.toPrecision(5));
  const title = `L2 norm of ${kinds.size === 1 ? [...kinds][0] : `${kinds.size} stages`}, by layer${part ? `: ${part}` : ''}`;
  const notes = all
    ? []
    : [
        `by name the ${LINES} of ${rows} ${kind} that are largest at any layer`,
        'at each layer the smallest, the middle and the mean of all',
      ];
  if (gaps > 0)
    notes.push(`${gaps} of ${rows * norms.length} norms ${gaps === 1 ? 'is' : 'are'} no finite number: a gap`);
  const summary = (name: string, y: readonly number[], dash: string, color: string, width: number) => ({
    type: 'scatter',
    mode: 'lines',
    name,
    x: ticks,
    y: y.map(v => (Number.isFinite(v) ? round(v) : null)),
    line: { width, color, dash },
    hovertemplate: 'layer %{x}<br>%{y:.7~g}<extra>%{fullData.name}</extra>',
  });
  const lines = largest.map(row => rowName(lead, row, text => label(shortened(text, 9))));
  // Of one row the mean would lie over it.
  const averaged = rows > 1;
  const { legend, room } = legendUnder(
    [...lines, ...(all ? [] : ['smallest', 'middle']), ...(averaged ? ['mean'] : [])],
    PLOT,
  );
  const top = 50 + 15 * notes.length;
  const figure = {
    data: [
      ...largest.map((row, i) => ({
        ...summary(
          lines[i],
          norms.map(line => line[row]),
          'solid',
          LINE_COLOURS[i],
          averaged ? 1.5 : 3,
        ),
        opacity: 0.9,
      })),
      ...(all
        ? []
        : [
            summary(
              'smallest',
              ranked.map(line => line[0]),
              'dot',
              GREY,
              1.5,
            ),
            summary(
              'middle',
              ranked.map(line => line[line.length >> 1]),
              'dash',
              GREY,
              1.5,
            ),
          ]),
      ...(averaged ? [summary('mean', mean, 'solid', '#d55e00', 3)] : []),
    ],
    layout: {
      ...PAGE,
      title: titled(label(title), notes),
      height: top + PLOT + room,
      margin: { l: 70, r: 20, t: top, b: room },
      legend,
      ...(!averaged && { showlegend: true }),
      xaxis: { title: { text: 'layer' }, type: 'category', gridcolor: GRID },
      yaxis: { title: { text: 'L2 norm' }, rangemode: 'tozero', gridcolor: GRID },
    },
    config: CONFIG,
  };
  return drawn(
    figure,
    `${title}, mean over ${rows} ${kind} and the largest\n${textTable(
      [{ title: 'stage' }, { title: 'mean', right: true }, { title: 'largest', right: true }, { title: 'at' }],
      norms.map((line, i) => {
        // What is no number is told first.
        const odd = line.findIndex(v => !Number.isFinite(v));
        const most = odd >= 0 ? odd : line.indexOf(mostOf(line));
        return { cells: [names[i], sci(round(mean[i])), sci(round(line[most])), rowName(lead, most, visible)] };
      }),
    )}`,
  );
}

/** Stages by the number of their layer, or by name where two are of one layer. */
export function layerTicks(names: readonly string[]): string[] {
  const ticks = names.map(name => /^layers\.(\d+)\./.exec(name)?.[1] ?? name);
  return new Set(ticks).size === names.length ? ticks : names.map(name => name.replace(/^layers\./, ''));
}
