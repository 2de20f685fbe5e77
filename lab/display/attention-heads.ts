// All heads of a layer side by side, small, those that share a key/value head beside each other under one colour.

import type { AttentionFigure } from '../values/attention.js';
import {
  attentionBundle,
  attentionTitle,
  barText,
  gridOf,
  hasZero,
  headsOf,
  hoverText,
  sideOf,
  notesOf,
  WEIGHTS,
} from './attention.js';
import { blockName, restOf, sinkOf } from './attention-sink.js';
import type { Bundle } from '../values/shown.js';
import { CONFIG, HOLE, PAGE, titled } from './page.js';
import { label } from '../values/html.js';
import { drawn } from './drawn.js';

/** Okabe–Ito, for the key/value heads. */
const GROUPS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
/** Pixels of a panel's height, and of what is above it. */
const SIDE = 170;
const ABOVE = 30;

export function headsBundle(figure: AttentionFigure): Bundle {
  const { kvHeads, layers } = figure;
  const [first] = layers;
  const numbers = headsOf(first.pattern);
  const heads = numbers.length;
  const across = Math.min(4, heads);
  const down = Math.ceil(heads / across);
  const [, query, key] = first.pattern.dims;
  const grids = numbers.map((_, head) => gridOf(first, head, Math.min(128, sideOf(first, heads))));
  const { by, rows, columns } = grids[0];
  const sink = sinkOf(first);
  const rest = restOf(first, sink);
  const notes = notesOf(by, sink, rest, hasZero(first));
  const top = 77 + 15 * notes.length;
  const height = top + down * (SIDE + ABOVE) - ABOVE + 40;
  const axes: Record<string, unknown> = {};
  const annotations: unknown[] = [];
  const data = grids.map(({ z, at }, head) => {
    const [column, row] = [head % across, Math.floor(head / across)];
    const n = head === 0 ? '' : String(head + 1);
    const pitch = (SIDE + ABOVE) / (height - top - 40);
    const x = [column / across, (column + 1) / across - 0.02];
    const y = [Math.max(0, 1 - row * pitch - SIDE / (height - top - 40)), 1 - row * pitch];
    const quiet = { type: 'category', showgrid: false, zeroline: false, ticks: '' };
    // Positions on the outer edges alone: the panels are small, and the texts are in what is pointed at.
    axes[`xaxis${n}`] = { ...quiet, domain: x, anchor: `y${n}`, showticklabels: false };
    axes[`yaxis${n}`] = { ...quiet, domain: y, anchor: `x${n}`, showticklabels: false, autorange: 'reversed' };
    const number = numbers[head];
    const kv = Math.floor(number / (figure.heads / kvHeads));
    annotations.push({
      text: `head ${number} <span style="color:${GROUPS[kv % GROUPS.length]}">■ kv ${kv}</span>`,
      showarrow: false,
      xref: 'paper',
      yref: 'paper',
      x: x[0],
      y: y[1],
      xanchor: 'left',
      yanchor: 'bottom',
      font: { size: 11 },
    });
    return {
      type: 'heatmap',
      z,
      ...(at ? { customdata: at } : {}),
      xaxis: `x${n}`,
      yaxis: `y${n}`,
      zmin: 0,
      zmax: rest ?? 1,
      colorscale: WEIGHTS,
      showscale: head === 0,
      colorbar: { thickness: 10, ...barText(rest) },
      x: Array.from({ length: columns }, (_, j) => blockName(key, j, by)),
      y: Array.from({ length: rows }, (_, i) => blockName(query, i, by)),
      hovertemplate: hoverText(by, `head ${number}<br>`),
      hoverongaps: false,
    };
  });
  const span = (from: number, size: number) => `${from}–${from + size - 1}`;
  annotations.push({
    text: `down: queries ${span(query.from, query.size)}; across: keys ${span(key.from, key.size)}`,
    showarrow: false,
    xref: 'paper',
    yref: 'paper',
    x: 0,
    y: 0,
    xanchor: 'left',
    yanchor: 'top',
    yshift: -8,
    font: { size: 11 },
  });
  const layout = {
    ...PAGE,
    plot_bgcolor: HOLE,
    ...axes,
    annotations,
    title: titled(label(attentionTitle(first)), notes),
    height,
    margin: { l: 12, r: 20, t: top, b: 40 },
  };
  const { 'text/plain': text } = attentionBundle({ ...figure, layers: [first] });
  return drawn({ data, layout, config: CONFIG }, text);
}
