// The ledger: one row a stage, the first failing stage on top, then the other failures, then the rest in the plan's order. A bar shows
// how far each error is from its limit; a failing stage unfolds to show where in the tensor its error sits.

import type { Diff } from '../diff/diff.js';
import { leftoverText } from '../diff/leftover.js';
import { locationText, type Spread } from '../diff/locate.js';
import type { Metrics } from '../diff/metrics.js';
import type { Nearer } from '../diff/nearer.js';
import { type DiffRow, placeOf } from '../diff/row.js';
import type { Bundle } from '../values/shown.js';
import { Html, html, pictureAddress } from '../values/html.js';
import { minus, sci } from '../values/numbers.js';
import { mapPictures, mapsHtml, mapText, shownOf } from './diff-map.js';
import { type Cell, type Column, htmlTable, type Row, textTable } from './table.js';

/** Of the text, which is as wide as it has to be. */
const COLUMNS: readonly Column[] = [
  { title: 'verdict' },
  { title: 'stage' },
  { title: 'shape' },
  { title: 'alone, rel L2', right: true },
  { title: 'in the run, rel L2', right: true },
  { title: 'max abs', right: true },
  { title: 'cosine', right: true },
  { title: 'gain', right: true },
  { title: 'worst at' },
  { title: 'ours', right: true },
  { title: 'theirs', right: true },
];
/** What would have passed, and what rounding explains; of the whole table. */
const LIMITS: readonly Column[] = [
  { title: 'passes alone at', right: true },
  { title: 'in the run at', right: true },
  { title: 'rounding explains', right: true },
];
/** What the oracle says, where it was asked. */
const ORACLE: readonly Column[] = [
  { title: 'nearer to float64' },
  { title: 'ours, ULP', right: true },
  { title: 'theirs, ULP', right: true },
];
/** What fits a page; the rest of a row is where it unfolds. */
const ON_PAGE: readonly Column[] = [
  { title: 'verdict' },
  { title: 'stage' },
  { title: 'alone, rel L2', right: true },
  { title: 'in the run', right: true },
  { title: 'max abs', right: true },
];
/** Vermilion, orange, purple and green of the Okabe–Ito palette: told apart by colour-blind eyes too. */
export const VERDICT_COLOURS: Readonly<Record<DiffRow['verdict'], string>> = {
  source: '#d55e00',
  carrier: '#e69f00',
  masked: '#cc79a7',
  cache: '#56b4e9',
  noise: '#0072b2',
  ok: '#009e73',
};

/** Of text beside a table, which has the rest. */
const MOST_LINES = 10;
/** Rows that say where their error sits: after one wrong stage everything is wrong everywhere. */
export const UNFOLDED = 6;

export function diffBundle(diff: Diff): Bundle {
  const { first, limits } = diff;
  const sorted = inOrder(diff);
  const note = limitsText(diff);
  const pictures = mapPictures(diff);
  const table = sorted.map((row, i) =>
    onPage(
      row,
      limits,
      row === first,
      i < UNFOLDED,
      whose(diff),
      i < UNFOLDED || pictures.has(row.stage) ? mapText(diff, row, pictures) : '',
    ),
  );
  const left = leftoverText(diff.leftover);
  const colour = VERDICT_COLOURS[first?.verdict ?? 'ok'];
  return {
    'text/html':
      html`<div style="--l:${along(limits.local)}px;--t:${along(limits.accumulated)}px"><p style="font-size:14px;margin:4px 0"><span style="color:${colour}">●</span> <b>${summary(diff)}</b><br>${diff.weights === null ? '' : html`${diff.weights}<br>`}${diff.note === null ? '' : html`${diff.note}<br>`}${left && html`${left}<br>`}<span style="opacity:.7">${diff.golden} · ${diff.provenance.adapter} · ${note}</span></p>
${htmlTable(ON_PAGE, table, { tools: true, colours: VERDICT_COLOURS })}${mapsHtml(diff, pictures)}</div>`.text,
    'text/plain': text(diff, MOST_LINES),
  };
}

/** The limits, and what rounding explains where the adapter was measured. */
export function limitsText({ limits, rows }: Diff): string {
  const text = `limits: alone ${sci(limits.local)}, in the run ${sci(limits.accumulated)} (relative L2)`;
  const known = rows.flatMap(({ derived }) => derived ?? []).filter(derived => derived > 0);
  if (known.length === 0) return text;
  const [least, most] = [Math.min(...known), Math.max(...known)].map(twoDigits);
  return `${text}; rounding on this adapter explains ${least === most ? least : `${least} to ${most}`} alone`;
}

