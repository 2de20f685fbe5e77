// Where a stage is wrong: a panel a head of query × key, or token × channel, by the size of the error, and under it the values around the worst place.

import type { ErrorMap } from '../diff/error-map.js';
import { locationText } from '../diff/locate.js';
import { placeOf } from '../diff/row.js';
import { type Dim, dimText, labelsOf } from '../values/dims.js';
import { label, visible } from '../values/html.js';
import { sci } from '../values/numbers.js';
import type { Bundle, Figure } from '../values/shown.js';
import { edges } from './attention-edges.js';
import { blockName } from './attention-sink.js';
import { blockSize, blocksOf } from './blocks.js';
import { packed } from './chart.js';
import { drawn } from './drawn.js';
import { type ErrorScale, errorScale } from './error-scale.js';
import { CONFIG, GREY, HOLE, lengthOf, PAGE, titled, titleLines } from './page.js';
import { below, panelAxes, panels } from './panels.js';
import { textTable } from './table.js';
import { indexOf, inText, rowsOf, stripOf } from './worst-place.js';

/** Cells of a picture, which has what stands at each: about 600 kB. */
const CELLS = 20_000;
/** Pixels between a map and the values under it. */
const BETWEEN = 62;

export function errorMapBundle(map: ErrorMap): Bundle {
  return drawn(errorMapFigure(map), textOf(map));
}

/** @param cells that it has at most: what does not fit is pooled */
export function errorMapFigure(map: ErrorMap, cells = CELLS): Figure {
  const isOfPairs = map.ours.dims.some(({ name }) => name === 'key');
  return isOfPairs ? ofPairs(map, cells) : ofChannels(map, cells);
}

/** A panel a head: query × key. */
function ofPairs(map: ErrorMap, cells: number): Figure {
  const { dims } = map.ours;
  const [head, query, key] = dims;
  const [T, S] = [query.size, key.size];
  const relative = map.relative;
  const scale = errorScale(relative, map.limit);
  const by = blockSize(Math.max(T, S), Math.max(8, Math.floor(Math.sqrt(cells / head.size))));
  const kvOf = (n: number) => Math.floor(n / (head.of / (map.kvHeads ?? head.of)));
  const numbers = Array.from({ length: head.size }, (_, i) => head.from + i);
  const notes = notesOf(map, scale, by > 1 ? `a cell is ${by} × ${by} tokens, the largest error of them` : '');
  const top = 77 + 15 * notes.length;
  const strip = stripOf(map, scale);
  const room = panels(numbers, kvOf, top, 40, BETWEEN + strip.height);
  const data = numbers.map((number, i) => {
    const block = relative
      .subarray(i * T * S, (i + 1) * T * S)
      .map((error, at) => (isUnseen(i, at) ? Number.NaN : error));
    const grid = blocksOf(block, T, S, by, by);
    return {
      type: 'heatmap',
      z: packed(scale.of(grid.z), grid.rows, grid.columns),
      x: Array.from({ length: grid.columns }, (_, j) => blockName(key, j, by)),
      y: Array.from({ length: grid.rows }, (_, j) => blockName(query, j, by)),
      customdata: placed(map, grid, i * T * S, at => [query.from + Math.floor(at / S), key.from + (at % S)]),
      ...panelAxes(i),
      ...scale.colours,
      showscale: i === 0,
      hoverongaps: false,
      hovertemplate: hover(map, `head ${number}, query %{customdata[0]}, key %{customdata[1]}`),
    };
  });
  const shapes = numbers.flatMap((_, i) => {
    const { xaxis: xref, yaxis: yref } = panelAxes(i);
    return edges(query, key, map.window, by).map(shape => ({ ...shape, xref, yref }));
  });
  const under = strip.drawn(numbers.length, room.plot);
  return {
    data: [...data, under.trace],
    layout: {
      ...PAGE,
      plot_bgcolor: HOLE,
      ...room.axes,
      ...under.axes,
      annotations: [...room.annotations, below(query, key, (BETWEEN + strip.height) / room.plot), ...under.annotations],
      shapes,
      title: heading(map, notes),
      height: room.height,
      margin: { l: 70, r: 20, t: top, b: 40 },
    },
    config: CONFIG,
  };

  /** A weight of 0 on both sides where nothing may be read is what is masked in scores. */
  function isUnseen(i: number, at: number): boolean {
    const [q, k] = [query.from + Math.floor(at / S), key.from + (at % S)];
    const reads = k <= q && (map.window === null || k + map.window > q);
    return !reads && map.ours.data[i * T * S + at] === 0 && map.theirs.data[i * T * S + at] === 0;
  }
}

