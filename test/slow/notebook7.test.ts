// The classic notebook, version 7: the kernel starts, cells run, figures and tables show.

import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { allRun, cellsOf, openBrowser, type Server, startServer, writeNotebook } from '../fixtures/browser.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
let server: Server;
let browser: Browser;

beforeAll(async () => {
  writeNotebook(join(folder, 'small.ipynb'), [
    "const model = await open('atlas');\nconst run = await model.run('The capital of France is', { tap: 'layers.*.attn.pattern' });\nmodel",
    'run.attention()',
    "await model.diff(await golden('atlas/short'))",
  ]);
  const python = join(packageRoot(), '.loupe', 'check', 'bin', 'python');
  const port = String(20_000 + (process.pid % 2000));
  const options = ['--no-browser', '--allow-root', `--ServerApp.port=${port}`, '--IdentityProvider.token=loupe-test'];
  server = await startServer(python, ['-m', 'notebook', ...options, '--ServerApp.ip=127.0.0.1'], {
    cwd: folder,
    env: { ...process.env, JUPYTER_CONFIG_DIR: join(folder, 'config'), JUPYTER_DATA_DIR: join(folder, 'data') },
  });
  browser = await openBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  server?.process.kill('SIGTERM');
});

test('runs a notebook', async () => {
  const page = await browser.newPage({ viewport: { width: 1200, height: 1000 } });
  const { origin } = new URL(server.address);
  await page.goto(`${origin}/notebooks/small.ipynb?token=loupe-test`, { waitUntil: 'domcontentloaded' });
  await cellsOf(page).first().waitFor({ timeout: 90_000 });
  await page.getByText('Loupe (TypeScript)').first().waitFor({ timeout: 90_000 });
  await page.getByRole('menuitem', { name: 'Run', exact: true }).click();
  await page.getByText('Run All Cells', { exact: true }).click();
  await allRun(page);
  await cellsOf(page).nth(1).scrollIntoViewIfNeeded();
  await cellsOf(page).nth(1).locator('.js-plotly-plot .heatmaplayer').first().waitFor({ timeout: 30_000 });
  expect(await cellsOf(page).nth(2).locator('table tbody tr').count()).toBe(135);
}, 240_000);
