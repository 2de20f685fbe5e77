// A figure as a picture that needs no script: the same marks, colours, labels and legend as plotly draws from it, because both are made from
// the one figure. What it does not know of plotly's language is an error, never left out.

import type { Figure } from '../../values/shown.js';
import { GREY } from '../page.js';
import { heading, legend } from './head.js';
import * as marks from './marks.js';
import { linesOf, plain, px, text, widthOf } from './rich.js';
import { type Axis, type Extent, numberText, type Scale, scaleOf } from './scale.js';
import { type Annotation, gridOf, type Layout, type Trace } from './trace.js';

/** Pixels of a figure that takes the width of its page: JupyterLab's cell on a laptop. */
export const STILL_WIDTH = 848;
const KNOWN = new Set(['heatmap', 'bar', 'scatter']);
const COLORWAY = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9'];

interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** @throws Error when a figure holds what a static picture cannot draw: a mistake of who made the figure */
export function still(figure: Figure): string {
  const layout = figure.layout as unknown as Layout;
  const traces = (figure.data as unknown as readonly Trace[]).map((trace, i) => ({
    trace,
    colour: colourOf(trace, layout, i),
  }));
  const unknown = traces.find(({ trace }) => !KNOWN.has(trace.type));
  if (unknown) throw new Error(`a static picture knows no trace of type '${unknown.trace.type}'`);
  const seen = traces.filter(({ trace }) => trace.visible !== false);
  const width = layout.width ?? STILL_WIDTH;
  const { height, margin } = layout;
  const area: Area = { left: margin.l, top: margin.t, right: width - margin.r, bottom: height - margin.b };
  const scaled = seen.find(({ trace }) => trace.type === 'heatmap' && trace.showscale !== false);
  if (scaled) Object.assign(area, { right: Math.min(area.right, width - barRoom(scaled.trace)) });
  const out: string[] = [];
  const axes = [...new Set(seen.map(({ trace }) => `${trace.xaxis ?? 'x'} ${trace.yaxis ?? 'y'}`))];
  const frames = new Map<string, marks.Frame>();
  for (const pair of axes) {
    const own = seen.filter(({ trace }) => `${trace.xaxis ?? 'x'} ${trace.yaxis ?? 'y'}` === pair);
    const frame = frameOf(
      layout,
      pair,
      own.map(({ trace }) => trace),
      area,
    );
    frames.set(pair, frame);
    out.push(background(layout, frame), grid(layout, pair, frame));
    const standing = own.filter(({ trace }) => trace.type === 'bar');
    for (const { trace, colour } of own) {
      if (trace.type === 'heatmap') out.push(clipped(frame, marks.heatmap(trace, frame)));
      else if (trace.type === 'scatter') out.push(marks.scatter(trace, frame, colour));
      else {
        const side =
          layout.barmode === 'group'
            ? ([standing.findIndex(one => one.trace === trace), standing.length] as const)
            : ([0, 1] as const);
        out.push(marks.bars(trace, frame, side, layout.bargap ?? 0.2, GREY));
      }
    }
    out.push(labels(layout, pair, frame));
  }
  for (const shape of layout.shapes ?? []) {
    const frame = frames.get(`${shape.xref ?? 'x'} ${shape.yref ?? 'y'}`);
    if (!frame) throw new Error(`a static picture knows no shape on '${shape.xref} ${shape.yref}'`);
    out.push(clipped(frame, marks.shape(shape, frame)));
  }
  for (const one of layout.annotations ?? []) if (one.visible !== false) out.push(annotation(one, frames, area));
  if (scaled) out.push(scaleBar(scaled.trace, area, width));
  out.push(heading(layout), legend(layout, seen, width));
  // One that takes the width of its cell does so here too, its height after it; on a wide page no wider than it reads well, for its words grow with it.
  const size = layout.width ? `width="${width}" height="${height}"` : 'width="100%"';
  const most = layout.width ? '100%' : `${WIDEST}px`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" style="max-width:${most};height:auto">${out.join('')}</svg>`;
}

const colourOf = (trace: Trace, layout: Layout, i: number): string => {
  const own = trace.line?.color ?? trace.marker?.color;
  return typeof own === 'string' ? own : (layout.colorway ?? COLORWAY)[i % (layout.colorway ?? COLORWAY).length];
};

const axisOf = (layout: Layout, name: string): Axis => layout[`${name[0]}axis${name.slice(1)}` as 'xaxis'] ?? {};

function frameOf(layout: Layout, pair: string, traces: readonly Trace[], area: Area): marks.Frame {
  const [xName, yName] = pair.split(' ');
  const [xAxis, yAxis] = [axisOf(layout, xName), axisOf(layout, yName)];
  const along = (fraction: number) => area.left + fraction * (area.right - area.left);
  const up = (fraction: number) => area.bottom - fraction * (area.bottom - area.top);
  const [x0, x1] = xAxis.domain ?? [0, 1];
  const [y0, y1] = yAxis.domain ?? [0, 1];
  return {
    x: scaleOf(xAxis, extentOf(traces, 'x', xAxis), along(x0), along(x1)),
    y: scaleOf(yAxis, extentOf(traces, 'y', yAxis), up(y0), up(y1)),
  };
}