const twoDigits = (value: number): string => sci(Number(value.toPrecision(2)));
/** A limit that would pass. */
export const passingText = (limit: number | null): string => (limit === null ? 'none' : sci(limit));
export const derivedText = ({ derived }: DiffRow): string => (derived === null ? '–' : twoDigits(derived));

export const limitCells = (row: DiffRow): string[] => [
  row.local && row.from === undefined ? passingText(row.passing.local) : '–',
  passingText(row.passing.accumulated),
  derivedText(row),
];

/** Whose values ours are beside. */
export const whose = ({ other }: Diff): string => (other === 'golden' ? 'PyTorch’s' : 'theirs');

/** All rows as text, or the first `most`. */
export function diffText(diff: Diff): string {
  return text(diff, Number.POSITIVE_INFINITY);
}

function text(diff: Diff, most: number): string {
  const { limits } = diff;
  const note = limitsText(diff);
  const sorted = inOrder(diff);
  const whole = most === Number.POSITIVE_INFINITY; // beside a table of HTML a few lines do
  const asked = sorted.some(({ oracle }) => oracle);
  const table = textTable(
    [...COLUMNS, ...(whole ? LIMITS : []), ...(asked ? ORACLE : [])].map(column => ({
      ...column,
      title: column.title.replace('theirs', whose(diff)),
    })),
    sorted.slice(0, most).map(row => cells(row, limits, whose(diff), asked, whole)),
  );
  const more = sorted.length > most ? `\n… and ${sorted.length - most} stages more` : '';
  const left = leftoverText(diff.leftover);
  return `${summary(diff)}\n${diff.weights === null ? '' : `${diff.weights}\n`}${diff.note === null ? '' : `${diff.note}\n`}${left && `${left}\n`}${diff.golden}, ${diff.provenance.adapter}; ${note}\n${table}${more}`;
}

/** The first failing stage, then the other failures, then the rest. */
export function inOrder({ rows, first }: Diff): DiffRow[] {
  const rank = (row: DiffRow) => (row === first ? 0 : row.pass ? 2 : 1);
  return [...rows].sort((a, b) => rank(a) - rank(b) || rows.indexOf(a) - rows.indexOf(b));
}

/** One sentence: what fails first and where, or by how much everything passes. */
export function summary({ rows, first, provenance, other, beyond, layers }: Diff): string {
  const whose = other === 'trace' ? ' of theirs' : '';
  if (first) {
    const failing = rows.filter(({ pass }) => !pass).length;
    const place = first.local && first.verdict === 'source' ? first.local : first.accumulated;
    const others = failing > 1 ? `; ${failing - 1} more fail after it` : '';
    const where = first.where.length > 0 ? `, ${locationText(first.where)}` : '';
    const what = first.from ? 'span' : 'stage';
    const asked = first.mayRound
      ? ` Rounding to ${first.mayRound} would explain it, and so few values do not show whether that engine rounds: if it does, say so, { rounds: '${first.mayRound}' } or --rounds ${first.mayRound.toLowerCase()}.`
      : '';
    const narrow = first.between ? ` Dumps of ${fewOf(first.between)} would narrow it down.` : '';
    return `First failing ${what}${provenance.plan === 'fast' ? ' of the fast plan' : ''}${whose}: ${placeOf(first)} (${first.verdict}), relative error ${sci(place.relL2)}${where}, worst at [${place.worst}]${others}.${layers && ` ${layers}`}${asked}${narrow}${first.oracle ? ` ${oracleText(first.oracle, first.theirs ? 'theirs' : 'PyTorch’s')}` : ''}`;
  }
  const worst = rows.reduce((a, b) => (b.accumulated.relL2 > a.accumulated.relL2 ? b : a));
  const what = provenance.plan === 'fast' ? 'stages that the fast plan leaves' : `stages${whose}`;
  const rounded = rows.filter(({ verdict }) => verdict === 'cache').length;
  const cached =
    rounded > 0 ? ` ${rounded} of them differ by the precision of the cache, which keeps ${provenance.cache}.` : '';
  const noisy = rows.filter(({ verdict }) => verdict === 'noise');
  const formats = [...new Set(noisy.flatMap(({ format }) => format ?? []))].join(', ');
  const noise =
    noisy.length > 0 ? ` ${noisy.length} of them differ by as much as rounding explains, evenly (${formats}).` : '';
  const [far, ...others] = [...beyond].sort((a, b) => b.local!.relL2 / b.derived! - a.local!.relL2 / a.derived!);
  const odd = far
    ? ` ${others.length + 1} of them ${others.length === 0 ? 'is' : 'are'} farther off alone than rounding on this adapter explains, most ${far.stage}: ${twoDigits(far.local!.relL2)}, where ${derivedText(far)} is explained.`
    : '';
  const all =
    rows.length === 1
      ? `The one ${what.replace('stages', 'stage').replace('leave', 'leaves')} passes.`
      : `All ${rows.length} ${what} pass.`;
  return `${all}${cached}${noise}${odd} The largest error in the run is ${sci(worst.accumulated.relL2)}, at ${worst.stage}.`;
}

