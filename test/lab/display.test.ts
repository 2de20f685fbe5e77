// What the lab shows: every object in its three forms, sizes that a page can carry, and no text of a model or a file that becomes markup.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Activation } from '../../lab/values/activation.js';
import { largest, locate, locationText } from '../../lab/diff/locate.js';
import { attentionBundle } from '../../lab/display/attention.js';
import { tokensBundle } from '../../lab/display/attention-tokens.js';
import { type Bundle, DISPLAY, type Shown } from '../../lab/values/shown.js';
import { report } from '../../lab/display/report.js';
import { outliersOf } from '../../lab/values/spread.js';
import { golden } from '../../lab/values/golden.js';
import { setNotebook } from '../../lab/host/notebook.js';
import { writing } from '../../lab/host/writing.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { freshFolder } from '../fixtures/folder.js';
import { withOther } from '../fixtures/other.js';
import { type Packed, unpacked } from '../fixtures/plotly.js';

const folder = freshFolder();
const FIGURE = 'application/vnd.plotly.v1+json';
const of = (value: Shown): Bundle => value[DISPLAY]();

let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

describe('every object shows itself', () => {
  let all: Record<string, Shown>;
  beforeAll(async () => {
    const run = await model.run('The capital of France is', { tap: '**', logits: 'all' });
    const other = await model.run('The capital of Italy is');
    const g = await golden('atlas/short');
    all = {
      model: model as unknown as Shown,
      picture: model.picture(),
      attention: run.attention(),
      layer: run.attention(5),
      heads: run.attention(5).heads(),
      byToken: run.attention(5).byToken(),
      activation: run.at('layers.5.resid') as unknown as Shown,
      histogram: run.at('layers.5.resid').histogram(),
      outliers: run.at('layers.5.resid').outliers(),
      norms: run.norms(),
      surprisal: run.surprisal(),
      beside: run.beside(other),
      top: run.logits.top(5),
      lens: await run.lens(),
      diff: (await model.diff(g)) as unknown as Shown,
      golden: g,
      stage: model.stage('layers.0.attn.scores'),
    };
  });

  test('with a figure or a table, a static picture beside every figure, and text', () => {
    for (const [name, value] of Object.entries(all)) {
      const bundle = of(value);
      expect({ name, rich: Boolean(bundle[FIGURE] ?? bundle['text/html']) }).toEqual({ name, rich: true });
      if (bundle[FIGURE])
        expect({ name, still: bundle['image/svg+xml']?.slice(0, 4) }).toEqual({ name, still: '<svg' });
      expect(bundle['text/plain'].length).toBeGreaterThan(20);
      expect(JSON.stringify(bundle).length).toBeLessThan(300_000);
    }
  });

  const WITHOUT = '<div class="mathjax_ignore tex2jax_ignore">'; // by MathJax 3 and 2
  test('dollar signs of a text are no mathematics: a notebook’s MathJax leaves our pages alone', async () => {
    using talk = model.chat({ messages: [{ role: 'user', content: 'from $5 to $6' }] });
    const pages = [...Object.values(all), talk as unknown as Shown].map(value => of(value)['text/html']);
    for (const page of pages.filter(html => html !== undefined)) {
      expect([page.slice(0, WITHOUT.length), page.slice(-6)]).toEqual([WITHOUT, '</div>']);
    }
    expect(pages.at(-1)).toContain('from $5 to $6');
    const sent: Bundle[] = [];
    setNotebook({ display: ({ data }: { data: Bundle }) => void sent.push(data) } as never);
    try {
      const text = writing('from $5');
      text.add(' to $6');
      text.end();
      expect(sent.at(-1)!['text/html']).toMatch(/^<div class="mathjax_ignore tex2jax_ignore">.*from \$5.* to \$6/s);
    } finally {
      setNotebook(undefined as never);
    }
  });

  test('in the middle of a text too', () => {
    for (const [name, value] of Object.entries(all)) {
      expect({ name, text: `${value}` }).toEqual({ name, text: expect.not.stringContaining('[object') });
    }
    expect(`${all.top}`).toContain('next token');
  });

  test('a report of all of it is one page below 6 MB, with plotly inlined once', () => {
    const path = join(folder, 'all.html');
    report(path, ...Object.values(all));
    expect(statSync(path).size).toBeLessThan(6_000_000);
    expect(() => report(join(folder, 'none', 'x.html'), 1)).toThrow(
      /cannot be written: there is no folder .*give another path/,
    );
  });
});

