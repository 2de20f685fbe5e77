// What came of shaders that were saved: the last of them, and the stages whose errors they changed.

import type { ChangedRow } from '../probe/before-after.js';
import type { Watch } from '../probe/watch.js';
import type { WatchEvent } from '../probe/watch-event.js';
import { html } from '../values/html.js';
import { sci } from '../values/numbers.js';
import type { Bundle } from '../values/shown.js';
import { summary, VERDICT_COLOURS } from './diff.js';
import { type Column, htmlTable, type Row, textTable } from './table.js';

const COLUMNS: readonly Column[] = [
  { title: 'verdict' },
  { title: 'stage' },
  { title: 'alone before', right: true },
  { title: 'now', right: true },
  { title: 'in the run before', right: true },
  { title: 'now', right: true },
];
/** Saves, and changed stages, that are shown; the value has more. */
const MOST_EVENTS = 6;
const MOST_ROWS = 24;

export function watchText(watch: Watch): string {
  const { events } = watch;
  const changed = watch.comparing ? [] : watch.changed; // of what was in force before
  const table = changed.length > 0 ? textTable(COLUMNS, rowsOf(changed), { narrow: true }) : '';
  return [headOf(watch), ...latest(events).map(eventText), ...stateOf(watch), table, moreOf(watch)]
    .filter(text => text !== '')
    .join('\n');
}

export function watchBundle(watch: Watch): Bundle {
  const { events, diff } = watch;
  const changed = watch.comparing ? [] : watch.changed; // of what was in force before
  const colour = watch.watching ? VERDICT_COLOURS[diff?.first?.verdict ?? 'ok'] : '#7f8791';
  const lines = latest(events).map(event => {
    const mark = OUTCOME[event.outcome];
    const text = html`<span style="opacity:.6">${timeOf(event.at)}</span> <span style="color:${mark.colour}">●</span> <b>${event.file}</b> ${mark.text}.`;
    const refused = event.outcome === 'refused';
    return refused
      ? html`<div>${text}<pre style="margin:2px 0 6px 1em;white-space:pre-wrap">${event.text}</pre></div>`
      : html`<div>${text} ${event.text}</div>`;
  });
  const table = changed.length > 0 ? htmlTable(COLUMNS, rowsOf(changed), { colours: VERDICT_COLOURS }) : '';
  return {
    'text/html':
      html`<div><p style="font-size:14px;margin:4px 0"><span style="color:${colour}">●</span> <b>${headOf(watch)}</b></p>${lines}${stateOf(watch).map(text => html`<p style="margin:6px 0">${text}</p>`)}${table}${moreOf(watch)}</div>`
        .text,
    'text/plain': watchText(watch),
  };
}

const OUTCOME = {
  taken: { text: 'is in force', colour: VERDICT_COLOURS.ok },
  same: { text: 'is what is in force already', colour: VERDICT_COLOURS.ok },
  refused: { text: 'is refused, and the old one stays', colour: VERDICT_COLOURS.source },
  gone: { text: 'is deleted', colour: VERDICT_COLOURS.carrier },
  unknown: { text: 'is not taken', colour: VERDICT_COLOURS.carrier },
} as const;

const timeOf = (at: Date): string => at.toTimeString().slice(0, 8);
const latest = (events: readonly WatchEvent[]): readonly WatchEvent[] => events.slice(-MOST_EVENTS).reverse();
const eventText = ({ at, file, outcome, text }: WatchEvent): string =>
  `${timeOf(at)} ${file} ${OUTCOME[outcome].text}.${outcome === 'refused' ? '\n' : ' '}${text}`.trimEnd();

function headOf({ watching, where, copied, taken, events }: Watch): string {
  const made = copied > 0 ? `, made with copies of ${copied} shaders` : '';
  const saves = taken === 0 ? 'nothing taken yet' : `${taken} ${taken === 1 ? 'save' : 'saves'} taken`;
  const rest = events.length > MOST_EVENTS ? `; the last ${MOST_EVENTS} of ${events.length} events` : '';
  return `${watching ? 'Watching' : 'No longer watching'} ${where}${made}: ${saves}${rest}.`;
}

/** How it stands against the reference. */
function stateOf({ diff, trouble, against, changed, taken, comparing }: Watch): string[] {
  if (against === null) return [];
  if (comparing) return [`Being compared with ${against} …`];
  if (trouble !== null) return [`It could not be compared: ${trouble}`];
  if (!diff) return [];
  const what =
    changed.length === 0
      ? 'no stage is other than before'
      : `${changed.length} of ${diff.rows.length} are other than before`;
  return [`Against ${against}${taken > 0 ? `, ${what}` : ''}: ${summary(diff)}${diff.note ? ` ${diff.note}` : ''}`];
}

const moreOf = ({ changed, comparing }: Watch): string =>
  changed.length > MOST_ROWS && !comparing ? `… and ${changed.length - MOST_ROWS} more in watch.changed.` : '';

const rowsOf = (changed: readonly ChangedRow[]): Row[] =>
  changed.slice(0, MOST_ROWS).map(({ stage, before, after }) => ({
    kind: after.verdict,
    cells: [
      before.verdict === after.verdict ? after.verdict : `${before.verdict} → ${after.verdict}`,
      stage,
      before.local ? sci(before.local.relL2) : '–',
      after.local ? sci(after.local.relL2) : '–',
      sci(before.accumulated.relL2),
      sci(after.accumulated.relL2),
    ],
  }));
