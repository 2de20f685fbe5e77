// Two models over a text: the figures in a table, and by place and by layer as tables beside each other; as pictures where a page is made.

import type { ModelComparison } from '../probe/model-comparison.js';
import { folded } from '../values/fold.js';
import { minus } from '../values/numbers.js';
import { html, Html } from '../values/html.js';
import type { Bundle } from '../values/shown.js';
import type { OwnPicture } from './own.js';
import { plot } from './own-lines.js';
import { htmlTable, textTable } from './table.js';

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
const bits = (value: number) => (value === 0 ? '0' : value.toExponential(3));
const cosine = (value: number) => minus(value.toFixed(6));

export function modelComparisonBundle(found: ModelComparison): Bundle {
  const { models, tokens, texts, window, provenance } = found;
  const of = texts === 1 ? '' : ` of ${texts.toLocaleString('en')} texts`;
  const title = `${models[1]} held against ${models[0]}, over ${tokens.toLocaleString('en')} tokens${of} in windows of ${window}: ${provenance.plan} plan, ${provenance.adapter}`;
  const tables = [figures(found), places(found), ...(found.layers.length > 0 ? [layers(found)] : [])];
  const none =
    found.layers.length === 0 ? 'The models have other layers, so that no residual streams are compared.' : '';
  return {
    'text/html':
      html`<div><p>${title}</p>${tables.map(({ columns, rows }) => new Html(`${htmlTable(columns, rows)}<br>`))}${none}</div>`
        .text,
    'text/plain': [
      folded(title, '  '),
      ...tables.map(({ columns, rows }) => textTable(columns, rows, { narrow: true })),
      ...(none ? [none] : []),
    ].join('\n\n'),
  };
}

/** Divergence by place and cosine by layer, as pictures for a page. */
export function comparisonPictures({ places, layers }: ModelComparison): OwnPicture[] {
  const by = plot(
    places.map(({ from }) => from),
    places.map(({ kl }) => kl),
    { title: 'KL divergence by place in the window', x: 'first place of the part', y: 'bits a token' },
  );
  if (layers.length === 0) return [by];
  const numbers = layers.map(({ layer }) => layer);
  const lines = { mean: layers.map(({ mean }) => mean), least: layers.map(({ least }) => least) };
  return [by, plot(numbers, lines, { title: 'Residual streams: cosine by layer', x: 'layer', y: 'cosine' })];
}

function figures({ perplexity: [a, b], kl, sameTop, topChange }: ModelComparison) {
  const more = 100 * (b / a - 1);
  const rows = [
    ['perplexity of the first', a.toFixed(4), ''],
    ['perplexity of the second', b.toFixed(4), `${more < 0 ? '' : '+'}${minus(more.toFixed(3))} %`],
    ['KL divergence, mean', bits(kl.mean), 'bits a token'],
    ['KL, median', bits(kl.median), 'bits'],
    ['KL, 90 %', bits(kl.p90), 'bits'],
    ['KL, 99 %', bits(kl.p99), 'bits'],
    ['KL, 99.9 %', bits(kl.p999), 'bits'],
    ['KL, maximum', bits(kl.most), `bits, before the foreseen token ${kl.mostAt}`],
    ['same likeliest token', percent(sameTop), 'of all places'],
    ['likeliest token’s change', percent(topChange), 'of probability, root mean square'],
  ];
  return {
    columns: [{ title: 'over the text' }, { title: '', right: true }, { title: '' }],
    rows: rows.map(cells => ({ cells })),
  };
}

function places({ places: all }: ModelComparison) {
  const right = (title: string) => ({ title, right: true });
  return {
    columns: [
      { title: 'place in the window' },
      right('tokens'),
      right('KL, bits'),
      right('same top'),
      right('first'),
      right('second'),
    ],
    rows: all.map(({ from, to, tokens, kl, sameTop, perplexity: [a, b] }) => ({
      cells: [
        to - from === 1 ? `${from}` : `${from}–${to - 1}`,
        `${tokens}`,
        bits(kl),
        percent(sameTop),
        a.toFixed(3),
        b.toFixed(3),
      ],
    })),
  };
}

function layers({ layers: all }: ModelComparison) {
  return {
    columns: [{ title: 'layer' }, { title: 'cosine, mean', right: true }, { title: 'least', right: true }],
    rows: all.map(({ layer, mean, least }) => ({ cells: [`${layer}`, cosine(mean), cosine(least)] })),
  };
}
