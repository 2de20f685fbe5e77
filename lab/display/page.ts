// What all figures have alike: a layout that reads on light and dark pages, a title, two colours and a width.

import { folded } from '../values/fold.js';

/** Layout that reads on light and dark pages alike: nothing is painted behind it, and the text is a grey between. */
export const PAGE = {
  paper_bgcolor: 'rgba(0,0,0,0)',
  plot_bgcolor: 'rgba(0,0,0,0)',
  font: { family: 'system-ui, sans-serif', size: 12, color: '#7f8791' },
  margin: { l: 90, r: 20, t: 60, b: 80 },
} as const;
/** A title at the very top, clear of the buttons below it; under it, small, what a picture must say of itself. */
export function titled(text: string, notes: readonly string[] = []) {
  const place = { x: 0.02, y: 1, yref: 'container', yanchor: 'top', pad: { t: 12 }, font: { size: 15 } } as const;
  return notes.length === 0
    ? { text, ...place }
    : { text, subtitle: { text: notes.join('<br>'), font: { size: 11 } }, ...place };
}
/** Characters of a title in the narrowest cell. */
export const TITLE = 62;
/**
 * A long name in lines that fit the narrowest cell, broken before an operator where it has one, and before what it has along its dimensions: the first is the title, and the others
 * begin its notes.
 */
export function titleLines(text: string): string[] {
  if (text.length <= TITLE) return folded(text, '', TITLE).split('\n');
  return text.split(/ (?=[-+*/] )| (?=\[)/).flatMap(part => folded(part, '', TITLE).split('\n'));
}
/** Characters that a page shows of a label. */
export const lengthOf = (text: string): number => text.replaceAll(/&[^;]+;/g, '.').length;
/** How names stand below a picture, and the room that they take: level where they fit the narrowest cell side by side, else slanted. */
export function standing(names: readonly string[]): { readonly tickangle: number; readonly room: number } {
  const longest = names.reduce((n, name) => Math.max(n, lengthOf(name)), 0);
  return 7 * longest * names.length < 480 ? { tickangle: 0, room: 50 } : { tickangle: -60, room: 34 + 6 * longest };
}
export const GREY = '#7f8791';
/** Names beside bars stand clear of them: a mark that is not seen. */
export const CLEAR = { ticks: 'outside', ticklen: 4, tickcolor: 'rgba(0,0,0,0)' } as const;
export const ACCENT = '#4c8dae';
/**
 * Not `responsive`: JupyterLab's plotly then loses the height of a figure when the theme changes. A figure that says its height alone takes the
 * width of its cell all the same.
 */
export const CONFIG = {
  displaylogo: false,
  // Those that are left do not reach a title.
  modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d', 'zoomIn2d', 'zoomOut2d'],
} as const;
/** Buttons and choices above a picture, left. */
export const MENU = {
  x: 0,
  xanchor: 'left',
  y: 1,
  pad: { b: 10 },
  yanchor: 'bottom',
  font: { size: 11, color: '#3b4252' },
  bgcolor: '#e5e9f0',
} as const;
/** The same from the left edge of the figure on, whatever room names have there: in a narrow cell they need it. */
export const menuFrom = (left: number) => ({ ...MENU, pad: { b: 10, l: 12 - left } });
/** The rows that a legend's names take in the narrowest cell. */
const legendRows = (names: readonly string[]): number => {
  const longest = names.reduce((n, name) => Math.max(n, lengthOf(name)), 0);
  return Math.ceil(names.length / Math.max(1, Math.floor(390 / (52 + 7 * longest))));
};
/** Pixels below a picture that the numbers and the name of its axis take. */
const AXIS = 54;
/**
 * A legend under a picture that is `plot` pixels high, and the margin that holds it: rows are kept for it that only a narrow cell fills, and what it leaves
 * is at the end of the picture, not between its title and its lines.
 */
export const legendUnder = (names: readonly string[], plot: number) => ({
  legend: { orientation: 'h', x: 0, xanchor: 'left', y: -AXIS / plot, yanchor: 'top' },
  room: AXIS + 19 * legendRows(names) + 10,
});
/** Behind heatmaps: what is masked, or no number, is a hole, and looks like neither zero nor white. */
export const HOLE = 'rgba(127,135,145,0.18)';
/** Lines behind what is plotted. */
export const GRID = 'rgba(127,135,145,0.25)';
