// Activations by name: cuts, statistics, Arrow there and back, and pictures in which no text is ever markup.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC, tableToIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { planOf } from '../../engine/gemma.js';
import { configFromJson } from '../../engine/weights/detect.js';
import { Activation, fromArrow } from '../../lab/values/activation.js';
import { toArrow, traceToIpc } from '../../lab/values/arrow.js';
import { attentionBundle } from '../../lab/display/attention.js';
import { DISPLAY } from '../../lab/values/shown.js';
import { html } from '../../lab/values/html.js';
import { logitsBundle } from '../../lab/display/logits.js';
import { report } from '../../lab/display/report.js';
import { heatmap } from '../../lab/display/own-grid.js';
import { globToRegExp, select } from '../../lab/values/select.js';
import { freshFolder } from '../fixtures/folder.js';
import { type Packed, unpacked } from '../fixtures/plotly.js';

const FIGURE = 'application/vnd.plotly.v1+json';
const labels = ['<bos>', 'The', '<script>alert(1)</script>'];
const pattern = new Activation(
  'layers.0.attn.pattern',
  [
    { name: 'head', size: 2 },
    { name: 'query', size: 3, labels },
    { name: 'key', size: 3, labels },
  ],
  Float32Array.from({ length: 18 }, (_, i) => i / 10),
);

test('cuts keep names, labels and values', () => {
  expect([...pattern.head(1).token(2).data]).toEqual([1.5, 1.6, 1.7].map(Math.fround));
  const cut = pattern.slice({ head: -1, key: [1, 3] });
  expect(cut.shape).toEqual([3, 2]);
  expect(cut.dims[1].labels).toEqual(['The', '<script>alert(1)</script>']);
  expect(cut.name).toBe('layers.0.attn.pattern[head 1, key 1:3]');
  expect(pattern.get(1, 0, 2)).toBeCloseTo(1.1);
  expect(pattern.head(0).toArray()).toHaveLength(3);
});

test('a cut outside says what there is', () => {
  expect(() => pattern.head(2)).toThrow(/has 2 entries along 'head', so 2 is outside\. Take 0 to 1/);
  expect(() => pattern.slice({ token: 0 })).toThrow(/has no dimension 'token'; it has head, query, key/);
});

test('statistics leave masked scores and NaN out and count them', () => {
  const a = new Activation('s', [{ name: 'key', size: 4 }], Float32Array.of(1, 3, Number.NaN, -3.4e38));
  expect(a.stats()).toMatchObject({ min: 1, max: 3, mean: 2, std: 1, nans: 1, masked: 1 });
  const odd = new Activation(
    's',
    [{ name: 'dim', size: 5 }],
    Float32Array.of(1, -Infinity, 3, Infinity, -3.4028234663852886e38),
  );
  expect(odd.stats()).toEqual({
    min: 1,
    max: 3,
    mean: 2,
    std: 1,
    maxAbs: 3,
    l2: Math.sqrt(10),
    nans: 0,
    infinite: 2,
    masked: 1,
  });
  const none = new Activation('s', [{ name: 'dim', size: 2 }], Float32Array.of(Number.NaN, Infinity)).stats();
  const no = Number.NaN;
  expect(none).toEqual({ min: no, max: no, mean: no, std: no, maxAbs: no, l2: 0, nans: 1, infinite: 1, masked: 0 });
  // A channel with −∞ is one that sticks out, and none that is masked.
  expect(odd.outliers(2).rows.map(({ maxAbs }) => maxAbs)).toEqual([Infinity, Infinity]);
  expect(String(odd.histogram())).toMatch(/2 values, without 3 that are masked or not finite/);
});

test('what is infinite is no mask, and of nothing there is no range', () => {
  const of = (...values: number[]) =>
    new Activation('s', [{ name: 'key', size: values.length }], Float32Array.from(values));
  const { POSITIVE_INFINITY: most, NEGATIVE_INFINITY: least, NaN: no } = Number;
  expect(of(1, least, 3).stats()).toMatchObject({ min: 1, max: 3, mean: 2, infinite: 1, masked: 0 });
  expect(of(1, most, 3).stats()).toMatchObject({ min: 1, max: 3, mean: 2, infinite: 1 });
  expect(of(no, no).stats()).toMatchObject({ min: no, max: no, mean: no, std: no, nans: 2 });
  expect(of(3, least).norm().data).toEqual(Float32Array.of(most));
  const told = (a: Activation) => a[DISPLAY]();
  expect(told(of(no, least, -3.4e38))).toEqual({
    'text/plain': 's [key 3]: 1 NaN, 1 infinite, 1 masked, and no finite number',
  });
  expect(JSON.stringify(told(of(1, no, most, least, -2, -3.4e38)))).toContain('grey: 1 NaN, 2 infinite, 1 masked');
  const counted = of(1, no, most, 2).histogram()[DISPLAY]();
  expect(counted['text/plain']).toMatch(/2 values, without 2 that are masked or not finite/);
  expect(counted['text/plain']).not.toMatch(/∞|NaN/);
  const { data } = counted[FIGURE] as unknown as { data: { x: number[]; y: number[] }[] };
  expect(data[0].y).toEqual([1, 1]);
  expect(of(0, 0, 0).histogram()[DISPLAY]()['text/plain']).toBe('s [key 3]: 3 values, all 0');
  expect(of(no).histogram()[DISPLAY]()).toEqual({
    'text/plain': 's [key 1]: 0 values, without 1 that are masked or not finite',
  });
});

