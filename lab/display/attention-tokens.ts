// What each token reads: the text itself, and under a token that is pointed at (or clicked) the same text shaded by the attention it
// pays. Done with styles alone, no script, so that it also works where scripts are dropped; where stylesheets are dropped too, a table is left.

import type { Activation } from '../values/activation.js';
import type { AttentionFigure } from '../values/attention.js';
import { labelsOf } from '../values/dims.js';
import { percentText } from '../values/numbers.js';
import { attentionTitle, headName, headsOf, notesOf, oddNote, oddWeights } from './attention.js';
import { reachOf, roundedUp, sinkOf } from './attention-sink.js';
import type { Bundle } from '../values/shown.js';
import { Html, html, visible } from '../values/html.js';

/** Characters that what is read may take: a page stays below a megabyte, and quick. */
const MOST = 850_000;
/** Characters of a token's markup, without its text. */
const MARKUP = 66;

const STYLE = `.loupe-reads .live{display:block!important}.loupe-reads .plain{display:none}
.loupe-reads label{cursor:pointer;display:inline-block;white-space:nowrap;margin-bottom:4px;padding:1px 8px;border-radius:4px;margin-right:4px;border:1px solid rgba(127,135,145,.4);font-size:12px}
.loupe-reads input{position:absolute;opacity:0}.loupe-reads .panel{display:none;position:relative;line-height:2}
.loupe-reads .q{cursor:default;padding:2px 1px;border-radius:3px;border-bottom:2px solid rgba(127,135,145,.35);outline:none;white-space:pre}
.loupe-reads .r{display:none;position:absolute;left:0;right:0;top:100%;font-weight:normal;white-space:normal;line-height:2}
.loupe-reads .q:hover,.loupe-reads .q:focus{background:rgba(0,114,178,.35)}
.loupe-reads .panel .q:last-of-type .r{display:block}.loupe-reads .panel:hover .q .r,.loupe-reads .panel:focus-within .q .r{display:none}
.loupe-reads .panel .q:focus .r,.loupe-reads .panel .q:hover .r{display:block!important}.loupe-reads .panel .q:hover~.q:focus .r{display:none!important}
.loupe-reads .r span{padding:2px 1px;border-radius:3px;white-space:pre}`;

let made = 0;

