// Two runs of one prompt: a sentence, and where they part the stages that are not the same.

import type { Twice, TwiceRow } from '../probe/twice.js';
import { html } from '../values/html.js';
import { sci } from '../values/numbers.js';
import type { Bundle } from '../values/shown.js';

export function twiceText({ rows, first, chunks, provenance }: Twice): string {
  const many = chunks.length > 1 ? `${chunks.length} chunks` : 'one chunk';
  const stages = new Set(rows.map(({ stage }) => stage)).size;
  const on = `${provenance.model}, ${provenance.adapter}`;
  if (!first) return `Read twice, in ${many}: all ${stages} stages have the same bits (${on}).`;
  const others = rows.filter(({ place }) => place !== null).length - 1;
  const rest = others === 0 ? '' : ` ${others} more differ after it.`;
  return `Read twice, in ${many}: the first that is not the same is ${first.stage} ${whereOf(first)}.${rest} What computes it is not the same each time: a race, or a driver's fault (${on}).`;
}

const whereOf = ({ chunk, place, values, hashes }: TwiceRow): string =>
  `in chunk ${chunk}, from [${place}] on, ${values!.map(sci).join(' and ')} (hashes ${hashes.join(' and ')})`;

export const twiceBundle = (twice: Twice): Bundle => ({
  'text/plain': twiceText(twice),
  'text/html': html`<p style="font-size:14px;margin:4px 0">${twiceText(twice)}</p>`.text,
});
