// Another program's dump as a card: whose it is, and what is in it under which names.

import { html } from '../values/html.js';
import type { Bundle } from '../values/shown.js';
import type { Trace } from '../values/trace.js';
import { htmlTable, textTable } from './table.js';

/** Names that are listed before the rest is counted. */
const LISTED = 12;

export function traceBundle({ name, ids, arrays }: Trace): Bundle {
  const all = [...arrays];
  const dtypes = [...new Set(all.map(([, { dtype }]) => dtype))].join(', ');
  const tokens = ids === null ? 'no token ids' : `${ids.length} token${ids.length === 1 ? '' : 's'}`;
  const title = `trace ${name}: ${all.length} array${all.length === 1 ? '' : 's'} of ${tokens}, ${dtypes}`;
  const columns = [{ title: 'their name' }, { title: 'shape' }, { title: 'dtype' }];
  const rows = all
    .slice(0, LISTED)
    .map(([theirs, { shape, dtype }]) => ({ cells: [theirs, `[${shape.join(',')}]`, dtype] }));
  const rest = all.length > LISTED ? `… and ${all.length - LISTED} more; model.diff(trace) judges them` : '';
  const more = rest ? html`<div>${rest}</div>` : '';
  return {
    'text/html': html`<div>${title}</div>${htmlTable(columns, rows)}${more}`.text,
    'text/plain': [title, textTable(columns, rows), ...(rest ? [rest] : [])].join('\n'),
  };
}
