// node docs/pictures/make.mjs: every display of the lab in JupyterLab, light and dark, as pictures in this folder. Needs `npm test` or
// `npm run lab` to have run once.

import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import chromiumPackage from '@sparticuz/chromium';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));

const LONG = 'The capital of Japan is Tokyo. The people of Japan speak Japanese. The capital of Japan is';
const CELLS = [
  [
    '',
    `const model = await open('atlas'); const run = await model.run('${LONG}', { tap: '**', logits: 'all' }); const g = await golden('atlas/long');`,
  ],
  ['model', 'model'],
  ['plan', 'model.picture()'],
  ['attention', 'run.attention()'],
  ['heads', 'run.attention(1).heads()'],
  ['by-token', 'run.attention(5).byToken()'],
  ['activation', "run.at('layers.5.resid')"],
  ['histogram', "run.at('layers.5.resid').histogram()"],
  ['outliers', "run.at('layers.5.resid').outliers()"],
  ['norms', 'run.norms()'],
  ['logits', 'run.logits.top(8)'],
  ['surprisal', 'run.surprisal()'],
  ['beside', "run.beside(await model.run('The capital of Italy is'))"],
  ['roofline', 'await model.roofline()'],
  ['lens', "await (await model.run('The capital of Japan is', { tap: '**' })).lens()"],
  ['head-scores', 'await model.headScores()'],
  [
    'patching',
    "await model.patching({ clean: 'The capital of France is', corrupt: 'The capital of Italy is', stages: ['embed', 'layers.*.post_attn_norm', 'layers.*.post_mlp_norm'] })",
  ],
  [
    '',
    "await model.edit('scores', wgsl => wgsl.replace('s + WINDOW <= position', 's + WINDOW < position')); const diff = await model.diff(g);",
  ],
  ['diff', 'diff'],
  ['verdicts', 'model.picture(diff)'],
  [
    'error',
    "const layers: number = model.config.family + ' layers';\\nmodel.stage('layers.0.attn.q_nrom')".replaceAll(
      '\\n',
      '\n',
    ),
  ],
  [
    'write',
    "await model.edit('scores', null);\nawait model.write('The capital of Japan is', { maxTokens: 40, temperature: 0.7, seed: 5 });",
  ],
];

const folder = mkdtempSync(join(tmpdir(), 'loupe-pictures-'));
const cells = CELLS.map(([, source], i) => ({
  cell_type: 'code',
  execution_count: null,
  id: `cell-${i}`,
  metadata: {},
  outputs: [],
  source,
}));
const kernelspec = { name: 'loupe', display_name: 'Loupe (TypeScript)', language: 'typescript' };
writeFileSync(
  join(folder, 'displays.ipynb'),
  JSON.stringify({ cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }),
);
const port = 17_000 + (process.pid % 1000);
const lab = spawn(
  process.execPath,
  [join(root, 'lab/start/lab.mjs'), '--no-browser', '--port', String(port), '--token', 't', '--folder', folder],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
await new Promise(resolve => lab.stdout.on('data', chunk => String(chunk).includes('http://') && resolve()));
const browser = await chromium.launch({
  executablePath: await chromiumPackage.executablePath(),
  args: [...chromiumPackage.args, '--no-sandbox'],
});
const page = await browser.newPage({ viewport: { width: Number(process.env.WIDTH ?? 1280), height: 1000 } });
await page.goto(`http://127.0.0.1:${port}/lab/tree/displays.ipynb?token=t&reset`, { waitUntil: 'domcontentloaded' });
await page.getByText('Loupe (TypeScript) | Idle').waitFor({ timeout: 90_000 });
const menu = async (...path) => {
  await page.getByRole('menuitem', { name: path[0], exact: true }).click();
  for (const name of path.slice(1)) {
    await page.locator('.lm-Menu-item', { hasText: name }).first().hover();
    await page.locator('.lm-Menu-item', { hasText: name }).first().click();
  }
};
await menu('View', 'Show Left Activity Bar').catch(() => {});
await page.keyboard.press('Escape');
await menu('Run', 'Run All Cells');
await page.waitForTimeout(2000);
await page.getByText('Loupe (TypeScript) | Idle').waitFor({ timeout: 180_000 });
// An error ends a run of all cells.
await page.locator('.jp-CodeCell').last().locator('.cm-content').click();
await page.keyboard.press('Shift+Enter');
await page.waitForTimeout(4000);
for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  await menu('Settings', 'Theme', theme);
  await page.waitForTimeout(1500);
  for (const [i, [name]] of CELLS.entries()) {
    if (name === '') continue;
    const cell = page.locator('.jp-CodeCell').nth(i);
    await cell.scrollIntoViewIfNeeded();
    if (name === 'by-token') await cell.locator('.panel .q:visible').nth(14).hover();
    await page.waitForTimeout(700);
    const shown = name === 'error' ? cell : cell.locator('.jp-OutputArea').first();
    const box = await shown.boundingBox();
    const clip = { ...box, width: Math.min(box.width, 1050), height: Math.min(box.height, 620) };
    await page.screenshot({ path: join(here, `${name}-${theme.endsWith('Dark') ? 'dark' : 'light'}.png`), clip });
  }
}
await browser.close();
lab.kill('SIGTERM');
process.exit(0);
