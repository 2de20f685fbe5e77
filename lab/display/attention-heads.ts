// All heads of a layer side by side, small, those that share a key/value head beside each other under one colour.

import type { AttentionFigure } from '../values/attention.js';
import { labelsOf } from '../values/dims.js';
import { attentionBundle, attentionTitle, gridOf, headsOf } from './attention.js';
import type { Bundle } from '../values/shown.js';
import { label } from '../values/html.js';
import { CONFIG, PAGE, TITLE } from './page.js';

/** Okabe–Ito, for the key/value heads. */
const GROUPS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const SIDE = 170;

export function headsBundle(figure: AttentionFigure): Bundle {
  const { kvHeads, layers } = figure;
  const [first] = layers;
  const numbers = headsOf(first.pattern);
  const heads = numbers.length;
  const across = Math.min(4, heads);
  const down = Math.ceil(heads / across);
  const most = Math.max(24, Math.min(96, Math.floor(Math.sqrt(120_000 / heads))));
  const [, T, S] = first.pattern.shape;
  const [, query, key] = first.pattern.dims;
  const queries = labelsOf(query).map(label);
  const keys = labelsOf(key).map(label);
  const width = across * (SIDE + 20) + 100;
  const height = down * (SIDE + 40) + 70;
  const gap = { x: 20 / (width - 100), y: 40 / (height - 70) };
  const axes: Record<string, unknown> = {};
  const annotations: unknown[] = [];
  const data = Array.from({ length: heads }, (_, head) => {
    const [column, row] = [head % across, Math.floor(head / across)];
    const [w, h] = [1 / across, 1 / down];
    const n = head === 0 ? '' : String(head + 1);
    const x = [column * w, (column + 1) * w - gap.x];
    const y = [1 - (row + 1) * h, 1 - row * h - gap.y];
    const hidden = { type: 'category', showticklabels: false, ticks: '', showgrid: false, zeroline: false };
    axes[`xaxis${n}`] = { ...hidden, domain: x, anchor: `y${n}` };
    axes[`yaxis${n}`] = { ...hidden, domain: y, anchor: `x${n}`, autorange: 'reversed' };
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
    const { z, rows, columns, by } = gridOf(first, head, most);
    return {
      type: 'heatmap',
      z,
      xaxis: `x${n}`,
      yaxis: `y${n}`,
      zmin: 0,
      zmax: 1,
      colorscale: 'Cividis',
      showscale: head === 0,
      colorbar: { thickness: 10, title: { text: 'weight' } },
      x: Array.from({ length: columns }, (_, j) => `${key.from + j * by} ${keys[j * by]}`),
      y: Array.from({ length: rows }, (_, i) => `${query.from + i * by} ${queries[i * by]}`),
      hovertemplate: `head ${number}<br>%{y} reads %{x}<br>%{z:.3f}<extra></extra>`,
      hoverongaps: false,
    };
  });
  const bundle = attentionBundle({ ...figure, layers: [first] });
  return {
    ...bundle,
    'application/vnd.plotly.v1+json': {
      data,
      layout: {
        ...PAGE,
        ...axes,
        annotations,
        title: { text: `${attentionTitle(first)}, ${T} queries × ${S} keys`, ...TITLE },
        width,
        height,
        margin: { l: 10, r: 90, t: 60, b: 10 },
      },
      config: CONFIG,
    },
  };
}
