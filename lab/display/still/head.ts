// What stands over a picture: its title, which of its views is seen, and the legend.

import { GREY } from '../page.js';
import { dashOf } from './marks.js';
import { linesOf, px, text, widthOf } from './rich.js';
import type { Layout, Trace } from './trace.js';

/** The title, and what of a figure's menus is shown: no click changes it here. */
export function heading(layout: Layout): string {
  const out: string[] = [];
  const size = layout.title?.font?.size ?? 15;
  if (layout.title) out.push(text(12, 9 + size, layout.title.text, { size, colour: GREY }));
  const under = layout.title?.subtitle;
  if (under) out.push(text(12, 29 + size, under.text, { size: under.font?.size ?? 11, colour: GREY }));
  const menus = (layout.updatemenus ?? []).filter(({ visible }) => visible !== false);
  const state = menus
    .map(({ buttons, active = 0, name }) => (buttons[active]?.label === name ? '' : buttons[active]?.label))
    .filter(Boolean)
    .reverse();
  // A choice of layers and one of heads are chosen together: six of four heads each are 24 pictures.
  const others = menus.reduce((n, { buttons }) => n * buttons.length, 1) - 1;
  if (state.length > 0) {
    const more = others > 0 ? `; ${others} more view${others === 1 ? '' : 's'} where scripts run` : '';
    out.push(text(12, layout.margin.t - 12, `${state.join(', ')}${more}`, { size: 12, colour: GREY }));
  }
  return out.join('');
}

export function legend(layout: Layout, traces: readonly { trace: Trace; colour: string }[], width: number): string {
  const named = traces.filter(
    ({ trace }) => trace.type !== 'heatmap' && trace.name !== undefined && trace.showlegend !== false,
  );
  if (layout.showlegend === false || (named.length < 2 && layout.showlegend !== true)) return '';
  const items = named.map(({ trace, colour }) => ({
    trace,
    colour,
    width: 26 + widthOf(linesOf(trace.name!).join(' '), 12) + 16,
  }));
  const standing = layout.legend?.orientation === 'v';
  const rows: (typeof items)[] = [[]];
  let used = 0;
  for (const item of items) {
    if ((standing || used + item.width > width - 24) && rows[rows.length - 1].length > 0) {
      rows.push([]);
      used = 0;
    }
    rows[rows.length - 1].push(item);
    used += item.width;
  }
  const { height, margin, legend: { y: up = 1, yanchor = 'bottom' } = {} } = layout;
  const edge = margin.t + (1 - up) * (height - margin.t - margin.b);
  const first = yanchor === 'top' ? edge + 18 : edge - 12 - 18 * (rows.length - 1);
  return rows
    .map((row, i) => {
      let at = 12;
      const y = first + 18 * i;
      return row
        .map(({ trace, colour, width: wide }) => {
          const round = trace.type === 'scatter' ? ' rx="6"' : ''; // as the marks are
          const sign =
            trace.type === 'bar' || !(trace.mode ?? 'lines').includes('lines')
              ? `<rect x="${px(at)}" y="${y - 10}" width="12" height="12"${round} fill="${colour}"/>`
              : `<path d="M${px(at)} ${y - 4}h18" stroke="${colour}" stroke-width="${trace.line?.width ?? 2}"${dashOf(trace.line?.dash)}/>`;
          const word = text(at + 24, y, trace.name!, { size: 12, colour: GREY });
          at += wide;
          return sign + word;
        })
        .join('');
    })
    .join('');
}
