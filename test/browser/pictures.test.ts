// Every picture of the lab, drawn by plotly in a real browser and without a script, from short prompts and from long ones: the two forms have
// the same colours, labels and legends, and nothing of them is cut at the widths that cells have.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { bar, golden, heatmap, open, plot, report, type Session } from '../../lab/index.js';
import { Lens } from '../../lab/probe/lens.js';
import { Activation } from '../../lab/values/activation.js';
import { AttentionView } from '../../lab/values/attention.js';
import { type Bundle, DISPLAY, type Figure, type Shown } from '../../lab/values/shown.js';
import { openBrowser } from '../fixtures/browser.js';
import { freshFolder } from '../fixtures/folder.js';

const FIGURE = 'application/vnd.plotly.v1+json';
/** 488: JupyterLab at 1,280 with a panel on either side. */
const WIDTHS = [488, 600, 848, 1600];
const PROMPT = 'The capital of Japan is Tokyo. The people of Japan speak Japanese. The capital of Japan is';
const MANY = 895;

let model: Session;
let browser: Browser;
let page: Page;
const bundles = new Map<string, Bundle>();
/** What is shown as HTML. */
const pages = new Map<string, string>();

beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  const of = (value: unknown) => (value as Shown)[DISPLAY]();
  const run = await model.run(PROMPT, { tap: '**', logits: 'all' });
  const short = await model.run('The capital of Japan is', { tap: '**' });
  const ids = Array.from({ length: MANY }, (_, i) => 3 + ((i * 7) % 300));
  const long = await model.run(ids, {
    tap: ['layers.*.attn.pattern', 'layers.*.resid', 'layers.2.attn.q', 'logits'],
    logits: 'all',
  });
  const sliced = await model.run(PROMPT, { tap: '**.pattern', slice: { head: [2, 4], query: [5, 12] } });
  const part = await model.run(ids, { tap: 'layers.5.attn.pattern', slice: { query: [400, 460] } });
  const parts = await model.run(ids, {
    tap: ['layers.*.attn.pattern', 'layers.3.attn.scores'],
    slice: { head: [2, 4], query: [400, 460] },
  });
  const clean = 'The capital of France is';
  // Pieces as long as other vocabularies have them.
  const wordy = await model.run(PROMPT, { tap: ['layers.*.attn.pattern', 'layers.*.resid'] });
  const pieces = wordy.tokens.map((_, i) => `▁${'x'.repeat(20)}${i}`);
  for (const { dims } of wordy.activations.values())
    for (const { labels } of dims) if (labels) (labels as string[]).splice(0, labels.length, ...pieces);
  const one = await short.lens('layers.4.resid');
  const lenses = [await short.lens(), await long.lens(), await long.lens({ top: 5 }), await short.lens({ top: 5 })]; // before the edit: a lens is of the shaders that made its run
  await model.edit('scores', wgsl => wgsl.replace('s + WINDOW <= position', 's + WINDOW < position'));
  const diff = await (await model.diff(await golden('atlas/long'))).withMaps(); // as a cell shows it
  await model.edit('scores', null);
  const many = (name: 'query' | 'key') => ({ name, size: 2000 });
  const weights = Float32Array.from({ length: 2000 * 2000 }, (_, i) => {
    const [query, key] = [Math.floor(i / 2000), i % 2000];
    return key <= query ? 1 / (query + 1) : 0;
  });
  const twoThousand = {
    layer: 5,
    pattern: new Activation('layers.5.attn.pattern', [{ name: 'head', size: 1 }, many('query'), many('key')], weights),
    window: null,
  };
  const sunken = {
    layer: 5,
    pattern: short.at('layers.5.attn.pattern').times(0.04).plus(bosOnly(short.ids.length)),
    window: null,
  };
  const odd = { ...sunken, pattern: sunken.pattern.times(Number.NaN) };
  const all: Record<string, unknown> = {
    plan: model.picture(),
    'plan by verdict': model.picture(diff),
    'error map of scores': await diff.map('layers.0.attn.scores'),
    'error map of heads': await diff.map('layers.0.attn.q_rope'),
    attention: run.attention(),
    'attention of few tokens': short.attention(),
    'attention of few tokens, one layer': short.attention(5),
    'attention of a slice': sliced.attention(5),
    'attention of a part of many layers': parts.attention(),
    'attention of heads of a part': parts.attention(0).heads(),
    'scores of a part': parts.at('layers.3.attn.scores'),
    // Heads, and a list of where the colours end: of few tokens beside a sink, and of a part of a long text.
    'attention with a sink': new AttentionView({ layers: [sunken], heads: 4, kvHeads: 1 }),
    'attention of a part of a long text': part.attention(5),
    'attention, long': long.attention(),
    'attention, long, one layer': long.attention(5),
    heads: run.attention(1).heads(),
    'heads, long': long.attention(1).heads(),
    activation: run.at('layers.5.resid'),
    'activation of heads': run.at('layers.2.attn.q'),
    'activation, long': long.at('layers.5.resid'),
    'activation of heads, long': long.at('layers.2.attn.q'),
    'a run, long': long,
    'attention of 2,000 tokens': new AttentionView({ layers: [twoThousand], heads: 1, kvHeads: 1 }),
    'a pattern': short.at('layers.5.attn.pattern'),
    'a pattern, long': long.at('layers.5.attn.pattern'),
    'a pattern of a slice': run.at('layers.5.attn.pattern').slice({ query: [3, 9], head: [2, 4] }),
    'one value a token': short.at('layers.5.resid').norm(),
    'one value a token, long': long.at('layers.5.resid').norm(),
    'places of the largest': run.at('logits').argmax(),
    'places of the largest, long': long.at('logits').argmax(),
    histogram: run.at('layers.5.resid').histogram(),
    norms: run.norms(),
    'norms of few tokens': short.norms(),
    'norms, long': long.norms(),
    'norms of long tokens': wordy.norms(),
    'attention of long tokens': wordy.attention(5),
    'attention of long tokens, all layers': wordy.attention(),
    'one value a token, of long tokens': wordy.at('layers.5.resid').norm(),
    'a pattern of long tokens': wordy.at('layers.5.attn.pattern'),
    'lens of long tokens': new Lens((await wordy.lens()).cells, pieces),
    'attention that is no number': new AttentionView({ layers: [odd], heads: 4, kvHeads: 1 }),
    'a histogram as far out as f32 goes': short
      .at('layers.5.resid')
      .times(1e36)
      .slice({ token: [1, 4] })
      .histogram(),
    'an activation as far out as f32 goes': short.at('layers.5.resid').slice({ token: 3 }).times(1e28),
    'bars as far out as f32 goes': bar({ a: 3e38, b: -1e38, c: 1 }),
    'next tokens': run.logits.top(8),
    surprisal: run.surprisal(),
    'surprisal, long': long.surprisal(),
    'two runs of one prompt': run.beside(
      await model.run(PROMPT, { patch: { stage: 'layers.3.attn.mix', values: 0, slice: { head: 2 } } }),
    ),
    'a difference of runs': run
      .at('layers.5.resid')
      .minus((await model.run(PROMPT, { tap: 'layers.5.resid', plan: 'fast' })).at('layers.5.resid')),
    beside: run.beside(await model.run('The capital of Italy is')),
    'beside, long': long.beside(await model.run([...ids.slice(0, -3), 7, ...ids.slice(-2)], { tap: 'logits' })),
    lens: lenses[0],
    'lens, long': lenses[1],
    'lens of one layer': one,
    roofline: await model.roofline({ rounds: 1 }),
    'roofline of the exact plan': await model.roofline({ rounds: 1, plan: 'exact', tokens: 64 }),
    'lens of the five likeliest, long': lenses[2],
    'scores of heads': await model.headScores({ period: 5, times: 2 }),
    patching: await model.patching({ clean, corrupt: 'The capital of Italy is', stages: ['embed', 'layers.*.resid'] }),
  };
  const squares = Array.from({ length: 60 }, (_, i) => i * i);
  Object.assign(all, {
    'a line': plot(squares, undefined, { title: 'squares', x: 'n', y: 'n²' }),
    'lines by name': plot([0, 1, 2], { exact: [1, 2, 4], fast: [1, Number.NaN, 3] }, { title: 'two plans', log: 'y' }),
    'lines of many powers': plot([0, 1, 2], [1e-12, 1, 1e9], { title: 'many powers', log: 'y' }),
    'lines of a few powers': plot([1, 10, 300, 5000], [3, 20, 60, 2], { title: 'a few powers', log: 'xy' }),
    'lines of millionths': plot([1, 2, 3], [1e-6, 2e-6, -1.5e-6], { title: 'millionths' }),
    'bars of a tenth of a thousandth': bar({ a: 2e-5, b: 5e-5, c: 9e-5 }),
    'lines over millionths': plot([1e-4, 2e-4], [1, 2], { title: 'over' }),
    'lines within one power': plot([2.1, 3.3, 6.4], [-1, 0, 1], { title: 'within one power', log: 'x' }),
    'a long line': plot(
      Array.from({ length: 90 }, (_, i) => Math.sin(i / 9)),
      undefined,
      { title: 'a wave' },
    ),
    bars: bar({ 'head 0': 0.3, 'head 1': -0.1, 'head 2': 0.7 }, { title: 'scores', y: 'score' }),
    'bars with long names': bar(
      Array.from({ length: 30 }, (_, i) => `a long name of ${i}`),
      squares.slice(0, 30),
      {
        title: 'squares of the first whole numbers, which is a long title for a small picture of bars',
        x: 'name',
        y: 'n²',
      },
    ),
    'a grid': heatmap(
      [
        [0.1, 0.9],
        [0.4, -0.3],
      ],
      { x: ['head 0', 'head 1'], y: ['layer 0', 'layer 1'], title: 'copying' },
    ),
    'a large grid': heatmap(run.at('layers.0.mlp.gate')),
    'a grid of tokens': heatmap(run.at('layers.5.attn.pattern').head(1)),
    'a grid of tokens, long': heatmap(long.at('layers.5.attn.pattern').mean('head')),
    'a grid of one row': heatmap([[1, 2, 3]], { title: 'three' }),
  });
  for (const [name, value] of Object.entries(all)) bundles.set(name, of(value));
  const tables: Record<string, unknown> = {
    model,
    diff,
    'lens as a table': lenses[0].table(),
    'lens of the five likeliest as a table': lenses[3].table(),
    'what tokens read': run.attention(5).byToken(),
    'what tokens read, long': long.attention(5).byToken(),
    outliers: run.at('layers.5.resid').outliers(),
    'lens of the five likeliest as a table, long': lenses[2].table(),
    golden: await golden('atlas/long'),
    headroom: run.headroom(),
    perplexity: await model.perplexity(PROMPT, { against: 'exact' }),
    stage: model.stage('layers.0.attn.q'),
    twice: await model.twice(PROMPT),
  };
  for (const [name, value] of Object.entries(tables)) pages.set(name, of(value)['text/html']!);
  browser = await openBrowser();
  page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
  await page.setContent(
    '<!doctype html><body style="margin:0;background:#fff"><div id="drawn"></div><div id="still"></div></body>',
  );
  await page.addScriptTag({ path: join(packageRoot(), 'dist', 'plotly.min.js') });
  await page.addScriptTag({ path: join(packageRoot(), 'test', 'fixtures', 'look.cjs') });
}, 240_000);

