// The tour in a real JupyterLab in a real browser: run it, find figures and tables on the page, stop a generation, go on, reload, and
// still see the plots. LOUPE_SCREENSHOT=folder keeps pictures of it.

import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { allRun, cellsOf, openBrowser, type Server, startServer, writeNotebook } from '../fixtures/browser.js';
import { freshFolder } from '../fixtures/folder.js';
import { compareModels, golden, open, trace } from '../../lab/index.js';
import { type Bundle, DISPLAY, type Shown } from '../../lab/values/shown.js';

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
  writeNotebook(join(folder, 'keys.ipynb'), [
    "const model = await open('atlas');\n(await model.run('The capital of Japan is', { tap: '**' })).attention(5).byToken()",
    "'the cell below'",
  ]);
  writeFileSync(join(folder, 'cloned.ipynb'), JSON.stringify(await cloned()));
  writeFileSync(join(folder, 'tables.ipynb'), JSON.stringify(await clonedTables()));
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

/** A notebook with outputs that nobody here has run: the page does not trust it. */
async function cloned(): Promise<unknown> {
  using model = await open('atlas', { quiet: true, another: true });
  const run = await model.run('The capital of Japan is', { tap: 'layers.5.resid' });
  return untrusted([model, model.picture(), run.at('layers.5.resid')]);
}

/** Tables, of whose cells the sanitiser leaves text. */
async function clonedTables(): Promise<unknown> {
  using model = await open('atlas', { quiet: true, another: true });
  const theirs = await trace(join(packageRoot(), 'test/fixtures/traces/transformers-f32.npz'));
  const run = await model.run('The capital of Japan is', { tap: '**' });
  const table = (await run.lens({ top: 5 })).table();
  const found = await compareModels(model, model, 'The capital of France is Paris. The capital of Italy is Rome.', {
    window: 8,
  });
  await model.edit('scores', wgsl => wgsl.replace('s + WINDOW <= position', 's + WINDOW < position'));
  const diff = await model.diff(await golden('atlas/long'), { oracle: true });
  return untrusted([diff, theirs, found, table]);
}