/** Pixels from an axis to its title, where a legend stands under both. */
const UNDER_AXIS = 44;

/** Pixels of a picture on a wide page. */
const WIDEST = 1000;

/** Of what there is between the outermost points, that an axis has more: a twentieth of its length on either side, as plotly has it. */
const ROOM = 0.05 / 0.9;

/** What traces have along an axis. Bars begin at 0; points stand a little inside of the frame. */
function extentOf(traces: readonly Trace[], axis: 'x' | 'y', { type, rangemode }: Axis): Extent {
  const categories = new Set<string>();
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const take = (value: unknown, room = 0) => {
    if (typeof value === 'string' && (type === 'category' || type === undefined)) categories.add(value);
    else if (value !== null && Number.isFinite(Number(value)) && !(type === 'log' && Number(value) <= 0)) {
      low = Math.min(low, Number(value) - room);
      high = Math.max(high, Number(value) + room);
    }
  };
  for (const trace of traces) {
    const values = trace[axis];
    const lying = trace.orientation === 'h';
    if (trace.type === 'heatmap') {
      const { rows, columns } = gridOf(trace);
      const many = axis === 'x' ? columns : rows;
      const [first, by] = axis === 'x' ? [trace.x0 ?? 0, trace.dx ?? 1] : [0, 1];
      for (let i = 0; i < many; i++) take(values ? values[i] : first + i * by, by / 2);
    } else if (trace.type === 'bar' && (axis === 'y') === lying) {
      const half = (trace.width ?? 1) / 2;
      for (const value of values ?? []) take(value, half);
    } else {
      for (const value of values ?? []) take(value);
      if (trace.type === 'bar') take(type === 'log' ? low : 0);
    }
  }
  const edge = traces.every(trace => trace.type === 'scatter' && !trace.mode?.includes('markers')) ? 0 : 0.5;
  if (categories.size > 0) return { categories: [...categories], low: -edge, high: categories.size - 1 + edge };
  if (low > high) [low, high] = type === 'log' ? [1, 10] : [0, 1];
  if (rangemode === 'tozero') [low, high] = [Math.min(0, low), Math.max(0, high)];
  // Along x only marks stand inside: a line goes from edge to edge.
  const points = traces.filter(({ type, mode }) => type === 'scatter' && (axis === 'y' || mode?.includes('markers')));
  const padded =
    points.length > 0 || traces.some(trace => trace.type === 'bar' && (axis === 'x') === (trace.orientation === 'h'));
  if (!padded) return { categories: [], low, high };
  if (type === 'log') {
    const by = 10 ** (ROOM * (Math.log10(high) - Math.log10(low)));
    return { categories: [], low: low / by, high: high * by };
  }
  const room = ROOM * (high - low);
  return {
    categories: [],
    low: low === 0 && (rangemode === 'tozero' || points.length === 0) ? 0 : low - room,
    high: high === 0 && (rangemode === 'tozero' || points.length === 0) ? 0 : high + room,
  };
}

function background({ plot_bgcolor }: Layout, { x, y }: marks.Frame): string {
  const alpha = /^rgba\(.*, ?([\d.]+)\)$/.exec(plot_bgcolor ?? '');
  if (!plot_bgcolor || (alpha && Number(alpha[1]) === 0)) return '';
  const [left, top] = [Math.min(x.start, x.end), Math.min(y.start, y.end)];
  return `<rect x="${px(left)}" y="${px(top)}" width="${px(Math.abs(x.end - x.start))}" height="${px(Math.abs(y.end - y.start))}" fill="${plot_bgcolor}"/>`;
}

function grid(layout: Layout, pair: string, { x, y }: marks.Frame): string {
  const [xName, yName] = pair.split(' ');
  const out: string[] = [];
  for (const [axis, scale, other, name] of [
    [axisOf(layout, xName), x, y, 'x'],
    [axisOf(layout, yName), y, x, 'y'],
  ] as const) {
    const line = (at: number, colour: string) =>
      name === 'x'
        ? `<path d="M${px(at)} ${px(other.start)}V${px(other.end)}" stroke="${colour}"/>`
        : `<path d="M${px(other.start)} ${px(at)}H${px(other.end)}" stroke="${colour}"/>`;
    if (axis.gridcolor && axis.showgrid !== false) out.push(...scale.ticks.map(({ at }) => line(at, axis.gridcolor!)));
    if (axis.zeroline !== false && scale.kind === 'linear' && scale.low < 0 && scale.high > 0 && axis.gridcolor)
      out.push(line(scale.at(0), GREY));
  }
  return out.join('');
}

