// The plan as a picture: layers across, the stages of a layer down, coloured by what a stage does, by what it costs, or by the verdict and
// the error of a diff. One grid where scripts run and where they do not.

import type { LayerKind } from '../../engine/config.js';
import { type Stage, shapeText } from '../../engine/plan.js';
import type { Diff } from '../diff/diff.js';
import type { DiffRow, Verdict } from '../diff/row.js';
import { leftoverText } from '../diff/leftover.js';
import type { PlanView } from '../session/views.js';
import { label } from '../values/html.js';
import { bytesText, countText, sci } from '../values/numbers.js';
import type { Bundle, Figure } from '../values/shown.js';
import { CONFIG, GREY, MENU, menuFrom, PAGE, titled } from './page.js';
import { textTable } from './table.js';
import { barTitle } from './chart.js';
import { inOrder, UNFOLDED, VERDICT_COLOURS, whose } from './diff.js';
import { rowLabel, verdictText } from './diff-map.js';
import { drawn } from './drawn.js';
import { mapsInPlan, withMaps } from './plan-maps.js';
import { amounts, kinds, type Way } from './plan-ways.js';
import { still } from './still/still.js';
import { type Block, blocksOfPlan, columnOf, IN, KINDS, kindOfStage, linesOfPlan, OUT } from './plan-blocks.js';

export function planBundle(session: PlanView['session'], diff: Diff | null): Bundle {
  const blocks = blocksOfPlan(session);
  const columns = [
    { title: 'stage' },
    { title: 'output' },
    { title: 'bytes', right: true },
    { title: 'FLOPs', right: true },
    ...(diff ? [{ title: 'verdict' }] : []),
  ];
  const left = diff ? leftoverText(diff.leftover) : '';
  const rows = blocks.map(({ stage, cost }) => ({
    cells: [
      stage.name,
      shapeText(stage.axes),
      bytesText(cost.bytes),
      countText(cost.flops),
      ...(diff ? [diff.rows.find(row => row.stage === stage.name)?.verdict ?? ''] : []),
    ],
  }));
  const whole = picture(session, blocks, diff, new Set());
  // Of a figure and the same without a script, which stays at the plan.
  const rest = MOST - JSON.stringify(whole).length - still(whole).length;
  const maps = diff ? mapsInPlan(diff, Math.min(MOST_MAPS, rest)) : [];
  const figure = withMaps(
    maps.length > 0 ? picture(session, blocks, diff, new Set(maps.map(({ stage }) => stage))) : whole,
    maps,
  );
  return drawn(figure, `${left && `${left}\n`}${textTable(columns, rows)}`);
}

/** Characters of all its forms. */
const MOST = 900_000;
/** Characters of the maps in it: a notebook is kept with its pictures. */
const MOST_MAPS = 150_000;
/** Of what a diff has no row for: caches. */
const NOT_COMPARED = '#aeb6c1';

/** None for caches, which no diff compares. */
const rowOf = (diff: Diff, { name }: Stage): DiffRow | undefined => diff.rows.find(row => row.stage === name);

