// The plan as a picture: one block a stage, layers side by side, coloured by what a stage does, by what it costs, or by the verdict of a
// diff. In JupyterLab it is an icicle that folds by layer; elsewhere a grid of layers and stages.

import { type Cost, costOf } from '../../engine/cost.js';
import { type OperationKind, type Stage, shapeText } from '../../engine/plan.js';
import type { Diff } from '../diff/diff.js';
import { leftoverText } from '../diff/leftover.js';
import type { PlanView } from '../session/views.js';
import type { Bundle, Figure } from '../values/shown.js';
import { CIVIDIS, svg } from './chart.js';
import { VERDICT_COLOURS } from './diff.js';
import { label } from '../values/html.js';
import { bytesText, countText, sci } from '../values/numbers.js';
import { textTable } from './table.js';
import { CONFIG, GREY, PAGE, TITLE, WIDE } from './page.js';

/** By what a stage does, in the Okabe–Ito palette; blue reads weights, purple is attention. */
const OPERATIONS: Readonly<Record<OperationKind, string>> = {
  embed: '#56b4e9',
  linear: '#0072b2',
  head: '#56b4e9',
  rmsNorm: '#009e73',
  rope: '#e69f00',
  cache: '#d55e00',
  scores: '#cc79a7',
  softmax: '#cc79a7',
  mix: '#cc79a7',
  geluTanh: '#f0e442',
  mul: '#f0e442',
  add: '#f0e442',
};
const GROUP = '#aeb6c1';
/** One decoded token with 64 keys before it. */
const EXTENT = { tokens: 1, keys: 64, rows: 1 };

interface Block {
  readonly stage: Stage;
  readonly cost: Cost;
  readonly layer: number | null;
  /** Name within its layer. */
  readonly short: string;
}

export function planBundle(session: PlanView['session'], diff: Diff | null): Bundle {
  const blocks = session.plan.stages.map(stage => {
    const [, layer, short] = /^layers\.(\d+)\.(.+)$/.exec(stage.name) ?? [null, null, stage.name];
    return {
      stage,
      cost: costOf(stage, EXTENT, weight => session.model.bytesOf(weight)),
      layer: layer === null ? null : Number(layer),
      short,
    };
  });
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
  return {
    'application/vnd.plotly.v1+json': icicle(session, blocks, diff),
    'image/svg+xml': grid(session, blocks, diff),
    'text/plain': `${left && `${left}\n`}${textTable(columns, rows)}`,
  };
}

/** None for caches, which no diff compares. */
const rowOf = (diff: Diff, { name }: Stage) => diff.rows.find(row => row.stage === name);

const verdictColour = (diff: Diff, stage: Stage) => {
  const row = diff.rows.find(found => found.stage === stage.name);
  return row ? VERDICT_COLOURS[row.verdict] : GROUP;
};

/** On a logarithmic scale, from the cheapest stage to the dearest. */
function costColour(blocks: readonly Block[], { cost }: Block): string {
  const logs = blocks.map(block => Math.log(block.cost.bytes + 1));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const along = (Math.log(cost.bytes + 1) - low) / (high - low || 1);
  return CIVIDIS[Math.round(along * (CIVIDIS.length - 1))];
}