/** Tokens down, channels across: those of one head after those of another. */
function ofChannels(map: ErrorMap, cells: number): Figure {
  const { dims } = map.ours;
  const [token, ...inner] = dims;
  const columns = inner.reduce((n, { size }) => n * size, 1);
  const rows = token.size;
  const relative = map.relative;
  const scale = errorScale(relative, map.limit);
  const down = Math.floor(Math.sqrt(cells / 2)); // a page is wide
  const grid = blocksOf(relative, rows, columns, blockSize(rows, down), blockSize(columns, cells / down));
  const last = inner[inner.length - 1];
  const heads = inner.length > 1 ? inner[0] : null;
  const across = heads ? `${heads.name} and ${last.name}` : last.name;
  const pool =
    grid.byRows * grid.byColumns === 1
      ? ''
      : `a cell is ${grid.byRows} × ${grid.byColumns} values, the largest error of them`;
  const notes = notesOf(map, scale, pool);
  const names = Array.from({ length: grid.rows }, (_, i) => blockName(token, i, grid.byRows));
  const top = 50 + 15 * notes.length;
  const strip = stripOf(map, scale);
  const height = Math.max(70, Math.min(420, 14 * grid.rows));
  const plot = height + BETWEEN + 12 + strip.height;
  const under = strip.drawn(1, plot);
  const place = (at: number) => {
    const column = at % columns;
    const channel = heads
      ? [heads.from + Math.floor(column / last.size), last.from + (column % last.size)]
      : [last.from + column];
    return [token.from + Math.floor(at / columns), ...channel];
  };
  const said = heads
    ? `${heads.name} %{customdata[1]}, ${last.name} %{customdata[2]}`
    : `${last.name} %{customdata[1]}`;
  return {
    data: [
      {
        type: 'heatmap',
        z: packed(scale.of(grid.z), grid.rows, grid.columns),
        x0: (heads ? 0 : last.from) + (grid.byColumns - 1) / 2,
        dx: grid.byColumns,
        y: names,
        customdata: placed(map, grid, 0, place),
        ...scale.colours,
        hoverongaps: false,
        hovertemplate: hover(map, `token %{customdata[0]}, ${said}`),
      },
      under.trace,
    ],
    layout: {
      ...PAGE,
      plot_bgcolor: HOLE,
      title: heading(map, notes),
      height: top + plot + 40,
      margin: {
        l: Math.max(84, Math.min(170, 24 + 6.5 * names.reduce((n, one) => Math.max(n, lengthOf(one)), 0))),
        r: 20,
        t: top,
        b: 40,
      },
      xaxis: {
        title: { text: across },
        showgrid: false,
        zeroline: false,
        anchor: 'y',
        ...(heads ? headTicks(heads, last, map.kvHeads) : { tickangle: 0 }),
      },
      yaxis: {
        type: 'category',
        autorange: 'reversed',
        showgrid: false,
        zeroline: false,
        domain: [1 - height / plot, 1],
      },
      ...under.axes,
      annotations: under.annotations,
      shapes: heads ? boundaries(heads, last, map.kvHeads, grid.rows) : [],
    },
    config: CONFIG,
  };
}

/** Query heads that share a key/value head; 1 where each has its own, and of key/value heads. */
const shared = (heads: Dim, kvHeads: number | null): number => (kvHeads && heads.of > kvHeads ? heads.of / kvHeads : 1);

/** Each head named where it stands, with the key/value head that it reads where several share one. */
function headTicks(heads: Dim, { size }: Dim, kvHeads: number | null) {
  const group = shared(heads, kvHeads);
  const by = blockSize(heads.size, 8);
  const named = Array.from({ length: Math.ceil(heads.size / by) }, (_, i) => i * by);
  return {
    tickangle: 0,
    tickvals: named.map(i => (i + 0.5) * size - 0.5),
    ticktext: named.map(i => {
      const n = heads.from + i;
      return group > 1 && heads.size <= 4 ? `${n} · kv ${Math.floor(n / group)}` : String(n);
    }),
  };
}

