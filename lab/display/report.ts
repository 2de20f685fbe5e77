// report(): what was shown, as one page that opens anywhere without a network: for mail and for CI artefacts.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Bundle } from './bundle.js';
import { Html, html } from './html.js';
import { bundleOf } from './show.js';

const STYLE = `:root{color-scheme:light dark}body{font:14px system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em}
pre{overflow:auto}table{border-collapse:collapse;font-size:12px}td,th{padding:2px 10px}tr:nth-child(even){background:#7f87911a}
section{margin:2em 0}`;

/**
 * Writes a self-contained page of everything given, plotly.js inlined once.
 * @param path the file, e.g. out.html
 */
export function report(path: string, ...values: readonly unknown[]): void {
  const sections = values.map(bundleOf).map(section);
  const plotly = createRequire(import.meta.url).resolve('plotly.js-dist/plotly.js');
  // </script> inside a script would end it; in JavaScript the backslash changes nothing.
  const script = (code: string) => new Html(`<script>${code.replaceAll('</script', '<\\/script')}</script>`);
  const draw = script(
    "for (const e of document.querySelectorAll('[data-figure]')){const f=JSON.parse(e.dataset.figure);Plotly.newPlot(e,f.data,f.layout,f.config)}",
  );
  const page = html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Loupe</title><style>${new Html(STYLE)}</style>
${script(readFileSync(plotly, 'utf8'))}</head><body><h1>Loupe</h1>${sections}${draw}</body></html>`;
  writeFileSync(path, page.text);
}

function section(bundle: Bundle): Html {
  const figure = bundle['application/vnd.plotly.v1+json'];
  if (figure) return html`<section><div data-figure="${JSON.stringify(figure)}"></div></section>`;
  const own = bundle['text/html']; // made by this package's own template, so escaped already
  return own ? html`<section>${new Html(own)}</section>` : html`<section><pre>${bundle['text/plain']}</pre></section>`;
}
