// Static pictures: ECharts drawn to SVG text, for places that run no script.

import { createRequire } from 'node:module';
import type { EChartsCoreOption } from 'echarts';
import { printable } from '../../engine/printable.js';
import { sci } from '../values/numbers.js';
import { GREY } from './page.js';

/** Perceptually even and the same to colour-blind eyes: Cividis, dark to light. */
export const CIVIDIS = [
  '#00224e',
  '#123570',
  '#3b496c',
  '#575d6d',
  '#707173',
  '#8a8678',
  '#a59c74',
  '#c3b369',
  '#e1cc55',
  '#fee838',
];
/** Blue to red through white, for values of both signs. */
export const DIVERGING = [
  '#053061',
  '#2166ac',
  '#4393c3',
  '#92c5de',
  '#d1e5f0',
  '#f7f7f7',
  '#fddbc7',
  '#f4a582',
  '#d6604d',
  '#b2182b',
  '#67001f',
];

/** Colours at even steps, as a figure has them. */
export const scaleThrough = (colours: readonly string[]): [number, string][] =>
  colours.map((colour, i) => [i / (colours.length - 1), colour]);

/** What a bar of colours is called, clear of the number at the bar's top: plotly leaves no room between them but what the title's line is high. */
export const barTitle = (text: string) => ({
  text: `${text}<span style="font-size:22px">&nbsp;</span>`,
  font: { size: 12 },
});

/** Below it plotly counts in µ and n, which are units of something, and from the other on in powers of a form of its own: such numbers are written as elsewhere in the lab. */
const SMALL = 1e-3;
const LARGE = 1e15;

/** The bar beside a picture `height` pixels high: where it is low, its ends and the middle are named, one clear of the other. */
export function barOf(height: number, low: number, high: number, title?: string) {
  const most = Math.max(Math.abs(low), Math.abs(high));
  const far = most < SMALL || most >= LARGE;
  const shares = height < 55 ? [0, 1] : height < 110 ? [0, 0.5, 1] : far ? [0, 0.25, 0.5, 0.75, 1] : null;
  const tickvals = shares?.map(share => low + share * (high - low));
  return {
    thickness: 12,
    ...(title && { title: barTitle(title) }),
    ...(tickvals && { tickvals, ticktext: tickvals.map(sci) }),
  };
}

const require = createRequire(import.meta.url);
/** Loaded with the first picture, and as the one file that it has for require: as modules it is hundreds, half a second of every start. */
const charts = () => require('echarts') as typeof import('echarts');

export function svg(option: EChartsCoreOption, width: number, height: number): string {
  const chart = charts().init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, textStyle: { color: GREY, fontFamily: 'system-ui, sans-serif' }, ...option });
    return printable(compact(chart.renderToSVGString())); // control characters are no XML
  } finally {
    chart.dispose();
  }
}

const PLAIN = /(?:<path d="[^"]*" fill="rgb\([^"]*\)"><\/path>\s*){2,}/g;
const ONE = /<path d="([^"]*)" fill="rgb\((\d+),(\d+),(\d+)\)"><\/path>/g;

/**
 * A static picture needs none of the marks that ECharts leaves for scripts, and cells of (nearly) one colour can be one path: a heatmap
 * becomes five times smaller.
 */
function compact(text: string): string {
  return text
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/ (?:ecmeta_\w+|class)="[^"]*"/g, '')
    .replace(PLAIN, run => {
      const byColour = new Map<string, string[]>();
      for (const [, d, ...rgb] of run.matchAll(ONE)) {
        const colour = `rgb(${rgb.map(v => Math.min(255, 8 * Math.round(Number(v) / 8))).join()})`;
        const short = d.replace(/l(-?[\d.]+) 0l0 (-?[\d.]+)l(-?[\d.]+) 0Z/, 'h$1v$2h$3z');
        byColour.set(colour, [...(byColour.get(colour) ?? []), short]);
      }
      return [...byColour].map(([colour, parts]) => `<path d="${parts.join('')}" fill="${colour}"/>`).join('\n');
    });
}

/** A matrix in plotly's binary form: a third of the size of numbers in JSON, and exact. NaN is a hole; whole numbers below 2¹⁵ take half as much. */
export interface Packed {
  readonly dtype: 'f8' | 'f4' | 'i4' | 'i2';
  readonly bdata: string;
  readonly shape: string;
}

export function packed(values: Float64Array | Float32Array | Int32Array, rows: number, columns: number): Packed {
  const short = values instanceof Int32Array && values.every(n => n < 2 ** 15) ? Int16Array.from(values) : values;
  const dtype =
    short instanceof Int16Array
      ? 'i2'
      : short instanceof Int32Array
        ? 'i4'
        : short instanceof Float64Array
          ? 'f8'
          : 'f4';
  const bdata = Buffer.from(short.buffer, short.byteOffset, short.byteLength).toString('base64');
  return { dtype, bdata, shape: `${rows}, ${columns}` };
}
