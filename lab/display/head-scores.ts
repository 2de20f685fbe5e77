// Scores of heads as a heatmap of layers × heads, with buttons for what they are scored for; what is pointed at says how to see the head's own pattern.

import { HEAD_SCORES, type HeadScore, type HeadScores } from '../probe/head-scores.js';
import { folded } from '../values/fold.js';
import { minus } from '../values/numbers.js';
import type { Bundle } from '../values/shown.js';
import { barTitle, CIVIDIS, DIVERGING, scaleThrough } from './chart.js';
import { drawn } from './drawn.js';
import { CONFIG, HOLE, MENU, PAGE, titled } from './page.js';
import { textTable } from './table.js';

const TITLES: Record<HeadScore, string> = {
  induction: 'Induction: attention to what came after an earlier copy',
  previous: 'Previous token: attention to the token before',
  duplicate: 'Duplicate token: attention to earlier copies',
  ablation: 'Ablation: bits a token lost without the head',
};
/** Cells in which a number can be read. */
const NUMBERED = 16;

export function headScoresBundle(scores: HeadScores): Bundle {
  // What the prompt cannot tell has no picture.
  const kinds = HEAD_SCORES.filter(kind => scores[kind]?.some(row => row.some(score => !Number.isNaN(score))));
  const layers = scores.previous.map((_, layer) => `${layer}`);
  const heads = scores.previous[0].map((_, head) => `${head}`);
  const numbered = heads.length <= NUMBERED && layers.length <= 40;
  const data = kinds.map((kind, i) => {
    const z = scores[kind]!.map(row => row.map(score => Number(score.toFixed(4))));
    const most = Math.max(...z.flat().map(Math.abs));
    const lost = kind === 'ablation';
    return {
      type: 'heatmap',
      name: kind,
      visible: i === 0,
      x: heads,
      y: layers,
      z,
      zmin: lost ? -most : 0,
      zmax: lost ? most || 1 : 1,
      colorscale: scaleThrough(lost ? DIVERGING : CIVIDIS),
      colorbar: { title: barTitle(lost ? 'bits' : 'weight'), thickness: 12, ...(!lost && { tickformat: '.0%' }) },
      ...(numbered && {
        text: z.map(row =>
          row.map(score => (lost ? minus(score.toFixed(2).replace(/^-(?=0\.00$)/, '')) : `${Math.round(100 * score)}`)),
        ),
        texttemplate: '%{text}',
        textfont: { size: 11 },
      }),
      xgap: 1,
      ygap: 1,
      zhoverformat: '.7~g',
      hovertemplate: `layer %{y}, head %{x}<br>${kind} %{z}<br>see it: scores.pattern(%{y}, %{x})<extra></extra>`,
    };
  });
  const notes = (kind: HeadScore) => {
    const [{ layer, head, score }] = scores.top(kind, 1);
    return [
      `highest: layer ${layer}, head ${head} (${textOf(kind, score)}); its pattern: scores.pattern(${layer}, ${head})`,
    ];
  };
  const figure = {
    data,
    layout: {
      ...PAGE,
      plot_bgcolor: HOLE,
      title: titled(TITLES[kinds[0]], notes(kinds[0])),
      height: 180 + Math.round(Math.max(16, Math.min(28, 560 / layers.length)) * layers.length),
      margin: { l: 60, r: 20, t: 104, b: 56 },
      xaxis: { type: 'category', title: { text: 'head' }, showgrid: false, zeroline: false },
      yaxis: { type: 'category', title: { text: 'layer' }, showgrid: false, zeroline: false },
      updatemenus: [
        {
          ...MENU,
          type: 'buttons',
          direction: 'right',
          buttons: kinds.map(kind => ({
            label: kind,
            method: 'update',
            args: [{ visible: kinds.map(other => other === kind) }, { title: titled(TITLES[kind], notes(kind)) }],
          })),
        },
      ],
    },
    config: CONFIG,
  };
  return drawn(figure, text(scores, kinds));
}

const textOf = (kind: HeadScore, score: number): string =>
  kind === 'ablation' ? `${minus(score.toFixed(3))} bits` : `${(100 * score).toFixed(1)} %`;

function text(scores: HeadScores, kinds: readonly HeadScore[]): string {
  const told = kinds.map(kind => scores.top(kind));
  const columns = [{ title: '' }, ...kinds.map(kind => ({ title: kind }))];
  const rows = told[0].map((_, i) => ({
    cells: [`${i + 1}.`, ...told.map((top, k) => `${top[i].layer}.${top[i].head} ${textOf(kinds[k], top[i].score)}`)],
  }));
  const missing = HEAD_SCORES.filter(kind => scores[kind] && !kinds.includes(kind));
  const left =
    missing.length > 0 ? `\n${missing.join(' and ')}: no token of the prompt comes twice, so that it cannot tell` : '';
  const title = folded('Heads with the highest scores, layer.head; scores.pattern(layer, head) shows one', '  ');
  return `${title}\n${textTable(columns, rows, { narrow: true })}${left}`;
}
