// Scales that show what there is: where a few values, queries or channels would take all colours with them; and what is written at them.

import { expect, test } from 'vitest';
import { activationBundle } from '../../lab/display/activation.js';
import { attentionBundle } from '../../lab/display/attention.js';
import { headsBundle } from '../../lab/display/attention-heads.js';
import { tokensBundle } from '../../lab/display/attention-tokens.js';
import { bar } from '../../lab/display/own-lines.js';
import { patchingBundle } from '../../lab/display/patching.js';
import type { Patching } from '../../lab/probe/patching.js';
import { Activation } from '../../lab/values/activation.js';
import { percentText } from '../../lab/values/numbers.js';
import { DISPLAY, type Shown } from '../../lab/values/shown.js';

const FIGURE = 'application/vnd.plotly.v1+json';

/**
 * Each query gives its keys alike, but 26 times as much to itself; the first has one key and gives it all.
 * @param sink what each but the first gives that one beside
 */
function longPattern(T: number, heads = 4, sink = 0) {
  const data = new Float32Array(heads * T * T);
  for (let row = 0; row < heads * T; row++) {
    const q = row % T;
    const rest = q === 0 ? 1 : 1 - sink;
    for (let k = 0; k <= q; k++) data[row * T + k] = (rest * (k === q ? 26 : 1)) / (q + 26);
    if (q > 0) data[row * T] += sink;
  }
  const labels = Array.from({ length: T }, (_, i) => `t${i}`);
  const dims = [
    { name: 'head' as const, size: heads },
    { name: 'query' as const, size: T, labels },
    { name: 'key' as const, size: T, labels },
  ];
  return new Activation('layers.0.attn.pattern', dims, data);
}

test('the first queries of a long text, which have few keys, do not darken all others', () => {
  const views = (T: number, sink = 0) => ({
    layers: [{ layer: 0, pattern: longPattern(T, 4, sink), window: null }],
    heads: 4,
    kvHeads: 4,
  });
  // Nine of ten among 900 queries give no token more than the 90th does: 26 / 115.
  for (const bundle of [attentionBundle(views(900)), headsBundle(views(900))]) {
    const { data, layout } = bundle[FIGURE] as unknown as {
      data: { zmax: number; colorbar: { ticktext: string[] } }[];
      layout: { title: { subtitle: { text: string } } };
    };
    expect(data[0].zmax).toBe(0.23);
    expect(data[0].colorbar.ticktext.at(-1)).toBe('≥0.23');
    expect(layout.title.subtitle.text).toContain('colours end at 0.23: 9.8 % of the queries give a token more');
  }
  // Beside a sink too, where the second query has one other key.
  const [{ zmax }] = attentionBundle(views(900, 0.95))[FIGURE]!.data as unknown as { zmax: number }[];
  expect(zmax).toBe(0.012);
  // Of a short text no weight is set aside.
  const [short] = attentionBundle(views(26))[FIGURE]!.data as unknown as { zmax: number }[];
  expect(short.zmax).toBe(1);
  // The text shades what it shows, and its first queries are not shown.
  expect(tokensBundle(views(900))['text/html']).toContain('The fullest shade is 3.0 %.');
});

test('a part of a pattern is named in a line of its own where its title has no room for it', () => {
  const dims = [
    { name: 'head' as const, size: 2, from: 2, of: 4 },
    { name: 'query' as const, size: 10, from: 1200, of: 2000 },
    { name: 'key' as const, size: 2000, from: 0, of: 2000 },
  ];
  const pattern = new Activation('layers.17.attn.pattern', dims, new Float32Array(2 * 10 * 2000).fill(0.01));
  const of = (layer: number, window: number | null) => ({ layer, pattern, window });
  const layers = [of(17, 512), of(5, null)];
  const long = 'Attention, layer 17 (sees the last 512 tokens)';
  const whole = 'Attention, layer 5 (sees every token): head 2–3, query 1200–1209';
  for (const bundle of [attentionBundle, headsBundle].map(draw => draw({ layers, heads: 4, kvHeads: 1 }))) {
    const { layout } = bundle[FIGURE] as unknown as {
      layout: {
        title: { text: string; subtitle: { text: string } };
        updatemenus?: { buttons: { args: Record<string, string>[] }[] }[];
      };
    };
    expect(layout.title.text).toBe(long);
    expect(layout.title.subtitle.text).toMatch(/^head 2–3, query 1200–1209<br>/);
    expect(bundle['text/plain']).toMatch(`${long}: head 2–3, query 1200–1209, 10 queries`);
    const other = layout.updatemenus?.[1].buttons[1].args[1];
    if (other) expect(`${other['title.text']}: ${other['title.subtitle.text'].split('<br>')[0]}`).toBe(whole);
  }
});

