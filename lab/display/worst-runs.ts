// The worst runs of a sweep as a table: a row opens to the prompt, to how far each stage is, and to the line that runs it again.

import { basename } from 'node:path';
import type { WorstRun, WorstRuns } from '../sweep/worst.js';
import { type Html, html } from '../values/html.js';
import { sci, shortened } from '../values/numbers.js';
import type { Prompt } from '../values/prompt-file.js';
import type { Bundle } from '../values/shown.js';
import { htmlTable, textTable } from './table.js';

const COLUMNS = [
  { title: 'prompt', right: true },
  { title: 'text' },
  { title: 'configuration' },
  { title: 'tokens', right: true },
  { title: 'worst stage' },
  { title: 'margin', right: true },
];
/** Signs of a prompt in its row, and stages in an opened one. */
const [BRIEF, MOST_STAGES] = [40, 12];
/** Of what is equal to the bit. */
const marginText = (margin: number): string => (margin === Number.POSITIVE_INFINITY ? 'equal' : sci(margin));
const textOf = (text: Prompt | null): string =>
  text === null ? '(its file is gone)' : typeof text === 'string' ? text : `[${text.join(', ')}]`;

export function worstRunsBundle({ path: folder, runs }: WorstRuns): Bundle {
  const path = basename(folder);
  const surprised = runs.some(({ perplexity }) => perplexity !== null);
  const columns = surprised ? [...COLUMNS, { title: 'perplexity', right: true }] : COLUMNS;
  const title =
    runs.length === 0
      ? `${path}: no run was held against another.`
      : `${path}: the ${runs.length === 1 ? 'run' : `${runs.length} runs`} furthest from the first configuration. A margin is how often the error fits into the limit of a diff; below 1 it fails.`;
  const cells = (run: WorstRun) => {
    const { configuration, name, tokens, stage, margin, perplexity } = run;
    return [
      { text: shortened(textOf(run.text), BRIEF), html: opened(run) },
      `${configuration} ${name}`,
      String(tokens),
      stage,
      { text: marginText(margin), value: margin },
      ...(surprised ? [perplexity === null ? '–' : { text: sci(perplexity), value: perplexity }] : []),
    ];
  };
  const rows = runs.map(run => ({
    cells: [String(run.prompt), ...cells(run)],
    ...(run.margin < 1 && { kind: 'fails' }),
  }));
  return {
    'text/html': html`<div>${title}</div>${htmlTable(columns, rows, { colours: { fails: '#d55e00' } })}`.text,
    'text/plain': [title, textTable(columns, rows, { narrow: true })].join('\n'),
  };
}

function opened({ prompt, text, stages }: WorstRun): Html {
  const brief = shortened(textOf(text), BRIEF);
  const least = [...stages].sort((a, b) => a.margin - b.margin).slice(0, MOST_STAGES);
  const shown = stages.filter(one => least.includes(one));
  const left = stages.length - shown.length;
  const list = shown.map(
    ({ stage, margin, relL2 }) => html`<div>${stage}: ${sci(relL2)}, margin ${marginText(margin)}</div>`,
  );
  const more = left > 0 ? html`<div>… and ${left} stages that are nearer</div>` : '';
  const again =
    text === null ? '' : html`<div><code>await model.run(await data.prompt(${prompt}), { tap: '**' })</code></div>`;
  return html`<details><summary>${brief}</summary><div class=where><div style="white-space:pre-wrap">${textOf(text)}</div>${again}${list}${more}</div></details>`;
}