test('colours end before the largest value only where there are a hundred, and entries are named, not what is between', () => {
  const drawn = (values: number[]) =>
    new Activation(
      'x',
      [
        { name: 'token', size: 1 },
        { name: 'channel', size: values.length, from: 99, of: 2000 },
      ],
      Float32Array.from(values),
    )[DISPLAY]()[FIGURE] as unknown as {
      data: { zmin: number; zmax: number }[];
      layout: { xaxis: { ticktext?: string[] } };
    };
  // Second comes the layer that says which are exactly 0.
  expect(drawn([0, 1, 2]).data[0]).toMatchObject({ zmin: 0, zmax: 2 });
  expect(drawn([0, 1, 2]).layout.xaxis.ticktext).toEqual(['99', '100', '101']);
  expect(drawn([-1, 1, 2]).data[0]).toMatchObject({ zmin: -2, zmax: 2 });
  const many = Array.from({ length: 1000 }, (_, i) => (i === 7 ? 1e6 : 1));
  expect(drawn(many).data[0]).toMatchObject({ zmin: 0, zmax: 1 });
  expect(drawn(many).layout.xaxis.ticktext).toBeUndefined();
});

test('a grid of scores leaves out what the mask hides, and its colours are those of the others', () => {
  const scores = new Activation(
    'scores',
    [
      { name: 'query', size: 2 },
      { name: 'key', size: 2 },
    ],
    Float32Array.of(2, -3.4028234663852886e38, -1, 4),
  );
  const { data } = heatmap(scores)[DISPLAY]()[FIGURE] as unknown as {
    data: { z: Packed; zmin: number; zmax: number }[];
  };
  expect(unpacked(data[0].z).flat()).toEqual([2, Number.NaN, -1, 4]);
  expect(data[0]).toMatchObject({ zmin: -4, zmax: 4 });
});

test('the least weight is dark, and one of exactly 0 is told apart and said', () => {
  const figureOf = (weight: number) => {
    const pattern = new Activation(
      'p',
      [
        { name: 'head', size: 1 },
        { name: 'query', size: 3 },
        { name: 'key', size: 3 },
      ],
      Float32Array.of(1, 0, 0, weight, 1, 0, 0.2, 0.3, 0.5),
    );
    const bundle = attentionBundle({ heads: 1, kvHeads: 1, layers: [{ layer: 0, window: null, pattern }] });
    return bundle['image/svg+xml']!;
  };
  expect(figureOf(1e-12)).toContain('fill="#00224e"');
  expect(figureOf(1e-12)).not.toContain('fill="#b9bec7"');
  expect(figureOf(1e-12)).not.toContain('exactly 0');
  expect(figureOf(0)).toContain('fill="#b9bec7"');
  expect(figureOf(0)).toContain('pale grey: a weight of exactly 0');
});

test('a key after its query is a hole in every picture, and a zero before it is none', () => {
  const own = new Activation(
    'pattern',
    [
      { name: 'query', size: 2, from: 3, of: 5 },
      { name: 'key', size: 5 },
    ],
    Float32Array.of(0, 0.5, 0.5, 0, 0, 0.2, 0.2, 0.2, 0.2, 0.2),
  );
  const wanted = [0, 0.5, 0.5, 0, Number.NaN, 0.2, 0.2, 0.2, 0.2, 0.2].map(Math.fround);
  for (const shown of [own, heatmap(own)]) {
    const { data } = shown[DISPLAY]()[FIGURE] as unknown as { data: { z: Packed }[] };
    expect(unpacked(data[0].z).flat()).toEqual(wanted);
  }
});