afterAll(async () => {
  await browser?.close();
  model?.[Symbol.dispose]();
});

/** All that a sink has: 0.96 of each query's weight. */
const bosOnly = (T: number) => {
  const dims = [
    { name: 'head' as const, size: 4 },
    { name: 'query' as const, size: T },
    { name: 'key' as const, size: T },
  ];
  return new Activation(
    'sink',
    dims,
    Float32Array.from({ length: 4 * T * T }, (_, i) => (i % T === 0 ? 0.96 : 0)),
  );
};

interface Seen {
  readonly titles: string[];
  readonly ticks: string[];
  readonly legends: string[];
  readonly words: string[];
  /** Everything that is written, of the picture without a script. */
  readonly written: string[];
  /** Colours at places of the first heatmap, of both. */
  readonly colours: (readonly [string, string])[];
  readonly cut: string[];
  /** What an axis names, that the picture without a script has elsewhere or not at all. */
  readonly moved: string[];
  readonly categories: boolean;
}

/** Draws both forms at a width and looks at them. */
async function look(bundle: Bundle, width: number): Promise<Seen> {
  const figure = bundle[FIGURE] as Figure;
  const still = bundle['image/svg+xml']!;
  return page.evaluate(`look(${JSON.stringify({ figure, still, width })})`);
}

