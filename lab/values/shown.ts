// What an object shows: the same thing in several forms, of which a notebook takes the richest it can. A plot is plotly JSON for
// JupyterLab, a static picture for places that run no script, and text for a terminal.

import { printable } from '../../engine/printable.js';

/** Any object with this method shows itself as the last expression of a cell (Deno's convention). */
export const DISPLAY = Symbol.for('Jupyter.display');
/** Node's convention for text. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom');

export interface Figure {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly layout: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface Bundle {
  readonly 'text/plain': string;
  readonly 'text/html'?: string;
  readonly 'image/svg+xml'?: string;
  readonly 'application/vnd.plotly.v1+json'?: Figure;
}

export interface Shown {
  [DISPLAY](): Bundle;
  [INSPECT](): string;
}

/** An object that shows itself as `make` says, with what else it has. The picture is made when it is looked at. */
export function shown<T extends object>(make: () => Bundle, value: T): T & Shown {
  return Object.assign(value, { [DISPLAY]: () => plain(make()), [INSPECT]: () => plain(make())['text/plain'] });
}

/** With a text that steers no terminal. The other forms are escaped where they are made: html.ts, chart.ts. */
export function plain(bundle: Bundle): Bundle {
  return { ...bundle, 'text/plain': printable(bundle['text/plain']) };
}

/** Layout that reads on light and dark pages alike: nothing is painted behind it, and the text is a grey between. */
export const PAGE = {
  paper_bgcolor: 'rgba(0,0,0,0)',
  plot_bgcolor: 'rgba(0,0,0,0)',
  font: { family: 'system-ui, sans-serif', size: 12, color: '#7f8791' },
  margin: { l: 90, r: 20, t: 60, b: 80 },
} as const;
/** A title at the very top, clear of the buttons below it. */
export const TITLE = { x: 0.02, y: 1, yref: 'container', yanchor: 'top', pad: { t: 12 }, font: { size: 15 } } as const;
export const GREY = '#7f8791';
export const ACCENT = '#4c8dae';
/** Not responsive: JupyterLab's plotly then loses the height of a figure when the theme changes. Every figure has its width. */
export const CONFIG = { displaylogo: false } as const;
export const WIDE = 880;
