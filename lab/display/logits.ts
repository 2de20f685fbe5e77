// The most likely next tokens, as bars of probability.

import type { Bundle } from '../values/shown.js';
import { ACCENT, CLEAR, CONFIG, GRID, PAGE, titled } from './page.js';
import type { TopTokens } from '../values/next-token.js';
import { label, visible } from '../values/html.js';
import { minus, percentText, shortened } from '../values/numbers.js';
import { drawn } from './drawn.js';
import { widthOf } from './still/rich.js';
import { textTable } from './table.js';

/** Bars in the picture; the others are in the rows alone. */
const MOST = 100;
/** Pixels of a title in the narrowest cell. */
const TITLE = 460;

export function logitsBundle({ rows: all, prompt }: Pick<TopTokens, 'rows' | 'prompt'>): Bundle {
  const rows = all.slice(0, MOST);
  const more = all.length > MOST ? `\nand ${all.length - MOST} more, in .rows` : '';
  const title = (ending: string) => (ending ? `After “${ending}”` : 'After the bos alone');
  const most = [...prompt].length;
  // The end of it, as far as the narrowest cell has room.
  const room = Array.from({ length: most }, (_, i) => most - i).find(
    many => many <= 51 && widthOf(title(visible(shortened(prompt, many, 'start'))), 15) < TITLE,
  );
  const ending = shortened(prompt, room ?? 1, 'start');
  const height = 90 + 26 * rows.length;
  const figure = {
    data: [
      {
        type: 'bar',
        orientation: 'h',
        x: rows.map(r => r.probability),
        y: rows.map((_, i) => i),
        text: rows.map(r => percentText(r.probability)),
        textposition: 'outside',
        cliponaxis: false,
        marker: { color: ACCENT },
        customdata: rows.map(r => [label(r.text), r.id, minus(r.logit.toFixed(4))]),
        hovertemplate:
          '%{customdata[0]} (id %{customdata[1]})<br>logit %{customdata[2]}<br>probability %{x:.4f}<extra></extra>',
      },
    ],
    layout: {
      ...PAGE,
      title: titled(title(label(ending))),
      height,
      margin: { l: 130, r: 80, t: 50, b: 50 },
      xaxis: {
        title: { text: 'probability' },
        tickformat: '~%', // also where all are below one percent
        rangemode: 'tozero',
        gridcolor: GRID,
      },
      yaxis: {
        tickvals: rows.map((_, i) => i),
        ticktext: rows.map(r => label(shortened(r.text, 16))),
        ...CLEAR,
        autorange: 'reversed',
      },
    },
    config: CONFIG,
  };
  return drawn(
    figure,
    `${textTable(
      [
        { title: 'next token' },
        { title: 'id', right: true },
        { title: 'logit', right: true },
        { title: 'probability', right: true },
      ],
      rows.map(r => ({
        cells: [visible(r.text), String(r.id), minus(r.logit.toFixed(4)), percentText(r.probability)],
      })),
    )}${more}`,
  );
}
