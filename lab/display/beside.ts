// The next tokens of two runs side by side: what a change of prompt, a patch or an edited shader did to the prediction.

import type { Bundle } from '../values/shown.js';
import { CLEAR, CONFIG, GRID, PAGE, titled } from './page.js';
import type { Beside } from '../values/next-token.js';
import { label, visible } from '../values/html.js';
import { minus, percentText, sci, shortened } from '../values/numbers.js';
import { drawn } from './drawn.js';
import { textTable } from './table.js';

const COLOURS = ['#0072b2', '#e69f00'] as const;

/** Characters of a run's name in the legend, and of its prompt where something else must stand there. */
const NAME = 44;
const LEAST = 10;

export function besideBundle({ rows, kl, prompts, runs }: Beside): Bundle {
  const title = `Next token, two runs: KL divergence ${kl === 0 ? '0' : kl.toPrecision(3)} bits`;
  const shown = prompts.map(prompt => (prompt ? visible(prompt) : 'the bos alone'));
  const same = shortened(shown[0], NAME, 'start') === shortened(shown[1], NAME, 'start');
  const names = shown.map((prompt, i) => (same && runs[i] ? `${prompt} · ${visible(runs[i])}` : prompt));
  const short = shown.map((prompt, i) => {
    const told = same && runs[i] ? ` · ${shortened(runs[i], NAME)}` : '';
    return `${i + 1}: ${shortened(prompt, Math.max(LEAST, NAME - told.length), 'start')}${told}`;
  });
  const points = signedColumn(rows.map(({ probability: [a, b] }) => 100 * (b - a)));
  const logits = signedColumn(rows.map(({ logit: [a, b] }) => b - a));
  const changes = rows.map(({ probability: [a, b], logit }, i) =>
    a === b && logit[0] === logit[1] ? 'no change' : `Δ ${points[i]} points, logit ${logits[i]}`,
  );
  // For who points at it, what a column has no room for.
  const exactly = rows.map(({ probability: [a, b], logit: [x, y] }, i) =>
    changes[i] === 'no change' ? changes[i] : `Δ ${sci(100 * (b - a))} points, logit ${sci(y - x)}`,
  );
  const most = Math.max(...rows.flatMap(r => r.probability));
  const figure = {
    data: [0, 1].map(side => ({
      type: 'bar',
      orientation: 'h',
      name: label(short[side]),
      x: rows.map(r => Number(r.probability[side].toPrecision(6))),
      y: rows.map((_, i) => i),
      text: rows.map((r, i) => `${percentText(r.probability[side])}${side === 1 ? `\u2003${changes[i]}` : ''}`),
      textposition: 'outside',
      cliponaxis: false,
      marker: { color: COLOURS[side] },
      customdata: rows.map((r, i) => [
        label(r.text),
        r.id,
        minus(String(Number(r.logit[side].toPrecision(7)))),
        changes[i],
        exactly[i],
      ]),
      hovertemplate:
        '%{customdata[0]} (id %{customdata[1]})<br>logit %{customdata[2]}, probability %{x}<br>%{customdata[4]}<extra></extra>',
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
        range: [0, (most || 1) * 2.8],
        tickangle: 0,
        tickvals: [0, 0.5, 1].map(v => Number((v * nice(most)).toPrecision(3))),
        tickformat: '~%',
        gridcolor: GRID,
        zeroline: false,
      },
      yaxis: {
        tickvals: rows.map((_, i) => i),
        ticktext: rows.map(r => label(shortened(r.text, 10))),
        ...CLEAR,
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
      rows.map((r, i) => ({
        cells: [visible(r.text), String(r.id), ...r.probability.map(percentText), logits[i]],
      })),
    )}`,
  );
}

/** 1, 2 or 5 of a power of ten, no less: where the axis of probabilities ends. */
function nice(most: number): number {
  const unit = 10 ** Math.floor(Math.log10(most || 1));
  return unit * [1, 2, 5, 10].find(by => by * unit >= most * (1 - 1e-9))!;
}

/** Digits of the largest number of a column, and decimals, that a narrow cell has room for. */
const DIGITS = 5;
const DECIMALS = 4;
/** Below it a column has powers of ten. */
const SMALL = 0.01;

/**
 * Differences in a column, all with as many decimals: two digits of the smallest, as far as there is room for them in the largest. Where all are
 * small, they are written by powers of ten; where only one is nothing beside the others, it is told by what it is below: two runs that differ do not look equal, and a column has one form.
 */
function signedColumn(values: readonly number[]): string[] {
  const places = values.filter(v => v !== 0).map(v => Math.floor(Math.log10(Math.abs(v))));
  const [smallest, largest] = [Math.min(0, ...places), Math.max(0, ...places)];
  const decimals = Math.max(2, Math.min(1 - smallest, DIGITS - 1 - largest, DECIMALS));
  const least = 10 ** -decimals;
  const tiny = (value: number) => value !== 0 && Math.abs(value) < 0.5 * least;
  const powers = values.some(tiny) && values.every(value => Math.abs(value) < SMALL);
  return values.map(value => {
    if (value === 0) return powers ? '0' : value.toFixed(decimals);
    const sign = value < 0 ? '−' : '+';
    if (powers) return `${sign}${Math.abs(value).toExponential(1)}`;
    if (tiny(value)) return `${value < 0 ? '>' : '<'} ${sign}${least.toFixed(decimals)}`;
    return `${sign}${Math.abs(value).toFixed(decimals)}`;
  });
}
