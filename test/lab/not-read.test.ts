// What a query may not read looks like nothing that it reads: in the patterns of sliding layers, and where one query was cut out.

import { expect, test } from 'vitest';
import { heatmap, open } from '../../lab/index.js';
import type { Packed } from '../../lab/display/chart.js';
import type { Activation } from '../../lab/values/activation.js';
import { DISPLAY, type Figure, type Shown } from '../../lab/values/shown.js';

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
