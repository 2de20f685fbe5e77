// What a patched run restored: stages × tokens, blue where the patch makes it worse and red where it brings the answer back.

import type { Patching } from '../probe/patching.js';
import type { Bundle } from '../values/shown.js';
import { CONFIG, PAGE, titled, titleLines } from './page.js';
import { barTitle, DIVERGING, scaleThrough } from './chart.js';
import { label, visible } from '../values/html.js';
import { minus, shortened } from '../values/numbers.js';
import { drawn } from './drawn.js';
import { textTable } from './table.js';

const percent = (share: number): string => minus(String(Math.round(100 * share) || 0));

/** Columns of a page in which a number can be read in each cell. */
const NUMBERED = 16;

export function patchingBundle({ stages, tokens, restored, answer, wrong }: Patching): Bundle {
  const title = `How much of ${visible(answer)} over ${visible(wrong)} returns`;
  const how = 'one token put back at a time';
  const [heading, ...rest] = titleLines(title);
  const more = [...rest, how];
  const x = tokens.map((text, i) => `${i} ${label(shortened(text, 12))}`);
  const z = restored.map(row => row.map(v => Number(v.toFixed(4))));
  const limit = Math.max(1, ...z.flat().map(Math.abs));
  const numbered = tokens.length <= NUMBERED;
  const figure = {
    data: [
      {
        type: 'heatmap',
        x,
        y: stages.map(label),
        z,
        zmin: -limit,
        zmax: limit,
        colorscale: scaleThrough(DIVERGING),
        colorbar: { title: barTitle('restored'), thickness: 12, tickformat: '.0%' },
        ...(numbered && {
          text: z.map(row => row.map(v => (Math.abs(v) < 0.005 ? '' : percent(v)))),
          texttemplate: '%{text}',
          textfont: { size: 11 },
        }),
        xgap: tokens.length > 100 ? 0 : 1,
        ygap: 1,
        hovertemplate: '%{y}<br>at %{x}<br>restores %{z}<extra></extra>',
        zhoverformat: '.1%',
      },
    ],
    layout: {
      ...PAGE,
      title: titled(label(heading), more.map(label)),
      height: 150 + 15 * more.length + Math.round(Math.max(15, Math.min(26, 480 / stages.length)) * stages.length),
      margin: { l: 180, r: 20, t: 50 + 15 * more.length, b: 90 },
      xaxis: { type: 'category', tickangle: -50, showgrid: false },
      // Upwards, as the lens has its layers.
      yaxis: { type: 'category', showgrid: false, tickfont: { size: 11 } },
    },
    config: CONFIG,
  };
  return drawn(
    figure,
    `${title}, ${how}, in percent\n${textTable(
      [{ title: 'stage' }, ...tokens.map(text => ({ title: visible(text), right: true }))],
      restored.map((row, i) => ({ cells: [stages[i], ...row.map(percent)] })),
    )}`,
  );
}
