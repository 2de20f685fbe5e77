// A table in two forms: HTML for a notebook, lines for a terminal.

import Table from 'cli-table3';
import { type Html, html } from './html.js';

export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

export interface Row {
  readonly cells: readonly string[];
  /** Colour of the row's edge, for rows that stand out. */
  readonly mark?: string;
}

export function textTable(columns: readonly Column[], rows: readonly Row[]): string {
  const table = new Table({
    head: columns.map(({ title }) => title),
    colAligns: columns.map(({ right }) => (right ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: ' ',
    },
  });
  table.push(...rows.map(({ cells }) => [...cells]));
  return table
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n');
}

export function htmlTable(columns: readonly Column[], rows: readonly Row[]): Html {
  // JupyterLab aligns cells to the right and breaks them, other pages do not, so every cell says it.
  const side = (i: number) => (columns[i].right ? 'right' : 'left');
  const cell = (text: string, i: number) => html`<td style="text-align:${side(i)};white-space:nowrap">${text}</td>`;
  const head = columns.map(({ title }, i) => html`<th style="text-align:${side(i)}">${title}</th>`);
  const body = rows.map(({ cells, mark }) => {
    const tds = cells.map(cell);
    return mark ? html`<tr style="box-shadow:inset 4px 0 ${mark}">${tds}</tr>` : html`<tr>${tds}</tr>`;
  });
  return html`<table cellpadding="3" style="font-variant-numeric:tabular-nums"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}
