// How well a model foresaw a prompt: surprisal of every token and entropy before it, in bits.

import type { Bundle } from '../values/shown.js';
import { ACCENT, CONFIG, GRID, PAGE, titled } from './page.js';
import type { Surprisal } from '../values/surprisal.js';
import { label, visible } from '../values/html.js';
import { percentText, shortened } from '../values/numbers.js';
import { drawn } from './drawn.js';
import { textTable } from './table.js';

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
      percentText(t.probability),
      String(t.rank),
      visible(t.likeliest),
    ],
  }));
  const x = tokens.map(t => `${t.position} ${label(shortened(t.text, 12))}`);
  const figure = {
    data: [
      {
        type: 'bar',
        name: 'surprisal',
        x,
        y: tokens.map(t => Number(t.surprisal.toFixed(3))),
        customdata: tokens.map(t => [t.rank, label(t.likeliest), Number(t.probability.toPrecision(3))]),
        marker: { color: ACCENT },
        hovertemplate:
          '%{x}<br>%{y:.2f} bits, probability %{customdata[2]}<br>rank %{customdata[0]}, likeliest %{customdata[1]}<extra></extra>',
      },
      {
        type: 'scatter',
        mode: tokens.length <= 60 ? 'lines+markers' : 'lines',
        name: 'entropy before it',
        x,
        y: tokens.map(t => Number(t.entropy.toFixed(3))),
        line: { color: '#e69f00', width: tokens.length <= 200 ? 2 : 1 },
        marker: { size: 5 },
        hovertemplate: 'entropy %{y:.2f} bits<extra></extra>',
      },
    ],
    layout: {
      ...PAGE,
      title: titled(title),
      height: 380,
      margin: { l: 60, r: 20, t: 78, b: 110 },
      // As many names as there is room for; zooming in shows the others.
      xaxis: { type: 'category', tickangle: -60 },
      yaxis: { title: { text: 'bits' }, rangemode: 'tozero', gridcolor: GRID },
      legend: { orientation: 'h', x: 0, xanchor: 'left', y: 1, yanchor: 'bottom' },
    },
    config: CONFIG,
  };
  return drawn(figure, `${title}\n${textTable(columns, rows)}`);
}
