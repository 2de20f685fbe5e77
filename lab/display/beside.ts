// The next tokens of two runs side by side: what a change of prompt, a patch or an edited shader did to the prediction.

import type { Bundle } from '../values/shown.js';
import type { Beside } from '../values/next-token.js';
import { svg } from './chart.js';
import { label, visible } from '../values/html.js';
import { textTable } from './table.js';
import { CONFIG, GREY, PAGE, TITLE } from './page.js';

const COLOURS = ['#0072b2', '#e69f00'] as const;

export function besideBundle({ rows, kl, prompts: names }: Beside): Bundle {
  const percent = (p: number) => `${(100 * p).toFixed(p < 0.001 ? 3 : 1)} %`;
  const signed = (n: number) => `${n < 0 ? '−' : '+'}${Math.abs(n).toFixed(3)}`;
  const title = `Next token, two runs: KL divergence ${kl.toFixed(4)} bits`;
  const height = 130 + 40 * rows.length;
  const short = names.map(name => (name.length > 40 ? `…${name.slice(-40)}` : name));
  return {
    'application/vnd.plotly.v1+json': {
      data: [0, 1].map(side => ({
        type: 'bar',
        orientation: 'h',
        name: label(short[side]),
        x: rows.map(r => Number(r.probability[side].toPrecision(4))),
        y: rows.map((_, i) => i),
        text: rows.map(r => percent(r.probability[side])),
        textposition: 'auto',
        marker: { color: COLOURS[side] },
        customdata: rows.map(r => [label(r.text), r.id, Number(r.logit[side].toPrecision(6))]),
        hovertemplate:
          '%{customdata[0]} (id %{customdata[1]})<br>logit %{customdata[2]}<br>probability %{x:.4f}<extra></extra>',
      })),
      layout: {
        ...PAGE,
        title: { text: title, ...TITLE },
        width: 680,
        height,
        barmode: 'group',
        margin: { l: 120, r: 20, t: 70, b: 40 },
        legend: { orientation: 'h', y: 1.02, yanchor: 'bottom', x: 0 },
        xaxis: { tickformat: '.0%', rangemode: 'tozero', gridcolor: 'rgba(127,135,145,0.25)' },
        yaxis: { tickvals: rows.map((_, i) => i), ticktext: rows.map(r => label(r.text)), autorange: 'reversed' },
      },
      config: CONFIG,
    },
    'image/svg+xml': svg(
      {
        title: { text: title, textStyle: { fontSize: 14, color: GREY } },
        legend: { top: 26, textStyle: { color: GREY }, data: short.map(visible) },
        grid: { left: 110, right: 70, top: 60, bottom: 30 },
        xAxis: { type: 'value', axisLabel: { color: GREY, formatter: (v: number) => `${Math.round(100 * v)} %` } },
        yAxis: { type: 'category', inverse: true, data: rows.map(r => visible(r.text)), axisLabel: { color: GREY } },
        series: [0, 1].map(side => ({
          type: 'bar' as const,
          name: visible(short[side]),
          data: rows.map(r => Number(r.probability[side].toPrecision(4))),
          itemStyle: { color: COLOURS[side] },
        })),
      },
      680,
      height,
    ),
    'text/plain': `${title}\n1: ${names[0]}\n2: ${names[1]}\n${textTable(
      [
        { title: 'token' },
        { title: 'id', right: true },
        { title: 'first', right: true },
        { title: 'second', right: true },
        { title: 'logit', right: true },
      ],
      rows.map(r => ({
        cells: [visible(r.text), String(r.id), ...r.probability.map(percent), signed(r.logit[1] - r.logit[0])],
      })),
    )}`,
  };
}
