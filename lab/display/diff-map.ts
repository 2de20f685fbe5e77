// From a row of a diff to its map: that of the first failing stage stands under the table, where no kernel is needed; of others the row says how it is asked for.

import type { Diff } from '../diff/diff.js';
import { locationText } from '../diff/locate.js';
import type { Metrics } from '../diff/metrics.js';
import { type DiffRow, placeOf } from '../diff/row.js';
import { folded } from '../values/fold.js';
import { type Html, html, label, pictureAddress } from '../values/html.js';
import { sci } from '../values/numbers.js';
import { errorMapBundle } from './error-map.js';
import { inText } from './worst-place.js';

/** Characters of a picture that a table takes along; of a larger map the row says how it is asked for. */
const MOST = 60_000;

/** The map of the first failing stage as a picture that needs no script, where it is at hand and no larger than a page should be for it. */
export function firstPicture({ firstMap }: Diff): string | null {
  if (firstMap === null) return null;
  const picture = errorMapBundle(firstMap)['image/svg+xml']!;
  return picture.length <= MOST ? picture : null;
}

/** @param picture as `firstPicture` gives it */
export function firstMapHtml({ firstMap: map }: Diff, picture: string | null): Html | '' {
  if (picture === null || map === null) return '';
  const { row, alone } = map;
  const { relL2 } = alone && row.local ? row.local : row.accumulated;
  const title = `${placeOf(row)}, ${alone ? 'alone' : 'in the run'}, value by value`;
  const alt = `${title}: ${row.verdict}, ${sci(relL2)} relative L2, ${locationText(row.where)}`;
  // As an image: a page that does not trust us drops what is drawn within HTML.
  return html`<details open style="margin-top:8px"><summary style="cursor:pointer">${title}</summary><img src="${pictureAddress(picture)}" alt="${alt}" style="width:100%;max-width:1000px"></details>`;
}

/** Where a row's map is, or how it is asked for; empty where there are none. */
export function mapText(diff: Diff, row: DiffRow, isDrawn: boolean): Html | '' {
  if (!diff.hasMaps || row.pass) return '';
  if (isDrawn && row.stage === diff.firstMap?.row.stage) return html`<br>value by value: the map under the table`;
  return html`<br>value by value: <code style="overflow-wrap:anywhere">${mapCall(row)}</code>`;
}

export const mapCall = ({ stage }: DiffRow): string => `await diff.map('${stage}')`;

/** Of a wrong stage what it does alone, where it has been run; else what came of it in the run. */
export const shownOf = ({ verdict, local, accumulated }: DiffRow): Metrics =>
  verdict === 'source' && local ? local : accumulated;

/** `source: 3e-2 in the run, 3e-2 alone` */
export const verdictText = ({ verdict, accumulated, local }: DiffRow): string =>
  `${verdict}: ${sci(accumulated.relL2)} in the run${local ? `, ${sci(local.relL2)} alone` : ''}`;

/** A row as a plotly label: what is wrong, where, and how its map is asked for; of what passes the name alone. @param full with the place */
export function rowLabel(diff: Diff, row: DiffRow, other: string, full: boolean): string {
  if (row.pass) return label(row.stage);
  const { worst, actualAtWorst, expectedAtWorst } = shownOf(row);
  const lines = full
    ? [
        verdictText(row),
        ...(row.where.length > 0 ? folded(locationText(row.where), '', 44).split('\n') : []),
        `worst at [${worst}]`,
        `ours ${inText(actualAtWorst)}, ${other} ${inText(expectedAtWorst)}`,
      ]
    : [];
  return [`<b>${label(row.stage)}</b>`, ...[...lines, ...(diff.hasMaps ? [mapCall(row)] : [])].map(label)].join('<br>');
}
