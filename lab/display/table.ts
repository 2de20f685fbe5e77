// A table in two forms: HTML for a notebook, lines for a terminal. The HTML one can be sorted by a click on a column and filtered, by a
// constant script; where scripts are dropped it is a plain table.

import Table from 'cli-table3';
import { printable } from '../../engine/printable.js';
import { folded, terminal } from '../values/fold.js';
import { Html, html } from '../values/html.js';

export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** Text, with what it sorts by and a richer form for HTML where there is one. */
export type Cell = string | { readonly text: string; readonly value?: number; readonly html?: Html };

export interface Row {
  readonly cells: readonly Cell[];
  /** A class of the row, for rows that stand out; its colour is in `colours`. */
  readonly kind?: string;
}

const textOf = (cell: Cell) => printable(typeof cell === 'string' ? cell : cell.text);

/** @param narrow two blanks between columns, not three; in a terminal that has no room for these, one */
export function textTable(columns: readonly Column[], rows: readonly Row[], { narrow = false } = {}): string {
  const text = tableWith(columns, rows, narrow ? 2 : 3);
  const wide = text.split('\n').some(line => [...line].length > terminal());
  return wide && terminal() < 80 ? tableWith(columns, rows, 1) : text;
}

function tableWith(columns: readonly Column[], rows: readonly Row[], blanks: 1 | 2 | 3): string {
  const sides = ['top', 'bottom', 'left', 'right', 'mid', 'middle'];
  const corners = ['top-mid', 'top-left', 'top-right', 'bottom-mid', 'bottom-left', 'bottom-right'];
  const crossings = ['left-mid', 'mid-mid', 'right-mid'];
  const chars = Object.fromEntries([...sides, ...corners, ...crossings].map(name => [name, '']));
  const table = new Table({
    head: columns.map(({ title }) => printable(title)),
    colAligns: columns.map(({ right }) => (right ? 'right' : 'left')),
    style: { head: [], border: [], compact: true, ...(blanks < 3 && { 'padding-left': 0, 'padding-right': 0 }) },
    chars: { ...chars, middle: blanks === 2 ? '  ' : ' ' },
  });
  table.push(...rows.map(({ cells }) => cells.map(textOf)));
  return table
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n');
}

/** Names and what there is to say of each, within the width of a terminal. */
export function factsTable(facts: Readonly<Record<string, string>>): string {
  const [left, right] = [Math.max(...Object.keys(facts).map(name => name.length)) + 2, 1];
  const rows = Object.entries(facts).map(([name, text]) => ({
    cells: [name, folded(text, '', terminal() - left - 2 - right)],
  }));
  return textTable([{ title: '' }, { title: '' }], rows);
}

export interface TableOptions {
  /** Sort by a click and filter by a word. */
  readonly tools?: boolean;
  /** A dot of this colour before the rows of a kind. */
  readonly colours?: Readonly<Record<string, string>>;
}

export function htmlTable(
  columns: readonly Column[],
  rows: readonly Row[],
  { tools = false, colours = {} }: TableOptions = {},
): Html {
  // JupyterLab aligns cells to the right, and drops our stylesheet where it does not trust a page; what a cell says itself it keeps.
  const left = new Html(' style=text-align:left');
  const styles = columns.map(({ right }) => (right ? '' : left));
  const cell = (content: Cell, i: number) => {
    if (typeof content === 'string') return html`<td${styles[i]}>${content}</td>`;
    const { text, value, html: rich } = content;
    // Most numbers sort by their own text.
    const told =
      value === undefined || Math.abs(Number.parseFloat(text.replace('−', '-')) - value) <= 0.1 * Math.abs(value);
    return told
      ? html`<td${styles[i]}>${rich ?? text}</td>`
      : html`<td${styles[i]} data-v=${String(Number(value.toPrecision(4)))}>${rich ?? text}</td>`;
  };
  const head = columns.map(({ title, right }) => html`<th${right ? '' : left}>${title}</th>`);
  const body = rows.map(({ cells, kind }) => {
    const tds = cells.map(cell);
    return kind ? html`<tr class=${kind}>${tds}</tr>` : html`<tr>${tds}</tr>`;
  });
  const rules = Object.entries(colours).map(
    ([kind, colour]) => `.loupe-table tr.${kind} td:first-child:before{content:'● ';color:${colour}}`,
  );
  const right = columns.flatMap(({ right }, i) => (right ? [String(i + 1)] : []));
  const name = `r${right.join('-')}`;
  const sides = right.map(n => `.loupe-table.${name}.${name} table tr>:nth-child(${n})`).join(',');
  if (right.length > 0) rules.push(`${sides}{text-align:right}`);
  const aligned = new Html(rules.length > 0 ? `<style>${rules.join('')}</style>` : '');
  const table = html`<table cellpadding="3"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
  if (!tools) return html`<div class="loupe-table ${name}">${STYLE}${aligned}${table}</div>`;
  return html`<div class="loupe-table tools ${name}">${STYLE}${aligned}<input type="search" style="display:none" placeholder="filter ${rows.length} rows" aria-label="filter"><div class="scroll">${table}</div>${SORT_AND_FILTER}</div>`;
}

// In a cell between two panels numbers have the room of their bars.
const STYLE = new Html(`<style>.loupe-table table{font-variant-numeric:tabular-nums;border-collapse:collapse}
.loupe-table.loupe-table table tr>*{text-align:left;white-space:nowrap;vertical-align:top}
.loupe-table.tools th{cursor:pointer}.loupe-table .scroll{max-height:480px;overflow:auto}
.loupe-table input{margin:2px 0 6px;padding:2px 8px;min-width:16em}
.loupe-table .m{display:inline-block;position:relative;width:40px;height:9px;margin-left:6px;background:rgba(127,135,145,.18)}
.loupe-table .m:before{content:'';position:absolute;left:0;top:0;bottom:0;width:var(--w);background:#009e73}.loupe-table .m.bad:before{background:#d55e00}
.loupe-table td:nth-child(3) .m{--t:var(--l)}.loupe-table .m:after{content:'';position:absolute;left:var(--t);top:-2px;bottom:-2px;width:1.5px;background:currentColor}
.loupe-table{container-type:inline-size}@container (max-width:520px){.loupe-table .m{display:none}}
.loupe-table summary{cursor:pointer}.loupe-table .where{padding:4px 0 8px 14px;white-space:normal;max-width:21em}
.loupe-table .axis{display:flex;align-items:flex-end;gap:8px;margin-top:4px}.loupe-table .axis span{opacity:.7}</style>`);

/** Runs in the page. It reads what is in the table and writes nothing into it: rows are moved and hidden. */
const SORT_AND_FILTER = new Html(`<script>(() => {
  const root = document.currentScript.closest('.loupe-table');
  const body = root.querySelector('tbody');
  const rows = [...body.rows];
  const input = root.querySelector('input');
  input.style.display = '';
  input.addEventListener('input', () => {
    const wanted = input.value.toLowerCase().split(/\\s+/);
    for (const row of rows) row.hidden = !wanted.every(word => row.textContent.toLowerCase().includes(word));
  });
  input.addEventListener('keydown', event => event.stopPropagation());
  const key = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.v) return Number(cell.dataset.v);
    const number = parseFloat(cell.textContent.replace('−', '-'));
    return Number.isNaN(number) ? cell.textContent : number;
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
