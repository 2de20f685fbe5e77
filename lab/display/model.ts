// A model as a card: what it is, where it runs, what it holds in memory, and its plan as a picture, one block a stage.

import { costOf } from '../../engine/cost.js';
import { type OperationKind, shapeText } from '../../engine/plan.js';
import type { Session } from '../session.js';
import { type Bundle, CONFIG, PAGE, TITLE } from './bundle.js';
import { html } from './html.js';
import { bytesText, countText } from './numbers.js';
import { htmlTable, textTable } from './table.js';

/** The facts of a card, a label and a value each. */
export function modelFacts(session: Session): { readonly [label: string]: string } {
  const { config: c, model, gpu } = session;
  const parameters = model.weightRefs.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b), 0);
  const sliding = c.layerKinds.filter(kind => kind === 'sliding').length;
  const windowed =
    c.slidingWindow === null ? '' : `: ${sliding} see ${c.slidingWindow} tokens, ${c.layers - sliding} see all`;
  return {
    model: session.name,
    family: `Gemma ${c.family}, ${countText(parameters)} parameters`,
    layers: `${c.layers}${windowed}`,
    widths: `hidden ${c.hidden}, feed-forward ${c.feedForward}, vocabulary ${c.vocab}`,
    heads: `${c.heads} query, ${c.kvHeads} key/value, ${c.headDim} wide`,
    context: `${c.contextLength} tokens, ${session.longest} in this session`,
    weights: `${bytesText(model.weightBytes)} in f32 on the GPU`,
    tokenizer: session.tokenizer ? `${session.tokenizer.size} pieces` : 'none: prompts are token ids',
    adapter: `${gpu.kind}: ${gpu.info.description || gpu.info.device}`,
    'GPU memory': `${bytesText(gpu.liveBytes)} live in ${gpu.liveBuffers} buffers`,
  };
}

export function modelBundle(session: Session): Bundle {
  const rows = Object.entries(modelFacts(session)).map(([name, value]) => ({ cells: [name, value] }));
  const columns = [{ title: '' }, { title: '' }];
  return {
    'text/html': html`<h4 style="margin:4px 0">${session.name}</h4>${htmlTable(columns, rows)}`.text,
    'text/plain': textTable(columns, rows),
  };
}

/** By what a stage does, in the Okabe–Ito palette; blue reads weights, violet is attention. */
const COLOURS: Readonly<Record<OperationKind, string>> = {
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
const GROUP = 'rgba(127,135,145,0.35)';

/** The plan as blocks: layers side by side, a stage's size its bytes for one token with 64 keys. */
export function planBundle(session: Session): Bundle {
  const extent = { tokens: 1, keys: 64, rows: 1 };
  const stages = session.plan.stages.map(stage => ({ stage, cost: costOf(stage, extent) }));
  const ids: string[] = [];
  const labels: string[] = [];
  const parents: string[] = [];
  const values: number[] = [];
  const notes: string[] = [];
  const colors: string[] = [];
  const add = (id: string, label: string, parent: string, value: number, note: string, colour = GROUP) => {
    colors.push(colour);
    ids.push(id);
    labels.push(label);
    parents.push(parent);
    values.push(value);
    notes.push(note);
  };
  const total = stages.reduce((n, { cost }) => n + cost.bytes, 0);
  add('model', session.name, '', total, bytesText(total));
  for (const { stage, cost } of stages) {
    const parts = stage.name.split('.');
    const layer = parts[0] === 'layers' ? parts.slice(0, 2).join('.') : 'model';
    if (layer !== 'model' && !ids.includes(layer)) {
      const own = stages.filter(s => s.stage.name.startsWith(`${layer}.`)).reduce((n, s) => n + s.cost.bytes, 0);
      const kind = session.config.layerKinds[Number(parts[1])];
      add(layer, `layer ${parts[1]} (${kind})`, 'model', own, bytesText(own));
    }
    const note = `${stage.operation.kind} ${shapeText(stage.axes)}<br>${bytesText(cost.bytes)}, ${countText(cost.flops)} FLOPs`;
    add(
      stage.name,
      layer === 'model' ? stage.name : parts.slice(2).join('.'),
      layer,
      cost.bytes,
      note,
      COLOURS[stage.operation.kind],
    );
  }
  const table = stages.map(({ stage, cost }) => ({
    cells: [stage.name, shapeText(stage.axes), bytesText(cost.bytes), countText(cost.flops)],
  }));
  const columns = [
    { title: 'stage' },
    { title: 'output' },
    { title: 'bytes', right: true },
    { title: 'FLOPs', right: true },
  ];
  return {
    'application/vnd.plotly.v1+json': {
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
          marker: { colors, line: { width: 1 } },
          hovertemplate: '%{id}<br>%{customdata}<extra></extra>',
        },
      ],
      layout: {
        ...PAGE,
        height: 420,
        margin: { l: 10, r: 10, t: 40, b: 10 },
        title: { text: `The plan of ${session.name}: bytes moved for one token`, ...TITLE },
      },
      config: CONFIG,
    },
    'text/html': html`<div style="max-height:420px;overflow:auto">${htmlTable(columns, table)}</div>`.text,
    'text/plain': textTable(columns, table),
  };
}
