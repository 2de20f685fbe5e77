// Traces, shapes and bars of colour as SVG.

import { hexOf, mixer, type Rgb, readable } from './colours.js';
import { png } from './png.js';
import { plain, px, text, widthOf } from './rich.js';
import type { Scale } from './scale.js';
import { gridOf, type Shape, type Trace } from './trace.js';

export interface Frame {
  readonly x: Scale;
  readonly y: Scale;
}

const DASHES: Readonly<Record<string, string>> = { dot: '2 3', dash: '7 5', longdash: '11 6', dashdot: '7 4 2 4' };
export const dashOf = (dash: string | undefined) => (dash && DASHES[dash] ? ` stroke-dasharray="${DASHES[dash]}"` : '');

/** Cells that are drawn one by one; a grid of more, without gaps, is an image. */
const CELLS = 600;

export function heatmap(trace: Trace, { x, y }: Frame): string {
  const { values, rows, columns } = gridOf(trace);
  const colour = mixer(trace.colorscale!, trace.zmin!, trace.zmax!);
  const across = (j: number) => (trace.x ? x.at(trace.x[j]) : x.at((trace.x0 ?? 0) + j * (trace.dx ?? 1)));
  const down = (i: number) => (trace.y ? y.at(trace.y[i]) : y.at(i));
  const width = columns > 1 ? Math.abs(across(1) - across(0)) : x.step * (trace.dx ?? 1);
  const height = rows > 1 ? Math.abs(down(1) - down(0)) : y.step;
  const [xgap, ygap] = [trace.xgap ?? 0, trace.ygap ?? 0];
  if (rows * columns > CELLS && xgap === 0 && ygap === 0 && !trace.texttemplate) {
    const left = Math.min(across(0), across(columns - 1)) - width / 2;
    const top = Math.min(down(0), down(rows - 1)) - height / 2;
    const upwards = rows > 1 && down(1) < down(0);
    const bytes = Uint8Array.from({ length: 4 * rows * columns }, () => 0);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const value = values[i * columns + j];
        if (!Number.isNaN(value)) bytes.set([...colour(value), 255], 4 * ((upwards ? rows - 1 - i : i) * columns + j));
      }
    }
    return `<image x="${px(left)}" y="${px(top)}" width="${px(columns * width)}" height="${px(rows * height)}" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,${png(bytes, columns, rows).toString('base64')}"/>`;
  }
  const [leftmost, rightmost] = [Math.min(x.start, x.end), Math.max(x.start, x.end)];
  const paths = new Map<string, string[]>();
  const words: string[] = [];
  const texts = trace.texttemplate ? (trace.text as readonly (readonly string[])[]) : null;
  const size = trace.textfont?.size ?? 12;
  for (let i = 0; i < rows; i++) {
    const top = down(i) - height / 2 + ygap / 2;
    for (let j = 0; j < columns; ) {
      const value = values[i * columns + j];
      const middle = across(j);
      // A hair of a neighbour, by rounding, is not within the window.
      if (Number.isNaN(value) || middle + width / 2 <= leftmost + 0.5 || middle - width / 2 >= rightmost - 0.5) {
        j += 1;
        continue;
      }
      const rgb = colour(value);
      let end = j + 1;
      // Neighbours of one colour are one rectangle, where there is no gap between.
      if (xgap === 0) while (end < columns && same(rgb, values[i * columns + end], colour)) end += 1;
      const left = middle - width / 2 + xgap / 2;
      // Ends and not widths: what is rounded twice leaves a hair between neighbours.
      const right = px(left + (end - j) * width - xgap);
      const path = `M${px(left)} ${px(top)}H${right}V${px(top + height - ygap)}H${px(left)}z`;
      const name = hexOf(rgb);
      const list = paths.get(name);
      if (list) list.push(path);
      else paths.set(name, [path]);
      for (let k = j; texts && k < end; k++) {
        const word = texts[i][k];
        if (word)
          words.push(text(across(k), down(i) + 0.35 * size, word, { size, colour: readable(rgb), anchor: 'middle' }));
      }
      j = end;
    }
  }
  const cells = [...paths].map(([fill, parts]) => `<path fill="${fill}" d="${parts.join('')}"/>`);
  return `<g shape-rendering="crispEdges">${cells.join('')}</g>${words.join('')}`;
}

