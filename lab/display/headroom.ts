// Headroom as a table: the largest value of each stage, what it is of f16's most, and bf16's spacing there.

import { F16_MOST, type Headroom } from '../values/headroom.js';
import { html } from '../values/html.js';
import { percentText, sci } from '../values/numbers.js';
import type { Bundle } from '../values/shown.js';
import { htmlTable, textTable } from './table.js';

const COLUMNS = [
  { title: 'stage' },
  { title: 'largest |x|', right: true },
  { title: 'of 65504', right: true },
  { title: 'bf16 spacing', right: true },
  { title: 'f16' },
];

/** Three digits down a column, as far as nobody has to count noughts. */
const spacing = (value: number): string => (value >= 1e-6 && value < 1000 ? value.toPrecision(3) : sci(value));

export function headroomBundle({ rows, beyond, largest }: Headroom): Bundle {
  const told = rows.map(({ stage, maxAbs, ofF16, bf16Spacing, fitsF16 }) => ({
    kind: fitsF16 ? 'ok' : 'source',
    cells: [
      stage,
      { text: sci(maxAbs), value: maxAbs },
      { text: Number.isFinite(ofF16) ? percentText(ofF16) : '–', value: ofF16 },
      { text: spacing(bf16Spacing), value: bf16Spacing },
      fitsF16 ? 'fits' : 'does not fit',
    ],
  }));
  const all = beyond.every(({ maxAbs }) => maxAbs > F16_MOST);
  const most = `the largest ${all ? 'is' : 'that is a finite number is'} ${sci(largest.maxAbs)}, in ${largest.stage}`;
  const summary =
    beyond.length === 0
      ? `f16, which ends at ${F16_MOST}, holds all ${rows.length} stages: ${most}.`
      : `f16, which ends at ${F16_MOST}, does not hold ${beyond.length} of ${rows.length} stages, first ${beyond[0].stage}: ${most}.`;
  return {
    'text/html': html`<div><b>${summary}</b>${htmlTable(COLUMNS, told, { tools: true })}</div>`.text,
    'text/plain': `${summary}\n${textTable(COLUMNS, told, { narrow: true })}`,
  };
}