function untrusted(shown: readonly Shown[]): unknown {
  const marked = (bundle: Bundle) => {
    const html = bundle['text/html'];
    // Scripts of its own are dropped; that they are shows that it is not trusted.
    return html ? { ...bundle, 'text/html': `${html}<script>document.title = 'trusted'</script>` } : bundle;
  };
  const cells = shown.map((value, i) => ({
    cell_type: 'code',
    execution_count: i + 1,
    id: `cell-${i}`,
    metadata: {},
    outputs: [{ output_type: 'execute_result', execution_count: i + 1, metadata: {}, data: marked(value[DISPLAY]()) }],
    source: `// ${Date.now()}`,
  }));
  const kernelspec = { name: 'loupe', display_name: 'Loupe (TypeScript)', language: 'typescript' };
  return { cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
}

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

test('arrow keys choose among the heads of what a token reads, and the selected cell stays', async () => {
  await openNotebook('keys.ipynb');
  const reads = cellsOf(page).first();
  await reads.locator('.cm-content').click();
  await page.keyboard.press('Shift+Enter');
  await reads.getByText('strongest head', { exact: true }).waitFor({ timeout: 90_000 });
  const panels = reads.locator('.panels .panel');
  const seen = async () => {
    const shown: number[] = [];
    for (let i = 0; i < (await panels.count()); i++) if (await panels.nth(i).isVisible()) shown.push(i);
    return shown;
  };
  expect(await seen()).toEqual([0]);
  await reads.getByText('strongest head', { exact: true }).click();
  const selected = () =>
    page.locator('.jp-Notebook .jp-Cell.jp-mod-active').evaluate(e => (e as { innerText: string }).innerText);
  const before = await selected();
  for (const [key, panel] of [
    ['ArrowRight', 1],
    ['ArrowDown', 2],
    ['ArrowUp', 1],
    ['ArrowLeft', 0],
  ] as const) {
    await page.keyboard.press(key);
    expect({ key, panels: await seen() }).toEqual({ key, panels: [panel] });
  }
  expect(await selected()).toBe(before);
}, 240_000);

test('a cloned notebook that the page does not trust shows the model card with its plan in colours, and figures', async () => {
  await openNotebook('cloned.ipynb');
  const [card, plan, activation] = [0, 1, 2].map(i => cellsOf(page).nth(i));
  const words = await card.locator('.jp-OutputArea').innerText();
  for (const wanted of ['Gemma 3', 'GPU memory', 'embedding and head', 'norm', 'attention', 'layer'])
    expect(words).toContain(wanted);
  expect(await page.title()).not.toBe('trusted');
  // What each cell of the plan looks like, behind the sanitiser and JupyterLab's own style.
  const seen = (await page.evaluate(`(area => {
    const cells = [...area.querySelectorAll('td[bgcolor]')];
    const boxes = cells.map(cell => cell.getBoundingClientRect());
    const colours = new Set(cells.map(cell => getComputedStyle(cell).backgroundColor));
    const legend = [...area.querySelectorAll('span')].filter(span => span.textContent === '■');
    const named = new Set(legend.map(span => getComputedStyle(span).color));
    const { right } = area.getBoundingClientRect();
    return {
      cells: cells.length,
      colours: [...colours],
      unnamed: [...colours].filter(colour => !named.has(colour)),
      least: Math.min(...boxes.map(box => Math.min(box.width, box.height))),
      over: boxes.filter(box => box.right > right).length,
      scripts: area.querySelectorAll('script').length,
    };
  })(document.querySelector('.jp-CodeCell .jp-OutputArea'))`)) as Record<string, unknown> & {
    colours: string[];
    least: number;
  };
  expect(seen).toMatchObject({ cells: 147, over: 0, unnamed: [], scripts: 0 });
  expect(seen.colours.length).toBeGreaterThanOrEqual(5);
  expect(seen.least).toBeGreaterThanOrEqual(6);
  for (const cell of [plan, activation]) {
    await cell.scrollIntoViewIfNeeded();
    await cell.locator('.js-plotly-plot .heatmaplayer').first().waitFor({ timeout: 30_000 });
  }
  if (shots) await card.screenshot({ path: join(shots, 'untrusted-card.png') });
}, 240_000);

test('tables that the page does not trust are whole and readable', async () => {
  await openNotebook('tables.ipynb');
  const wanted = [
    ['First failing stage', 'verdict', 'in the run', 'max abs', 'source', 'carrier', 'Nearer to float64'],
    ['transformers-f32', 'their name', 'dtype'],
    ['perplexity of the second', 'KL, 99.9 %', 'KL, bits', 'cosine, mean'],
    ['after token', 'the 5 likeliest', 'rank'],
  ];
  for (const [i, words] of wanted.entries()) {
    const area = cellsOf(page).nth(i).locator('.jp-OutputArea');
    await area.scrollIntoViewIfNeeded();
    const text = await area.innerText();
    for (const word of words) expect(text).toContain(word);
    expect(text).not.toMatch(/\[object|\b(\d+)–\1\b/); // a place is one number
    const seen = await page.evaluate(
      `(area => {
        const { right } = area.getBoundingClientRect();
        const cells = [...area.querySelectorAll('th, td')];
        const rgb = text => text.match(/\\d+(\\.\\d+)?/g).map(Number);
        const under = e => {
          for (let at = e; at; at = at.parentElement) {
            const [r, g, b, a = 1] = rgb(getComputedStyle(at).backgroundColor);
            if (a > 0.5) return (r + g + b) / 3;
          }
          return 255;
        };
        const faint = e => {
          const [r, g, b] = rgb(getComputedStyle(e).color);
          return Math.abs((r + g + b) / 3 - under(e)) < 100;
        };
        return {
          cells: cells.length > 9,
          cut: cells.filter(cell => cell.getBoundingClientRect().right > right + 1).map(cell => cell.textContent.slice(0, 60)),
          faint: cells.filter(faint).map(cell => cell.textContent.slice(0, 60)),
          broken: [...area.querySelectorAll('img')].filter(image => !image.naturalWidth).length,
        };
      })(document.querySelectorAll('.jp-CodeCell .jp-OutputArea')[${i}])`,
    );
    if (shots)
      await cellsOf(page)
        .nth(i)
        .screenshot({ path: join(shots, `untrusted-table-${i}.png`) });
    expect(seen).toEqual({ cells: true, cut: [], faint: [], broken: 0 });
  }
  expect(await page.title()).not.toBe('trusted');
}, 240_000);
