// node docs/pictures/make.mjs: every display of the lab in JupyterLab, light and dark, as pictures in this folder. Needs `npm test` or
// `npm run lab` to have run once. A cell that fails, or shows nothing, ends it by name before a picture is written.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
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
  ['error-map', "await diff.map('layers.0.attn.scores')"],
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

function stop(why) {
  process.stderr.write(`${why}\n`);
  lab?.kill('SIGTERM');
  process.exit(1);
}

/** The cells as Jupyter has saved them, which takes it a while: until then the file is as it was, or a part of it. */
async function saved() {
  for (let look = 0; look < 120; look++) {
    await page.waitForTimeout(500);
    try {
      const { cells } = JSON.parse(readFileSync(join(folder, 'displays.ipynb'), 'utf8'));
      if (cells[CELLS.length - 1].execution_count !== null) return cells; // the run of the last makes another
    } catch {} // half of it
  }
  return stop('Jupyter has not saved the notebook.');
}

process.on('uncaughtException', error => stop(String(error.stack ?? error)));
let lab;
const room = mkdtempSync(join(tmpdir(), 'loupe-pictures-'));
const folder = join(room, 'notebooks');
mkdirSync(folder);
// A kernel of this tree, where Jupyter looks first: whatever else is called the same, this is the code that is seen.
const { installKernelSpec } = await import(pathToFileURL(join(root, 'dist/lab/kernel/spec.js')).href);
installKernelSpec(join(room, 'jupyter'));
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
/** Pixels of the window: the highest output is whole in it. */
const HEIGHT = 2400;
const port = 17_000 + (process.pid % 1000);
lab = spawn(
  process.execPath,
  [join(root, 'lab/start/lab.mjs'), '--no-browser', '--port', String(port), '--token', 't', '--folder', folder],
  { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, JUPYTER_PATH: join(room, 'jupyter') } },
);
await new Promise(resolve => {
  lab.stdout.on('data', chunk => String(chunk).includes('http://') && resolve());
  lab.on('exit', code => stop(`JupyterLab ended with ${code} before it was ready.`));
});
const specs = await (await fetch(`http://127.0.0.1:${port}/api/kernelspecs?token=t`)).json();
const [, kernel] = specs.kernelspecs.loupe.spec.argv;
if (realpathSync(kernel) !== realpathSync(join(root, 'dist/lab/kernel/kernel.js')))
  stop(`JupyterLab would start the kernel ${kernel}, which is not of ${root}.`);
const browser = await chromium.launch({
  executablePath: await chromiumPackage.executablePath(),
  args: [...chromiumPackage.args, '--no-sandbox'],
});
const page = await browser.newPage({ viewport: { width: Number(process.env.WIDTH ?? 1280), height: HEIGHT } });
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
// Idle is also a kernel that a busy machine has not yet given its first cell: what was run has a number.
const ran = n =>
  page.waitForFunction(
    at => /\[\d+\]/.test(document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')[at]?.textContent ?? ''),
    n,
    { timeout: 300_000 },
  );
await ran(CELLS.findIndex(([name]) => name === 'error'));
// An error ends a run of all cells.
await page.locator('.jp-CodeCell').last().locator('.cm-content').click();
await page.keyboard.press('Shift+Enter');
await ran(CELLS.length - 1);
await page.getByText('Loupe (TypeScript) | Idle').waitFor({ timeout: 180_000 });
await page.keyboard.press('Control+s');
const done = await saved();
for (const [i, [name, source]] of CELLS.entries()) {
  const { outputs } = done[i];
  const error = outputs.find(({ output_type }) => output_type === 'error');
  const what = `The cell '${name || source}'`;
  if (error && name !== 'error') stop(`${what} fails: ${error.ename}: ${error.evalue}`);
  if (!error && name === 'error') stop(`${what} is to fail, and does not.`);
  if (name !== '' && outputs.length === 0) stop(`${what} shows nothing.`);
}
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
    if (box.y < 0 || box.y + box.height > HEIGHT)
      stop(
        `The cell '${name}' is ${Math.round(box.height)} pixels high, which a window of ${HEIGHT} does not show whole.`,
      );
    const clip = { ...box, width: Math.min(box.width, 1050) };
    await page.screenshot({ path: join(here, `${name}-${theme.endsWith('Dark') ? 'dark' : 'light'}.png`), clip });
  }
}
await browser.close();
lab.kill('SIGTERM');
process.exit(0);
