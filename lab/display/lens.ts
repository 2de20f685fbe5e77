// The lens as a table of layers × tokens: what each layer would say, shaded by how sure it is.

import type { Lens, LensCell, LensTable } from '../probe/lens.js';
import type { Bundle } from '../values/shown.js';
import { CONFIG, HOLE, lengthOf, MENU, PAGE, titled } from './page.js';
import { barOf, CIVIDIS, scaleThrough } from './chart.js';
import { folded } from '../values/fold.js';
import { html, label, visible } from '../values/html.js';
import { percentText, shortened } from '../values/numbers.js';
import { drawn } from './drawn.js';
import { layerTicks } from './spread.js';
import { type Cell, htmlTable, textTable } from './table.js';

/** Tokens beside each other whose cells have room for a word. */
const ACROSS = 7;
/** Cells that a figure may hold: about 700 kB. */
const CELLS = 10_000;
/** Pixels that the name of the rows, and the scale of colours, need. */
const LEAST = 90;
/** Tokens in the text. */
const IN_TEXT = 8;

export function lensBundle({ cells, tokens: labels }: Lens): Bundle {
  const listed = (cells[0]?.[0]?.top.length ?? 1) > 1;
  const beside = listed ? 1 + cells[0][0].top.length / 2 : 1;
  const most = Math.max(1, Math.floor(CELLS / beside / cells.length));
  const from = Math.max(0, labels.length - most);
  const rows = cells.map(row => row.slice(from));
  const columns = labels.slice(from);
  const layers = layerTicks(cells.map(([{ stage }]) => stage));
  const positions = rows[0].map(({ token }) => token);
  const x = columns.map((text, i) => `${positions[i]} ${label(shortened(text, 12))}`);
  const shown = Math.min(ACROSS, columns.length);
  const windows = Array.from({ length: Math.ceil(columns.length / ACROSS) }, (_, i) => {
    const end = columns.length - i * ACROSS;
    return [Math.max(0, Math.min(end, columns.length) - shown), Math.max(end, shown)] as const;
  });
  // Of a part of the sequence its own ends, which are positions in the model too.
  const [first] = cells[0];
  const whole = first.token === 0 ? `${labels.length}` : `${first.token}–${positions.at(-1)}`;
  const part = (start: number, end: number) => `tokens ${positions[start]}–${positions[end - 1]} of ${whole}`;
  const notes = from > 0 ? [`the last ${columns.length} of ${labels.length} tokens are in this picture`] : [];
  const name = 'Logit lens: what each layer would say next';
  const longest = x.reduce((n, name) => Math.max(n, lengthOf(name)), 0);
  const margin = {
    l: 64,
    r: 20,
    t: (windows.length > 1 ? 84 : 50) + 15 * notes.length,
    b: Math.max(96, 30 + 6 * longest),
  };
  const plot = Math.max(LEAST, 26 * rows.length + 4);
  const round = (p: number) => Number(p.toPrecision(4));
  const figure = {
    data: [
      {
        type: 'heatmap',
        x,
        y: layers,
        z: rows.map(row => row.map(({ probability }) => round(probability))),
        text: rows.map(row => row.map(({ text }) => label(shortened(text, 8)))),
        texttemplate: '%{text}',
        textfont: { size: 11 },
        customdata: rows.map(row =>
          row.map(c => [label(c.text), round(c.finalProbability), c.finalRank, ...(listed ? [likeliestOf(c)] : [])]),
        ),
        zmin: 0,
        zmax: 1,
        colorscale: scaleThrough(CIVIDIS),
        colorbar: barOf(plot, 0, 1, 'probability'),
        xgap: 1,
        ygap: 1,
        hovertemplate:
          'after %{x}, layer %{y}<br>%{customdata[0]}: %{z}<br>the final answer: %{customdata[1]}, rank %{customdata[2]}' +
          `${listed ? '<br>%{customdata[3]}' : ''}<extra></extra>`,
      },
    ],
    layout: {
      ...PAGE,
      plot_bgcolor: HOLE,
      title: titled(name, notes),
      height: margin.t + plot + margin.b,
      margin,
      dragmode: 'pan',
      xaxis: {
        type: 'category',
        range: [windows[0][0] - 0.5, windows[0][1] - 0.5],
        tickangle: -50,
        showgrid: false,
      },
      yaxis: { type: 'category', title: { text: 'after layer' }, showgrid: false },
      ...(windows.length > 1 && {
        updatemenus: [
          {
            ...MENU,
            type: 'dropdown',
            buttons: windows.map(([start, end]) => ({
              label: part(start, end),
              method: 'relayout',
              args: [{ 'xaxis.range': [start - 0.5, end - 0.5] }],
            })),
          },
        ],
      }),
    },
    config: CONFIG,
  };
  const last = columns.slice(-IN_TEXT);
  const few = last.length < labels.length ? `, for the last ${last.length} of ${labels.length} tokens` : '';
  return drawn(
    figure,
    `${name}${few}\n${textTable(
      [
        { title: 'layer', right: true },
        ...last.map((text, i) => ({ title: `after ${positions.slice(-IN_TEXT)[i]} ${visible(text)}` })),
      ],
      rows.map((row, i) => ({
        cells: [layers[i], ...row.slice(-IN_TEXT).map(c => `${visible(c.text)} ${percentText(c.probability)}`)],
      })),
    )}`,
  );
}

