// A grid of one's own numbers, in the lab's style.

import { OptionError } from '../../engine/errors.js';
import { Activation } from '../values/activation.js';
import { checkOptions, checkTexts } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { label, visible } from '../values/html.js';
import { sci, shortened } from '../values/numbers.js';
import type { Figure } from '../values/shown.js';
import { isMasked, MASKED } from '../values/stats.js';
import { blockSize, blocksOf, poolText } from './blocks.js';
import { barOf, CIVIDIS, DIVERGING, packed, scaleThrough } from './chart.js';
import { drawn, type Numbers, numbers, OwnPicture, sameLength } from './own.js';
import { CONFIG, HOLE, PAGE, titled, titleLines } from './page.js';
import { withoutUnseen } from './unseen.js';

/** What stands around a grid. */
export interface HeatmapOptions {
  /** Above the picture. */
  readonly title?: string;
  /** A name for each column and each row; an activation brings its own. */
  readonly x?: readonly (string | number)[];
  /** A name for each row. */
  readonly y?: readonly (string | number)[];
}

/**
 * A grid of numbers, rows downwards: an activation of two dimensions or rows of numbers. Blue to red through white where some are negative.
 * Grids larger than a page are pooled by the largest magnitude, and the picture says so. Throws OptionError for rows of different lengths.
 * What attention hides, and what is no finite number, is a hole.
 * @example heatmap(scores, { x: heads, y: layers, title: 'induction' })
 */
export function heatmap(values: Activation | readonly Numbers[], given: HeatmapOptions = {}): OwnPicture {
  const own = values instanceof Activation;
  const options = checkOptions('heatmap', given, { title: true, x: true, y: true });
  checkTexts('heatmap', { title: options.title });
  for (const axis of ['x', 'y'] as const) {
    const names: unknown = options[axis];
    const odd = Array.isArray(names) ? names.find(name => typeof name !== 'string' && typeof name !== 'number') : names;
    if (odd !== undefined || (Array.isArray(names) && names.includes(undefined)))
      throw new OptionError(`${axis} of heatmap is a list of names, texts or numbers, not ${said(names)}.`);
  }
  if (!own && !Array.isArray(values))
    throw new OptionError(`heatmap takes rows of numbers, or an activation of two dimensions, not ${said(values)}.`);
  if (own && values.dims.length !== 2)
    throw new OptionError(
      `heatmap was given '${values.name}' of ${values.dims.length} dimensions, and it draws two. Take a slice.`,
    );
  const rows = own
    ? Array.from({ length: values.shape[0] }, (_, i) =>
        Array.from(values.data.subarray(i * values.shape[1], (i + 1) * values.shape[1]), v =>
          isMasked(v) ? MASKED : v,
        ),
      )
    : Array.from(values, (row, i) => numbers('heatmap', `row ${i}`, row));
  const columns = rows[0]?.length ?? 0;
  if (columns === 0) throw new OptionError('heatmap was given no values. Give rows of numbers.');
  rows.forEach((row, i) => {
    sameLength('heatmap', 'row 0', columns, `row ${i}`, row.length);
  });
  const dims = own ? values.dims : null;
  const names = (axis: 0 | 1, many: number, given?: readonly (string | number)[]) => {
    if (given) sameLength('heatmap', axis === 0 ? 'y' : 'x', given.length, axis === 0 ? 'rows' : 'columns', many);
    const dim = dims?.[axis];
    return Array.from({ length: many }, (_, i) => {
      const text = given?.[i] ?? dim?.labels?.[i];
      return text === undefined
        ? String((dim?.from ?? 0) + i)
        : given
          ? `${text}`
          : `${dim!.from + i} ${visible(text as string)}`;
    });
  };
  const [down, across] = [names(0, rows.length, options.y), names(1, columns, options.x)];
  const {
    lists: [seen],
    notes: leftOut,
  } = drawn([rows.flat()], 'the values', 'a hole');
  const holes = own ? withoutUnseen(values) : null;
  const numbersOf = seen.map((v, i) => (v === null || (holes && Number.isNaN(holes[i])) ? Number.NaN : v));
  const flat = numbersOf.every(heldByF32) ? Float32Array.from(numbersOf) : Float64Array.from(numbersOf);
  const grid = blocksOf(flat, rows.length, columns, blockSize(rows.length, 160), blockSize(columns, 240));
  const pool = poolText(grid, 'row', 'column');
  const finite = numbersOf.filter(v => !Number.isNaN(v));
  const low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (finite.length === 0)
    throw new OptionError('heatmap was given no finite number that a page draws, so there is nothing to show.');
  const most = Math.max(-low, high) || 1;
  // From zero, unless all values lie far from it.
  const least = low < 0 ? -most : low > 0.5 * high && high > low ? low : 0;
  const title = options.title ?? (own ? String(values) : '');
  const [name, ...more] = titleLines(title);
  const notes = [...more, ...(pool ? [pool] : []), ...leftOut];
  const counts = (axis: 0 | 1) => {
    const by = axis === 0 ? grid.byRows : grid.byColumns;
    const words = [dims?.[axis].name ?? (by > 1 ? ['row', 'column'][axis] : ''), by > 1 ? `${by} a cell` : ''];
    const text = words.filter(Boolean).join(', ');
    return text ? { title: { text: label(text), ...(axis === 1 && { standoff: 6 }) } } : {};
  };
  const unique = (list: readonly string[]) => {
    const seen = new Map<string, number>();
    return list.map(text => {
      const n = seen.get(text) ?? 0;
      seen.set(text, n + 1);
      return `${label(shortened(text, 20))}${'\u200b'.repeat(n)}`;
    });
  };
  const figure: Figure = {
    data: [
      {
        type: 'heatmap',
        z: packed(grid.z, grid.rows, grid.columns),
        x: unique(across.filter((_, j) => j % grid.byColumns === 0)),
        y: unique(down.filter((_, i) => i % grid.byRows === 0)),
        zmin: least,
        zmax: most,
        colorscale: scaleThrough(low < 0 ? DIVERGING : CIVIDIS),
        colorbar: barOf(18 * grid.rows, least, most),
        hoverongaps: false,
        zhoverformat: '.7~g',
        hovertemplate: `${pool ? 'from ' : ''}%{y}, %{x}<br>%{z}<extra></extra>`,
      },
    ],
    layout: {
      ...PAGE,
      plot_bgcolor: HOLE,
      title: titled(label(name), notes.map(label)),
      height: Math.max(200, Math.min(640, 154 + 15 * notes.length + Math.max(70, 18 * grid.rows))),
      margin: { l: 130, r: 20, t: 50 + 15 * notes.length, b: 104 },
      xaxis: { type: 'category', tickangle: -60, showgrid: false, zeroline: false, ...counts(1) },
      yaxis: { type: 'category', autorange: 'reversed', showgrid: false, zeroline: false, ...counts(0) },
    },
    config: CONFIG,
  };
  const text = `${visible(title) || 'heatmap'}: ${rows.length} × ${columns}, from ${sci(low)} to ${sci(high)}`;
  return new OwnPicture(figure, text);
}

/** Whether f32 has the number, but for its last digits; those that are none are NaN. */
const heldByF32 = (v: number): boolean => v === 0 || Number.isNaN(v) || (Math.abs(v) < 3.4e38 && Math.abs(v) > 1.2e-38);
