// The plan as a table of coloured cells: HTML that a page shows before it trusts anybody, where a picture inside of HTML is dropped.

import type { PlanView } from '../session/views.js';
import { type Html, html } from '../values/html.js';
import { blocksOfPlan, columnOf, IN, KINDS, kindOfStage, linesOfPlan, OUT } from './plan-blocks.js';

/** Pixels of a row, and the most of all columns together: within a cell on a narrow screen. */
const ROW = 9;
const WIDEST = 440;

/** Cells carry their colours as attributes: pages keep those that drop styles. */
export function planTable(session: PlanView['session']): Html {
  const blocks = blocksOfPlan(session);
  const { layers } = session.config;
  const columns = [IN, ...Array.from({ length: layers }, (_, i) => String(i)), OUT];
  const width = Math.max(4, Math.min(26, Math.floor(WIDEST / columns.length) - 2));
  const at = new Map(blocks.map(block => [`${block.short} ${columnOf(block)}`, block]));
  const cell = (line: string, column: string) => {
    const block = at.get(`${line} ${column}`);
    if (!block) return html`<td width="${width}" style="padding:0"></td>`;
    const { colour } = kindOfStage(block.stage);
    return html`<td width="${width}" height="${ROW}" bgcolor="${colour}" title="${block.stage.name}" style="padding:0"></td>`;
  };
  const small = 'padding:0 6px 0 0;font-size:9px;line-height:11px;text-align:right';
  const rows = linesOfPlan(blocks).map(
    line =>
      html`<tr style="background:none"><td style="${small}">${line}</td>${columns.map(column => cell(line, column))}</tr>`,
  );
  // Numbers of layers, as many as there is room for.
  const every = Math.max(1, Math.ceil(18 / (width + 2)));
  const names = columns.map(
    (name, i) =>
      html`<td style="padding:2px 0;font-size:9px;text-align:center">${name === IN || name === OUT || (i - 1) % every === 0 ? name : ''}</td>`,
  );
  const used = KINDS.filter(kind => blocks.some(({ stage }) => kindOfStage(stage) === kind));
  const legend = used.map(
    ({ name, colour }) =>
      html`<span style="margin-right:12px;white-space:nowrap"><span style="color:${colour}">■</span> ${name}</span> `,
  );
  return html`<div style="margin-top:12px;font-size:12px">${legend}</div><table cellpadding="0" cellspacing="0" style="border-collapse:separate;border-spacing:1px;margin:6px 0">${rows}<tr style="background:none"><td style="${small}">layer</td>${names}</tr></table>`;
}
