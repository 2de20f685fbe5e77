// Attention as a heatmap of query × key with selectors for layer and head inside the figure, token labels on both axes, heads named with
// the key/value head they share, the causal edge and the sliding window drawn. Long sequences are pooled by their maximum.

import type { Activation } from '../values/activation.js';
import type { AttentionFigure, AttentionLayer } from '../values/attention.js';
import { labelsOf, partText } from '../values/dims.js';
import type { Bundle, Figure } from '../values/shown.js';
import { CIVIDIS, type Packed, packed, pooled, svg } from './chart.js';
import { label, visible } from '../values/html.js';
import { CONFIG, GREY, PAGE, TITLE } from './page.js';

/** Values a figure may hold, over all layers and heads: about 700 kB. */
const VALUES = 120_000;

export function attentionBundle(figure: AttentionFigure): Bundle {
  return {
    'application/vnd.plotly.v1+json': plotly(figure),
    'image/svg+xml': still(figure),
    'text/plain': text(figure),
  };
}

export const headName = ({ heads, kvHeads }: AttentionFigure, head: number): string =>
  `head ${head} · kv ${Math.floor(head / (heads / kvHeads))}`;

export function attentionTitle({ layer, window, pattern }: AttentionLayer): string {
  const part = partText(pattern.dims);
  const sees = window === null ? '(sees every token)' : `(sees the last ${window} tokens)`;
  return `Attention, layer ${layer} ${sees}${part ? `: ${part}` : ''}`;
}

/** The heads that a pattern holds, by their numbers in the model. */
export const headsOf = ({ dims: [{ size, from }] }: Activation): number[] =>
  Array.from({ length: size }, (_, i) => from + i);

function plotly(figure: AttentionFigure): Figure {
  const { layers } = figure;
  const [first] = layers;
  const [heads, T, S] = first.pattern.shape;
  const numbers = headsOf(first.pattern);
  const [, query, key] = first.pattern.dims;
  const keys = labelsOf(key).map(label);
  const queries = labelsOf(query).map(label);
  // Categories must differ; the tick shows the text alone.
  const keyNames = keys.map((name, i) => `${key.from + i} ${name}`);
  const queryNames = queries.map((name, i) => `${query.from + i} ${name}`);
  const side = Math.max(24, Math.floor(Math.sqrt(VALUES / (layers.length * heads))));
  const grids = layers.map(layer => Array.from({ length: heads }, (_, head) => gridOf(layer, head, side)));
  const { rows, columns, by } = grids[0][0];
  const data = grids[0].map(({ z }, head) => ({
    type: 'heatmap',
    name: headName(figure, numbers[head]),
    visible: head === 0,
    z,
    x: Array.from({ length: columns }, (_, j) => keyNames[j * by]),
    y: Array.from({ length: rows }, (_, i) => queryNames[i * by]),
    zmin: 0,
    zmax: 1,
    colorscale: 'Cividis',
    colorbar: { title: { text: 'weight' }, thickness: 12 },
    hovertemplate: `%{y} reads %{x}<br>${by === 1 ? 'weight' : `most of ${by} × ${by}`} %{z:.3f}<extra></extra>`,
    hoverongaps: false,
  }));
  const few = (n: number) =>
    Array.from({ length: n }, (_, i) => i).filter(i => i % Math.ceil(n / 64) === 0 && i % by === 0);
  const size = Math.max(440, Math.min(760, 130 + 18 * S));
  const shapes = (layer: AttentionLayer) => edges(layer, by);
  return {
    data,
    layout: {
      ...PAGE,
      title: { text: attentionTitle(first), ...TITLE },
      width: Math.max(size + 120, 130 + (heads <= 8 ? 98 * heads : 120) + (layers.length > 1 ? 92 : 0)),
      height: Math.max(340, Math.min(760, 150 + 18 * T)),
      margin: { l: 100, r: 20, t: 96, b: 90 },
      xaxis: {
        title: { text: 'key (read from)' },
        type: 'category',
        tickvals: few(S).map(i => keyNames[i]),
        ticktext: few(S).map(i => keys[i]),
        tickangle: -60,
        showgrid: false,
        zeroline: false,
        constrain: 'domain',
      },
      yaxis: {
        title: { text: 'query (reads)' },
        type: 'category',
        tickvals: few(T).map(i => queryNames[i]),
        ticktext: few(T).map(i => queries[i]),
        autorange: 'reversed',
        showgrid: false,
        zeroline: false,
      },
      shapes: shapes(first),
      updatemenus: [
        {
          ...MENU,
          type: heads <= 8 ? 'buttons' : 'dropdown',
          direction: heads <= 8 ? 'right' : 'down',
          x: 0,
          pad: { b: 10, l: layers.length > 1 ? 92 : 0 },
          buttons: grids[0].map((_, head) => ({
            label: headName(figure, numbers[head]),
            method: 'restyle',
            args: [{ visible: grids[0].map((_, other) => other === head) }],
          })),
        },
        ...(layers.length > 1
          ? [
              {
                ...MENU,
                type: 'dropdown',
                x: 0,
                buttons: layers.map((layer, i) => ({
                  label: `layer ${layer.layer}`,
                  method: 'update',
                  args: [
                    { z: grids[i].map(({ z }) => z) },
                    { 'title.text': attentionTitle(layer), shapes: shapes(layer) },
                  ],
                })),
              },
            ]
          : []),
      ],
    },
    config: CONFIG,
  };
}