export function tokensBundle(figure: AttentionFigure): Bundle {
  const [layer] = figure.layers;
  const { pattern } = layer;
  const [heads, T, S] = pattern.shape;
  const [, query, key] = pattern.dims;
  const numbers = headsOf(pattern);
  const panels = heads + 1; // the strongest of all heads, then each
  const each = MARKUP + Math.ceil(escapedLength(labelsOf(key)) / S);
  const { shown, fromKey, keysTo } = partShown(pattern, Math.floor(MOST / each / panels));
  const fromQuery = T - shown;
  const queries = labelsOf(query);
  const keys = labelsOf(key);
  const name = `loupe-reads-${++made}-${Math.round(1e6 * pattern.data.reduce((a, b) => a + b * b, 0)).toString(36)}`;
  // A column that takes nearly all would leave the others white, and so would weights that are all small, and queries that are not shown.
  const sink = sinkOf(layer);
  const { most, beyond } = reachOf(layer, sink, fromQuery);
  const fullest = most > 0 ? roundedUp(most) : 1;
  const scale = [
    ...notesOf(1, sink, null),
    ...oddNote(oddWeights(layer), 'no shade'),
    `the fullest shade is ${percentText(fullest)}${sink !== null || beyond > 0 ? ' and more' : ''}`,
  ];
  const weight = (head: number, i: number, j: number): number => {
    if (head >= 0) return pattern.data[(head * T + i) * S + j];
    return strongest(pattern, i, j);
  };
  const reads = (head: number, i: number): Html[] =>
    keys.slice(fromKey, Math.min(keysTo, visibleTo(pattern, i))).map((text, n) => {
      const w = weight(head, i, fromKey + n);
      const shade = Math.round(255 * Math.min(1, w / fullest));
      const style = shade > 0 ? new Html(` style="background:#e69f00${shade.toString(16).padStart(2, '0')}"`) : '';
      return html`<span title="${key.from + fromKey + n}: ${(100 * w).toFixed(1)} %"${style}>${visible(text)}</span><wbr>`;
    });
  const panel = (head: number): Html => {
    const tokens = Array.from({ length: shown }, (_, i) => {
      const at = fromQuery + i;
      return html`<span class="q" tabindex="0" title="${query.from + at}">${visible(queries[at])}<span class="r">${reads(head, at)}</span></span><wbr>`;
    });
    return html`<div class="panel p${head + 1}">${tokens}</div>`;
  };
  // Arrow keys choose among the heads: JupyterLab's own, which go to the next cell, leave alone what says so.
  const choices = Array.from({ length: panels }, (_, i) => i - 1);
  const inputs = choices.map(
    head =>
      html`<input type="radio" data-lm-suppress-shortcuts="true" name="${name}" id="${name}-${head + 1}" ${head < 0 ? 'checked' : ''}>`,
  );
  const labels = choices.map(
    head =>
      html`<label for="${name}-${head + 1}">${head < 0 ? 'strongest head' : headName(figure, numbers[head])}</label>`,
  );
  const rules = choices
    .map(
      head =>
        `#${name}-${head + 1}:checked~.panels .p${head + 1}{display:block}#${name}-${head + 1}:checked~.labels label[for="${name}-${head + 1}"]{background:rgba(0,114,178,.3)}#${name}-${head + 1}:focus-visible~.labels label[for="${name}-${head + 1}"]{outline:2px solid #0072b2}`,
    )
    .join('');
  const lines = Math.ceil(keys.slice(fromKey, keysTo).join('').length / 60) + 1;
  const left = shown < T ? `the last ${shown} of ${T} tokens are shown` : '';
  const cut = fromKey > 0 ? `of what they read, positions from ${key.from + fromKey} on` : '';
  const said = readings(pattern, shown);
  // Where a page drops stylesheets, what needs one stays hidden and this is not.
  const plain = html`<table class="plain"><tr><th align="left">token</th><th align="left">most of its strongest head</th></tr>${said.map(
    ({ at, token, read }) => html`<tr><td align="left">${at} ${token}</td><td align="left">${read}</td></tr>`,
  )}</table>`;
  return {
    'text/html':
      html`<div class="loupe-reads" id="${name}"><style>${new Html(STYLE + rules)}</style><p style="margin:2px 0 8px"><b>${attentionTitle(layer)}</b> <span style="opacity:.7">${new Html(sentences([...scale, left, cut]))}</span></p><div class="live" hidden><p style="margin:2px 0 8px">Point at a token, or click it: what it reads is shaded below.</p>${inputs}<div class="labels" style="margin-bottom:6px">${labels}</div><div class="panels" style="padding-bottom:${lines * 28 + 10}px">${choices.map(panel)}</div></div>${plain}</div>`
        .text,
    'text/plain': [
      `${attentionTitle(layer)}, the strongest head of each token:`,
      ...(left ? [`  (${left})`] : []),
      ...said.map(({ at, token, read }) => `  ${at} '${token}' reads ${read}`),
    ].join('\n'),
  };
}

/** Parts are markup already: names in them went through `label`. */
const sentences = (parts: readonly string[]): string =>
  parts.flatMap(part => (part ? [`${part[0].toUpperCase()}${part.slice(1)}.`] : [])).join(' ');

const escapedLength = (texts: readonly string[]): number =>
  texts.reduce((n, text) => n + html`${visible(text)}`.text.length, 0);

/** Keys that a query may see, as places in the pattern: those before it and itself. */
const visibleTo = ({ dims: [, query, key] }: Activation, i: number): number =>
  Math.max(0, Math.min(key.size, query.from + i + 1 - key.from));

/** The last queries, and the last of the keys that they may see, so that the page holds all their spans. */
function partShown(pattern: Activation, most: number): { shown: number; fromKey: number; keysTo: number } {
  const [, T] = pattern.shape;
  const keysTo = visibleTo(pattern, T - 1);
  if (T * keysTo <= most) return { shown: T, fromKey: 0, keysTo };
  const shown = Math.max(1, Math.min(T, Math.max(Math.floor(Math.sqrt(most)), Math.floor(most / keysTo))));
  return { shown, fromKey: Math.max(0, keysTo - Math.max(1, Math.floor(most / shown))), keysTo };
}

const strongest = ({ data, shape: [heads, T, S] }: Activation, i: number, j: number): number =>
  Math.max(...Array.from({ length: heads }, (_, head) => data[(head * T + i) * S + j]));

/** What each of the last tokens reads most, by its strongest head. */
function readings(pattern: Activation, shown: number): { at: number; token: string; read: string }[] {
  const [, T] = pattern.shape;
  const [, query, key] = pattern.dims;
  const keys = labelsOf(key);
  return Array.from({ length: shown }, (_, n) => {
    const i = T - shown + n;
    const weights = Array.from({ length: visibleTo(pattern, i) }, (_, j) => strongest(pattern, i, j));
    const best = [...weights.keys()].sort((a, b) => weights[b] - weights[a]).slice(0, 3);
    const read = best.map(j => `'${visible(keys[j])}' ${weights[j].toFixed(2)}`).join(', ');
    return { at: query.from + i, token: visible(labelsOf(query)[i]), read: read || 'none of these' };
  });
}
