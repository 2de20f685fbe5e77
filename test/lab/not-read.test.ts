// What a query may not read looks like nothing that it reads: in the patterns of sliding layers, and where one query was cut out.

import { expect, test } from 'vitest';
import { heatmap, open } from '../../lab/index.js';
import type { Packed } from '../../lab/display/chart.js';
import { Activation } from '../../lab/values/activation.js';
import { DISPLAY, type Figure, type Shown } from '../../lab/values/shown.js';
import { unpacked } from '../fixtures/plotly.js';

const TEXT = 'The capital of Japan is Tokyo. The people of Japan speak Japanese. The capital of Japan is';

/** Columns of a picture's rows that are holes. */
function holes(value: unknown): number[][] {
  const { data } = (value as Shown)[DISPLAY]()['application/vnd.plotly.v1+json'] as Figure & { data: { z: Packed }[] };
  const { bdata, shape } = data[0].z;
  const z = new Float32Array(Uint8Array.from(Buffer.from(bdata, 'base64')).buffer);
  const columns = Number(shape.split(', ')[1]);
  return Array.from({ length: z.length / columns }, (_, i) =>
    [...z.subarray(i * columns, (i + 1) * columns).keys()].filter(j => Number.isNaN(z[i * columns + j])),
  );
}
const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

test('windows of a lens of some tokens are parts of those', async () => {
  using model = await open('atlas', { quiet: true });
  const run = await model.run(TEXT, { tap: 'layers.*.resid', slice: { token: [5, 20] } });
  const { layout } = (await run.lens())[DISPLAY]()['application/vnd.plotly.v1+json'] as unknown as {
    layout: { updatemenus: { buttons: { label: string }[] }[] };
  };
  expect(layout.updatemenus[0].buttons[0].label).toBe('tokens 13–19 of 5–19');
});

test('keys after a query, and before a window of 16, are holes in the pattern and in every part of it', async () => {
  using model = await open('atlas', { quiet: true });
  const run = await model.run(TEXT, { tap: ['layers.0.attn.pattern', 'layers.5.attn.pattern'] });
  const T = run.ids.length;
  const unread = (query: number, window: number) => [...range(0, query - window + 1), ...range(query + 1, T)];
  for (const [layer, window] of [
    [0, 16],
    [5, T],
  ]) {
    const pattern: Activation = run.at(`layers.${layer}.attn.pattern`);
    expect(holes(pattern.head(2))).toEqual(range(0, T).map(query => unread(query, window)));
    expect(holes(heatmap(pattern.mean('head')))).toEqual(range(0, T).map(query => unread(query, window)));
    for (const query of [7, 19, T - 1]) {
      // Four heads that read what one token may.
      const rows = Array.from({ length: 4 }, () => unread(query, window));
      expect(holes(pattern.token(query))).toEqual(rows);
      expect(holes(heatmap(pattern.slice({ query })))).toEqual(rows);
      expect(holes(pattern.slice({ query, key: [2, 12] }))).toEqual(
        rows.map(row => row.filter(key => key >= 2 && key < 12).map(key => key - 2)),
      );
      expect(holes(pattern.slice({ query: [query, query + 1] }).token(query))).toEqual(rows);
    }
    // A mean over queries is of all that they read, and knows no single one.
    expect(holes(pattern.mean('query')).flat()).toEqual([]);
  }
});

test('what is exactly 0 looks like neither what is nearly 0 nor what is masked, with a script and without', () => {
  const dims = [
    { name: 'token', size: 2 },
    { name: 'channel', size: 3 },
  ] as const;
  const of = (...values: number[]) => new Activation('mine', dims, Float32Array.from(values))[DISPLAY]();
  const bundle = of(0, 1e-30, -3.4028234663852886e38, 1, -1, 0);
  const { data, layout } = bundle['application/vnd.plotly.v1+json'] as unknown as {
    data: { z: Packed; hoverinfo?: string }[];
    layout: { title: object };
  };
  expect(data.map(({ z }) => unpacked(z))).toEqual([
    [
      [0, Math.fround(1e-30), Number.NaN],
      [1, -1, 0],
    ],
    [
      [0, Number.NaN, Number.NaN],
      [Number.NaN, Number.NaN, 0],
    ],
  ]);
  expect(data[1].hoverinfo).toBe('skip');
  expect(JSON.stringify(layout.title)).toContain('violet: exactly 0');
  const picture = bundle['image/svg+xml']!;
  const [violet] = [...picture.matchAll(/<path fill="#b39ddb" d="([^"]*)"/g)].map(([, d]) => d.split('z').length - 1);
  expect(violet).toBe(2);
  // Where there is none, and where all are, nothing is said of it but a word.
  for (const values of [of(1, 2, 3, 4, 5, 6), of(0, 0, 0, 0, 0, 0)]) {
    expect((values['application/vnd.plotly.v1+json'] as Figure).data.length).toBe(1);
    expect(values['image/svg+xml']).not.toContain('#b39ddb');
  }
});
