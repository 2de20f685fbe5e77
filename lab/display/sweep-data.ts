// The data set of a sweep as a card: what was run, which tables there are with their columns, and how they are asked.

import { basename } from 'node:path';
import type { SweepData } from '../sweep/dataset.js';
import { html } from '../values/html.js';
import { bytesText } from '../values/numbers.js';
import type { Bundle } from '../values/shown.js';
import { htmlTable } from './table.js';

/** Configurations that are named before the rest is counted. */
const NAMED = 12;

export function sweepDataBundle(data: SweepData): Bundle {
  const { path, columns, configurations, shards, missing, runs, tokens, rows, bytes } = data;
  const left = missing > 0 ? `; ${missing} of ${shards + missing} shards are missing` : '';
  const named = configurations.slice(0, NAMED).map((name, i) => `${i} ${name}`);
  const more = configurations.length > NAMED ? ` and ${configurations.length - NAMED} more` : '';
  const table = htmlTable(
    [{ title: 'table' }, { title: 'columns' }],
    [...columns].map(([name, all]) => ({
      cells: [name, { text: all.join(', '), html: html`<span style="white-space:normal">${all.join(', ')}</span>` }],
    })),
  );
  return {
    'text/html':
      html`<div>sweep ${basename(path)}: ${runs} runs, ${tokens} tokens, ${rows} rows, ${bytesText(bytes)}${left}</div><div>configurations: ${named.join('; ')}${more}</div>${table}<div><code>await data.query('select * from ${data.tables[0]} limit 5')</code></div>`
        .text,
    'text/plain': String(data),
  };
}