describe('the layer selector', () => {
  test('holds every layer’s values, so that nothing has to be asked of the kernel', async () => {
    const run = await model.run('The capital of France is', { tap: 'layers.*.attn.pattern' });
    const figure = of(run.attention())[FIGURE]!;
    const menus = figure.layout.updatemenus as { buttons: { label: string; args: { z: Packed[] }[] }[] }[];
    const layers = menus.find(({ buttons }) => buttons[0].label === 'layer 0')!.buttons;
    expect(layers.map(({ label }) => label)).toEqual([0, 1, 2, 3, 4, 5].map(n => `layer ${n}`));
    const pattern = run.at('layers.4.attn.pattern');
    layers[4].args[0].z.forEach((z, head) => {
      unpacked(z).forEach((row, query) => {
        row.forEach((value, key) => {
          if (key <= query) expect(value).toBe(pattern.get(head, query, key));
          else expect(value).toBeNaN();
        });
      });
    });
  });

  test('says which layers were tapped when one was not', async () => {
    const run = await model.run('Once', { tap: 'layers.2.attn.pattern' });
    expect(() => run.attention(3)).toThrow(/'layers.3.attn.pattern' was not tapped/);
    expect(of(run.attention())['text/plain']).toMatch(/^Attention, layer 2/);
  });
});

test('attention over 2,048 tokens is pooled by its maximum and stays below a megabyte', () => {
  const T = 2048;
  const data = new Float32Array(2 * T * T);
  data[T * T + 2000 * T + 77] = 0.875; // one strong weight in head 1
  const labels = Array.from({ length: T }, (_, i) => ` t${i}`);
  const dims = [
    { name: 'head' as const, size: 2 },
    { name: 'query' as const, size: T, labels },
    { name: 'key' as const, size: T, labels },
  ];
  const pattern = new Activation('layers.0.attn.pattern', dims, data);
  const figure = { layers: [{ layer: 0, pattern, window: null }], heads: 2, kvHeads: 1 };
  const bundle = attentionBundle(figure);
  expect(JSON.stringify(bundle).length).toBeLessThan(1_000_000);
  const head1 = unpacked(bundle[FIGURE]!.data[1].z as Packed);
  expect(Math.max(...head1.flat().map(v => v || 0))).toBe(0.875);
  const tokens = tokensBundle(figure);
  expect(JSON.stringify(tokens).length).toBeLessThan(1_000_000);
  expect(tokens['text/html']).toMatch(/The last \d+ of 2048 tokens are shown/);
  expect(tokens['text/plain']).toMatch(/\n {2}\(the last \d+ of 2048 tokens are shown\)\n/);
});

test('what tokens read is shaded up to the strongest there is beside a sink, and is a table where a page drops styles', () => {
  const bundle = (weights: number[][]) => {
    const dims = ['query' as const, 'key' as const].map(name => ({
      name,
      size: weights.length,
      labels: ['<bos>', ' a', 'b<i>'],
    }));
    const pattern = new Activation(
      'layers.0.attn.pattern',
      [{ name: 'head', size: 1 }, ...dims],
      Float32Array.from(weights.flat()),
    );
    return tokensBundle({ layers: [{ layer: 0, pattern, window: null }], heads: 1, kvHeads: 1 })['text/html']!;
  };
  const even = bundle([
    [0.1, 0, 0],
    [0.05, 0.05, 0],
    [0, 0.1, 0.001],
  ]); // weights of a slice of what is read
  expect(even).toContain('The fullest shade is 10.0 %.');
  expect(even.match(/<span title="1: 10\.0 %" style="background:#e69f00ff">/g)).toHaveLength(2); // the strongest head, and head 0
  expect(even).toContain('<span title="0: 5.0 %" style="background:#e69f0080">');
  expect(even).toContain('<span title="0: 0.0 %">');
  const sink = bundle([
    [1, 0, 0],
    [0.98, 0.02, 0],
    [0.95, 0.04, 0.01],
  ]);
  expect(sink).toContain('0 &lt;bos&gt; holds 96.5 % of the weight. The fullest shade is 4.0 % and more.');
  expect(sink).toContain('<span title="1: 2.0 %" style="background:#e69f007f">');
  // What needs a stylesheet is hidden until there is one; the table is not.
  const [, live, plain] = /<\/p><div class="live" hidden>(.*)<\/div>(<table class="plain">.*<\/table>)<\/div>$/.exec(
    sink,
  )!;
  expect(live).toContain('Point at a token');
  expect(plain).toContain(
    '<td align="left">2 b&lt;i&gt;</td><td align="left">&#39;&lt;bos&gt;&#39; 0.95, &#39;\u2423a&#39; 0.04, &#39;b&lt;i&gt;&#39; 0.01</td>',
  );
  expect(sink).toMatch(/<style>[^<]*\.live\{display:block!important\}[^<]*\.plain\{display:none\}/);
});

