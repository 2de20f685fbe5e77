// From a row of a diff to its map: they stand under the table, where no kernel is needed, the first failing stage's open; of those that are left out the row says how they are asked for.

import type { Diff } from '../diff/diff.js';
import { locationText } from '../diff/locate.js';
import type { Metrics } from '../diff/metrics.js';
import { type DiffRow, placeOf } from '../diff/row.js';
import { folded } from '../values/fold.js';
import { Html, html, label, pictureAddress } from '../values/html.js';
import { sci } from '../values/numbers.js';
import { errorMapBundle, errorMapFigure } from './error-map.js';
import { still } from './still/still.js';
import { inText } from './worst-place.js';

/** Characters of a picture that a table takes along; of a larger map the row says how it is asked for. */
const MOST = 60_000;
/** Characters of all pictures beside the first. */
const MOST_BESIDE = 120_000;
/** Cells of one of them, which is pooled to be small. */
const CELLS_BESIDE = 1200;

/** Maps of a diff as pictures that need no script, by stage: where they are at hand and no larger than a page should be for them. The first failing stage's is the picture of the map itself. */
export function mapPictures({ maps, first }: Diff): ReadonlyMap<string, string> {
  const pictures = new Map<string, string>();
  let room = MOST_BESIDE;
  for (const map of maps) {
    const isFirst = map.row === first;
    const picture = isFirst ? errorMapBundle(map)['image/svg+xml']! : still(errorMapFigure(map, CELLS_BESIDE));
    if (picture.length > (isFirst ? MOST : Math.min(MOST, room))) continue;
    pictures.set(map.row.stage, picture);
    if (!isFirst) room -= picture.length;
  }
  return pictures;
}

/** Maps under a table: the first failing stage's stands there, others unfold. @param pictures as `mapPictures` gives them */
export function mapsHtml({ maps, first }: Diff, pictures: ReadonlyMap<string, string>): Html[] {
  return maps.flatMap(({ row, alone }) => {
    const picture = pictures.get(row.stage);
    if (picture === undefined) return [];
    const { relL2 } = alone && row.local ? row.local : row.accumulated;
    const title = `${placeOf(row)}, ${alone ? 'alone' : 'in the run'}, value by value`;
    const alt = `${title}: ${row.verdict}, ${sci(relL2)} relative L2, ${locationText(row.where)}`;
    const open = row === first ? new Html(' open') : '';
    // As an image: a page that does not trust us drops what is drawn within HTML.
    return html`<details${open} style="margin-top:8px"><summary style="cursor:pointer">${title}</summary><img src="${pictureAddress(picture)}" alt="${alt}" style="width:100%;max-width:1000px"></details>`;
  });
}

/** Where a row's map is, or how it is asked for; empty where there are none. */
export function mapText(diff: Diff, row: DiffRow, pictures: ReadonlyMap<string, string>): Html | '' {
  if (!diff.hasMaps || row.pass) return '';
  if (!pictures.has(row.stage))
    return html`<br>value by value: <code style="overflow-wrap:anywhere">${mapCall(row)}</code>`;
  return row === diff.first
    ? html`<br>value by value: the map under the table`
    : html`<br>value by value: under the table, where its name unfolds; larger <code style="overflow-wrap:anywhere">${mapCall(row)}</code>`;
}

export const mapCall = ({ stage }: DiffRow): string => `await diff.map('${stage}')`;

/** Of a wrong stage what it does alone, where it has been run; else what came of it in the run. */
export const shownOf = ({ verdict, local, accumulated }: DiffRow): Metrics =>
  verdict === 'source' && local ? local : accumulated;

/** `source: 3e-2 in the run, 3e-2 alone` */
export const verdictText = ({ verdict, accumulated, local }: DiffRow): string =>
  `${verdict}: ${sci(accumulated.relL2)} in the run${local ? `, ${sci(local.relL2)} alone` : ''}`;

/**
 * A row as a plotly label: what is wrong, where, and how its map is asked for; of what passes the name alone.
 * @param full with the place @param isMapped whether its map is in the picture
 */
export function rowLabel(diff: Diff, row: DiffRow, other: string, full: boolean, isMapped: boolean): string {
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
  return [
    `<b>${label(row.stage)}</b>`,
    ...[...lines, ...(isMapped ? ['its map: in the list above'] : diff.hasMaps ? [mapCall(row)] : [])].map(label),
  ].join('<br>');
}