test('Arrow keeps every bit, name and label', () => {
  const table = tableFromIPC(tableToIPC(pattern.toArrow(), 'file'));
  expect(table.numRows).toBe(6);
  expect(table.get(4)?.toJSON()).toMatchObject({ head: 1, query: 1, query_text: 'The' });
  const back = Activation.fromArrow(table);
  expect(back).toEqual(pattern);
  expect(() => fromArrow(tableFromIPC(traceToIpc([pattern], {})))).toThrow(/was not made from an activation/);
});

test('a trace in Arrow has a row for every row of every stage', () => {
  const table = tableFromIPC(traceToIpc([pattern, pattern.head(0)], { model: 'm' }));
  expect(table.numRows).toBe(9);
  expect(table.schema.metadata.get('model')).toBe('m');
});

const figureOf = (p: Activation, window: number | null = null) => ({
  layers: [{ layer: 0, pattern: p, window }],
  heads: 2,
  kvHeads: 1,
});

test('no text of a model is ever markup', () => {
  const evil = '<img src=x onerror=alert(1)>';
  const shown = [
    attentionBundle(figureOf(pattern)),
    logitsBundle({ rows: [{ id: 1, text: evil, logit: 1, probability: 0.5 }], prompt: evil }),
    pattern[DISPLAY](),
  ];
  for (const bundle of shown) {
    const { 'text/plain': text, ...rest } = bundle;
    expect(text.length).toBeGreaterThan(0);
    expect(JSON.stringify(rest)).not.toMatch(/<img|<script/);
  }
  expect(html`<b>${evil}</b>`.text).toBe('<b>&lt;img src=x onerror=alert(1)&gt;</b>');
});

test('the attention figure has a trace a head, hides the future, and draws the window', () => {
  const figure = attentionBundle(figureOf(pattern, 2))['application/vnd.plotly.v1+json']!;
  expect(figure.data).toHaveLength(2);
  expect(figure.data.map(d => d.name)).toEqual(['head 0 · kv 0', 'head 1 · kv 0']);
  const z = unpacked(figure.data[0].z as Packed);
  expect(z[0]).toEqual([0, Number.NaN, Number.NaN]);
  expect(z[2][0]).toBeNaN();
  expect(figure.layout.shapes).toHaveLength(2);
});

test('selectors: globs, lists, predicates, and the names of TransformerLens and Hugging Face', () => {
  const plan = planOf(configFromJson({ model_type: 'gemma3_text', num_hidden_layers: 12 }, 'c'));
  const names = (s: Parameters<typeof select>[1]) => select(plan, s).map(stage => stage.name);
  expect(names('layers.*.attn.pattern')).toHaveLength(12);
  expect(names('layers.{0,5}.resid')).toEqual(['layers.0.resid', 'layers.5.resid']);
  expect(names('layers.1.**').length).toBe(22);
  expect(names(['logits', 'embed'])).toEqual(['embed', 'logits']);
  expect(names(s => s.operation.kind === 'head')).toEqual(['logits']);
  expect(names('blocks.3.attn.hook_pattern')).toEqual(['layers.3.attn.pattern']);
  expect(names('blocks.*.hook_resid_post')).toHaveLength(12);
  expect(names('model.layers.3.self_attn.q_norm')).toEqual(['layers.3.attn.q_norm']);
  expect(() => names('layers.3.attn.patern')).toThrow(
    /No stage matches 'layers\.3\.attn\.patern'\. The nearest are 'layers\.3\.attn\.pattern'/,
  );
  expect(globToRegExp('a.*').test('a.b.c')).toBe(false);
  expect(globToRegExp('a.**').test('a.b.c')).toBe(true);
});

test('a report is one page with its figures, and no text of a model is markup in it', () => {
  const path = join(freshFolder(), 'out.html');
  const attention = { [DISPLAY]: () => attentionBundle(figureOf(pattern)) };
  report(path, attention, pattern, 'plain <b>text</b>');
  const page = readFileSync(path, 'utf8');
  const body = page.slice(page.lastIndexOf('<body>'));
  expect(body.match(/data-figure=/g)).toHaveLength(2);
  expect(body.match(/<\/div><noscript><svg /g)).toHaveLength(2); // where no script runs
  expect(body).not.toMatch(/alert\(1\)<|<b>text/);
  expect(page).not.toMatch(/<script[^>]+src=|<link/);
});

test('what is no activation is no table, and said so', () => {
  for (const wrong of [5, null, undefined, {}, [1], 'x', new Map()]) {
    expect(() => toArrow(wrong as never)).toThrow(/^toArrow takes an activation, not .*Take one from a run/);
    expect(() => traceToIpc([wrong] as never, {})).toThrow(/^traceToIpc takes an activation, not /);
  }
  expect(() => traceToIpc(null as never, {})).toThrow(/^traceToIpc takes a list of activations, not null/);
});
