// The tour in a real JupyterLab in a real browser: run it, find figures and tables on the page, stop a generation, go on, reload, and
// still see the plots. LOUPE_SCREENSHOT=folder keeps pictures of it.

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { allRun, cellsOf, openBrowser, type Server, startServer, writeNotebook } from '../fixtures/browser.js';
import { freshFolder } from '../fixtures/folder.js';

let lab: Server;
let browser: Browser;
let page: Page;
const shots = process.env.LOUPE_SCREENSHOT;

beforeAll(async () => {
  const folder = freshFolder(); // JupyterLab saves what it runs
  copyFileSync(join(packageRoot(), 'notebooks/01-tour.ipynb'), join(folder, '01-tour.ipynb'));
  writeNotebook(join(folder, 'stop.ipynb'), [
    "const model = await open('atlas');\nlet made = 0;",
    "while (true) for await (const t of model.generate('Once', { maxTokens: 400, ignoreEos: true })) {\n  made += 1;\n  if (made % 20 === 0) console.log(made + ' made');\n}",
    'console.log(made >= 20, (await model.run("The capital of France is")).logits.top(1).rows[0].text);',
    '\'<img src=x onerror="document.title=1"><script>document.title=1</script>\'',
  ]);
  const port = String(18000 + (process.pid % 2000));
  const args = ['--no-browser', '--port', port, '--token', 'loupe-test', '--folder', folder];
  lab = await startServer(process.execPath, [join(packageRoot(), 'lab/start/lab.mjs'), ...args]);
  browser = await openBrowser();
  page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
}, 180_000);

afterAll(async () => {
  await browser?.close();
  lab?.process.kill('SIGTERM');
});

async function openNotebook(name: string): Promise<void> {
  const { origin } = new URL(lab.address);
  await page.goto(`${origin}/lab/tree/${name}?token=loupe-test&reset`, {
    waitUntil: 'domcontentloaded',
    timeout: 90_000,
  });
  await cellsOf(page).first().waitFor({ timeout: 90_000 });
  await page.getByText('Loupe (TypeScript) | Idle').waitFor({ timeout: 90_000 });
}

test('the tour runs, its heatmaps and tables are on the page, and come back after a reload', async () => {
  await openNotebook('01-tour.ipynb');
  // The file's own outputs would prove nothing.
  await page.getByRole('menuitem', { name: 'Edit', exact: true }).click();
  await page.getByText('Clear Outputs of All Cells', { exact: true }).click();
  await page.getByRole('menuitem', { name: 'Run', exact: true }).click();
  await page.getByText('Run All Cells', { exact: true }).click();
  try {
    await allRun(page);
  } catch (error) {
    const dialog = await page.locator('.jp-Dialog').allInnerTexts();
    throw new Error(`${error}\nstatus: ${await page.locator('#jp-main-statusbar').innerText()}\ndialogs: ${dialog}`);
  }
  const heatmaps = new Set<string>();
  let tables = 0;
  for (let i = 0; i < (await cellsOf(page).count()); i++) {
    const cell = cellsOf(page).nth(i);
    await cell.scrollIntoViewIfNeeded();
    await page.waitForTimeout(400);
    if ((await cell.locator('.js-plotly-plot .heatmaplayer').count()) > 0) heatmaps.add(String(i));
    tables += await cell.locator('.jp-RenderedHTMLCommon table').count();
    expect(await cell.locator('.jp-RenderedText[data-mime-type="application/vnd.jupyter.error"]').count()).toBe(0);
    if (shots) await cell.screenshot({ path: join(shots, `cell-${i}.png`) });
  }
  expect(heatmaps.size).toBeGreaterThanOrEqual(3);
  expect(tables).toBeGreaterThanOrEqual(3);

  // The table's own script: filter and sort.
  const ledger = cellsOf(page).filter({ hasText: 'All 135 stages pass' }).locator('.loupe-table');
  await ledger.locator('input').fill('attn.pattern');
  expect(await ledger.locator('tbody tr:visible').count()).toBe(6);
  await ledger.locator('input').fill('');
  await ledger.locator('th', { hasText: 'max abs' }).click();
  await ledger.locator('th', { hasText: 'max abs' }).click(); // once more: largest first
  const sorted = await ledger.locator('tbody tr td:nth-child(6)').allInnerTexts();
  expect(sorted.map(Number)).toEqual([...sorted.map(Number)].sort((a, b) => b - a));

  // Saved and opened again: the figures are in the file, as pictures until the mouse touches them.
  await page.keyboard.press('Control+s');
  await page.waitForTimeout(3000);
  await page.reload({ waitUntil: 'domcontentloaded', timeout: 90_000 });
  await cellsOf(page).first().waitFor({ timeout: 90_000 });
  const figures = page.locator('.jp-RenderedPlotly img[src^="data:image/png"], .jp-RenderedPlotly .heatmaplayer');
  await expect.poll(() => figures.count(), { timeout: 60_000, interval: 1000 }).toBeGreaterThanOrEqual(heatmaps.size);
}, 280_000);

test('Stop ends an endless generation within the page, and the session goes on', async () => {
  await openNotebook('stop.ipynb');
  const [opening, endless, after, markup] = [0, 1, 2, 3].map(i => cellsOf(page).nth(i));
  await opening.locator('.cm-content').click();
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.press('Shift+Enter');
  await endless.getByText(/20 made/).waitFor({ timeout: 90_000 });
  await page.locator('[data-command="notebook:interrupt-kernel"]').first().click();
  await endless.getByText('The cell was stopped').waitFor({ timeout: 20_000 });
  const printed = (await endless.locator('.jp-OutputArea').innerText()).length;
  await after.locator('.cm-content').click();
  await page.keyboard.press('Shift+Enter');
  await after.getByText('true  P', { exact: true }).waitFor({ timeout: 60_000 });
  expect((await endless.locator('.jp-OutputArea').innerText()).length).toBe(printed);
  await page.keyboard.press('Shift+Enter');
  await markup.getByText('<img src=x').last().waitFor({ timeout: 30_000 });
  expect(await page.title()).not.toBe('1');
}, 240_000);
