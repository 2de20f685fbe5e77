// The next tokens of two runs side by side: what a change of prompt, a patch or an edited shader did to the prediction.

import type { Bundle } from '../values/shown.js';
import { CONFIG, GRID, PAGE, titled } from './page.js';
import type { Beside } from '../values/next-token.js';
import { label, visible } from '../values/html.js';
import { percentText, shortened } from '../values/numbers.js';
import { drawn } from './drawn.js';
import { textTable } from './table.js';

const COLOURS = ['#0072b2', '#e69f00'] as const;

/** Characters of a run's name in the legend, and of its prompt where something else must stand there. */
const NAME = 44;
const LEAST = 10;

export function besideBundle({ rows, kl, prompts, runs }: Beside): Bundle {
  const title = `Next token, two runs: KL divergence ${kl === 0 ? '0' : kl.toPrecision(3)} bits`;
  const same = shortened(prompts[0], NAME, 'start') === shortened(prompts[1], NAME, 'start');
  const names = prompts.map((prompt, i) => (same && runs[i] ? `${prompt} · ${runs[i]}` : prompt));
  const short = prompts.map((prompt, i) => {
    const told = same && runs[i] ? ` · ${shortened(runs[i], NAME)}` : '';
    return `${i + 1}: ${shortened(prompt, Math.max(LEAST, NAME - told.length), 'start')}${told}`;
  });
  const change = ({ probability: [a, b], logit }: Beside['rows'][number]) =>
    a === b && logit[0] === logit[1]
      ? 'no change'
      : `Δ ${signed(100 * (b - a))} points, logit ${signed(logit[1] - logit[0])}`;
  const most = Math.max(...rows.flatMap(r => r.probability));
  const figure = {
    data: [0, 1].map(side => ({
      type: 'bar',
      orientation: 'h',
      name: label(short[side]),
      x: rows.map(r => Number(r.probability[side].toPrecision(6))),
      y: rows.map((_, i) => i),
      text: rows.map(r => `${percentText(r.probability[side])}${side === 1 ? `   ${change(r)}` : ''}`),
      textposition: 'outside',
      cliponaxis: false,
      marker: { color: COLOURS[side] },
      customdata: rows.map(r => [label(r.text), r.id, Number(r.logit[side].toPrecision(7)), change(r)]),
      hovertemplate:
        '%{customdata[0]} (id %{customdata[1]})<br>logit %{customdata[2]}, probability %{x}<br>%{customdata[3]}<extra></extra>',
    })),
    layout: {
      ...PAGE,
      title: titled(title),
      height: 150 + 44 * rows.length,
      barmode: 'group',
      margin: { l: 96, r: 20, t: 92, b: 50 },
      // A line a run: they are prompts, and may be long.
      legend: { orientation: 'v', x: 0, xanchor: 'left', y: 1, yanchor: 'bottom', traceorder: 'normal' },
      // Room for what stands behind the longest bar.
      xaxis: {
        title: { text: 'probability' },
        range: [0, (most || 1) * 2.5],
        tickvals: [0, 0.25, 0.5, 0.75, 1].map(v => Number((v * nice(most)).toPrecision(3))),
        tickformat: '~%',
        gridcolor: GRID,
        zeroline: false,
      },
      yaxis: {
        tickvals: rows.map((_, i) => i),
        ticktext: rows.map(r => label(shortened(r.text, 10))),
        autorange: 'reversed',
      },
    },
    config: CONFIG,
  };
  return drawn(
    figure,
    `${title}\n1: ${names[0]}\n2: ${names[1]}\n${textTable(
      [
        { title: 'token' },
        { title: 'id', right: true },
        { title: 'first', right: true },
        { title: 'second', right: true },
        { title: 'logit', right: true },
      ],
      rows.map(r => ({
        cells: [visible(r.text), String(r.id), ...r.probability.map(percentText), signed(r.logit[1] - r.logit[0])],
      })),
    )}`,
  );
}

/** 1, 2 or 5 of a power of ten, no less: where the axis of probabilities ends. */
function nice(most: number): number {
  const unit = 10 ** Math.floor(Math.log10(most || 1));
  return unit * [1, 2, 5, 10].find(by => by * unit >= most * (1 - 1e-9))!;
}

/** With the digits that a small change needs: two runs that differ do not look equal. */
function signed(n: number): string {
  const size = Math.abs(n);
  const text = size === 0 ? '0' : size >= 0.01 ? size.toFixed(size >= 10 ? 1 : 3) : size.toPrecision(2);
  return `${n < 0 ? '−' : '+'}${text}`;
}
