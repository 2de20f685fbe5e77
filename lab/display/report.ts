// report(): what was shown, as one page that opens anywhere without a network: for mail and for CI artefacts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OptionError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { checkTarget, writeWhole } from '../values/write-file.js';
import type { Bundle } from '../values/shown.js';
import { Html, html } from '../values/html.js';
import { attempt } from '../values/plain.js';
import { bundleOf } from '../host/show.js';

/** Pictures are not squeezed below the width at which nothing of them is cut: on a phone they are moved sideways. */
const STYLE = `:root{color-scheme:light dark}body{font:14px system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em}
h1{font-size:22px}pre{overflow:auto}table{border-collapse:collapse;font-size:12px}td,th{padding:2px 10px}tr:nth-child(even){background:#7f87911a}
section{margin:2em 0;overflow-x:auto}[data-figure]{min-width:600px}footer{opacity:.7;overflow-wrap:anywhere;font-size:12px;border-top:1px solid #7f879155;margin-top:3em;padding-top:.5em}`;

/**
 * Writes a self-contained page of everything given, plotly.js inlined once.
 * @param path the file, e.g. out.html. Throws OptionError where it cannot be written.
 * @example report('session.html', run, run.attention())
 */
export function report(path: string, ...values: readonly unknown[]): void {
  checkTarget(path);
  if (values.length === 0) {
    throw new OptionError('A report of nothing was asked for. Give what it is to show: report("out.html", run, diff).');
  }
  const waits = values.findIndex(value => attempt(() => typeof (value as PromiseLike<unknown>).then) === 'function');
  if (waits >= 0)
    throw new OptionError(`Value ${waits + 1} of the report is a promise, not what it will be. Wait for it: await ….`);
  const bundles = values.map(bundleOf);
  const figures = bundles.some(bundle => bundle['application/vnd.plotly.v1+json']);
  // </script> inside a script would end it; in JavaScript the backslash changes nothing.
  const script = (code: string) => new Html(`<script>${code.replaceAll('</script', '<\\/script')}</script>`);
  const plotly = figures ? script(readFileSync(join(packageRoot(), 'dist', 'plotly.min.js'), 'utf8')) : html``;
  const draw = script(
    "for (const e of document.querySelectorAll('[data-figure]')){const f=JSON.parse(e.dataset.figure);Plotly.newPlot(e,f.data,f.layout,f.config)}",
  );
  const page = html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Loupe</title>
<style>${new Html(STYLE)}</style>${plotly}</head><body><h1>Loupe</h1>${bundles.map(section)}${footer(values)}${figures ? draw : html``}</body></html>`;
  writeWhole(path, [page.text]);
}

/** Where the numbers come from: of every model that is in what was shown. */
function footer(values: readonly unknown[]): Html {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  const lines = new Set<string>();
  for (const value of values) {
    const line = attempt(() => source(value)); // a value may refuse to be looked at; then it says nothing of itself
    if (line) lines.add(line);
  }
  const made = `Loupe ${version}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return html`<footer>${[...lines, made].map(line => html`<p>${line}</p>`)}</footer>`;
}

function source(value: unknown): string | null {
  const holder = value as { provenance?: unknown; session?: { provenance?: unknown } } | null | undefined;
  // What it says of itself comes first: a run and a diff know which shaders ran.
  const owner = holder?.provenance === undefined ? holder?.session : holder;
  const provenance = owner?.provenance;
  const found = typeof provenance === 'function' ? provenance.call(owner) : provenance;
  if (!found || typeof found !== 'object' || found instanceof Map) return null;
  const facts = Object.entries(found as Record<string, string>).filter(([, text]) => text !== '');
  return facts.map(([name, text]) => `${name.replaceAll('_', ' ')} ${text}`).join(' · ');
}

function section(bundle: Bundle): Html {
  const figure = bundle['application/vnd.plotly.v1+json'];
  // Where no script runs, the picture that needs none; made by this package, so escaped already.
  const still = bundle['image/svg+xml'] ? html`<noscript>${new Html(bundle['image/svg+xml'])}</noscript>` : html``;
  if (figure) return html`<section><div data-figure="${JSON.stringify(figure)}"></div>${still}</section>`;
  const own = bundle['text/html']; // made by this package's own template, so escaped already
  return own ? html`<section>${new Html(own)}</section>` : html`<section><pre>${bundle['text/plain']}</pre></section>`;
}