/** Distances from float64, in ULP. */
const ulps = (distance: number): string => sci(Number(distance.toPrecision(2)));
/** Nearer to float64, and how far either is; dashes where nobody asked. */
export function oracleCells(oracle: Nearer | undefined, other: string, told = true): string[] {
  if (!told) return [];
  return oracle ? [nearerText(oracle, other), ulps(oracle.ours), ulps(oracle.theirs)] : ['–', '–', '–'];
}
const nearerText = ({ nearer }: Nearer, other: string): string => (nearer === 'theirs' ? other : nearer);
/** `Nearer to float64 of the same inputs is PyTorch’s, 0.4 ULP from it; ours is 2e+6 ULP from it.` */
function oracleText({ nearer, ours, theirs }: Nearer, other: string): string {
  if (nearer === 'even') {
    return `By float64 of the same inputs neither is nearer: both are ${ulps(ours)} ULP from it.`;
  }
  const [near, far] = nearer === 'ours' ? ['ours', other] : [other, 'ours'];
  const [by, beside] = nearer === 'ours' ? [ours, theirs] : [theirs, ours];
  return `Nearer to float64 of the same inputs is ${near}, ${ulps(by)} ULP from it; ${far} is ${ulps(beside)} ULP from it.`;
}
const cosineText = ({ cosine }: Metrics) => (Number.isNaN(cosine) ? '–' : minus(cosine.toFixed(6)));
const gainText = (gain: number | null) => (gain === null ? '–' : `${sci(Number(gain.toPrecision(2)))}×`);

function cells(row: DiffRow, limits: Diff['limits'], other: string, told: boolean, whole: boolean): Row {
  const { shape, accumulated, local, gain, verdict, oracle } = row;
  const shown = shownOf(row);
  return {
    kind: verdict,
    cells: [
      verdict,
      placeOf(row),
      `[${shape.join(',')}]`,
      local ? error(local, limits.local) : '–',
      error(accumulated, limits.accumulated),
      number(shown.maxAbs),
      cosineText(shown),
      gainText(gain),
      `[${shown.worst.join(',')}]`,
      number(shown.actualAtWorst),
      number(shown.expectedAtWorst),
      ...(whole ? limitCells(row) : []),
      ...oracleCells(oracle, other, told),
    ],
  };
}

function onPage(
  row: DiffRow,
  limits: Diff['limits'],
  open: boolean,
  unfolds: boolean,
  other: string,
  map: Html | string,
): Row {
  const { accumulated, local, verdict, where } = row;
  const shown = shownOf(row);
  return {
    kind: verdict,
    cells: [
      verdict,
      { text: placeOf(row), html: unfolding(row, unfolds ? where : [], open, other, unfolds, map) },
      local ? error(local, limits.local) : '–',
      error(accumulated, limits.accumulated),
      number(shown.maxAbs),
    ],
  };
}

const number = (value: number): Cell => ({ text: sci(value), value });

/** The number, and a bar on a logarithmic scale from 1e-9 to 1 with the limit as a tick. */
function error({ relL2 }: Metrics, limit: number): Cell {
  const bar = html`<b class=${relL2 > limit ? new Html('"m bad"') : 'm'} style=--w:${along(relL2)}px></b>`;
  return { text: sci(relL2), value: relL2, html: html`${sci(relL2)}${bar}` };
}

const along = (v: number) => (v === 0 ? 0 : Math.round(40 * Math.min(1, Math.max(0, (Math.log10(v) + 9) / 9))));

