// An activation as a picture: rows × last dimension, blue below zero and red above, with limits that one outlier cannot stretch.

import type { Activation } from '../values/activation.js';
import { type Dim, labelsOf, rowName } from '../values/dims.js';
import type { Bundle } from '../values/shown.js';
import { DIVERGING, packed, pooled, svg } from './chart.js';
import { label, visible } from '../values/html.js';
import { MASK_LIMIT } from '../values/stats.js';
import { sci } from '../values/numbers.js';
import { CONFIG, GREY, PAGE, TITLE, WIDE } from './page.js';

const MOST = 512;

export function activationBundle(activation: Activation): Bundle {
  const { dims, data } = activation;
  const stats = activation.stats();
  const trouble = `${stats.nans ? `, ${stats.nans} NaN` : ''}${stats.masked ? `, ${stats.masked} masked` : ''}`;
  const summary = `${activation}  min ${sci(stats.min)}  max ${sci(stats.max)}  mean ${sci(stats.mean)}  std ${sci(stats.std)}${trouble}`;
  if (dims.length === 0) return { 'text/plain': `${activation.name} = ${data[0]}` };
  const last = dims[dims.length - 1];
  const lead = dims.slice(0, -1);
  const columns = last.size;
  const rows = data.length / columns;
  const clean = data.map(v => (v <= MASK_LIMIT || !Number.isFinite(v) ? 0 : v));
  const limit = robustLimit(clean);
  // What is masked or no number is a hole, not a 0; a pooled picture shows what else is in the block.
  const holes = data.map(v => (v <= MASK_LIMIT || !Number.isFinite(v) ? Number.NaN : v));
  const grid = pooled(holes, rows, columns, MOST);
  const nameOf = (row: number, text: (s: string) => string) => rowName(lead, row, text);
  // Columns are called by their numbers in the model, and by their texts where they are tokens.
  const texts = last.labels ? labelsOf(last) : null;
  const across = texts
    ? { x: Array.from({ length: grid.columns }, (_, j) => `${last.from + j * grid.by} ${label(texts[j * grid.by])}`) }
    : { x0: last.from, dx: grid.by };
  const most = grid.by === 1 ? '' : `most of ${grid.by} × ${grid.by}: `;
  const title = `${activation}`;
  const height = Math.max(180, Math.min(640, 120 + 16 * grid.rows));
  return {
    'application/vnd.plotly.v1+json': {
      data: [
        {
          type: 'heatmap',
          z: packed(grid.z, grid.rows, grid.columns),
          zmin: -limit,
          zmax: limit,
          colorscale: DIVERGING.map((colour, i) => [i / (DIVERGING.length - 1), colour]),
          colorbar: { thickness: 12 },
          hovertemplate: `%{y}<br>${label(last.name)} %{x}<br>${most}%{z}<extra></extra>`,
          hoverongaps: false,
          ...across,
          y: Array.from({ length: grid.rows }, (_, i) => nameOf(i * grid.by, label)),
        },
      ],
      layout: {
        ...PAGE,
        title: { text: label(title), ...TITLE },
        width: WIDE,
        height,
        margin: { l: 130, r: 20, t: 50, b: 50 },
        xaxis: {
          title: { text: label(last.name) },
          showgrid: false,
          zeroline: false,
          ...(texts ? { type: 'category' } : {}),
        },
        yaxis: { autorange: 'reversed', showgrid: false, zeroline: false, type: 'category' },
      },
      config: CONFIG,
    },
    'image/svg+xml': still(holes, rows, last, limit, title, row => nameOf(row, visible)),
    'text/plain': summary,
  };
}

function still(
  values: Float32Array,
  rows: number,
  last: Dim,
  limit: number,
  title: string,
  nameOf: (row: number) => string,
): string {
  const grid = pooled(values, rows, last.size, 20);
  return svg(
    {
      title: { text: visible(title), textStyle: { fontSize: 14, color: GREY } },
      grid: { left: 90, right: 20, top: 36, bottom: 40 },
      xAxis: {
        type: 'category',
        data: Array.from({ length: grid.columns }, (_, i) => last.from + i * grid.by),
        axisLabel: { color: GREY },
      },
      yAxis: {
        type: 'category',
        inverse: true,
        data: Array.from({ length: grid.rows }, (_, i) => nameOf(i * grid.by).slice(0, 16)),
        axisLabel: { color: GREY },
      },
      visualMap: { show: false, min: -limit, max: limit, inRange: { color: DIVERGING } },
      series: [
        {
          type: 'heatmap',
          data: [...grid.z].flatMap((v, at) =>
            Number.isNaN(v) ? [] : [[at % grid.columns, Math.floor(at / grid.columns), Number(v.toPrecision(2))]],
          ),
        },
      ],
    },
    720,
    Math.min(480, 100 + 16 * grid.rows),
  );
}

/** The 99th percentile of the magnitudes, so that one outlier channel does not bleach the rest. */
function robustLimit(values: Float32Array): number {
  const sizes = values.map(Math.abs).sort();
  return sizes[Math.floor(0.99 * (sizes.length - 1))] || sizes[sizes.length - 1] || 1;
}