/** A line between two heads, a heavier one between those of two key/value heads. */
function boundaries(heads: Dim, { size }: Dim, kvHeads: number | null, rows: number): unknown[] {
  const group = shared(heads, kvHeads);
  return Array.from({ length: heads.size - 1 }, (_, i) => {
    const x = (i + 1) * size - 0.5;
    const isGroup = (heads.from + i + 1) % group === 0;
    const line = isGroup && group > 1 ? { width: 2.5, dash: 'solid' } : { width: 1, dash: 'dot' };
    return { type: 'path', path: `M${x},-0.5L${x},${rows - 0.5}`, line: { color: GREY, ...line } };
  });
}

const heading = ({ row, alone, whose }: ErrorMap, notes: readonly string[]) => {
  const [name, ...more] = titleLines(`${placeOf(row)}, ${alone ? 'alone' : 'in the run'}: ours and ${whose}`);
  return titled(label(name), [...more, ...notes].map(label));
};

function notesOf({ row, alone, ours, window }: ErrorMap, scale: ErrorScale, pool: string): string[] {
  const { relL2 } = alone && row.local ? row.local : row.accumulated;
  const where = row.where.length > 0 ? `, ${locationText(row.where)}` : '';
  const seen =
    window === null || ours.dims[1].from + ours.dims[1].size <= window
      ? 'solid: the causal edge'
      : `solid: the causal edge; dotted: the window, ${window} tokens`;
  return [
    ...titleLines(`${row.verdict}: ${sci(relL2)} relative L2${where}`),
    'colours: |error| over the root mean square of what is right',
    ...scale.notes,
    pool,
    ours.dims.some(({ name }) => name === 'key') ? seen : '',
  ].filter(Boolean);
}

/** What stands at each cell, for whoever points at it: its place, ours and theirs. */
function placed(
  { ours, theirs }: ErrorMap,
  { at, rows, columns }: { readonly at: Int32Array; readonly rows: number; readonly columns: number },
  from: number,
  placeOf: (at: number) => readonly number[],
) {
  const values = [...at].flatMap(i => [...placeOf(i), ours.data[from + i], theirs.data[from + i]]);
  const each = values.length / at.length;
  return { ...packed(Float32Array.from(values), rows, columns), shape: `${rows}, ${columns}, ${each}` };
}

function hover({ ours, whose }: ErrorMap, place: string): string {
  const n = ours.dims.some(({ name }) => name === 'key') ? 2 : ours.dims.length;
  return `${place}<br>ours %{customdata[${n}]:.7~g}<br>${whose} %{customdata[${n + 1}]:.7~g}<extra></extra>`;
}

function textOf(map: ErrorMap): string {
  const { ours, row, alone } = map;
  const { relL2 } = alone && row.local ? row.local : row.accumulated;
  const places = map.around();
  const table = textTable(
    [{ title: 'place' }, ...rowsOf(map, inText).map(({ name }) => ({ title: name, right: true }))],
    places.map(at => ({ cells: [`[${at.place}]`, ...rowsOf(map, inText).map(({ of }) => of(at))] })),
  );
  const worst = places.find(({ place }) => indexOf(ours.dims, place) === map.worst)!.place;
  const tokens = ours.dims.flatMap((dim, i) => {
    const text = dim.labels ? labelsOf(dim)[worst[i] - dim.from] : undefined;
    return text === undefined ? [] : [`${dim.name} ${worst[i]} '${visible(text)}'`];
  });
  const where = row.where.length > 0 ? `, ${locationText(row.where)}` : '';
  const at = tokens.length > 0 ? ` (${tokens.join(', ')})` : '';
  return `${placeOf(row)}, ${alone ? 'alone' : 'in the run'}, [${ours.dims.map(dimText).join(', ')}]: ${row.verdict}, ${sci(relL2)} relative L2${where}\nworst at [${worst}]${at}; around it:\n${table}`;
}