/** Tokens in a hover: a page holds no more lines. */
const IN_HOVER = 20;
const likeliestOf = ({ top }: LensCell): string =>
  top
    .slice(0, IN_HOVER)
    .map(({ text, probability }) => `${label(text)} ${percentText(probability)}`)
    .join('<br>');

/** Rows of a table, of the last tokens where there are more, and characters that they may take together. */
const ROWS = 2000;
const CHARACTERS = 900_000;
/** Characters of a row, and of one of its tokens, beside the texts. */
const ROW = 161;
const TOKEN = 71;

/** A row a token and layer: the likeliest there, and where the model's own answer stands. */
export function lensTableBundle({ lens: { cells, tokens } }: LensTable): Bundle {
  const all = cells[0].flatMap((_, token) => cells.map(row => ({ cell: row[token], text: tokens[token] })));
  const sizeOf = ({ cell }: (typeof all)[number]) =>
    cell.top.reduce((n, { text }) => n + TOKEN + html`${visible(text)}`.text.length, ROW);
  const mean = all.slice(-ROWS).reduce((n, row) => n + sizeOf(row), 0) / Math.min(ROWS, all.length);
  const kept = cells.length * Math.max(1, Math.floor(Math.min(ROWS, CHARACTERS / mean) / cells.length));
  const rows = all.slice(-kept);
  const many = cells[0][0].top.length;
  const layers = new Map(cells.map((row, i) => [row[0].stage, layerTicks(cells.map(([{ stage }]) => stage))[i]]));
  const columns = [
    { title: 'after token' },
    { title: 'layer', right: true },
    { title: many > 1 ? `the ${many} likeliest` : 'likeliest' },
    { title: 'answer' },
    { title: 'rank', right: true },
  ];
  const told = rows.map(({ cell, text }) => ({
    cells: [
      { text: `${cell.token} ${visible(text)}`, html: html`${cell.token} ${shortened(visible(text), IN_TABLE)}` },
      layers.get(cell.stage)!,
      listOf(cell),
      tokenCell(cell.finalText, cell.finalProbability),
      String(cell.finalRank),
    ],
  }));
  const title = `Logit lens: what each layer would say next, and the model’s answer${rows.length < all.length ? `; the last ${rows.length} of ${all.length} rows` : ''}`;
  const few = told.slice(-cells.length * IN_TEXT);
  const left = few.length < told.length ? `, the last ${IN_TEXT} of ${tokens.length} tokens` : '';
  return {
    'text/html': html`<div>${title}</div>${htmlTable(columns, told, { tools: true })}`.text,
    'text/plain': `${folded(`Logit lens: what each layer would say next, and the model’s answer${left}`, '  ')}\n${textTable(columns, few)}`,
  };
}

/** Characters of a token in a table that fits the narrowest cell. */
const IN_TABLE = 10;

/** A token with its probability; of a long one a page shows the beginning, and the rest where it is pointed at. */
function tokenCell(token: string, probability: number) {
  const [whole, beginning] = [visible(token), shortened(visible(token), IN_TABLE)];
  const percent = percentText(probability);
  const text = `${whole} ${percent}`;
  // Isolated, or words that are read from right to left would take the numbers beside them along.
  return {
    text,
    html:
      beginning === whole
        ? html`<bdi>${whole}</bdi> ${percent}`
        : html`<span title="${whole}"><bdi>${beginning}</bdi> ${percent}</span>`,
  };
}

/** Broken between two tokens where a page is narrow. */
function listOf({ top }: LensCell): Cell {
  const all = top.map(one => tokenCell(one.text, one.probability));
  const parts = all.map(
    (one, i) => html`<span style="white-space:nowrap">${one.html}${i < all.length - 1 ? ',' : ''}</span> `,
  );
  return {
    text: all.map(one => one.text).join(', '),
    html: html`<div style="white-space:normal;max-width:30em">${parts}</div>`,
  };
}