test('two outlier channels do not bleach the others, and values of a millionth are written as elsewhere', () => {
  const resid = (by: number) => {
    const data = Float32Array.from(
      { length: 60 * 128 },
      (_, i) => by * Math.sin(i) * ([13, 24].includes(i % 128) ? 60 : 1),
    );
    return new Activation(
      'layers.5.resid',
      [
        { name: 'token', size: 60 },
        { name: 'channel', size: 128 },
      ],
      data,
    );
  };
  const figure = (by: number) =>
    activationBundle(resid(by))[FIGURE] as unknown as {
      data: { zmax: number; colorbar: { ticktext?: string[] } }[];
      layout: { title: { subtitle: { text: string } } };
    };
  expect(figure(1).data[0].zmax).toBeLessThan(1.001);
  expect(figure(1).layout.title.subtitle.text).toContain('colours end at ±0.9999; the largest |x| is 60');
  expect(figure(1).data[0].colorbar.ticktext).toBeUndefined();
  expect(figure(1e-6).data[0].colorbar.ticktext).toEqual(['−1.0e-6', '−5.0e-7', '0', '5.0e-7', '1.0e-6']);
  expect(activationBundle(resid(1e-6))['image/svg+xml']).toContain('−5.0e-7');
});

test('a cell over the rows of two heads says both by their numbers', () => {
  const { data } = activationBundle(longPattern(100, 4))[FIGURE] as unknown as { data: { y: string[] }[] };
  expect(data[0].y.slice(48, 52)).toEqual([
    'head 0, query 96–97',
    'head 0, query 98–99',
    'head 1, query 0–1',
    'head 1, query 2–3',
  ]);
  const odd = activationBundle(longPattern(99, 4))[FIGURE] as unknown as { data: { y: string[] }[] };
  expect(odd.data[0].y[49]).toBe('head 0, query 98 – 1, 0');
});

test('a probability below one in a hundred has two digits', () => {
  const seen = [0.2, 0.0123, 0.00994, 0.0038, 0.001, 0.00052, 2.1e-9, 0.99999].map(percentText);
  expect(seen).toEqual(['20.0 %', '1.2 %', '0.99 %', '0.38 %', '0.10 %', '0.052 %', '2.1e-7 %', '>99.9 %']);
});

test('what patching says is one line, also of long tokens', () => {
  const [answer, wrong] = [' Constantinople', ' Rome'];
  const patching = { stages: ['embed'], tokens: ['a'], restored: [[1]], answer, wrong };
  const { layout } = patchingBundle(patching as unknown as Patching)[FIGURE] as unknown as {
    layout: { title: { text: string; subtitle?: unknown } };
  };
  expect(layout.title).toMatchObject({
    text: 'How much of ␣Constantinople over ␣Rome returns',
    subtitle: { text: 'one token put back at a time' },
  });
});

test('without a script many thin bars are as solid as with one', () => {
  const svg = (value: unknown) => (value as Shown)[DISPLAY]()['image/svg+xml']!;
  const widths = (many: number) => {
    const values = Array.from({ length: many }, (_, i) => i + 1);
    return [...svg(bar(values.map(String), values)).matchAll(/<rect x="([\d.]+)"[^>]* width="([\d.]+)"/g)].map(
      ([, x, width]) => [Number(x), Number(width)],
    );
  };
  for (const [many, touch] of [
    [40, false],
    [600, true],
  ] as const) {
    const places = widths(many).slice(-many);
    const gaps = places.slice(1).map(([x], i) => x - places[i][0] - places[i][1]);
    expect(gaps.every(gap => gap < 0)).toBe(touch);
  }
});

test('where a list of colours stands beside the heads, their buttons leave it room, or are a list', () => {
  const menus = (heads: number, sink: number) =>
    (
      attentionBundle({
        layers: [{ layer: 0, pattern: longPattern(6, heads, sink), window: null }],
        heads,
        kvHeads: 1,
      })[FIGURE] as unknown as { layout: { updatemenus: { type: string }[] } }
    ).layout.updatemenus.map(({ type }) => type);
  expect(menus(4, 0)).toEqual(['buttons']);
  expect(menus(4, 0.96)).toEqual(['dropdown', 'dropdown']); // four buttons and a list are wider than 480 pixels
  expect(menus(2, 0.96)).toEqual(['buttons', 'dropdown']);
});
