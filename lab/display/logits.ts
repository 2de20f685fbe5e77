// The most likely next tokens, as bars of probability.

import type { Bundle } from '../values/shown.js';
import type { TopTokens } from '../values/next-token.js';
import { svg } from './chart.js';
import { label, visible } from '../values/html.js';
import { textTable } from './table.js';
import { ACCENT, CONFIG, GREY, PAGE, TITLE } from './page.js';

/** Bars in the picture; the others are in the rows alone. */
const MOST = 100;

export function logitsBundle({ rows: all, prompt }: Pick<TopTokens, 'rows' | 'prompt'>): Bundle {
  const rows = all.slice(0, MOST);
  const more = all.length > MOST ? `\nand ${all.length - MOST} more, in .rows` : '';
  const ending = prompt.length > 50 ? `…${prompt.slice(-50)}` : prompt;
  const percent = (p: number) => `${(100 * p).toFixed(p < 0.001 ? 3 : 1)} %`;
  const height = 90 + 26 * rows.length;
  return {
    'application/vnd.plotly.v1+json': {
      data: [
        {
          type: 'bar',
          orientation: 'h',
          x: rows.map(r => r.probability),
          y: rows.map((_, i) => i),
          text: rows.map(r => percent(r.probability)),
          textposition: 'auto',
          marker: { color: ACCENT },
          customdata: rows.map(r => [label(r.text), r.id, r.logit]),
          hovertemplate:
            '%{customdata[0]} (id %{customdata[1]})<br>logit %{customdata[2]:.4f}<br>probability %{x:.4f}<extra></extra>',
        },
      ],
      layout: {
        ...PAGE,
        title: { text: `After “${label(ending)}”`, ...TITLE },
        width: 620,
        height,
        margin: { l: 120, r: 20, t: 50, b: 40 },
        xaxis: {
          title: { text: 'probability' },
          tickformat: '.0%',
          rangemode: 'tozero',
          gridcolor: 'rgba(127,135,145,0.25)',
        },
        yaxis: { tickvals: rows.map((_, i) => i), ticktext: rows.map(r => label(r.text)), autorange: 'reversed' },
      },
      config: CONFIG,
    },
    'image/svg+xml': svg(
      {
        title: { text: `After “${visible(ending)}”`, textStyle: { fontSize: 14, color: GREY } },
        grid: { left: 110, right: 70, top: 40, bottom: 30 },
        xAxis: { type: 'value', axisLabel: { color: GREY, formatter: (v: number) => `${Math.round(100 * v)} %` } },
        yAxis: { type: 'category', inverse: true, data: rows.map(r => visible(r.text)), axisLabel: { color: GREY } },
        series: [
          {
            type: 'bar',
            data: rows.map(r => Number(r.probability.toPrecision(4))),
            itemStyle: { color: ACCENT },
            label: {
              show: true,
              position: 'right',
              color: GREY,
              formatter: ({ value }: { value: number }) => percent(value),
            },
          },
        ],
      },
      620,
      height,
    ),
    'text/plain': `${textTable(
      [
        { title: 'next token' },
        { title: 'id', right: true },
        { title: 'logit', right: true },
        { title: 'probability', right: true },
      ],
      rows.map(r => ({ cells: [visible(r.text), String(r.id), r.logit.toFixed(4), percent(r.probability)] })),
    )}${more}`,
  };
}