test('token texts that are HTML, SVG or script are shown as text, everywhere', async () => {
  const evil = [
    '<img src=x onerror=alert(1)>',
    '<svg onload=alert(1)>',
    '</script><script>alert(1)</script>',
    '"><b onmouseover=alert(1)>',
    '</style><script>alert(1)</script>',
    "'--><i>",
  ];
  const run = await model.run(
    evil.map((_, i) => 10 + i),
    { tap: '**', logits: 'all' },
  );
  const texts = (ids: readonly number[]) => ids.map(id => evil[id % evil.length]);
  const session = withOther(model, { labels: texts });
  const renamed = new (run.constructor as new (...args: unknown[]) => typeof run)(
    session,
    run.ids,
    evil,
    new Map(
      [...run.activations].map(([name, { dims, data }]) => [
        name,
        new Activation(
          name,
          dims.map(dim => (dim.labels ? { ...dim, labels: evil } : dim)),
          data,
        ),
      ]),
    ),
    run.logits.values,
  );
  const shown = [
    renamed.attention(),
    renamed.attention(0).heads(),
    renamed.attention(0).byToken(),
    renamed.at('layers.0.resid') as unknown as Shown,
    renamed.at('layers.0.resid').outliers(),
    renamed.norms(),
    renamed.surprisal(),
    renamed.beside(renamed),
    renamed.logits.top(5),
    await renamed.lens(),
  ];
  const dangerous = /<(img|b|i|svg) (src|on)|<script>alert|<\/style><script/;
  for (const value of shown) {
    const bundle = of(value);
    const withoutOurOwn = { ...bundle, 'text/plain': '', 'image/svg+xml': bundle['image/svg+xml']?.slice(4) ?? '' };
    for (const text of strings(withoutOurOwn)) expect(text).not.toMatch(dangerous);
  }
});

