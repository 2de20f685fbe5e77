// A figure with its static picture and its text: one figure for both pictures, so that they cannot part.

import type { Bundle, Figure } from '../values/shown.js';
import { still } from './still/still.js';

export function drawn(figure: Figure, text: string): Bundle {
  const shown = withPowers(figure);
  return { 'application/vnd.plotly.v1+json': shown, 'image/svg+xml': still(shown), 'text/plain': text };
}

/** Below it plotly counts in µ and n, which are units of something; from the other on in powers of ten of a form of its own. */
const SMALL = 1e-3;
const LARGE = 1e15;

/** Axes of lines and bars whose numbers are all small, or some very large, have powers of ten: 2e−6, 3e+38. */
function withPowers({ data, layout, config }: Figure): Figure {
  const axes: Record<string, unknown> = {};
  for (const name of ['x', 'y'] as const) {
    const axis = layout[`${name}axis`] as { type?: string; tickvals?: unknown } | undefined;
    const values = data.flatMap(trace => {
      const own = trace.type !== 'heatmap' && `${trace[`${name}axis`] ?? name}` === name;
      return own && Array.isArray(trace[name]) ? (trace[name] as unknown[]) : [];
    });
    const most = values.every(v => v === null || typeof v === 'number')
      ? values.reduce((a: number, v) => Math.max(a, Math.abs(Number(v)) || 0), 0)
      : 0;
    const plain = axis !== undefined && (axis.type ?? 'linear') === 'linear' && axis.tickvals === undefined;
    if (plain && ((most > 0 && most < SMALL) || most >= LARGE)) axes[`${name}axis`] = { ...axis, exponentformat: 'e' };
  }
  return Object.keys(axes).length > 0 ? { data, layout: { ...layout, ...axes }, config } : { data, layout, config };
}
