// How something grows: lines over a length or a number, each named at its end, with the least and the most of its rounds. A static picture for documents:
// it reads on light and dark pages, and runs no script.

import { svg } from './chart.js';
import { visible } from '../values/html.js';
import { GREY } from './page.js';

export interface GrowthPoint {
  readonly x: number;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface GrowthLine {
  readonly name: string;
  readonly colour: string;
  /** In rising order of x. */
  readonly points: readonly GrowthPoint[];
  /** The line that the picture is about. */
  readonly main?: boolean;
}

export interface Growth {
  readonly title: string;
  /** Where and when it was measured. */
  readonly note: string;
  readonly x: string;
  readonly y: string;
  /** Whether equal distances are equal factors. */
  readonly logarithmic: boolean;
  readonly lines: readonly GrowthLine[];
}

const WIDTH = 848;
const HEIGHT = 340;
const AREA = { left: 62, top: 72, right: WIDTH - 118, bottom: HEIGHT - 50 };
const GRID = 'rgba(127,135,145,0.22)';
const APART = 15; // pixels between two names

/** 3724, 118, 16.8 */
const number = (n: number) => n.toFixed(n >= 99.5 ? 0 : 1);

export function growthSvg({ title, note, x, y, logarithmic, lines }: Growth): string {
  const place = (value: number) => (logarithmic ? Math.log2(value) : value);
  const all = lines.flatMap(({ points }) => points);
  const xs = [...new Set(all.map(point => point.x))].sort((a, b) => a - b);
  const [first, last] = [place(xs[0]), place(xs[xs.length - 1])];
  const margin = 0.03 * (last - first || 1);
  const [from, to] = [first - margin, last + margin];
  const { top, step } = roundTop(Math.max(...all.map(({ most }) => most)) || 1);
  const right = (value: number) => AREA.left + ((place(value) - from) / (to - from)) * (AREA.right - AREA.left);
  const down = (value: number) => AREA.bottom - (value / top) * (AREA.bottom - AREA.top);
  const axis = (name: string, customValues: number[], text: (v: number) => string, nameGap: number) => ({
    type: 'value' as const,
    name,
    nameLocation: 'middle' as const,
    nameGap,
    nameTextStyle: { color: GREY, fontSize: 12 },
    axisLabel: { color: GREY, fontSize: 11, customValues, formatter: text, hideOverlap: true },
    axisTick: { customValues, lineStyle: { color: GRID } },
    axisLine: { show: true, onZero: false, lineStyle: { color: GRID } },
    splitLine: { show: true, lineStyle: { color: GRID } },
  });
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step);
  const named = namesApart(lines.map(line => down(line.points[line.points.length - 1].median)));
  const text = (content: string, px: number, py: number, style: object) => ({
    type: 'text' as const,
    x: px,
    y: py,
    silent: true,
    style: { text: content, verticalAlign: 'middle' as const, ...style },
  });
  return svg(
    {
      title: {
        text: visible(title),
        subtext: visible(note),
        itemGap: 5,
        left: 10,
        top: 6,
        textStyle: { fontSize: 15, color: GREY },
        subtextStyle: { fontSize: 11, color: GREY },
      },
      grid: { left: AREA.left, right: WIDTH - AREA.right, top: AREA.top, bottom: HEIGHT - AREA.bottom },
      xAxis: {
        ...axis(x, xs.map(place), v => grouped(xs[nearest(xs.map(place), v)]), 30),
        min: from,
        max: to,
        splitLine: { show: false },
      },
      yAxis: { ...axis(y, ticks, v => grouped(Number(v.toPrecision(6))), 42), min: 0, max: top },
      series: lines.flatMap(({ colour, points, main = false }) => [
        ...points
          .filter(({ least, most }) => most > least)
          .map(point => ({
            type: 'line' as const,
            data: [
              [place(point.x), point.least],
              [place(point.x), point.most],
            ],
            symbol: 'none',
            silent: true,
            lineStyle: { color: colour, width: 5, opacity: 0.3, cap: 'butt' as const },
          })),
        {
          type: 'line' as const,
          data: points.map(point => [place(point.x), point.median]),
          symbol: 'circle',
          symbolSize: main ? 8 : 6,
          silent: true,
          itemStyle: { color: colour },
          lineStyle: { color: colour, width: main ? 3 : 1.5 },
        },
      ]),
      graphic: [
        ...valueLabels(lines, right, down).map(label =>
          text(label.text, label.x, label.y, { fill: GREY, font: '11px system-ui, sans-serif', align: 'center' }),
        ),
        ...lines.map((line, i) => {
          const end = line.points[line.points.length - 1];
          const weight = line.main ? 'bold ' : '';
          return text(visible(line.name), Math.max(right(end.x) + 10, AREA.right - 10), named[i], {
            fill: line.colour,
            font: `${weight}12px system-ui, sans-serif`,
          });
        }),
      ],
    },
    WIDTH,
    HEIGHT,
  );
}

const nearest = (values: readonly number[], to: number) =>
  values.reduce((best, value, i) => (Math.abs(value - to) < Math.abs(values[best] - to) ? i : best), 0);

/** 8192 as 8,192 */
const grouped = (n: number) => n.toLocaleString('en-US', { maximumFractionDigits: 3 });

/** The numbers of a line's points, above or below them: whichever is farther from other lines; none where neither is free. */
function valueLabels(
  lines: readonly GrowthLine[],
  right: (x: number) => number,
  down: (y: number) => number,
): { text: string; x: number; y: number }[] {
  const labels: { text: string; x: number; y: number }[] = [];
  const marks = lines.flatMap(({ points }) => points.map(({ x, median }) => ({ x: right(x), y: down(median) })));
  const inOrder = [...lines].sort((a, b) => Number(b.main ?? false) - Number(a.main ?? false));
  for (const { points } of inOrder) {
    for (const { x, median } of points) {
      const at = { x: right(x), y: down(median) };
      const places = [at.y - 13, at.y + 13].filter(y => y < AREA.bottom - 6);
      const free = places.find(y =>
        [...marks.filter(mark => mark.x !== at.x || mark.y !== at.y), ...labels].every(
          other => Math.abs(other.x - at.x) > 34 || Math.abs(other.y - y) > 12,
        ),
      );
      if (free !== undefined) labels.push({ text: number(median), x: at.x, y: free });
    }
  }
  return labels;
}

/** Places near those given, from the top, none closer than `APART` to the next. */
function namesApart(wanted: readonly number[]): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const out = [...wanted];
  for (let i = 1; i < order.length; i++) out[order[i]] = Math.max(out[order[i]], out[order[i - 1]] + APART);
  const over = Math.max(0, Math.max(...out) - AREA.bottom);
  return out.map(y => y - over);
}

/** The end of an axis that begins at 0, and the step of its ticks: 1, 2 or 5 times a power of ten. */
function roundTop(most: number): { top: number; step: number } {
  const rough = most / 4;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(n => n * ten).find(n => n >= rough)!;
  return { step, top: step * Math.ceil((most * 1.05) / step) };
}
