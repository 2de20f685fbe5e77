// A model as a card: what it is, where it runs, in what format its weights came, and what holds how much memory.

import { cacheBytesPerToken } from '../../engine/cache-format.js';
import type { Session } from '../session/session.js';
import type { Bundle } from '../values/shown.js';
import { html } from '../values/html.js';
import { bytesText, countText } from '../values/numbers.js';
import { planTable } from './plan-table.js';
import { textTable } from './table.js';

/** The facts of a card, a label and a value each. */
export function modelFacts(session: Session): { readonly [label: string]: string } {
  const { config: c, model, gpu } = session;
  const parameters = model.weightRefs.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b), 0);
  const sliding = c.layerKinds.filter(kind => kind === 'sliding').length;
  const windowed =
    c.slidingWindow === null ? '' : `: ${sliding} see ${c.slidingWindow} tokens, ${c.layers - sliding} see all`;
  const cache = cacheBytesPerToken(model.plan.stages, model.cache);
  return {
    model: session.name,
    family: `Gemma ${c.family}, ${countText(parameters)} parameters`,
    layers: `${c.layers}${windowed}`,
    widths: `hidden ${c.hidden}, feed-forward ${c.feedForward}, vocabulary ${c.vocab}`,
    heads: `${c.heads} query, ${c.kvHeads} key/value, ${c.headDim} wide`,
    context: `${c.contextLength} tokens, ${session.longest} in this session`,
    weights: `${bytesText(model.weightBytes)} in ${gpu.traits.store}s on the GPU${formatsText(model.formats)}`,
    ...(model.activations === 'int8' && {
      activations: '8 bits in blocks of 32, before the products of the fast plan',
    }),
    cache: `${bytesText(cache)} a token in ${model.cache}${sliding > 0 ? ', until the windows are full' : ''}`,
    tokenizer: session.tokenizer ? `${session.tokenizer.size} pieces` : 'none: prompts are token ids',
    ...(session.notices.length > 0 && { note: session.notices.join(' ') }),
    adapter: `${gpu.kind}: ${gpu.name}`,
    'GPU memory': `${bytesText(gpu.liveBytes)} live in ${gpu.liveBuffers} buffers`,
  };
}

function formatsText(formats: ReadonlyMap<string, number>): string {
  const text = [...formats].sort(([, a], [, b]) => b - a).map(([format, tensors]) => `${tensors} × ${format}`);
  return text.length > 0 ? `, as they are stored: ${text.join(', ')}` : '';
}

/** Bytes on the GPU by part of the model, in the order of the forward pass. */
export function memoryByPart({ model }: Session): Map<string, number> {
  const parts = new Map<string, number>();
  for (const weight of model.weightRefs) {
    const { name } = weight;
    const part = /\.attn\./.test(name)
      ? 'weights of attention'
      : /\.mlp\./.test(name)
        ? 'weights of the feed-forward'
        : /norm/.test(name)
          ? 'norms'
          : 'embedding and head';
    parts.set(part, (parts.get(part) ?? 0) + model.bytesOf(weight));
  }
  return parts;
}

/** The colours that the plan below has for these stages; its blue is all matrices, of which these are two parts. */
const PARTS: Readonly<Record<string, string>> = {
  'embedding and head': '#56b4e9',
  norms: '#009e73',
  'weights of attention': '#0072b2',
  'weights of the feed-forward': '#003f66',
};

export function modelBundle(session: Session): Bundle {
  if (session.disposed) {
    const closed = `${session.name}, closed`;
    return { 'text/html': html`<p>${closed}</p>`.text, 'text/plain': closed };
  }
  const entries = Object.entries(modelFacts(session));
  const rows = entries.map(([name, value]) => ({ cells: [name, value] }));
  // Styles that pages keep which drop stylesheets.
  const left = 'text-align:left;vertical-align:top';
  const lines = entries.map(
    ([name, value]) =>
      html`<tr><td style="${left};white-space:nowrap">${name}</td><td style="${left}">${value}</td></tr>`,
  );
  const facts = html`<table cellpadding="3" style="border-collapse:collapse">${lines}</table>`;
  const parts = [...memoryByPart(session)];
  const total = parts.reduce((n, [, bytes]) => n + bytes, 0);
  const bar = parts.map(
    ([name, bytes]) =>
      html`<span title="${name}: ${bytesText(bytes)}" style="display:inline-block;height:12px;width:${((100 * bytes) / total).toFixed(2)}%;background:${PARTS[name]}"></span>`,
  );
  const legend = parts.map(
    ([name, bytes]) =>
      html`<span style="margin-right:14px;white-space:nowrap"><span style="color:${PARTS[name]}">■</span> ${name} ${bytesText(bytes)}</span> `,
  );
  return {
    'text/html':
      html`<div style="max-width:820px"><h4 style="margin:4px 0">${session.name}</h4>${facts}<div style="margin:8px 0 2px;display:flex;width:100%;max-width:640px">${bar}</div><div style="font-size:12px;opacity:.85">${legend}</div>${planTable(session)}</div>`
        .text,
    'text/plain': textTable(
      [{ title: '' }, { title: '' }],
      [...rows, ...parts.map(([name, bytes]) => ({ cells: [`  ${name}`, bytesText(bytes)] }))],
    ),
  };
}
