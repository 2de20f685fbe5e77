// The lens as a table of layers × tokens: what each layer would say, shaded by how sure it is.

import type { Lens } from '../probe/lens.js';
import type { Bundle } from '../values/shown.js';
import { CIVIDIS, svg } from './chart.js';
import { label, visible } from '../values/html.js';
import { layerTicks } from './spread.js';
import { textTable } from './table.js';
import { CONFIG, GREY, PAGE, TITLE } from './page.js';

const MOST_TOKENS = 40;

export function lensBundle({ cells, tokens: labels }: Lens): Bundle {
  const from = Math.max(0, labels.length - MOST_TOKENS);
  const rows = cells.map(row => row.slice(from));
  const columns = labels.slice(from);
  const layers = layerTicks(cells.map(([{ stage }]) => stage));
  const x = columns.map((text, i) => `${rows[0][i].token} ${label(text)}`);
  const title = 'Logit lens: what each layer would say next';
  const wide = Math.max(7, ...rows.flat().map(({ text }) => Math.min(12, text.length + 1)));
  const cellWidth = 10 + 7 * wide;
  const width = Math.min(1400, 120 + cellWidth * columns.length);
  const height = 150 + 26 * rows.length;
  const round = (p: number) => Number(p.toFixed(4));
  return {
    'application/vnd.plotly.v1+json': {
      data: [
        {
          type: 'heatmap',
          x,
          y: layers,
          z: rows.map(row => row.map(({ probability }) => round(probability))),
          text: rows.map(row => row.map(({ text }) => label(text.slice(0, 14)))),
          texttemplate: '%{text}',
          textfont: { size: 11 },
          customdata: rows.map(row => row.map(c => [label(c.text), round(c.finalProbability), c.finalRank])),
          zmin: 0,
          zmax: 1,
          colorscale: 'Cividis',
          colorbar: { title: { text: 'probability' }, thickness: 12 },
          xgap: 1,
          ygap: 1,
          hovertemplate:
            'after %{x}, layer %{y}<br>%{customdata[0]}: %{z:.3f}<br>the final answer: %{customdata[1]:.3f}, rank %{customdata[2]}<extra></extra>',
        },
      ],
      layout: {
        ...PAGE,
        title: { text: title, ...TITLE },
        width: Math.max(420, width),
        height,
        margin: { l: 60, r: 20, t: 50, b: 90 },
        xaxis: { type: 'category', tickvals: x, ticktext: columns.map(label), tickangle: -50, showgrid: false },
        yaxis: { type: 'category', title: { text: 'after layer' }, showgrid: false },
      },
      config: CONFIG,
    },
    'image/svg+xml': svg(
      {
        title: { text: title, textStyle: { fontSize: 14, color: GREY } },
        grid: { left: 50, right: 20, top: 40, bottom: 70 },
        xAxis: { type: 'category', data: columns.map(visible), axisLabel: { color: GREY, rotate: 50, interval: 0 } },
        yAxis: { type: 'category', data: layers, axisLabel: { color: GREY } },
        visualMap: { show: false, min: 0, max: 1, inRange: { color: CIVIDIS } },
        series: [
          {
            type: 'heatmap',
            label: {
              show: true,
              fontSize: 9,
              formatter: (p: { data: unknown }) => visible((p.data as [number, number, number, string])[3]),
            },
            data: rows.flatMap((row, y) => row.map((c, i) => [i, y, round(c.probability), c.text.slice(0, 10)])),
          },
        ],
      },
      Math.max(420, Math.min(1200, width)),
      height,
    ),
    'text/plain': `${title}, for the last ${Math.min(8, columns.length)} tokens\n${textTable(
      [
        { title: 'layer', right: true },
        ...columns.slice(-8).map((text, i) => ({ title: `after ${rows[0].slice(-8)[i].token} ${visible(text)}` })),
      ],
      rows.map((row, i) => ({
        cells: [layers[i], ...row.slice(-8).map(c => `${visible(c.text)} ${Math.round(100 * c.probability)} %`)],
      })),
    )}`,
  };
}