/** The names on the axes: turned where the axis says so or where they would touch. */
function labels(layout: Layout, pair: string, { x, y }: marks.Frame): string {
  const [xName, yName] = pair.split(' ');
  const [xAxis, yAxis] = [axisOf(layout, xName), axisOf(layout, yName)];
  const out: string[] = [];
  if (xAxis.showticklabels !== false) {
    const size = xAxis.tickfont?.size ?? 12;
    const gap = x.ticks.length > 1 ? Math.abs(x.ticks[1].at - x.ticks[0].at) : Number.POSITIVE_INFINITY;
    const turned =
      xAxis.tickangle ??
      (x.ticks.some(({ text, minor }) => !minor && widthOf(linesOf(text).join(), size) > gap - 4) ? -60 : 0);
    for (const { at, text: word, minor } of x.ticks) {
      if (minor) out.push(text(at, y.start + size + 5, word, { size: 0.75 * size, colour: GREY, anchor: 'middle' }));
      else if (turned)
        out.push(
          text(at + 0.3 * size, y.start + size, word, {
            size,
            colour: GREY,
            anchor: turned < 0 ? 'end' : 'start',
            turn: turned,
          }),
        );
      else out.push(text(at, y.start + size + 5, word, { size, colour: GREY, anchor: 'middle' }));
    }
  }
  if (yAxis.showticklabels !== false) {
    const size = yAxis.tickfont?.size ?? 12;
    for (const { at, text: word, minor } of y.ticks) {
      const own = minor ? 0.75 * size : size;
      out.push(text(x.start - 6, at + 0.35 * own, word, { size: own, colour: GREY, anchor: 'end' }));
    }
  }
  const { margin, height, legend: { y: up = 1, yanchor } = {} } = layout;
  // Above a legend that stands under the axis, as plotly has it.
  const room = yanchor === 'top' && up < 0 ? UNDER_AXIS : margin.b - 8;
  if (xAxis.title)
    out.push(
      text((x.start + x.end) / 2, Math.min(height - 8, y.start + room), xAxis.title.text, {
        size: 13,
        colour: GREY,
        anchor: 'middle',
      }),
    );
  if (yAxis.title)
    out.push(
      text(16, (y.start + y.end) / 2, yAxis.title.text, { size: 13, colour: GREY, anchor: 'middle', turn: -90 }),
    );
  return out.join('');
}

function clipped({ x, y }: marks.Frame, content: string): string {
  const [left, top] = [Math.min(x.start, x.end), Math.min(y.start, y.end)];
  const [width, height] = [Math.abs(x.end - x.start), Math.abs(y.end - y.start)];
  return `<svg x="${px(left)}" y="${px(top)}" width="${px(width)}" height="${px(height)}" viewBox="${px(left)} ${px(top)} ${px(width)} ${px(height)}">${content}</svg>`;
}

function annotation(
  {
    text: words,
    x,
    y,
    xref = 'x',
    yref = 'y',
    xanchor = 'center',
    yanchor = 'middle',
    xshift = 0,
    yshift = 0,
    font = {},
  }: Annotation,
  frames: ReadonlyMap<string, marks.Frame>,
  area: Area,
): string {
  const frame = frames.get(`${xref} ${yref}`) ?? [...frames.values()][0];
  const at = (scale: Scale, value: number | string) => scale.at(scale.kind === 'log' ? 10 ** Number(value) : value); // as plotly has it
  const left = xref === 'paper' ? area.left + Number(x) * (area.right - area.left) : at(frame.x, x);
  const top = yref === 'paper' ? area.bottom - Number(y) * (area.bottom - area.top) : at(frame.y, y);
  const size = font.size ?? 12;
  const lines = linesOf(words).length;
  const down = yanchor === 'top' ? size : yanchor === 'bottom' ? -4 - (lines - 1) * 1.3 * size : 0.35 * size;
  return text(left + xshift, top - yshift + down, words, {
    size,
    colour: font.color ?? GREY,
    anchor: xanchor === 'left' ? 'start' : xanchor === 'right' ? 'end' : 'middle',
  });
}

function barTicks({ zmin, zmax, colorbar }: Trace): { value: number; text: string }[] {
  const { tickvals, ticktext, tickformat } = colorbar ?? {};
  if (tickvals) return tickvals.map((value, i) => ({ value, text: ticktext?.[i] ?? numberText(value, tickformat, 0) }));
  const axis: Scale = scaleOf(
    { type: 'linear', range: [zmin!, zmax!], tickformat },
    { categories: [], low: 0, high: 1 },
    240,
    0,
  );
  const [by] = [(zmax! - zmin!) / 240];
  return axis.ticks.map(({ at, text: word }) => ({ value: zmin! + (240 - at) * by, text: word }));
}

const barRoom = (trace: Trace) =>
  30 +
  (trace.colorbar?.thickness ?? 12) +
  Math.max(
    ...barTicks(trace).map(({ text }) => widthOf(text, 11)),
    widthOf(plain(trace.colorbar?.title?.text ?? ''), 12) - 30,
  );

function scaleBar(trace: Trace, area: Area, width: number): string {
  const left = Math.min(area.right + 16, width - barRoom(trace) + 12);
  return marks.colourbar(trace, left, width, area.top, area.bottom - area.top, barTicks(trace), GREY);
}
