// node docs/pictures/widths.mjs: every picture of the lab as plotly draws it and, beside it, as it is where no script runs, at the widths that cells
// have, light and dark, on one sheet each. Needs `npm run build`. What is cut, measures test/browser/pictures.test.ts; these are for the eye.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import chromiumPackage from '@sparticuz/chromium';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const { bar, golden, heatmap, open, plot } = await import(pathToFileURL(join(root, 'dist/lab/index.js')).href);

const LONG = 'The capital of Japan is Tokyo. The people of Japan speak Japanese. The capital of Japan is';
const model = await open('atlas', { quiet: true });
const run = await model.run(LONG, { tap: '**', logits: 'all' });
const short = await model.run('The capital of Japan is', { tap: '**' });
const ids = Array.from({ length: 895 }, (_, i) => 3 + ((i * 7) % 300));
const long = await model.run(ids, { tap: ['layers.*.attn.pattern', 'layers.*.resid'] });
const lenses = [await short.lens(), await long.lens()];
await model.edit('scores', wgsl => wgsl.replace('s + WINDOW <= position', 's + WINDOW < position'));
const diff = await model.diff(await golden('atlas/long'));
await model.edit('scores', null);
const SHEET = {
  'the plan': model.picture(),
  'the plan by verdict': model.picture(diff),
  'an error map': await diff.map('layers.0.attn.scores'),
  attention: run.attention(5),
  'attention, 895 tokens': long.attention(),
  heads: run.attention(1).heads(),
  'heads, 895 tokens': long.attention(1).heads(),
  'an activation': run.at('layers.5.resid'),
  'an activation, 895 tokens': long.at('layers.5.resid'),
  'its histogram': run.at('layers.5.resid').histogram(),
  norms: run.norms(),
  'next tokens': run.logits.top(8),
  surprisal: run.surprisal(),
  'two runs': run.beside(await model.run('The capital of Italy is')),
  'the lens': lenses[0],
  'the lens, 895 tokens': lenses[1],
  patching: await model.patching({
    clean: 'The capital of France is',
    corrupt: 'The capital of Italy is',
    stages: ['embed', 'layers.*.post_attn_norm', 'layers.*.post_mlp_norm'],
  }),
  'head scores': await model.headScores(),
  'the roofline': await model.roofline(),
  'a plot': plot([0, 1, 2, 3], { exact: [1, 2, 4, 8], fast: [1, 3, 5, 7] }, { title: 'two lines', x: 'n', y: 'count' }),
  bars: bar({ 'head 0': 0.3, 'head 1': -0.1, 'head 2': 0.7 }, { title: 'scores', y: 'score' }),
  'a grid': heatmap(run.at('layers.5.attn.pattern').mean('head')),
};

const shown = Object.entries(SHEET).flatMap(([name, value]) => {
  const bundle = value[Symbol.for('Jupyter.display')]();
  return [{ name, figure: bundle['application/vnd.plotly.v1+json'], still: bundle['image/svg+xml'] }];
});
const browser = await chromium.launch({
  executablePath: await chromiumPackage.executablePath(),
  args: [...chromiumPackage.args, '--no-sandbox'],
});
for (const [width, columns] of [
  [488, 2],
  [600, 2],
  [848, 2],
  [1600, 2],
]) {
  for (const theme of width <= 600 ? ['light'] : ['light', 'dark']) {
    const page = await browser.newPage({ viewport: { width: columns * (width + 24), height: 900 } });
    const colours = theme === 'light' ? 'background:#fff;color:#24292f' : 'background:#111;color:#e6e6e6';
    await page.setContent(
      `<!doctype html><body style="margin:0;${colours};font:14px system-ui,sans-serif"><div id="sheet"></div></body>`,
    );
    await page.addScriptTag({ content: readFileSync(join(root, 'dist/plotly.min.js'), 'utf8') });
    await page.evaluate(
      async ({ shown, width, columns }) => {
        const sheet = document.getElementById('sheet');
        for (const { name, figure, still } of shown) {
          const row = document.createElement('div');
          row.style.cssText = 'display:flex;align-items:flex-start;border-top:1px solid #7f879155;padding-bottom:10px';
          const [drawn, static_] = [0, 1].map(() => document.createElement('div'));
          for (const part of [drawn, static_]) part.style.cssText = `width:${width}px;margin:0 12px;flex:none`;
          const title = document.createElement('div');
          title.textContent = name;
          title.style.cssText = 'padding:6px 12px;opacity:.7';
          sheet.append(title, row);
          row.append(drawn);
          if (columns === 2) row.append(static_);
          await window.Plotly.newPlot(drawn, figure.data, figure.layout, { ...figure.config, displayModeBar: false });
          static_.innerHTML = still;
        }
      },
      { shown, width, columns },
    );
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    const scale = Math.min(0.7, 8000 / height); // more than 8192 pixels are more than this browser draws
    const clip = { x: 0, y: 0, width: columns * (width + 24), height, scale };
    const client = await page.context().newCDPSession(page);
    const { data } = await client.send('Page.captureScreenshot', {
      format: 'webp',
      quality: 65,
      clip,
      captureBeyondViewport: true,
    });
    writeFileSync(join(here, `at-${width}-${theme}.webp`), Buffer.from(data, 'base64'));
  }
}
await browser.close();
model[Symbol.dispose]();
process.exit(0);
