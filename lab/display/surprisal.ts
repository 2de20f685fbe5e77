// How well a model foresaw a prompt: surprisal of every token and entropy before it, in bits.

import type { Bundle } from '../values/shown.js';
import { svg } from './chart.js';
import { label, visible } from '../values/html.js';
import type { Surprisal } from '../values/surprisal.js';
import { textTable } from './table.js';
import { ACCENT, CONFIG, GREY, PAGE, TITLE, WIDE } from './page.js';

export function surprisalBundle({ tokens }: Surprisal): Bundle {
  const total = tokens.reduce((n, { surprisal }) => n + surprisal, 0);
  const perToken = total / tokens.length;
  const title = `Surprisal along the prompt: ${perToken.toFixed(2)} bits a token, perplexity ${(2 ** perToken).toFixed(1)}`;
  const columns = [
    { title: '#', right: true },
    { title: 'token' },
    { title: 'surprisal, bits', right: true },
    { title: 'entropy before it', right: true },
    { title: 'probability', right: true },
    { title: 'rank', right: true },
    { title: 'likeliest' },
  ];
  const rows = tokens.map(t => ({
    cells: [
      String(t.position),
      visible(t.text),
      t.surprisal.toFixed(2),
      t.entropy.toFixed(2),
      `${(100 * t.probability).toFixed(t.probability < 0.001 ? 3 : 1)} %`,
      String(t.rank),
      visible(t.likeliest),
    ],
  }));
  const few = tokens.length <= 80 ? tokens : tokens.filter((_, i) => i % Math.ceil(tokens.length / 80) === 0);
  return {
    'application/vnd.plotly.v1+json': {
      data: [
        {
          type: 'bar',
          name: 'surprisal',
          x: tokens.map(t => `${t.position} ${label(t.text)}`),
          y: tokens.map(t => Number(t.surprisal.toFixed(3))),
          customdata: tokens.map(t => [t.rank, label(t.likeliest), Number(t.probability.toPrecision(3))]),
          marker: { color: ACCENT },
          hovertemplate:
            '%{x}<br>%{y:.2f} bits, probability %{customdata[2]}<br>rank %{customdata[0]}, likeliest %{customdata[1]}<extra></extra>',
        },
        {
          type: 'scatter',
          mode: 'lines+markers',
          name: 'entropy before it',
          x: tokens.map(t => `${t.position} ${label(t.text)}`),
          y: tokens.map(t => Number(t.entropy.toFixed(3))),
          line: { color: '#e69f00', width: 2 },
          marker: { size: 5 },
          hovertemplate: 'entropy %{y:.2f} bits<extra></extra>',
        },
      ],
      layout: {
        ...PAGE,
        title: { text: title, ...TITLE },
        width: WIDE,
        height: 380,
        margin: { l: 60, r: 20, t: 60, b: 110 },
        xaxis: {
          type: 'category',
          tickvals: few.map(t => `${t.position} ${label(t.text)}`),
          ticktext: few.map(t => label(t.text)),
          tickangle: -60,
        },
        yaxis: { title: { text: 'bits' }, rangemode: 'tozero', gridcolor: 'rgba(127,135,145,0.25)' },
        legend: { orientation: 'h', x: 1, xanchor: 'right', y: 1.08 },
      },
      config: CONFIG,
    },
    'image/svg+xml': svg(
      {
        title: { text: title, textStyle: { fontSize: 14, color: GREY } },
        grid: { left: 50, right: 20, top: 60, bottom: 80 },
        legend: { top: 28, right: 20, textStyle: { color: GREY } },
        xAxis: { type: 'category', data: tokens.map(t => visible(t.text)), axisLabel: { color: GREY, rotate: 60 } },
        yAxis: { type: 'value', axisLabel: { color: GREY }, name: 'bits' },
        series: [
          {
            type: 'bar',
            name: 'surprisal',
            data: tokens.map(t => Number(t.surprisal.toFixed(2))),
            itemStyle: { color: ACCENT },
          },
          {
            type: 'line',
            name: 'entropy before it',
            data: tokens.map(t => Number(t.entropy.toFixed(2))),
            itemStyle: { color: '#e69f00' },
          },
        ],
      },
      720,
      360,
    ),
    'text/plain': `${title}\n${textTable(columns, rows)}`,
  };
}