const squeezed = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
const NUMBER = /^[−-]?[\d.,−\u200b]+ ?[kMGBµ%]*$/; // also powers of ten; where they stand is looked at by itself

describe('both forms of a picture', () => {
  test('say the same words, in the same colours', async () => {
    for (const [name, bundle] of bundles) {
      const seen = await look(bundle, 848);
      const written = squeezed(seen.written.join(' '));
      const wanted = [...seen.titles, ...seen.legends, ...seen.words, ...seen.ticks.filter(text => !NUMBER.test(text))];
      expect(wanted.length, name).toBeGreaterThan(0);
      expect([name, wanted.map(squeezed).filter(text => !written.includes(text))]).toEqual([name, []]);
      const apart = seen.colours.filter(([a, b]) => {
        if ([a, b].includes('127,135,145')) return false; // the causal edge, across a cell of a few pixels
        const [p, q] = [a.split(',').map(Number), b.split(',').map(Number)];
        return p.some((v, i) => Math.abs(v - q[i]) > 3);
      });
      expect([name, apart]).toEqual([name, []]);
    }
  }, 120_000);

  test('name the same along their axes, at the same places', async () => {
    const moved: string[] = [];
    for (const [name, bundle] of bundles) moved.push(...(await look(bundle, 848)).moved.map(one => `${name}: ${one}`));
    expect(moved).toEqual([]);
  }, 120_000);

  test('are not cut, in a narrow cell, beside an open panel, and on a wide screen', async () => {
    const cut: string[] = [];
    for (const [name, bundle] of bundles) {
      for (const width of WIDTHS) cut.push(...(await look(bundle, width)).cut.map(one => `${name}, ${width}: ${one}`));
    }
    expect(cut).toEqual([]);
  }, 240_000);

  test('are below a megabyte together, also of long prompts', () => {
    for (const [name, bundle] of bundles)
      expect([name, JSON.stringify(bundle).length < 1_000_000]).toEqual([name, true]);
    for (const [name, html] of pages) expect([name, html.length < 1_000_000]).toEqual([name, true]);
  });
});

