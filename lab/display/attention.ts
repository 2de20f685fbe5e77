// Attention as a heatmap of query × key with selectors for layer and head inside the figure, token labels on both axes, heads named with
// the key/value head they share, the causal edge and the sliding window drawn. Long sequences are pooled by their maximum.

import type { Activation } from '../values/activation.js';
import type { AttentionFigure, AttentionLayer } from '../values/attention.js';
import { labelsOf, partText } from '../values/dims.js';
import { blockSize, blocksOf } from './blocks.js';
import type { Bundle, Figure } from '../values/shown.js';
import { CONFIG, HOLE, lengthOf, MENU, menuFrom, PAGE, TITLE, titled } from './page.js';
import { edges } from './attention-edges.js';
import { blockName, type Rest, restOf, type Sink, sinkOf } from './attention-sink.js';
import { barTitle, CIVIDIS, type Packed, packed, scaleThrough } from './chart.js';
import { label, visible } from '../values/html.js';
import { percentText } from '../values/numbers.js';
import { drawn } from './drawn.js';

/** Values a figure may hold, over all layers and heads, as they are, and pooled with the place of each: about 700 kB. */
const VALUES = 120_000;
const POOLED = 40_000;
/** Pixels of a token where few are shown, and the widest figure that does not take its cell's width. */
const CELL = 22;
const NARROW = 480;
/** The lowest picture, in which the numbers of the weights and the name of the queries have room. */
const LOWEST = 150;
/** Pixels of a button beside its words, and of a letter of these. */
const BUTTON = 26;
const LETTER = 5.5;
/** Pixels of the list that says where the colours end, at the right. */
const COLOURS = 130;

export function attentionBundle(figure: AttentionFigure): Bundle {
  return drawn(plotly(figure), text(figure));
}

/** Most entries on a side of `many` pictures of one pattern. */
export function sideOf({ pattern }: AttentionLayer, many: number): number {
  const [, T, S] = pattern.shape;
  const whole = T * S * many <= VALUES;
  return whole ? Math.max(T, S) : Math.max(16, Math.floor(Math.sqrt(POOLED / many)));
}

export const headName = ({ heads, kvHeads }: AttentionFigure, head: number): string =>
  `head ${head} · kv ${Math.floor(head / (heads / kvHeads))}`;

/** The title of a layer's pattern, and which part of it is here. */
function titleParts({ layer, window, pattern }: AttentionLayer): string[] {
  const part = partText(pattern.dims);
  const sees = window === null ? '(sees every token)' : `(sees the last ${window} tokens)`;
  return [`Attention, layer ${layer} ${sees}`, ...(part ? [part] : [])];
}

export const attentionTitle = (layer: AttentionLayer): string => titleParts(layer).join(': ');

/** The same as lines that fit the narrowest cell: where one has no room, the part begins the notes. */
export function attentionHeading(layer: AttentionLayer): string[] {
  const whole = attentionTitle(layer);
  return (whole.length <= TITLE ? [whole] : titleParts(layer)).map(label);
}

/** The heads that a pattern holds, by their numbers in the model. */
export const headsOf = ({ dims: [{ size, from }] }: Activation): number[] =>
  Array.from({ length: size }, (_, i) => from + i);