const MENU = {
  xanchor: 'left',
  y: 1,
  pad: { b: 10 },
  yanchor: 'bottom',
  font: { size: 11, color: '#3b4252' },
  bgcolor: '#e5e9f0',
} as const;

interface Grid {
  readonly z: Packed;
  readonly rows: number;
  readonly columns: number;
  /** Tokens on a side of one entry. */
  readonly by: number;
}

/** One head, by its place in the pattern, pooled to at most `most` entries on a side; what a query cannot see is NaN, a hole. */
export function gridOf({ pattern, window }: AttentionLayer, head: number, most: number): Grid {
  const [, T, S] = pattern.shape;
  const [, query, key] = pattern.dims;
  const { z, rows, columns, by } = pooled(pattern.data.subarray(head * T * S, (head + 1) * T * S), T, S, most);
  const seen = (i: number, j: number) => {
    const [firstQuery, firstKey] = [query.from + i * by, key.from + j * by];
    const [lastQuery, lastKey] = [firstQuery + by - 1, firstKey + by - 1];
    return firstKey <= lastQuery && (window === null || lastKey + window > firstQuery);
  };
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) values[i * columns + j] = seen(i, j) ? z[i * columns + j] : Number.NaN;
  }
  return { z: packed(values, rows, columns), rows, columns, by };
}

/** The edges between what a query may see and what it may not, where they cross the part that is shown: stairs, or lines where it is pooled. */
function edges({ pattern, window }: AttentionLayer, by: number): unknown[] {
  const [, query, key] = pattern.dims;
  const [rows, columns] = [Math.ceil(query.size / by), Math.ceil(key.size / by)];
  const stair = (lag: number) => {
    let path = '';
    for (let i = 0; i < query.size; i++) {
      const x = query.from + i - lag - key.from + 0.5;
      if (x < -0.5 || x > key.size - 0.5) continue;
      path += `${path ? 'L' : 'M'}${x},${i - 0.5}L${x},${i + 0.5}`;
    }
    return path;
  };
  const diagonal = (lag: number) => {
    const right = (query.from - lag - key.from + 0.5) / by; // of y, in blocks
    const [top, bottom] = [Math.max(-0.5, -0.5 - right), Math.min(rows - 0.5, columns - 0.5 - right)];
    return top < bottom ? `M${top + right},${top}L${bottom + right},${bottom}` : '';
  };
  const draw = by === 1 ? stair : diagonal;
  const line = (path: string, dash: string) => ({ type: 'path', path, line: { color: GREY, width: 1.5, dash } });
  const paths = [{ path: draw(0), dash: 'solid' }];
  if (window !== null && query.from + query.size > window) paths.push({ path: draw(window), dash: 'dot' });
  return paths.flatMap(({ path, dash }) => (path === '' ? [] : [line(path, dash)]));
}

