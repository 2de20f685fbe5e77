// What stands around the worst place of a stage: ours, theirs and float64, as a strip under its map and as lines of text.

import type { ErrorMap, ValuesAt } from '../diff/error-map.js';
import type { Dim } from '../values/dims.js';
import { minus, sci } from '../values/numbers.js';
import { MASK_LIMIT } from '../values/stats.js';
import type { ErrorScale } from './error-scale.js';
import { GREY } from './page.js';
import { panelAxes } from './panels.js';

/** Pixels of a row of values. */
const ROW = 22;

/** The values around the worst place: a row each of ours, theirs and float64, in the map's colours. */
export function stripOf(map: ErrorMap, scale: ErrorScale) {
  const places = map.around();
  const named = rowsOf(map, inPicture);
  const errors = scale.of(Float32Array.from(places, ({ place }) => map.relative[indexOf(map.ours.dims, place)]));
  const { dims } = map.ours;
  const last = dims[dims.length - 1];
  const lead = dims.slice(0, -1).map(({ name }, i) => `${name} ${places[0].place[i]}`);
  const height = ROW * named.length;
  const words = named.map(({ of }) => places.map(place => of(place)));
  return {
    height,
    /** @param before how many axes there are @param plot pixels that there are in all */
    drawn(before: number, plot: number) {
      const { xaxis, yaxis } = panelAxes(before);
      const n = before + 1;
      return {
        trace: {
          type: 'heatmap',
          z: named.map(() => [...errors].map(v => (Number.isNaN(v) ? null : Number(v.toPrecision(4))))),
          x: places.map(({ place }) => String(place[place.length - 1])),
          y: named.map(({ name }) => name),
          text: words.map(row => row.map((word, j) => (Number.isNaN(errors[j]) ? '' : word))),
          texttemplate: '%{text}',
          textfont: { size: 10 },
          xaxis,
          yaxis,
          ...scale.colours,
          showscale: false,
          xgap: 1,
          ygap: 1,
          hovertemplate: `%{y}, ${last.name} %{x}: %{text}<extra></extra>`,
          hoverongaps: false,
        },
        // A hole has no colour of its own that words on it could go by: the page's, which both themes let be read.
        annotations: [...errors].flatMap((error, j) =>
          Number.isNaN(error)
            ? words.map((row, i) => ({
                ...{ xref: xaxis, yref: yaxis, x: j, y: i, text: row[j] },
                ...{ showarrow: false, font: { size: 10, color: GREY } },
              }))
            : [],
        ),
        axes: {
          [`xaxis${n}`]: {
            type: 'category',
            showgrid: false,
            zeroline: false,
            domain: [0, 1],
            anchor: `y${n}`,
            tickangle: 0,
            title: { text: `${last.name}, around the worst place: ${lead.join(', ')}` },
          },
          [`yaxis${n}`]: {
            type: 'category',
            showgrid: false,
            zeroline: false,
            autorange: 'reversed',
            domain: [0, height / plot],
            anchor: `x${n}`,
          },
        },
      };
    },
  };
}

export const indexOf = (dims: readonly Dim[], place: readonly number[]): number =>
  place.reduce((at, n, d) => at * dims[d].size + n - dims[d].from, 0);

type Said = (value: number) => string;
/** What is told of a place. */
export const rowsOf = (
  { exact, whose }: ErrorMap,
  said: Said,
): { readonly name: string; readonly of: (at: ValuesAt) => string }[] => [
  { name: 'ours', of: ({ ours }) => said(ours) },
  { name: whose, of: ({ theirs }) => said(theirs) },
  ...(exact ? [{ name: 'float64', of: ({ exact }: ValuesAt) => said(exact!) }] : []),
];
const digits = (value: number, many: number): string =>
  value <= MASK_LIMIT ? 'masked' : Number.isFinite(value) ? minus(String(Number(value.toPrecision(many)))) : sci(value);
export const inText: Said = value => digits(value, 7);
/** As many digits as a cell of the narrowest picture holds. */
const inPicture: Said = value =>
  [7, 6, 5, 4, 3].map(many => digits(value, many)).find(text => text.length <= 9) ?? sci(value);
