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
  const align = (i: number) => (columns[i].right ? 'right' : 'left');
  const head = columns.map(({ title }, i) => html`<th style="text-align:${align(i)};padding:2px 10px">${title}</th>`);
  const body = rows.map(({ cells, mark }) => {
    const edge = mark ? `border-left:4px solid ${mark}` : 'border-left:4px solid transparent';
    const tds = cells.map(
      (cell, i) => html`<td style="text-align:${align(i)};padding:2px 10px;white-space:nowrap">${cell}</td>`,
    );
    return html`<tr style="${edge}">${tds}</tr>`;
  });
  return html`<table style="font-variant-numeric:tabular-nums;border-collapse:collapse;font-size:12px"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}