function plotly(figure: AttentionFigure): Figure {
  const { layers } = figure;
  const [first] = layers;
  const [heads, , S] = first.pattern.shape;
  const numbers = headsOf(first.pattern);
  const [, query, key] = first.pattern.dims;
  const side = sideOf(first, layers.length * heads);
  const grids = layers.map(layer => Array.from({ length: heads }, (_, head) => gridOf(layer, head, side)));
  const { rows, columns, by } = grids[0][0];
  const x = Array.from({ length: columns }, (_, j) => blockName(key, j, by));
  const y = Array.from({ length: rows }, (_, i) => blockName(query, i, by));
  const sinks = layers.map(sinkOf);
  // A layer's own: one without a sink would take the colours of all others with it.
  const rests = layers.map((layer, i) => restOf(layer, sinks[i]));
  const [rest] = rests;
  const bar = (i: number, rest = rests[i]) => barText(rest, sinks[i] !== null);
  const data = grids[0].map(({ z, at }, head) => ({
    type: 'heatmap',
    name: headName(figure, numbers[head]),
    visible: head === 0,
    z,
    x,
    y,
    zmin: 0,
    zmax: rest?.end ?? 1,
    colorscale: WEIGHTS,
    colorbar: { thickness: 12, ...bar(0) },
    ...(at ? { customdata: at } : {}),
    hovertemplate: hoverText(by, ''),
    hoverongaps: false,
  }));
  const fixed = 130 + CELL * S;
  const zeros = layers.map(hasZero);
  const odd = layers.map(oddWeights);
  const headings = layers.map(attentionHeading);
  const notes = (i: number) => [
    ...headings[i].slice(1),
    ...notesOf(by, rests[i] === null ? null : sinks[i], rests[i], zeros[i]),
    ...oddNote(odd[i], 'grey'),
  ];
  const lines = 1 + Math.max(...layers.map((_, i) => notes(i).length));
  // Buttons where all of them have room, also in the narrowest figure and behind the choice of a layer; else a list.
  const beside = layers.length > 1 ? 92 : 0;
  const longest = [...x, ...y].reduce((n, name) => Math.max(n, lengthOf(name)), 0);
  const margin = {
    l: by > 1 ? Math.max(84, 36 + 7 * longest) : Math.max(100, 44 + 6.5 * longest),
    r: 20,
    t: 48 + 15 * lines + 36,
    b: Math.max(96, 40 + 6 * longest),
  };
  const buttons = numbers.reduce((n, head) => n + BUTTON + LETTER * headName(figure, head).length, 0);
  const ends = rest !== null && layers.length === 1 ? COLOURS : 0;
  const needed = 12 + beside + buttons + ends + 4;
  const few = needed <= NARROW;
  return {
    data,
    layout: {
      ...PAGE,
      plot_bgcolor: HOLE,
      title: titled(headings[0][0], notes(0)),
      ...(fixed <= NARROW ? { width: NARROW } : {}),
      height: Math.max(margin.t + LOWEST + margin.b, Math.min(760, 138 + 15 * lines + 40 + CELL * rows)),
      margin,
      xaxis: {
        title: { text: `key (read from)${by > 1 ? `, ${by} a cell` : ''}`, standoff: 6 },
        type: 'category',
        // Where all weights are NaN plotly would name nothing.
        ...(odd.some(n => n > 0) && { range: [-0.5, columns - 0.5], categoryarray: x }),
        tickangle: -60,
        showgrid: false,
        zeroline: false,
      },
      yaxis: {
        // Beside the longest name, not among them.
        title: { text: `query (reads)${by > 1 ? `, ${by} a cell` : ''}`, standoff: 6 },
        type: 'category',
        ...(odd.some(n => n > 0) ? { range: [rows - 0.5, -0.5], categoryarray: y } : { autorange: 'reversed' }),
        showgrid: false,
        zeroline: false,
      },
      shapes: edges(query, key, first.window, by),
      updatemenus: [
        {
          ...MENU,
          type: few ? 'buttons' : 'dropdown',
          direction: few ? 'right' : 'down',
          pad: { b: 10, l: 12 - margin.l + beside },
          buttons: grids[0].map((_, head) => ({
            label: headName(figure, numbers[head]),
            method: 'restyle',
            args: [{ visible: grids[0].map((_, other) => other === head) }],
          })),
        },
        ...(layers.length > 1
          ? [
              {
                ...menuFrom(margin.l),
                type: 'dropdown',
                buttons: layers.map((layer, i) => ({
                  label: `layer ${layer.layer}`,
                  method: 'update',
                  args: [
                    {
                      z: grids[i].map(({ z }) => z),
                      ...(by > 1 && { customdata: grids[i].map(({ at }) => at) }),
                      zmax: rests[i]?.end ?? 1,
                      'colorbar.tickvals': [bar(i).tickvals],
                      'colorbar.ticktext': [bar(i).ticktext],
                    },
                    {
                      'title.text': headings[i][0],
                      'title.subtitle.text': notes(i).join('<br>'),
                      shapes: edges(query, key, layer.window, by),
                    },
                  ],
                })),
              },
            ]
          : []),
        ...(rest === null || layers.length > 1
          ? []
          : [
              {
                ...MENU,
                type: 'dropdown',
                x: 1,
                xanchor: 'right',
                buttons: [rest, null].map(to => ({
                  label: `colours to ${to?.end ?? 1}`,
                  method: 'restyle',
                  args: [
                    {
                      zmax: to?.end ?? 1,
                      'colorbar.tickvals': [bar(0, to).tickvals],
                      'colorbar.ticktext': [bar(0, to).ticktext],
                    },
                  ],
                })),
              },
            ]),
      ],
    },
    config: CONFIG,
  };
}