function icicle(session: PlanView['session'], blocks: readonly Block[], diff: Diff | null): Figure {
  const left = diff ? leftoverText(diff.leftover, 3) : '';
  const [ids, labels, parents]: [string[], string[], string[]] = [[], [], []];
  const values: number[] = [];
  const notes: string[] = [];
  const owners: (Block | null)[] = [];
  const add = (id: string, text: string, parent: string, value: number, note: string, block: Block | null) => {
    ids.push(id);
    labels.push(label(text));
    parents.push(parent);
    values.push(value);
    notes.push(note);
    owners.push(block);
  };
  const sum = (of: readonly Block[]) => bytesText(of.reduce((n, { cost }) => n + cost.bytes, 0));
  add('model', session.name, '', blocks.length, sum(blocks), null);
  for (const block of blocks) {
    const { stage, cost, layer, short } = block;
    const group = layer === null ? 'model' : `layers.${layer}`;
    if (layer !== null && !ids.includes(group)) {
      const own = blocks.filter(other => other.layer === layer);
      add(group, `layer ${layer} (${session.config.layerKinds[layer]})`, 'model', own.length, sum(own), null);
    }
    const row = diff ? rowOf(diff, stage) : undefined;
    const verdict = row ? `<br>${row.verdict}: ${sci(row.accumulated.relL2)} in the run` : '';
    const note = `${stage.operation.kind} ${shapeText(stage.axes)}<br>${bytesText(cost.bytes)}, ${countText(cost.flops)} FLOPs${verdict}`;
    add(stage.name, short, group, 1, note, block);
  }
  const coloured = (colour: (block: Block) => string) => owners.map(block => (block ? colour(block) : GROUP));
  const ways: [string, string[]][] = [
    ...(diff ? [['by verdict', coloured(({ stage }) => verdictColour(diff, stage))] as [string, string[]]] : []),
    ['by operation', coloured(({ stage }) => OPERATIONS[stage.operation.kind])],
    ['by bytes', coloured(block => costColour(blocks, block))],
  ];
  return {
    data: [
      {
        type: 'icicle',
        ids,
        labels,
        parents,
        values,
        customdata: notes,
        branchvalues: 'total',
        maxdepth: 3,
        tiling: { orientation: 'v' },
        sort: false,
        marker: { colors: ways[0][1], line: { width: 1 } },
        hovertemplate: '%{id}<br>%{customdata}<extra></extra>',
      },
    ],
    layout: {
      ...PAGE,
      width: WIDE,
      height: 360,
      margin: { l: 10, r: 10, t: 84, b: 10 },
      title: {
        text: `The plan of ${label(session.name)}, a block a stage; click a layer to unfold it, the top to fold it${left && `<br><span style="font-size:11px">${label(left)}</span>`}`,
        ...TITLE,
      },
      updatemenus: [
        {
          type: 'buttons',
          direction: 'right',
          x: 0,
          xanchor: 'left',
          y: 1,
          yanchor: 'bottom',
          pad: { b: 8 },
          font: { size: 11, color: '#3b4252' },
          bgcolor: '#e5e9f0',
          buttons: ways.map(([name, colours]) => ({
            label: name,
            method: 'restyle',
            args: [{ 'marker.colors': [colours] }],
          })),
        },
      ],
    },
    config: CONFIG,
  };
}

/** Layers across, the stages of a layer down, as the forward pass has them; what belongs to no layer at the ends. */
function grid(session: PlanView['session'], blocks: readonly Block[], diff: Diff | null): string {
  const left = diff ? leftoverText(diff.leftover, 3) : '';
  const names = [...new Set(blocks.filter(({ layer }) => layer !== null).map(({ short }) => short))];
  const outer = blocks.filter(({ layer }) => layer === null);
  const head = outer.filter(({ short }) => short === 'embed').map(({ short }) => short);
  const tail = outer.filter(({ short }) => short !== 'embed').map(({ short }) => short);
  const lines = [...head, ...names, ...tail];
  const { layers } = session.config;
  const colour = (block: Block) => (diff ? verdictColour(diff, block.stage) : OPERATIONS[block.stage.operation.kind]);
  const colours = [...new Set(blocks.map(colour))];
  const data = blocks.map(block => [
    block.layer ?? (block.short === 'embed' ? 0 : layers - 1),
    lines.indexOf(block.short),
    colours.indexOf(colour(block)),
  ]);
  return svg(
    {
      title: {
        text: `${session.name}: ${blocks.length} stages${diff ? `, by verdict against ${diff.golden}` : ''}`,
        textStyle: { fontSize: 14, color: GREY },
        ...(left && { subtext: left, itemGap: 4, subtextStyle: { fontSize: 10, color: GREY } }),
      },
      grid: { left: 110, right: 20, top: left ? 56 : 40, bottom: 40 },
      xAxis: {
        type: 'category',
        name: 'layer',
        nameLocation: 'middle',
        nameGap: 26,
        data: Array.from({ length: layers }, (_, i) => String(i)),
        axisLabel: { color: GREY },
        axisTick: { show: false },
        axisLine: { show: false },
      },
      yAxis: {
        type: 'category',
        inverse: true,
        data: lines,
        axisLabel: { color: GREY, fontSize: 9, interval: 0 },
        axisTick: { show: false },
        axisLine: { show: false },
      },
      visualMap: { show: false, type: 'piecewise', pieces: colours.map((color, value) => ({ value, color })) },
      series: [{ type: 'heatmap', data, itemStyle: { borderColor: '#fff', borderWidth: 1 } }],
    },
    Math.min(900, 170 + Math.max(28, Math.min(70, 640 / layers)) * layers),
    (left ? 96 : 80) + 14 * lines.length,
  );
}