function still(figure: AttentionFigure): string {
  const [first] = figure.layers;
  const { pattern } = first;
  const [A, T, S] = pattern.shape;
  const most = 24;
  const side = 190;
  const columns = Math.min(4, A);
  const keys = labelsOf(pattern.dims[2]).map(visible);
  const queries = labelsOf(pattern.dims[1]).map(visible);
  const numbers = headsOf(pattern);
  const shown = Math.min(A, 8);
  const panels = Array.from({ length: shown }, (_, head) => {
    const grid = pooled(pattern.data.subarray(head * T * S, (head + 1) * T * S), T, S, most);
    return {
      head,
      ...grid,
      left: 70 + (head % columns) * (side + 62),
      top: 56 + Math.floor(head / columns) * (side + 88),
    };
  });
  const axis = (names: readonly string[], n: number, by: number) => ({
    type: 'category' as const,
    data: Array.from({ length: n }, (_, i) => names[i * by].slice(0, 9)),
    axisLabel: { fontSize: 8, interval: Math.floor(n / 15), color: GREY },
    axisTick: { show: false },
    splitLine: { show: false },
  });
  return svg(
    {
      title: [
        { text: attentionTitle(first), textStyle: { fontSize: 14, color: GREY }, left: 8, top: 4 },
        ...panels.map(p => ({
          text: headName(figure, numbers[p.head]),
          left: p.left,
          top: p.top - 20,
          textStyle: { fontSize: 11, fontWeight: 'normal' as const, color: GREY },
        })),
      ],
      grid: panels.map(p => ({ left: p.left, top: p.top, width: side, height: side })),
      xAxis: panels.map((p, i) => ({
        ...axis(keys, p.columns, p.by),
        gridIndex: i,
        axisLabel: { ...axis(keys, p.columns, p.by).axisLabel, rotate: 60 },
      })),
      yAxis: panels.map((p, i) => ({ ...axis(queries, p.rows, p.by), gridIndex: i, inverse: true })),
      visualMap: { show: false, min: 0, max: 1, inRange: { color: CIVIDIS } },
      series: panels.map((p, i) => ({
        type: 'heatmap',
        xAxisIndex: i,
        yAxisIndex: i,
        data: [...p.z].flatMap((v, at) =>
          v >= 0.02 ? [[at % p.columns, Math.floor(at / p.columns), Number(v.toFixed(2))]] : [],
        ),
      })),
    },
    90 + columns * (side + 62),
    60 + Math.ceil(shown / columns) * (side + 88),
  );
}

function text(figure: AttentionFigure): string {
  const [first] = figure.layers;
  const { pattern } = first;
  const [, T, S] = pattern.shape;
  const [, query, key] = pattern.dims;
  const keys = labelsOf(key).map(visible);
  const last = labelsOf(query).map(visible)[T - 1];
  const lines = headsOf(pattern).map((number, head) => {
    const row = pattern.data.subarray((head * T + T - 1) * S, (head * T + T) * S);
    const best = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, 3);
    return `  ${headName(figure, number)}: '${last}' reads ${best.map(j => `'${keys[j]}' ${row[j].toFixed(2)}`).join(', ')}`;
  });
  const more = figure.layers.slice(1).map(({ layer }) => layer);
  const others = more.length > 0 ? [`  and layers ${more.join(', ')}`] : [];
  const end = `the last query, ${query.from + T - 1}`;
  return [`${attentionTitle(first)}, ${T} queries × ${S} keys; ${end}:`, ...lines, ...others].join('\n');
}