const same = (rgb: Rgb, value: number, colour: (value: number) => Rgb): boolean => {
  if (Number.isNaN(value)) return false;
  const [r, g, b] = colour(value);
  return r === rgb[0] && g === rgb[1] && b === rgb[2];
};

/** @param side which of how many bars stand side by side */
/** Pixels of a bar and the gap beside it, below which there is none. */
const THIN = 3;

export function bars(
  trace: Trace,
  { x, y }: Frame,
  side: readonly [number, number],
  gap: number,
  grey: string,
): string {
  const lying = trace.orientation === 'h';
  const [along, across] = lying ? [x, y] : [y, x];
  const values = (lying ? trace.x : trace.y) as readonly (number | null)[];
  const places = lying ? trace.y : trace.x;
  // As plotly has them, bars too thin for a gap between them touch.
  const touching = across.step < THIN && trace.width === undefined && side[1] === 1;
  const thick = touching
    ? across.step + 0.4
    : (trace.width ?? 1 - gap) * across.step * (trace.width === undefined ? 1 / side[1] : 1);
  const shift = (side[0] - (side[1] - 1) / 2) * thick * (lying && y.at(1) < y.at(0) ? -1 : 1);
  const zero = along.kind === 'log' ? along.start : along.at(Math.max(along.low, Math.min(0, along.high)));
  const colours = trace.marker?.color;
  const texts = trace.text as readonly string[] | undefined;
  const out: string[] = [];
  values.forEach((value, i) => {
    if (value === null || (along.kind === 'log' && value <= 0)) return;
    const [middle, end] = [across.at(places ? places[i] : i) + shift, along.at(value)];
    const [low, length] = [Math.min(zero, end), Math.abs(end - zero)];
    const fill = typeof colours === 'string' ? colours : colours![i];
    const rect = lying
      ? `x="${px(low)}" y="${px(middle - thick / 2)}" width="${px(length)}" height="${px(thick)}"`
      : `x="${px(middle - thick / 2)}" y="${px(low)}" width="${px(thick)}" height="${px(length)}"`;
    out.push(`<rect ${rect} fill="${fill}"${trace.opacity ? ` opacity="${trace.opacity}"` : ''}/>`);
    if (texts?.[i]) {
      const size = trace.textfont?.size ?? 12;
      const negative = end < zero;
      if (lying) {
        const at = negative ? low - 4 : low + length + 4;
        out.push(text(at, middle + 0.35 * size, texts[i], { size, colour: grey, anchor: negative ? 'end' : 'start' }));
      } else out.push(text(middle, Math.min(end, zero) - 4, texts[i], { size, colour: grey, anchor: 'middle' }));
    }
  });
  return out.join('');
}

