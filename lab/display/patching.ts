// What a patched run restored: stages × tokens, blue where the patch makes it worse and red where it brings the answer back.

import type { Bundle } from '../values/shown.js';
import type { Patching } from '../probe/patching.js';
import { DIVERGING, svg } from './chart.js';
import { label, visible } from '../values/html.js';
import { textTable } from './table.js';
import { CONFIG, GREY, PAGE, TITLE } from './page.js';

export function patchingBundle({ stages, tokens, restored, answer, wrong }: Patching): Bundle {
  const title = `Put back one token at a time: how much of ${visible(answer)} over ${visible(wrong)} returns`;
  const x = tokens.map((text, i) => `${i} ${label(text)}`);
  const z = restored.map(row => row.map(v => Number(v.toFixed(3))));
  const limit = Math.max(1, ...z.flat().map(Math.abs));
  const height = 150 + Math.max(16, Math.min(26, 480 / stages.length)) * stages.length;
  const width = Math.max(460, Math.min(1100, 270 + 56 * tokens.length));
  return {
    'application/vnd.plotly.v1+json': {
      data: [
        {
          type: 'heatmap',
          x,
          y: stages,
          z,
          zmin: -limit,
          zmax: limit,
          colorscale: DIVERGING.map((colour, i) => [i / (DIVERGING.length - 1), colour]),
          colorbar: { title: { text: 'restored' }, thickness: 12, tickformat: '.0%' },
          text: z.map(row => row.map(v => (Math.abs(v) < 0.005 ? '' : `${Math.round(100 * v)}`))),
          texttemplate: '%{text}',
          xgap: 1,
          ygap: 1,
          hovertemplate: '%{y}<br>at %{x}<br>restores %{z:.1%}<extra></extra>',
        },
      ],
      layout: {
        ...PAGE,
        title: { text: label(title), ...TITLE },
        width,
        height,
        margin: { l: 180, r: 20, t: 50, b: 90 },
        xaxis: { type: 'category', tickvals: x, ticktext: tokens.map(label), tickangle: -50, showgrid: false },
        yaxis: { type: 'category', showgrid: false, autorange: 'reversed' },
      },
      config: CONFIG,
    },
    'image/svg+xml': svg(
      {
        title: { text: title, textStyle: { fontSize: 14, color: GREY } },
        grid: { left: 140, right: 20, top: 40, bottom: 80 },
        xAxis: { type: 'category', data: tokens.map(visible), axisLabel: { color: GREY, rotate: 50, interval: 0 } },
        yAxis: {
          type: 'category',
          inverse: true,
          data: [...stages],
          axisLabel: { color: GREY, fontSize: 10, interval: 0 },
        },
        visualMap: { show: false, min: -limit, max: limit, inRange: { color: DIVERGING } },
        series: [
          {
            type: 'heatmap',
            label: {
              show: true,
              fontSize: 9,
              color: '#333',
              formatter: (p: { data: unknown }) => `${Math.round(100 * (p.data as number[])[2])}`,
            },
            data: z.flatMap((row, i) => row.map((v, j) => [j, i, v])),
          },
        ],
      },
      width,
      height,
    ),
    'text/plain': `${title}, in percent\n${textTable(
      [{ title: 'stage' }, ...tokens.map(text => ({ title: visible(text), right: true }))],
      restored.map((row, i) => ({ cells: [stages[i], ...row.map(v => `${Math.round(100 * v)}`)] })),
    )}`,
  };
}