/** Every string in a bundle, as the page gets it. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : [];
}

describe('where an error sits', () => {
  const shape = [2, 3, 4];
  const axes = ['head', 'token', 'channel'] as const;
  const expected = Float32Array.from({ length: 24 }, (_, i) => i + 1);

  test('one wrong head is all of it', () => {
    const actual = expected.map((v, i) => (i >= 12 ? v + 1 : v));
    const spreads = locate(actual, expected, shape, axes);
    expect(locationText(spreads)).toBe('all of it in head 1');
    expect([...spreads[0].share]).toEqual([0, 1]);
    expect(spreads[1].share[0]).toBeCloseTo(1 / 3);
  });

  test('one wrong value is one head, token and channel', () => {
    const actual = expected.slice();
    actual[12 + 4 + 2] += 5;
    const spreads = locate(actual, expected, shape, axes);
    expect(locationText(spreads)).toBe('all of it in head 1, all of it in token 1, all of it in channel 2');
    expect(largest(spreads[2], 3)).toEqual([{ index: 2, share: 1 }]);
  });

  test('a range of tokens is named', () => {
    const long = Float32Array.from({ length: 40 }, () => 1);
    const late = long.map((v, i) => (i >= 32 ? v + 1 : v));
    expect(locationText(locate(late, long, [10, 4], ['token', 'channel']))).toBe('only positions ≥ 8');
    const later = long.map((v, i) => (i >= 20 ? v + 1 : v));
    expect(locationText(locate(later, long, [10, 4], ['token', 'channel']))).toBe('only positions ≥ 5');
  });

  test('NaN and a mask on one side outweigh every number', () => {
    const actual = expected.map(v => v + 100);
    actual[5] = Number.NaN;
    actual[6] = -3.4e38;
    expect(locationText(locate(actual, expected, shape, axes))).toMatch(/^all of it in head 0, all of it in token 1/);
  });

  test('nothing, where nothing differs; everything, where everything does', () => {
    expect(locationText(locate(expected, expected, shape, axes))).toBe('spread over everything');
    expect(
      locationText(
        locate(
          expected.map(v => v + 1),
          expected,
          shape,
          axes,
        ),
      ),
    ).toBe('spread over everything');
  });
});

test('outliers are the channels with the largest root mean square', () => {
  const data = Float32Array.from({ length: 30 }, (_, i) => (i % 10 === 7 ? 50 + i : 1));
  const rows = outliersOf(
    new Activation(
      'x',
      [
        { name: 'token', size: 3 },
        { name: 'channel', size: 10 },
      ],
      data,
    ),
    2,
  );
  expect(rows[0]).toMatchObject({ channel: 7, maxAbs: 77, row: 2 });
  expect(rows[0].ratio).toBeCloseTo(Math.sqrt((57 ** 2 + 67 ** 2 + 77 ** 2) / 3));
});

test('a sink of attention is named and the colours of its layer end behind it; another layer keeps its own', () => {
  const pattern = (weight: number, other: number) => {
    const data = new Float32Array(9);
    data.set([1, 0, 0, weight, other, 0, weight, other / 2, other / 2]);
    const labels = ['<bos>', 'a', 'b'];
    const dims = [
      { name: 'head' as const, size: 1 },
      { name: 'query' as const, size: 3, labels },
      { name: 'key' as const, size: 3, labels },
    ];
    return new Activation('layers.0.attn.pattern', dims, data);
  };
  const of = (...layers: [number, number][]) =>
    attentionBundle({
      layers: layers.map(([weight, other], layer) => ({ layer, pattern: pattern(weight, other), window: null })),
      heads: 1,
      kvHeads: 1,
    })[FIGURE]! as unknown as {
      data: { zmax: number }[];
      layout: {
        title: { subtitle?: { text: string } };
        updatemenus: { buttons: { label: string; args: Record<string, unknown>[] }[] }[];
      };
    };
  const sunk = of([0.97, 0.03]);
  expect(sunk.data[0].zmax).toBe(0.03);
  expect(sunk.layout.title.subtitle?.text).toBe('0 &lt;bos&gt; holds 97.0 % of the weight: colours end at 0.03');
  expect(sunk.layout.updatemenus.at(-1)!.buttons.map(({ label }) => label)).toEqual([
    'colours to 0.03',
    'colours to 1',
  ]);
  expect(of([0.5, 0.5]).data[0].zmax).toBe(1);
  expect(of([0.5, 0.5]).layout.title.subtitle).toBeUndefined();
  const both = of([0.97, 0.03], [0.2, 0.8]).layout.updatemenus.at(-1)!.buttons;
  expect(both.map(({ label, args }) => [label, args[0].zmax])).toEqual([
    ['layer 0', 0.03],
    ['layer 1', 1],
  ]);
});

test('what is pooled has every value beside it, to zoom into, where a page has room, and else the slice that shows some', () => {
  const of = (tokens: number, channels: number) => {
    const data = Float32Array.from({ length: tokens * channels }, (_, i) => Math.fround(Math.sin(i + 1)));
    const dims = [
      { name: 'token' as const, size: tokens },
      { name: 'channel' as const, size: channels },
    ];
    const bundle = new Activation('layers.5.resid', dims, data)[DISPLAY]();
    expect(JSON.stringify(bundle).length).toBeLessThan(1_000_000);
    return { data, figure: bundle[FIGURE]! };
  };
  const { data, figure } = of(895, 128);
  const [pooled, whole] = figure.data;
  expect(unpacked(pooled.z as Packed).length).toBeLessThan(895);
  expect(whole.visible).toBe(false);
  expect(unpacked(whole.z as Packed).flat()).toEqual([...data]);
  expect([whole.x0, whole.dx]).toEqual([0, 1]);
  const large = of(895, 640).figure;
  expect(large.data).toHaveLength(1);
  expect(JSON.stringify(large.layout)).toContain('.slice({ token: [from, to] }) shows every value of a part');
  expect(of(7, 128).figure.data).toHaveLength(1); // nothing is pooled
  // One dimension, as a mean over tokens leaves it; and more than a page has room for.
  for (const [size, traces] of [
    [128, 1],
    [4096, 2],
    [300_000, 1],
  ]) {
    const one = new Activation(
      'layers.5.resid',
      [{ name: 'channel' as const, size }],
      new Float32Array(size).fill(0.5),
    );
    const { data, layout } = one[DISPLAY]()[FIGURE]!;
    expect(data).toHaveLength(traces);
    expect(JSON.stringify(layout).includes('.slice({ channel: [from, to] })')).toBe(size === 300_000);
  }
});