/** @param mapped stages whose maps are in the picture */
function picture(
  session: PlanView['session'],
  blocks: readonly Block[],
  diff: Diff | null,
  mapped: ReadonlySet<string>,
): Figure {
  const left = diff ? leftoverText(diff.leftover, 3) : '';
  const lines = linesOfPlan(blocks);
  const columns = [IN, ...Array.from({ length: session.config.layers }, (_, i) => String(i)), OUT];
  const at = new Map(blocks.map(block => [`${block.short} ${columnOf(block)}`, block]));
  const cells = <T>(value: (block: Block) => T, none: T): T[][] =>
    lines.map(line =>
      columns.map(column => {
        const block = at.get(`${line} ${column}`);
        return block ? value(block) : none;
      }),
    );
  const verdicts = Object.entries(VERDICT_COLOURS).map(([name, colour]) => ({ name, colour }));
  const names = [...verdicts, { name: 'not compared', colour: NOT_COMPARED }];
  const ways: Way[] = [
    ...(diff
      ? [
          kinds(
            'by verdict',
            ({ stage }) => names.findIndex(({ name }) => name === (rowOf(diff, stage)?.verdict ?? 'not compared')),
            names,
          ),
          {
            ...amounts(
              'by error',
              'rel L2 in the run',
              blocks,
              ({ stage }) => rowOf(diff, stage)?.accumulated.relL2 ?? Number.NaN,
              v => sci(Number(v.toPrecision(2))),
            ),
            mark: ({ stage }: Block) => MARKS[rowOf(diff, stage)?.verdict ?? 'ok'],
          },
        ]
      : []),
    kinds('by operation', ({ stage }) => KINDS.indexOf(kindOfStage(stage)), KINDS),
    amounts(
      'by bytes',
      'bytes a token',
      blocks,
      ({ cost }) => cost.bytes,
      v => bytesText(v),
    ),
    amounts(
      'by FLOPs',
      'FLOPs a token',
      blocks,
      ({ cost }) => cost.flops,
      v => countText(Math.round(v)),
    ),
  ];
  const kindOf = (layer: number | null) => (layer === null ? '' : ` (${session.config.layerKinds[layer]})`);
  const note = ({ stage, cost, layer }: Block): string => {
    const row = diff ? rowOf(diff, stage) : undefined;
    const verdict = row ? `<br>${verdictText(row)}` : '';
    return `<b>${label(stage.name)}</b>${kindOf(layer)}<br>${stage.operation.kind} ${shapeText(stage.axes)}<br>${bytesText(cost.bytes)}, ${countText(cost.flops)} FLOPs${verdict}`;
  };
  const coloured = ({ of, zmin, zmax, colorscale, title, tickvals, ticktext, mark }: Way) => ({
    z: cells<number | null>(block => finite(of(block)), null),
    text: cells(block => mark?.(block) ?? '', ''),
    zmin,
    zmax,
    colorscale,
    colorbar: { thickness: 12, title: barTitle(title), tickvals, ticktext },
  });
  const title = `${session.name}: ${blocks.length} stages${diff ? `, by verdict against ${diff.golden}` : ''}`;
  const clicked = diff ? 'row' : 'name';
  const failing = diff?.rows.filter(({ pass }) => !pass).length ?? 0;
  const maps = `maps of ${mapped.size === failing ? `all ${failing}` : `${mapped.size} of ${failing}`} failing stages are in the list 'error maps'`;
  const sub = [
    left,
    `click a stage for its ${clicked}; bytes and FLOPs of one token after 64`,
    mapped.size > 0 ? maps : '',
    diff ? marksText(diff) : '',
  ].filter(Boolean);
  const unfolded = new Set(diff ? inOrder(diff).slice(0, UNFOLDED) : []);
  const said = (stage: Stage): string => {
    const row = diff && rowOf(diff, stage);
    return row
      ? rowLabel(diff, row, whose(diff), unfolded.has(row) || mapped.has(row.stage), mapped.has(row.stage))
      : label(stage.name);
  };
  const isLong = (stage: Stage): boolean => said(stage).includes('<br>');
  /** Several lines stand clear of the picture's edges: towards its middle. */
  const besides = (block: Block) => {
    const [x, y] = [columns.indexOf(columnOf(block)) / columns.length, lines.indexOf(block.short) / lines.length];
    return {
      ay: y < 0.5 ? 14 : -14,
      yanchor: y < 0.5 ? 'top' : 'bottom',
      xanchor: x < 1 / 3 ? 'left' : x > 2 / 3 ? 'right' : 'center',
      align: 'left',
    };
  };
  const within = (pattern: RegExp) => lines.flatMap((line, i) => (pattern.test(line) ? [i] : []));
  // Folding is a choice of rows. The axis goes down, so that its range begins with the last.
  const folds = [
    ['all stages', lines.map((_, i) => i)],
    ['attention', within(/^(attn\.|input_norm|post_attn_norm|resid_mid)/)],
    ['feed-forward', within(/^(mlp\.|pre_mlp_norm|post_mlp_norm|resid$)/)],
  ] as const;
  const row = lines.length > 24 ? 15 : 17;
  return {
    data: [
      {
        type: 'heatmap',
        x: columns,
        y: lines.map(label),
        ...coloured(ways[0]),
        ...(ways.some(({ mark }) => mark) && { texttemplate: '%{text}' }),
        customdata: cells(note, ''),
        xgap: session.config.layers > 40 ? 1 : 2,
        ygap: 2,
        hoverongaps: false,
        hovertemplate: '%{customdata}<extra></extra>',
      },
    ],
    layout: {
      ...PAGE,
      height: 212 + 15 * sub.length + row * lines.length,
      margin: { l: 116, r: 20, t: 128 + 15 * sub.length, b: 48 },
      title: titled(label(title), sub.map(label)),
      xaxis: { type: 'category', ...layerAxis(session.config.layerKinds), showgrid: false, zeroline: false },
      yaxis: {
        type: 'category',
        range: [lines.length - 0.5, -0.5],
        showgrid: false,
        zeroline: false,
        tickfont: { size: 10 },
      },
      // A click on a stage writes its name beside it, as `stage()` and taps take it; where it is wrong its row.
      annotations: blocks.map(block => ({
        // By its number: of a category whose name is one plotly would take the name for it.
        x: columns.indexOf(columnOf(block)),
        xclick: columnOf(block),
        y: label(block.short),
        text: said(block.stage),
        visible: false,
        clicktoshow: 'onout',
        showarrow: true,
        arrowhead: 0,
        ax: 0,
        ...(isLong(block.stage) ? besides(block) : { ay: -26 }),
        bgcolor: '#e5e9f0',
        bordercolor: GREY,
        borderpad: 3,
        font: { size: 11, color: '#3b4252' },
      })),
      updatemenus: [
        {
          ...menuFrom(116),
          type: 'buttons',
          direction: 'right',
          buttons: ways.map(way => {
            const { z, text, zmin, zmax, colorscale, colorbar } = coloured(way);
            return {
              label: way.name,
              method: 'restyle',
              args: [{ z: [z], text: [text], zmin, zmax, colorscale: [colorscale], colorbar: [colorbar] }],
            };
          }),
        },
        {
          ...MENU,
          type: 'dropdown',
          pad: { b: 48, l: 12 - 116 }, // over the buttons: beside them there is no room in a narrow cell
          buttons: folds
            .filter(([, rows]) => rows.length > 0)
            .map(([name, rows]) => ({
              label: name,
              method: 'relayout',
              args: [{ 'yaxis.range': [rows[rows.length - 1] + 0.5, rows[0] - 0.5] }],
            })),
        },
      ],
      plot_bgcolor: 'rgba(0,0,0,0)',
    },
    config: CONFIG,
  };
}

