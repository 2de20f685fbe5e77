// Perplexity in a few lines, with how far two ways of computing are apart.

import type { Perplexity } from '../probe/perplexity.js';
import type { Bundle } from '../values/shown.js';
import { folded } from '../values/fold.js';
import { minus } from '../values/numbers.js';
import { html } from '../values/html.js';
import { htmlTable, textTable } from './table.js';

export function perplexityBundle(
  found: Pick<Perplexity, 'perplexity' | 'bits' | 'tokens' | 'window' | 'provenance' | 'against'>,
): Bundle {
  const { perplexity, bits, tokens, window, provenance, against } = found;
  const { plan, activations } = provenance;
  const told = `${plan} plan${activations ? `, ${activations} activations` : ''}`;
  const title = `Perplexity ${perplexity.toFixed(3)} (${bits.toFixed(4)} bits a token) of ${tokens.toLocaleString('en')} ${tokens === 1 ? 'token' : 'tokens'} in windows of ${window}: ${told}`;
  if (!against) return { 'text/html': html`<div>${title}</div>`.text, 'text/plain': folded(title, '  ') };
  const more = 100 * (perplexity / against.perplexity - 1);
  const columns = [{ title: `held against the ${against.plan} plan` }, { title: '', right: true }, { title: '' }];
  const rows = [
    [
      'its perplexity',
      against.perplexity.toFixed(3),
      Math.abs(more) < 0.0005
        ? 'this one within 0.001 %'
        : `this one ${more < 0 ? '' : '+'}${minus(more.toFixed(3))} %`,
    ],
    ['KL divergence, mean', against.klMean.toExponential(2), 'bits a token'],
    ['KL divergence, largest', against.klMost.toExponential(2), `bits, before token ${against.klMostAt}`],
    ['same likeliest token', `${(100 * against.agree).toFixed(2)} %`, 'of all places'],
  ].map(cells => ({ cells }));
  return {
    'text/html': html`<div>${title}</div>${htmlTable(columns, rows)}`.text,
    'text/plain': `${folded(title, '  ')}\n${textTable(columns, rows)}`,
  };
}