export function scatter(trace: Trace, { x, y }: Frame, colour: string): string {
  const { mode = 'lines', opacity } = trace;
  const ys = trace.y as readonly (number | string | null)[];
  const points = ys.map((value, i) =>
    value === null || trace.x?.[i] === null ? null : ([x.at(trace.x ? trace.x[i] : i), y.at(value)] as const),
  );
  const stroke = trace.line?.color ?? colour;
  const out: string[] = [];
  if (mode.includes('lines')) {
    let path = '';
    let open = false;
    for (const point of points) {
      if (!point || Number.isNaN(point[1])) open = false;
      else {
        path += `${open ? 'L' : 'M'}${px(point[0])} ${px(point[1])}`;
        open = true;
      }
    }
    out.push(
      `<path d="${path}" fill="none" stroke="${stroke}" stroke-width="${trace.line?.width ?? 2}" stroke-linejoin="round"${dashOf(trace.line?.dash)}/>`,
    );
  }
  const ofPoint = <T>(value: T | readonly T[] | undefined, i: number, otherwise: T): T =>
    value === undefined ? otherwise : Array.isArray(value) ? (value as readonly T[])[i] : (value as T);
  points.forEach((point, i) => {
    if (!point || Number.isNaN(point[1])) return;
    if (mode.includes('markers')) {
      const fill = ofPoint(trace.marker?.color, i, stroke);
      const radius = ofPoint(trace.marker?.size, i, 6) / 2;
      const edge = trace.marker?.line?.width
        ? ` stroke="${trace.marker.line.color ?? '#444444'}" stroke-width="${trace.marker.line.width}"`
        : '';
      out.push(`<circle cx="${px(point[0])}" cy="${px(point[1])}" r="${px(radius)}" fill="${fill}"${edge}/>`);
    }
    if (mode.includes('text') && trace.text) {
      const size = trace.textfont?.size ?? 12;
      const where = ofPoint(trace.textposition, i, 'middle center').split(' ');
      const word = (trace.text as readonly string[])[i];
      const anchor = where[1] === 'left' ? 'end' : where[1] === 'right' ? 'start' : 'middle';
      const dx = anchor === 'end' ? -6 : anchor === 'start' ? 6 : 0;
      const dy = where[0] === 'top' ? -6 : where[0] === 'bottom' ? size + 2 : 0.35 * size;
      out.push(
        text(point[0] + dx, point[1] + dy, word, { size, colour: ofPoint(trace.textfont?.color, i, stroke), anchor }),
      );
    }
  });
  return `<g${opacity === undefined ? '' : ` opacity="${opacity}"`}>${out.join('')}</g>`;
}

/** Paths, lines and boxes in the units of the axes. */
export function shape({ type, path, x0, x1, y0, y1, line, fillcolor }: Shape, { x, y }: Frame): string {
  const style = `fill="${fillcolor ?? 'none'}"${line ? ` stroke="${line.color}" stroke-width="${line.width}"${dashOf(line.dash)}` : ''}`;
  if (type === 'path') {
    const drawn = path!.replace(
      /([ML])(-?[\d.e-]+),(-?[\d.e-]+)/g,
      (_, letter, a, b) => `${letter}${px(x.at(Number(a)))} ${px(y.at(Number(b)))}`,
    );
    return `<path d="${drawn}" ${style}/>`;
  }
  const [a, b, c, d] = [x.at(x0), y.at(y0), x.at(x1), y.at(y1)];
  if (type === 'line') return `<path d="M${px(a)} ${px(b)}L${px(c)} ${px(d)}" ${style}/>`;
  if (type !== 'rect') throw new Error(`a static picture knows no shape '${type}'`);
  return `<rect x="${px(Math.min(a, c))}" y="${px(Math.min(b, d))}" width="${px(Math.abs(c - a))}" height="${px(Math.abs(d - b))}" ${style}/>`;
}

/** What a colour is worth: a bar on the right with its ends and what is between. */
export function colourbar(
  trace: Trace,
  left: number,
  right: number,
  top: number,
  height: number,
  ticks: readonly { value: number; text: string }[],
  grey: string,
): string {
  const { zmin, zmax, colorscale, colorbar } = trace;
  const thick = colorbar?.thickness ?? 12;
  const id = `bar${[...JSON.stringify(colorscale)].reduce((n, c) => (n * 31 + c.charCodeAt(0)) % 1_000_003, 7)}`;
  const stops = colorscale!
    .map(([at, colour]) => `<stop offset="${Number(at.toPrecision(6))}" stop-color="${colour}"/>`)
    .join('');
  const at = (value: number) => top + height * (1 - (value - zmin!) / (zmax! - zmin!));
  const labels = ticks.map(({ value, text: word }) =>
    text(left + thick + 5, at(value) + 4, word, { size: 11, colour: grey }),
  );
  const words = plain(colorbar?.title?.text ?? '');
  // Over the bar, or as far left of that as it needs.
  const title = words
    ? text(Math.min(left, right - 4 - widthOf(words, 12)), top - 13, words, { size: 12, colour: grey })
    : '';
  return `<defs><linearGradient id="${id}" x1="0" y1="1" x2="0" y2="0">${stops}</linearGradient></defs><rect x="${px(left)}" y="${px(top)}" width="${thick}" height="${px(height)}" fill="url(#${id})"/>${labels.join('')}${title}`;
}