/** From exactly 0, which is pale grey, through Cividis: the least weight that f32 has is dark already. What is masked is a hole. */
export const WEIGHTS: [number, string][] = [[0, '#b9bec7'], [1e-44, CIVIDIS[0]], ...scaleThrough(CIVIDIS).slice(1)];

/**
 * @param rest where the colours end; null: at 1
 * @param sunk whether there is a sink beyond
 */
export function barText(rest: Rest | null, sunk: boolean) {
  const end = rest?.end ?? 1;
  const more = sunk || (rest !== null && rest.beyond > 0);
  const tickvals = [0, 0.25, 0.5, 0.75, 1].map(v => Number((v * end).toPrecision(3)));
  return {
    title: barTitle('weight'),
    tickvals,
    ticktext: tickvals.map((v, i) => `${more && rest !== null && i === 4 ? '≥' : ''}${v}`),
  };
}

/** @param before what is said first */
export const hoverText = (by: number, before: string): string =>
  by === 1
    ? `${before}%{y} reads %{x}<br>weight %{z:.7~g}<extra></extra>`
    : `${before}queries %{y}, keys %{x}<br>largest weight %{z:.7~g}:<br>query %{customdata[0]} reads %{customdata[1]}<extra></extra>`;

/** What a picture must say of itself. */
export function notesOf(by: number, sink: Sink | null, rest: Rest | null, zero = false): string[] {
  return [
    by > 1 ? `a cell is ${by} × ${by} tokens, the largest weight of them` : '',
    by > 1 ? 'run.at(stage).slice({ query: [from, to] }) shows every weight of a part' : '',
    zero ? 'pale grey: a weight of exactly 0' : '',
    sink
      ? `${sink.name} holds ${percentText(sink.share)} of the weight${rest !== null && rest.end < 1 ? `: colours end at ${rest.end}` : ''}`
      : rest !== null
        ? `colours end at ${rest.end}: ${rest.beyond > 0 ? `${percentText(rest.beyond)} of the queries give a token more` : 'no weight is larger'}`
        : '',
  ].filter(Boolean);
}

/** Whether a query gives exactly nothing to a key that it may read. */
export function hasZero({ pattern, window }: AttentionLayer): boolean {
  const [, T, S] = pattern.shape;
  const [, query, key] = pattern.dims;
  return pattern.data.some((weight, n) => {
    const [q, k] = [query.from + (Math.floor(n / S) % T), key.from + (n % S)];
    return weight === 0 && k <= q && (window === null || k + window > q);
  });
}

/** How many weights that a query gives to what it may read are no number: they are holes too, and no mask made them. */
export function oddWeights({ pattern, window }: AttentionLayer): number {
  const [, T, S] = pattern.shape;
  const [, query, key] = pattern.dims;
  return pattern.data.reduce((many, weight, n) => {
    const [q, k] = [query.from + (Math.floor(n / S) % T), key.from + (n % S)];
    return many + (!Number.isFinite(weight) && k <= q && (window === null || k + window > q) ? 1 : 0);
  }, 0);
}

/** @param look how they look */
export const oddNote = (many: number, look: string): string[] =>
  many > 0 ? [`${look} where a query may read: ${many} ${many === 1 ? 'weight is' : 'weights are'} NaN`] : [];

interface Grid {
  readonly z: Packed;
  /** Query and key of each entry, where entries are pooled. */
  readonly at: Packed | null;
  readonly rows: number;
  readonly columns: number;
  /** Tokens on a side of one entry. */
  readonly by: number;
}

/** One head, by its place in the pattern, pooled to at most `most` entries on a side; what a query cannot see is NaN, a hole. */
export function gridOf({ pattern, window }: AttentionLayer, head: number, most: number): Grid {
  const [, T, S] = pattern.shape;
  const [, query, key] = pattern.dims;
  const by = blockSize(Math.max(T, S), most);
  const seen = Float32Array.from({ length: T * S }, (_, n) => {
    const [q, k] = [query.from + Math.floor(n / S), key.from + (n % S)];
    return k <= q && (window === null || k + window > q) ? pattern.data[head * T * S + n] : Number.NaN;
  });
  const { z, rows, columns, at } = blocksOf(seen, T, S, by, by);
  const places = Int32Array.from({ length: 2 * at.length }, (_, n) => {
    const place = at[n >> 1];
    return n % 2 === 0 ? query.from + Math.floor(place / S) : key.from + (place % S);
  });
  return {
    z: packed(z, rows, columns),
    at: by > 1 ? { ...packed(places, rows, columns), shape: `${rows}, ${columns}, 2` } : null,
    rows,
    columns,
    by,
  };
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