test('a choice in the plan’s picture shows an error map in its place, as it is drawn alone, and leads back', async () => {
  const figure = bundles.get('plan by verdict')![FIGURE] as Figure;
  const seen = () =>
    page.evaluate(`(() => {
      const texts = (q) => [...document.querySelectorAll('#maps ' + q)].map(e => e.textContent);
      return { title: texts('.gtitle')[0], panels: document.querySelectorAll('#maps .hm').length,
        heads: texts('.annotation-text').filter(t => t.startsWith('head ')).length,
        menus: document.querySelectorAll('#maps .updatemenu-header-group').length, buttons: texts('.updatemenu-button') };
    })()`) as Promise<{ title: string; panels: number; heads: number; buttons: string[] }>;
  for (const width of [488, 848, 1600]) {
    await page.evaluate(`(() => {
      document.getElementById('maps')?.remove();
      const e = document.createElement('div'); e.id = 'maps'; e.style.width = '${width}px'; document.body.prepend(e);
      const f = ${JSON.stringify(figure)};
      return Plotly.newPlot(e, f.data, f.layout, f.config);
    })()`);
    const plan = await seen();
    expect(plan).toMatchObject({ panels: 1, heads: 0 });
    await page.locator('#maps .updatemenu-header').last().click();
    await page.locator('#maps .updatemenu-dropdown-button', { hasText: 'layers.0.attn.scores' }).click();
    await expect.poll(seen).toMatchObject({
      title: 'layers.0.attn.scores, alone: ours and PyTorch’s',
      panels: 5,
      heads: 4,
      buttons: ['back to the plan'],
    });
    await page.locator('#maps .updatemenu-button', { hasText: 'back to the plan' }).click();
    await expect.poll(seen).toMatchObject(plan);
  }
  await page.evaluate(`document.getElementById('maps').remove()`);
}, 120_000);

test('tables and texts are not wider than their cell', async () => {
  for (const [name, html] of pages) {
    for (const width of WIDTHS) {
      const wide = await page.evaluate(`wideOf(${JSON.stringify({ html, width })})`);
      expect([name, width, wide]).toEqual([name, width, []]);
    }
  }
});

test('a report reads on a phone: the page is not wider, and what is, moves within its own part', async () => {
  const path = join(freshFolder(), 'report.html');
  const run = await model.run(PROMPT, { tap: '**', logits: 'all' });
  const diff = await model.diff(await golden('atlas/long'));
  const attention = run.attention(5);
  report(
    path,
    model,
    model.picture(diff),
    run,
    attention,
    attention.byToken(),
    run.logits.top(8),
    diff,
    await run.lens(),
  );
  const phone = await browser.newPage({ viewport: { width: 420, height: 900 } });
  await phone.goto(pathToFileURL(path).href);
  await phone.locator('.js-plotly-plot').nth(4).waitFor();
  const seen = (await phone.evaluate(`({
    page: document.documentElement.scrollWidth,
    figures: [...document.querySelectorAll('.js-plotly-plot')].map(e => e.getBoundingClientRect().width),
    stuck: [...document.querySelectorAll('section')]
      .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'auto').length,
    card: document.querySelector('section').scrollWidth - document.querySelector('section').clientWidth,
  })`)) as { page: number; figures: number[]; stuck: number; card: number };
  expect(seen).toMatchObject({ page: 420, stuck: 0, card: 0 });
  expect(Math.min(...seen.figures)).toBeGreaterThanOrEqual(600); // the width that is measured above
}, 120_000);

test('a figure keeps its height and takes the width of its cell when that changes, as JupyterLab redraws it', async () => {
  const { data, layout, config } = bundles.get('activation')![FIGURE] as Figure;
  const widths = [848, 600, 1600, 848];
  const sizes = await page.evaluate(`resized(${JSON.stringify({ figure: { data, layout, config }, widths })})`);
  const { height } = layout as { height: number };
  expect(sizes).toEqual(widths.map(width => [width, height]));
});