function unfolding(
  row: DiffRow,
  where: readonly Spread[],
  open: boolean,
  other: string,
  limits: boolean,
  map: Html | string,
): Html {
  const { shape, gain } = row;
  const shown = shownOf(row);
  const rest = html`shape [${shape.join(',')}]; worst at [${shown.worst.join(',')}]: ours ${sci(shown.actualAtWorst)}, ${other} ${sci(shown.expectedAtWorst)}<br>cosine ${cosineText(shown)}, gain ${gainText(gain)}${limits && !row.pass ? html`<br>${passes(row)}` : ''}${more(row)}${row.oracle ? html`<br>${oracleText(row.oracle, other)} At [${row.local!.worst.join(',')}] float64 has ${sci(row.oracle.exactAtWorst)}` : ''}`;
  const error = where.length > 0 ? html`<br>the error: ${locationText(where)}${where.map(bars)}` : '';
  return html`<details ${open ? 'open' : ''}><summary>${placeOf(row)}</summary><div class=where>${rest}${map}${error}</div></details>`;
}

/** `passes at limits of 3e-7 alone and 4e-7 in the run; rounding explains 8e-7` */
function passes(row: DiffRow): string {
  const { local, accumulated } = row.passing;
  const alone = row.local && row.from === undefined ? `${passingText(local)} alone and ` : '';
  const explained = row.derived === null ? '' : `; rounding explains ${derivedText(row)}`;
  if (accumulated === null && (alone === '' || local === null)) return `no limit lets it pass${explained}`;
  return `passes at limits of ${alone}${passingText(accumulated)} in the run${explained}`;
}

/** What else is known of another program's value. */
function more({ format, mayRound, theirs, between }: DiffRow): Html | string {
  const told = [
    ...(theirs ? [`theirs is ${theirs.name}, read as ${theirs.layout}`] : []),
    ...(format ? [`as ${format} rounds`] : []),
    ...(mayRound ? [`as ${mayRound} would round, if that engine did`] : []),
    ...(between ? [`dumps of ${fewOf(between)} would narrow it down`] : []),
  ];
  return told.length > 0 ? html`<br>${told.join('; ')}` : '';
}

/** Of the stages between two dumps those that halve them, in their order. */
export function fewOf(between: readonly string[], most = 3): string {
  if (between.length <= most) return between.join(', ');
  const step = between.length / (most + 1);
  return Array.from({ length: most }, (_, i) => between[Math.floor(step * (i + 1))]).join(', ');
}

const MOST_BARS = 64;
const HEIGHT = 28;

/** Shares of the error along a dimension as bars; neighbours share a bar where there are many. */
function bars({ axis, share }: Spread): Html {
  const by = Math.ceil(share.length / MOST_BARS);
  const sums = Array.from({ length: Math.ceil(share.length / by) }, (_, i) =>
    share.subarray(i * by, (i + 1) * by).reduce((a, b) => a + b, 0),
  );
  const most = Math.max(...sums, Number.MIN_VALUE);
  const width = Math.max(3, Math.min(14, Math.floor(260 / sums.length)));
  const height = (i: number) => Math.round((HEIGHT * sums[i]) / most);
  const at = sums.indexOf(most);
  const outstanding = (i: number) => sums[i] >= 2 / sums.length; // twice what an even spread would give
  // One outline along the bottom, up and down each bar: a table has thousands of them.
  const drawn = (wanted: boolean) => {
    let [d, gap] = ['', 0];
    for (const i of sums.keys()) {
      if (outstanding(i) !== wanted || height(i) === 0) gap += width + 1;
      else {
        d += `${gap > 0 ? `h${gap}` : ''}v-${height(i)}h${width}v${height(i)}`;
        gap = 1;
      }
    }
    return d && `M0 ${HEIGHT}${d}z`;
  };
  const name = by === 1 ? `${axis} ${at}` : `${axis} ${at * by}–${Math.min(share.length, (at + 1) * by) - 1}`;
  const title = `${name}: ${(100 * most).toFixed(1)} % of the error`;
  const wide = sums.length * (width + 1);
  const paths = [
    { fill: '#7f8791', d: drawn(false) },
    { fill: VERDICT_COLOURS.source, d: drawn(true) },
  ];
  const path = ({ fill, d }: (typeof paths)[number]) => (d === '' ? '' : `<path fill="${fill}" d="${d}"/>`);
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${HEIGHT}" viewBox="0 0 ${wide} ${HEIGHT}" preserveAspectRatio="none">${paths.map(path).join('')}</svg>`;
  // As an image: a page that does not trust us drops what is drawn within HTML.
  return html`<div class=axis><img src="${pictureAddress(picture)}" alt="" style="max-width:11em;height:${HEIGHT}px"> <span>${title}</span></div>`;
}
