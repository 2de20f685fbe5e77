// The diff in a terminal of 80 columns: what fails, and one line for what passes.

import type { Diff } from '../diff/diff.js';
import { leftoverText } from '../diff/leftover.js';
import { terminal } from '../values/fold.js';
import { printable } from '../../engine/printable.js';
import { minus, sci } from '../values/numbers.js';
import { placeOf } from '../diff/row.js';
import { diffText, inOrder, limitCells, limitsText, oracleCells, summary, whose } from './diff.js';
import { shownOf } from './diff-map.js';
import { textTable } from './table.js';

export interface DiffLines {
  /** Stages that pass too. */
  readonly all?: boolean;
  /** Who is nearer to float64, in place of where the largest difference is. */
  readonly oracle?: boolean;
  /** Every column, however wide: shapes, cosine, gain, both values at the worst place. */
  readonly wide?: boolean;
}

/** Columns that a table with the places of the worst values needs. */
const WITH_PLACES = 72;

export function diffLines(diff: Diff, { all = false, wide = false, oracle = false }: DiffLines = {}): string {
  if (wide && all) return diffText(diff);
  const rows = inOrder(diff).filter(({ pass }) => all || !pass);
  const told = (oracle || wide) && rows.some(row => row.oracle);
  const narrow = oracle && !wide; // a row is one line of 80
  const passing = diff.rows.length - diff.rows.filter(({ pass }) => !pass).length;
  const left = leftoverText(diff.leftover);
  const heads = [
    summary(diff),
    ...[diff.weights, diff.note].filter(text => text !== null),
    ...(left ? [left] : []),
    `${diff.golden}, ${diff.provenance.adapter}; ${limitsText(diff)}`,
    ...(narrow && told ? ['nearer to float64 of the same inputs; ours and theirs are as many ULP from it'] : []),
  ].map(text => wrapped(printable(text), terminal()));
  const places = !narrow && (wide || terminal() >= WITH_PLACES);
  const right = (title: string) => ({ title, right: true });
  const table = textTable(
    [
      { title: 'verdict' },
      { title: 'stage' },
      right('alone'),
      right('in the run'),
      ...(narrow ? [] : [right('max abs')]),
      ...(places ? [{ title: 'worst at' }] : []),
      ...(wide
        ? [
            { title: 'shape' },
            right('cosine'),
            right('gain'),
            right('ours'),
            right(whose(diff)),
            right('passes alone at'),
            right('in the run at'),
            right('rounding explains'),
          ]
        : []),
      ...(told
        ? [{ title: 'nearer' }, right(narrow ? 'ours' : 'ours, ULP'), right(narrow ? 'theirs' : `${whose(diff)}, ULP`)]
        : []),
    ],
    rows.map(row => {
      const shown = shownOf(row);
      return {
        cells: [
          row.verdict,
          wide ? placeOf(row) : row.stage,
          row.local ? sci(row.local.relL2) : '–',
          sci(row.accumulated.relL2),
          ...(narrow ? [] : [sci(shown.maxAbs)]),
          ...(places ? [`[${shown.worst.join(',')}]`] : []),
          ...(wide
            ? [
                `[${row.shape.join(',')}]`,
                Number.isNaN(shown.cosine) ? '–' : minus(shown.cosine.toFixed(6)),
                row.gain === null ? '–' : `${sci(Number(row.gain.toPrecision(2)))}×`,
                sci(shown.actualAtWorst),
                sci(shown.expectedAtWorst),
                ...limitCells(row),
              ]
            : []),
          ...oracleCells(row.oracle, narrow ? 'theirs' : whose(diff), told),
        ],
      };
    }),
    { narrow: true },
  );
  const rest =
    all || passing === 0
      ? ''
      : `${passing} of ${diff.rows.length} ${diff.rows.length === 1 ? 'stage passes; --all lists it' : 'stages pass; --all lists them'} too.`;
  const where = places || rows.length === 0 ? '' : '--wide has where each is worst.';
  return [...heads, ...(rows.length > 0 ? [table] : []), ...[rest, where].filter(Boolean)].join('\n');
}

/** Broken between words; a word that is longer stays whole. */
export function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    let current = '';
    for (const word of line.split(' ')) {
      if (current !== '' && current.length + 1 + word.length > width) {
        lines.push(current);
        current = word;
      } else current = current === '' ? word : `${current} ${word}`;
    }
    lines.push(current);
  }
  return lines.join('\n');
}
