// The tour in a real JupyterLab in a real browser: open it, run all cells, and find figures and tables on the page.
// LOUPE_SCREENSHOT=folder keeps pictures of it.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { freshFolder } from '../fixtures/folder.js';

let lab: ChildProcess;
let browser: Browser;
let page: Page;
let address: string;
const shots = process.env.LOUPE_SCREENSHOT;

beforeAll(async () => {
  const start = join(packageRoot(), 'lab/start/lab.mjs');
  const folder = freshFolder(); // JupyterLab saves what it runs
  copyFileSync(join(packageRoot(), 'notebooks/01-tour.ipynb'), join(folder, '01-tour.ipynb'));
  lab = spawn(
    process.execPath,
    [
      start,
      '--no-browser',
      '--port',
      String(18000 + (process.pid % 2000)),
      '--token',
      'loupe-test',
      '--folder',
      folder,
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  address = await new Promise<string>((resolve, reject) => {
    let said = '';
    const listen = (chunk: Buffer) => {
      said += chunk;
      const found = /http:\/\/127\.0\.0\.1:\S+/.exec(said);
      if (found) resolve(found[0]);
    };
    lab.stdout!.on('data', listen);
    lab.stderr!.on('data', listen);
    lab.on('exit', code => reject(new Error(`npm run lab ended with ${code}:\n${said}`)));
  });
  const installed =
    process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(path => existsSync(path));
  const bundled = installed ? null : await bundledChromium();
  const executablePath = installed ?? (await bundled!.executablePath());
  const quiet = [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  browser = await chromium.launch({ executablePath, args: [...(bundled?.args ?? []), ...quiet], headless: true });
  page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
}, 180_000);

/** The browser inside an npm package. It brings its libraries too, but unpacks them only where it takes the machine for Lambda. */
async function bundledChromium() {
  const { stdout } = spawnSync('ldconfig', ['-p'], {
    encoding: 'utf8',
    env: { PATH: `${process.env.PATH}:/sbin:/usr/sbin` },
  });
  if (!stdout?.includes('libnss3.so')) process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs20.x';
  return (await import('@sparticuz/chromium')).default;
}

afterAll(async () => {
  await browser?.close();
  lab?.kill('SIGTERM');
});

test('the tour runs, and its heatmaps and tables are on the page', async () => {
  const url = new URL(address);
  await page.goto(`${url.origin}/lab/tree/01-tour.ipynb?token=loupe-test&reset`, {
    waitUntil: 'domcontentloaded',
    timeout: 90_000,
  });
  await page.locator('.jp-Notebook .jp-CodeCell').first().waitFor({ timeout: 90_000 });
  await page.getByText('Loupe (TypeScript) | Idle').waitFor({ timeout: 90_000 });
  // The file's own outputs would prove nothing.
  await page.getByRole('menuitem', { name: 'Edit', exact: true }).click();
  await page.getByText('Clear Outputs of All Cells', { exact: true }).click();
  await page.getByRole('menuitem', { name: 'Run', exact: true }).click();
  await page.getByText('Run All Cells', { exact: true }).click();
  const prompts = page.locator('.jp-CodeCell .jp-InputPrompt');
  const numbered = async () => (await prompts.allInnerTexts()).filter(text => /^\[\d+\]/.test(text.trim())).length;
  try {
    await expect.poll(numbered, { timeout: 120_000, interval: 1000 }).toBe(await prompts.count());
  } catch (error) {
    const dialog = await page.locator('.jp-Dialog').allInnerTexts();
    throw new Error(`${error}\nstatus: ${await page.locator('#jp-main-statusbar').innerText()}\ndialogs: ${dialog}`);
  }
  const heatmaps = new Set<string>();
  let tables = 0;
  const cells = await page.locator('.jp-CodeCell').count();
  for (let i = 0; i < cells; i++) {
    const cell = page.locator('.jp-CodeCell').nth(i);
    await cell.scrollIntoViewIfNeeded();
    await page.waitForTimeout(400);
    if ((await cell.locator('.js-plotly-plot .heatmaplayer').count()) > 0) heatmaps.add(String(i));
    tables += await cell.locator('.jp-RenderedHTMLCommon table').count();
    expect(await cell.locator('.jp-RenderedText[data-mime-type="application/vnd.jupyter.error"]').count()).toBe(0);
    if (shots) await cell.screenshot({ path: join(shots, `cell-${i}.png`) });
  }
  expect(heatmaps.size).toBeGreaterThanOrEqual(3);
  expect(tables).toBeGreaterThanOrEqual(3);

  // Saved and opened again: the figures are in the file, as pictures until the mouse touches them.
  await page.keyboard.press('Control+s');
  await page.waitForTimeout(3000);
  await page.reload({ waitUntil: 'domcontentloaded', timeout: 90_000 });
  await page.locator('.jp-Notebook .jp-CodeCell').first().waitFor({ timeout: 90_000 });
  const figures = page.locator('.jp-RenderedPlotly img[src^="data:image/png"], .jp-RenderedPlotly .heatmaplayer');
  await expect.poll(() => figures.count(), { timeout: 60_000, interval: 1000 }).toBeGreaterThanOrEqual(heatmaps.size);
}, 280_000);
