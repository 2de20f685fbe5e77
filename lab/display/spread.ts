// How values are spread: the histogram of an activation, the channels that stick out, and the norms of a stage from layer to layer.

import { partText, rowName } from '../values/dims.js';
import type { Bundle } from '../values/shown.js';
import type { Histogram, Norms, Outliers } from '../values/spread.js';
import { MASK_LIMIT, statsOf } from '../values/stats.js';
import { svg } from './chart.js';
import { label, visible } from '../values/html.js';
import { sci } from '../values/numbers.js';
import { htmlTable, textTable } from './table.js';
import { ACCENT, CONFIG, GREY, PAGE, TITLE, WIDE } from './page.js';

const BINS = 80;
const GRID = 'rgba(127,135,145,0.25)';

/** Counts over the whole range, on a logarithmic axis: outliers are what a histogram of activations is looked at for. */
export function histogramBundle({ of: activation }: Histogram): Bundle {
  const values = activation.data.filter(v => Number.isFinite(v) && v > MASK_LIMIT);
  const { min, max } = statsOf(activation.data);
  const width = (max - min) / BINS || 1;
  const counts = new Array<number>(BINS).fill(0);
  for (const v of values) counts[Math.min(BINS - 1, Math.floor((v - min) / width))] += 1;
  const centres = counts.map((_, i) => Number((min + (i + 0.5) * width).toPrecision(4)));
  const title = `${activation}: ${values.length} values`;
  const bars = counts.map((_, i) => i).filter(i => counts[i] > 0);
  return {
    'application/vnd.plotly.v1+json': {
      data: [
        {
          type: 'bar',
          x: bars.map(i => centres[i]),
          y: bars.map(i => counts[i]),
          width,
          marker: { color: ACCENT, line: { width: 0 } },
          hovertemplate: 'around %{x}<br>%{y} values<extra></extra>',
        },
      ],
      layout: {
        ...PAGE,
        title: { text: label(title), ...TITLE },
        width: WIDE,
        height: 320,
        margin: { l: 70, r: 20, t: 50, b: 50 },
        xaxis: { title: { text: 'value' }, gridcolor: GRID, zerolinecolor: GREY },
        yaxis: { type: 'log', title: { text: 'how many' }, gridcolor: GRID },
      },
      config: CONFIG,
    },
    'image/svg+xml': svg(
      {
        title: { text: visible(title), textStyle: { fontSize: 14, color: GREY } },
        grid: { left: 60, right: 20, top: 40, bottom: 40 },
        xAxis: { type: 'category', data: centres, axisLabel: { color: GREY, interval: 15 } },
        yAxis: { type: 'log', axisLabel: { color: GREY } },
        series: [{ type: 'bar', data: counts.map(n => n || '-'), itemStyle: { color: ACCENT }, barCategoryGap: '0%' }],
      },
      640,
      300,
    ),
    'text/plain': histogramText(title, counts, min, width),
  };
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
      number(ratio, `${ratio.toFixed(1)}×`),
      number(maxAbs),
      where(at),
    ],
  }));
  return { 'text/html': htmlTable(columns, rows, { tools: true }).text, 'text/plain': textTable(columns, rows) };
}

/** L2 norms of the last dimension, a line a row (a token, or a head of one), over the layers: where a residual stream grows, and on which tokens. */
export function normsBundle({ of: activations, norms }: Norms): Bundle {
  const names = activations.map(({ name }) => name);
  const lead = activations[0].dims.slice(0, -1);
  const ticks = layerTicks(names);
  const kinds = new Set(names.map(name => name.replace(/^layers\.\d+\./, '')));
  const part = partText(activations[0].dims);
  const mean = norms.map(line => line.reduce((a, b) => a + b, 0) / line.length);
  const tokens = norms[0].map((_, row) => row).slice(0, 64);
  const round = (v: number) => Number(v.toPrecision(4));
  const title = `L2 norm of ${kinds.size === 1 ? [...kinds][0] : `${kinds.size} stages`}, by layer${part ? `: ${part}` : ''}`;
  return {
    'application/vnd.plotly.v1+json': {
      data: [
        ...tokens.map(token => ({
          type: 'scatter',
          mode: 'lines',
          name: rowName(lead, token, label),
          x: ticks.map(label),
          y: norms.map(line => round(line[token])),
          line: { width: 1 },
          opacity: 0.55,
          hovertemplate: 'layer %{x}<br>%{y}<extra>%{fullData.name}</extra>',
        })),
        {
          type: 'scatter',
          mode: 'lines+markers',
          name: 'mean',
          x: ticks.map(label),
          y: mean.map(round),
          line: { width: 3, color: '#d55e00' },
        },
      ],
      layout: {
        ...PAGE,
        title: { text: label(title), ...TITLE },
        width: WIDE,
        height: 380,
        margin: { l: 70, r: 20, t: 50, b: 50 },
        colorway: ['#0072b2', '#56b4e9', '#009e73', '#cc79a7', '#e69f00', '#7f8791'],
        xaxis: { title: { text: 'layer' }, type: 'category', gridcolor: GRID },
        yaxis: { title: { text: 'L2 norm' }, rangemode: 'tozero', gridcolor: GRID },
      },
      config: CONFIG,
    },
    'image/svg+xml': svg(
      {
        title: { text: visible(title), textStyle: { fontSize: 14, color: GREY } },
        grid: { left: 60, right: 20, top: 40, bottom: 40 },
        xAxis: { type: 'category', data: ticks, name: 'layer', axisLabel: { color: GREY } },
        yAxis: { type: 'value', axisLabel: { color: GREY } },
        series: [
          ...tokens.slice(0, 24).map(token => ({
            type: 'line' as const,
            data: norms.map(line => round(line[token])),
            symbol: 'none',
            lineStyle: { width: 1, opacity: 0.5, color: '#56b4e9' },
          })),
          {
            type: 'line' as const,
            data: mean.map(round),
            lineStyle: { width: 3, color: '#d55e00' },
            itemStyle: { color: '#d55e00' },
          },
        ],
      },
      640,
      340,
    ),
    'text/plain': `${title}, mean over ${norms[0].length} ${lead.length === 1 && lead[0].name === 'token' ? 'tokens' : 'rows'} and the largest\n${textTable(
      [{ title: 'stage' }, { title: 'mean', right: true }, { title: 'largest', right: true }, { title: 'at' }],
      norms.map((line, i) => {
        const most = line.indexOf(Math.max(...line));
        return { cells: [names[i], sci(round(mean[i])), sci(round(line[most])), rowName(lead, most, visible)] };
      }),
    )}`,
  };
}

/** Stages by the number of their layer, or by name where two are of one layer. */
export function layerTicks(names: readonly string[]): string[] {
  const ticks = names.map(name => /^layers\.(\d+)\./.exec(name)?.[1] ?? name);
  return new Set(ticks).size === names.length ? ticks : names.map(name => name.replace(/^layers\./, ''));
}
