// What each token reads: the text itself, and under a token that is pointed at (or clicked) the same text shaded by the attention it
// pays. Done with styles alone, no script, so that it also works where scripts are dropped.

import { type AttentionFigure, attentionTitle, headName, labelsOf } from './attention.js';
import type { Bundle } from './bundle.js';
import { Html, html, visible } from './html.js';

/** Spans in the page: more make it slow. */
const MOST_SPANS = 24_000;

const STYLE = `.loupe-reads label{cursor:pointer;padding:1px 8px;border-radius:4px;margin-right:4px;border:1px solid rgba(127,135,145,.4);font-size:12px}
.loupe-reads input{position:absolute;opacity:0}.loupe-reads .panel{display:none;position:relative;line-height:2}
.loupe-reads .q{cursor:default;padding:2px 1px;border-radius:3px;border-bottom:2px solid rgba(127,135,145,.35);outline:none;white-space:pre}
.loupe-reads .r{display:none;position:absolute;left:0;right:0;top:100%;font-weight:normal;white-space:normal;line-height:2}
.loupe-reads .q:hover,.loupe-reads .q:focus{background:rgba(0,114,178,.35)}
.loupe-reads .panel .q:last-of-type .r{display:block}.loupe-reads .panel:hover .q .r,.loupe-reads .panel:focus-within .q .r{display:none}
.loupe-reads .panel .q:focus .r,.loupe-reads .panel .q:hover .r{display:block!important}.loupe-reads .panel .q:hover~.q:focus .r{display:none!important}
.loupe-reads .r span{padding:2px 1px;border-radius:3px;white-space:pre}`;

let made = 0;

export function tokensBundle(figure: AttentionFigure): Bundle {
  const { heads, layers } = figure;
  const [layer] = layers;
  const { pattern } = layer;
  const [, T, S] = pattern.shape;
  const panels = heads + 1; // the strongest of all heads, then each
  const shown = Math.max(1, Math.min(T, Math.floor(Math.sqrt(MOST_SPANS / panels))));
  const [fromQuery, fromKey] = [T - shown, S - shown];
  const queries = labelsOf(pattern, 1);
  const keys = labelsOf(pattern, 2).slice(fromKey);
  const name = `loupe-reads-${++made}-${Math.round(1e6 * pattern.data.reduce((a, b) => a + b * b, 0)).toString(36)}`;
  const weight = (head: number, query: number, key: number): number => {
    if (head >= 0) return pattern.data[(head * T + query) * S + key];
    return Math.max(...Array.from({ length: heads }, (_, h) => pattern.data[(h * T + query) * S + key]));
  };
  const reads = (head: number, query: number): Html[] =>
    keys.slice(0, shown - (T - 1 - query)).map((text, j) => {
      const w = weight(head, query, fromKey + j);
      return html`<span title="${(100 * w).toFixed(1)} %" style="background:rgba(230,159,0,${Math.min(1, w).toFixed(2)})">${visible(text)}</span>`;
    });
  const panel = (head: number): Html => {
    const tokens = Array.from({ length: shown }, (_, i) => {
      const query = fromQuery + i;
      return html`<span class="q" tabindex="0">${visible(queries[query])}<span class="r">${reads(head, query)}</span></span>`;
    });
    return html`<div class="panel p${head + 1}">${tokens}</div>`;
  };
  const choices = Array.from({ length: panels }, (_, i) => i - 1);
  const inputs = choices.map(
    head => html`<input type="radio" name="${name}" id="${name}-${head + 1}" ${head < 0 ? 'checked' : ''}>`,
  );
  const labels = choices.map(
    head => html`<label for="${name}-${head + 1}">${head < 0 ? 'strongest head' : headName(figure, head)}</label>`,
  );
  const rules = choices
    .map(
      head =>
        `#${name}-${head + 1}:checked~.panels .p${head + 1}{display:block}#${name}-${head + 1}:checked~.labels label[for="${name}-${head + 1}"]{background:rgba(0,114,178,.3)}`,
    )
    .join('');
  const lines = Math.ceil(keys.join('').length / 90) + 1;
  const left = shown < T ? ` The last ${shown} of ${T} tokens are shown.` : '';
  return {
    'text/html':
      html`<div class="loupe-reads" id="${name}"><style>${new Html(STYLE + rules)}</style><p style="margin:2px 0 8px"><b>${attentionTitle(layer)}</b> <span style="opacity:.7">Point at a token, or click it: what it reads is shaded below.${left}</span></p>${inputs}<div class="labels" style="margin-bottom:6px">${labels}</div><div class="panels" style="padding-bottom:${lines * 28 + 10}px">${choices.map(panel)}</div></div>`
        .text,
    'text/plain': text(figure, keys, shown),
  };
}

function text(figure: AttentionFigure, keys: readonly string[], shown: number): string {
  const [{ pattern }] = figure.layers;
  const [, T, S] = pattern.shape;
  const lines = Array.from({ length: shown }, (_, i) => {
    const query = T - shown + i;
    const strongest = Array.from({ length: S }, (_, key) =>
      Math.max(...Array.from({ length: figure.heads }, (_, h) => pattern.data[(h * T + query) * S + key])),
    ).slice(S - shown);
    const best = [...strongest.keys()].sort((a, b) => strongest[b] - strongest[a]).slice(0, 3);
    const read = best.map(j => `'${visible(keys[j])}' ${strongest[j].toFixed(2)}`).join(', ');
    return `  '${visible(labelsOf(pattern, 1)[query])}' reads ${read}`;
  });
  return [`${attentionTitle(figure.layers[0])}, the strongest head of each token:`, ...lines].join('\n');
}
