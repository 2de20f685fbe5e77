// The ledger: one row a stage, the first failing stage on top, then the other failures, then the rest in the plan's order.

import type { Diff, DiffRow } from '../diff/diff.js';
import type { Bundle } from './bundle.js';
import { html } from './html.js';
import { sci } from './numbers.js';
import { type Column, htmlTable, type Row, textTable } from './table.js';

const COLUMNS: readonly Column[] = [
  { title: 'verdict' },
  { title: 'stage' },
  { title: 'shape' },
  { title: 'alone, rel L2', right: true },
  { title: 'in the run, rel L2', right: true },
  { title: 'max abs', right: true },
  { title: 'cosine', right: true },
  { title: 'gain', right: true },
  { title: 'worst at' },
  { title: 'ours', right: true },
  { title: "PyTorch's", right: true },
];
/** Vermilion and orange of the Okabe–Ito palette: told apart by colour-blind eyes too. */
const MARKS: Readonly<Record<string, string>> = {
  source: '#d55e00',
  carrier: '#e69f00',
  masked: '#cc79a7',
  ok: '#009e73',
};

export function diffBundle(diff: Diff): Bundle {
  const { rows, first } = diff;
  const rank = (row: DiffRow) => (row === first ? 0 : row.pass ? 2 : 1);
  const sorted = [...rows].sort((a, b) => rank(a) - rank(b) || rows.indexOf(a) - rows.indexOf(b));
  const failed = sorted.filter(({ pass }) => !pass);
  const passed = sorted.filter(({ pass }) => pass);
  const failedTable = failed.length > 0 ? html`${htmlTable(COLUMNS, failed.map(cells))}` : html``;
  const limits = `limits: alone ${sci(diff.limits.local)}, in the run ${sci(diff.limits.accumulated)} (relative L2)`;
  return {
    'text/html':
      html`<div class="loupe-diff"><p style="font-size:14px"><b>${summary(diff)}</b><br><span style="opacity:.7">${diff.golden} · ${diff.provenance.adapter} · ${limits}</span></p>
${failedTable}<details ${failed.length === 0 ? 'open' : ''}><summary>${passed.length} stages pass</summary><div style="max-height:420px;overflow:auto">${htmlTable(COLUMNS, passed.map(cells))}</div></details></div>`
        .text,
    'text/plain': `${summary(diff)}\n${diff.golden}, ${diff.provenance.adapter}; ${limits}\n${textTable(COLUMNS, sorted.map(cells))}`,
  };
}

/** One sentence: what fails first, or by how much everything passes. */
export function summary({ rows, first }: Diff): string {
  if (first) {
    const failing = rows.filter(({ pass }) => !pass).length;
    const place = first.local && first.verdict === 'source' ? first.local : first.accumulated;
    const others = failing > 1 ? `; ${failing - 1} more fail after it` : '';
    return `First failing stage: ${first.stage} (${first.verdict}), relative error ${sci(place.relL2)}, worst at [${place.worst}]${others}.`;
  }
  const worst = rows.reduce((a, b) => (b.accumulated.relL2 > a.accumulated.relL2 ? b : a));
  return `All ${rows.length} stages pass. The largest error in the run is ${sci(worst.accumulated.relL2)}, at ${worst.stage}.`;
}

function cells({ stage, shape, accumulated, local, gain, verdict }: DiffRow): Row {
  const shown = verdict === 'source' && local ? local : accumulated;
  return {
    mark: verdict === 'ok' ? undefined : MARKS[verdict],
    cells: [
      verdict,
      stage,
      `[${shape.join(',')}]`,
      local ? sci(local.relL2) : '–',
      sci(accumulated.relL2),
      sci(shown.maxAbs),
      shown.cosine > 0.999999 ? '1.000000' : sci(shown.cosine),
      gain === null ? '–' : `${sci(Number(gain.toPrecision(2)))}×`,
      `[${shown.worst.join(',')}]`,
      sci(shown.actualAtWorst),
      sci(shown.expectedAtWorst),
    ],
  };
}