/** What stands for a verdict where the colour says something else. */
const MARKS: Readonly<Record<Verdict, string>> = {
  ok: '',
  noise: '~',
  cache: '□',
  masked: '◇',
  carrier: '○',
  source: '●',
};

/** Which marks stand for which verdicts, of those that there are. */
function marksText(diff: Diff): string {
  const verdicts = new Set(diff.rows.map(({ verdict }) => verdict));
  const named = (Object.keys(MARKS) as Verdict[]).filter(verdict => verdict !== 'ok' && verdicts.has(verdict));
  return named.length > 0 ? `by error, marks: ${named.map(verdict => `${MARKS[verdict]} ${verdict}`).join(', ')}` : '';
}

/** Layers that have their number below them; of more some are left out, and never a full one among sliding ones. */
const NUMBERS = 20;

/** Numbers of the layers, with a star where one sees all tokens and others do not. */
function layerAxis(layers: readonly LayerKind[]) {
  const full = (i: number) => layers[i] === 'full';
  const both = new Set(layers).size > 1;
  const step = Math.ceil(layers.length / NUMBERS);
  const isNear = (i: number) => both && !full(i) && (full(i - 1) || full(i + 1));
  const named = layers.flatMap((_, i) =>
    (both && full(i)) || (i % step === 0 && (step === 1 || !isNear(i))) ? [i] : [],
  );
  return {
    title: { text: both ? 'layer; * sees all tokens, the others a window' : 'layer' },
    tickvals: [IN, ...named.map(String), OUT],
    ticktext: [IN, ...named.map(i => (both && full(i) ? `${i}*` : String(i))), OUT],
  };
}

const finite = (v: number): number | null => (Number.isFinite(v) ? Number(v.toPrecision(5)) : null);
