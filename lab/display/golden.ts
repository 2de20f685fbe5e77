// A golden as a card: what was read, in which chunks, and by whom.

import type { Golden } from '../values/golden.js';
import type { Bundle } from '../values/shown.js';
import { html, visible } from '../values/html.js';
import { htmlTable } from './table.js';

export function goldenBundle({ name, ids, chunks, pieces, provenance, stages }: Golden): Bundle {
  const prompt = pieces?.join('').replaceAll('\u2581', ' ');
  const text =
    `golden ${name}: ${stages.size} stages of ${ids.length} ${ids.length === 1 ? 'token' : 'tokens'} in ${chunks.length === 1 ? 'one chunk' : `${chunks.length} chunks`}` +
    `${prompt === undefined ? '' : `, ‘${prompt}’`}`;
  const facts = {
    golden: name,
    stages: String(stages.size),
    tokens: String(ids.length),
    chunks: chunks.length === 1 ? 'one' : `${chunks.length}: ${chunks.join(', ')} tokens`,
  };
  const made = ['model', 'torch', 'transformers'].flatMap(key =>
    provenance.has(key) ? [[key, provenance.get(key)!]] : [],
  );
  const wrapped = (text: string) =>
    html`<div style="white-space:normal;overflow-wrap:anywhere;max-width:40em">${visible(text)}</div>`;
  const read = prompt === undefined ? [] : [['text', { text: prompt, html: wrapped(prompt) }]];
  const rows = [...Object.entries(facts), ...read, ...made].map(cells => ({ cells }));
  return { 'text/html': htmlTable([{ title: '' }, { title: '' }], rows).text, 'text/plain': text };
}
