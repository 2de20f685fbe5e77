// A table in two forms: HTML for a notebook, lines for a terminal. The HTML one can be sorted by a click on a column and filtered, by a
// constant script; where scripts are dropped it is a plain table.

import Table from 'cli-table3';
import { Html, html } from './html.js';

export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** Text, with what it sorts by and a richer form for HTML where there is one. */
export type Cell = string | { readonly text: string; readonly value?: number; readonly html?: Html };

export interface Row {
  readonly cells: readonly Cell[];
  /** Colour of the row's edge, for rows that stand out. */
  readonly mark?: string;
}

const textOf = (cell: Cell) => (typeof cell === 'string' ? cell : cell.text);

export function textTable(columns: readonly Column[], rows: readonly Row[]): string {
  const sides = ['top', 'bottom', 'left', 'right', 'mid', 'middle'];
  const corners = ['top-mid', 'top-left', 'top-right', 'bottom-mid', 'bottom-left', 'bottom-right'];
  const crossings = ['left-mid', 'mid-mid', 'right-mid'];
  const chars = Object.fromEntries([...sides, ...corners, ...crossings].map(name => [name, '']));
  const table = new Table({
    head: columns.map(({ title }) => title),
    colAligns: columns.map(({ right }) => (right ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: { ...chars, middle: ' ' },
  });
  table.push(...rows.map(({ cells }) => cells.map(textOf)));
  return table
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n');
}

export function htmlTable(columns: readonly Column[], rows: readonly Row[], { tools = false } = {}): Html {
  const side = (i: number) => new Html(columns[i].right ? 'r' : 'l');
  const cell = (content: Cell, i: number) => {
    if (typeof content === 'string') return html`<td class=${side(i)}>${content}</td>`;
    const { text, value, html: rich } = content;
    const sorted = value === undefined ? html`` : html` data-v=${String(Number(value.toPrecision(6)))}`;
    return html`<td class=${side(i)}${sorted}>${rich ?? text}</td>`;
  };
  const head = columns.map(({ title }, i) => html`<th class=${side(i)}>${title}</th>`);
  const body = rows.map(({ cells, mark }) => {
    const tds = cells.map(cell);
    return mark ? html`<tr style="box-shadow:inset 4px 0 ${mark}">${tds}</tr>` : html`<tr>${tds}</tr>`;
  });
  const table = html`<table cellpadding="3"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
  if (!tools) return html`<div class="loupe-table">${STYLE}${table}</div>`;
  return html`<div class="loupe-table tools">${STYLE}<input type="search" hidden placeholder="filter ${rows.length} rows" aria-label="filter"><div class="scroll">${table}</div>${SORT_AND_FILTER}</div>`;
}

/** JupyterLab aligns cells to the right and breaks them, other pages do not: this wins over both. */
const STYLE = new Html(`<style>.loupe-table table{font-variant-numeric:tabular-nums;border-collapse:collapse}
.loupe-table td.l,.loupe-table th.l{text-align:left;white-space:nowrap;vertical-align:top}
.loupe-table td.r,.loupe-table th.r{text-align:right;white-space:nowrap;vertical-align:top}
.loupe-table.tools th{cursor:pointer}.loupe-table .scroll{max-height:480px;overflow:auto}
.loupe-table input{margin:2px 0 6px;padding:2px 8px;min-width:16em}
.loupe-table .m{display:inline-block;position:relative;width:60px;height:9px;margin-left:8px;background:rgba(127,135,145,.18)}
.loupe-table .m i{position:absolute;left:0;top:0;bottom:0}.loupe-table .m u{position:absolute;top:-2px;bottom:-2px;width:1.5px;background:currentColor}
.loupe-table summary{cursor:pointer}.loupe-table .where{padding:4px 0 8px 14px}
.loupe-table .axis{display:flex;align-items:flex-end;gap:8px;margin-top:4px}.loupe-table .axis span{width:4.5em;opacity:.7}</style>`);

/** Runs in the page. It reads what is in the table and writes nothing into it: rows are moved and hidden. */
const SORT_AND_FILTER = new Html(`<script>(() => {
  const root = document.currentScript.closest('.loupe-table');
  const body = root.querySelector('tbody');
  const rows = [...body.rows];
  const input = root.querySelector('input');
  input.hidden = false;
  input.addEventListener('input', () => {
    const wanted = input.value.toLowerCase().split(/\\s+/);
    for (const row of rows) row.hidden = !wanted.every(word => row.textContent.toLowerCase().includes(word));
  });
  input.addEventListener('keydown', event => event.stopPropagation());
  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.v ? Number(cell.dataset.v) : cell.textContent;
  };
  [...root.querySelectorAll('th')].forEach((head, column) => {
    let up = false;
    head.title = 'sort';
    head.addEventListener('click', () => {
      up = !up;
      const order = [...rows].sort((a, b) => {
        const [x, y] = [key(a, column), key(b, column)];
        const by = typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true });
        return up ? by : -by;
      });
      for (const row of order) body.append(row);
    });
  });
})()</script>`);
