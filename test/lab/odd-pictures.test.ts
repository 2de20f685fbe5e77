// Pictures of what is odd: no numbers, one token, parts of a model, values as far out as f32 goes, words as long or as foreign as there are. What is
// right is by construction, or counted beside.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { bar, compare, open, plot, type Session } from '../../lab/index.js';
import { Lens, type LensCell } from '../../lab/probe/lens.js';
import { Activation } from '../../lab/values/activation.js';
import { AttentionByToken, AttentionHeads, AttentionView } from '../../lab/values/attention.js';
import { Headroom } from '../../lab/values/headroom.js';
import { Beside, TopTokens } from '../../lab/values/next-token.js';
import { percentText } from '../../lab/values/numbers.js';
import { type Bundle, DISPLAY, type Shown } from '../../lab/values/shown.js';
import { Histogram, Norms, Outliers } from '../../lab/values/spread.js';

const of = (value: unknown): Bundle => (value as Shown)[DISPLAY]();
interface Trace {
  readonly name?: string;
  readonly x: unknown[];
  readonly y: unknown[];
  readonly text: string[];
}
const figureOf = (value: unknown) =>
  of(value)['application/vnd.plotly.v1+json'] as unknown as {
    data: Trace[];
    layout: {
      title: { text: string; subtitle?: { text: string } };
      margin: { b: number };
      xaxis: object;
      yaxis: object;
    };
  };
const said = (value: unknown) => figureOf(value).layout.title.subtitle?.text ?? '';

let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

const rows = (name: string, values: number[][]) =>
  new Activation(
    name,
    [
      { name: 'token', size: values.length },
      { name: 'channel', size: values[0].length },
    ],
    Float32Array.from(values.flat()),
  );

test('norms go on where one is no number: a gap, said, and in the text the first of them', () => {
  const norms = new Norms([
    rows('layers.0.resid', [
      [3, 4],
      [0, 2],
    ]),
    rows('layers.1.resid', [
      [6, 8],
      [Number.NaN, 2],
    ]),
  ]);
  const { data } = figureOf(norms);
  expect(data.map(({ name, y }) => [name, y])).toEqual([
    ['token 0', [5, 10]],
    ['token 1', [2, null]],
    ['mean', [3.5, 10]],
  ]);
  expect(said(norms)).toBe('1 of 4 norms is no finite number: a gap');
  expect(of(norms)['text/plain']).toMatch(/layers\.1\.resid +10 +NaN +token 1/);
  expect(of(norms)['image/svg+xml']).not.toMatch(/NaN|undefined/);
  expect(of(new Norms([rows('layers.0.resid', [[Number.NaN, 1]])]))['text/plain']).toBe(
    'L2 norm of layers.0.resid: no finite number',
  );
});

test('norms of one row are one line: its mean would lie over it', () => {
  expect(figureOf(new Norms([rows('a', [[3, 4]]), rows('b', [[6, 8]])])).data.map(({ name }) => name)).toEqual([
    'token 0',
  ]);
});

test('a line of an activation stands at its positions in the model, and says what it is', async () => {
  const run = await model.run('The capital of Japan is', { tap: 'layers.5.resid' });
  const part = run.at('layers.5.resid').slice({ token: 3, channel: [40, 72] });
  const { data, layout } = figureOf(plot(part));
  expect(data[0].x).toEqual(Array.from({ length: 32 }, (_, i) => 40 + i));
  expect(layout.xaxis).toMatchObject({ title: { text: 'channel' } });
  expect(layout.title.text).toBe('layers.5.resid[token 3] [channel 40:72 of 128]');
  expect(of(plot(part))['text/plain']).toMatch(
    new RegExp(`40 +${String(Number(part.data[0].toPrecision(7))).replace('-', '−')}`),
  );
  expect(figureOf(plot(part, { title: 'mine', x: 'c' })).layout).toMatchObject({
    title: { text: 'mine' },
    xaxis: { title: { text: 'c' } },
  });
});

const patternOf = (weights: number[], T: number, from = 0) => ({
  layer: 2,
  window: null,
  pattern: new Activation(
    'layers.2.attn.pattern',
    [
      { name: 'head', size: 1 },
      { name: 'query', size: T, from },
      { name: 'key', size: T, from },
    ],
    Float32Array.from(weights),
  ),
});

test('weights that are no number are told apart from what is masked, in words, and the axes stay', () => {
  const half = { layers: [patternOf([1, 0, Number.NaN, Number.NaN], 2)], heads: 1, kvHeads: 1 };
  const all = { layers: [patternOf([Number.NaN, 0, Number.NaN, Number.NaN], 2)], heads: 1, kvHeads: 1 };
  for (const [figure, n] of [
    [half, '2 weights are'],
    [all, '3 weights are'],
  ] as const) {
    for (const View of [AttentionView, AttentionHeads])
      expect(said(new View(figure))).toContain(`grey where a query may read: ${n} NaN`);
    expect(of(new AttentionByToken(figure))['text/html']).toContain(`No shade where a query may read: ${n} NaN.`);
  }
  expect(figureOf(new AttentionView(all)).layout).toMatchObject({
    xaxis: { range: [-0.5, 1.5], categoryarray: ['0', '1'] },
    yaxis: { range: [1.5, -0.5], categoryarray: ['0', '1'] },
  });
  const whole = { layers: [patternOf([1, 0, 0.5, 0.5], 2)], heads: 1, kvHeads: 1 };
  expect(said(new AttentionView(whole))).not.toContain('NaN');
});

test('what a picture without a script leaves out is counted in pictures, not in buttons', async () => {
  const run = await model.run('The capital of Japan is', { tap: 'layers.*.attn.pattern' });
  expect(of(run.attention())['image/svg+xml']).toContain('23 more views where scripts run'); // 6 layers of 4 heads
  expect(of(run.attention(5))['image/svg+xml']).toContain('3 more views where scripts run');
});

test('a part of one query is called so', async () => {
  const run = await model.run('The capital of Japan is', { tap: 'layers.5.attn.pattern', slice: { query: 4 } });
  expect(of(run.attention(5).heads())['image/svg+xml']).toContain('down: query 4; across: keys 0–5');
});

test('an error beside nothing but zeros is infinite', () => {
  const metrics = compare(Float32Array.of(1e-35, 0), Float32Array.of(0, 0), [2]);
  expect(metrics).toMatchObject({ relL2: Number.POSITIVE_INFINITY, maxAbs: Math.fround(1e-35) });
  expect(compare(Float32Array.of(0, 0), Float32Array.of(0, 0), [2])).toMatchObject({ relL2: 0, nmse: 0, cosine: 1 });
});

test('outliers say how far they stick out as people read it, also where most channels are 0', () => {
  const huge = new Outliers(rows('a', [[3e38, 1, 2]]), 3);
  expect(of(huge)['text/plain']).toMatch(/3\.0e\+38 +1\.5e\+38× /);
  const infinite = new Outliers(rows('a', [[Number.POSITIVE_INFINITY, 1, 2]]), 3);
  expect(of(infinite)['text/plain']).toMatch(/∞ +∞× /);
  expect(of(infinite)['text/plain']).not.toContain('Infinity');
  expect(new Outliers(rows('a', [[5, 0, 0]]), 3).rows.map(({ ratio }) => ratio)).toEqual([
    Number.POSITIVE_INFINITY,
    0,
    0,
  ]);
});

const top = (id: number, text: string, first: number, second: number) => ({
  ...{ id, text, probability: [first, second] as const },
  logit: [Math.log(first), Math.log(second)] as const,
});

test('differences of two runs have one form down a column, and shares two digits', () => {
  const beside = (rows: ReturnType<typeof top>[]) => figureOf(new Beside(rows, 0.1, ['a', 'b'])).data[1].text;
  const [small, larger] = beside([top(1, 'a', 0.5, 0.5000003), top(2, 'b', 0.003, 0.00301)]);
  expect(small).toContain('Δ +3.0e-5 points');
  expect(larger).toContain('Δ +1.0e-3 points');
  const mixed = [top(1, 'a', 0.5, 0.6), top(2, 'b', 0.003, 0.002999999)];
  expect(beside(mixed)[1]).toContain('Δ > −0.0001 points, logit > −0.0001');
  const { customdata } = figureOf(new Beside(mixed, 0.1, ['a', 'b'])).data[1] as unknown as { customdata: string[][] };
  expect(customdata[1][4]).toMatch(/^Δ −1\.0e-7 points, logit −3\.3e-7$/);
  const plain = beside([top(1, 'a', 0.5, 0.6), top(2, 'b', 0.03, 0.031)]);
  expect(plain.map(text => /Δ (\S+)/.exec(text)![1])).toEqual(['+10.00', '+0.10']);
  expect([0.00008, 0.000079, 0.005, 0.0001].map(percentText)).toEqual(['0.0080 %', '0.0079 %', '0.50 %', '0.010 %']);
});

test('a run of the bos alone is called so', () => {
  const rows = [{ id: 5, text: 'The', logit: 1, probability: 0.2 }];
  expect(figureOf(new TopTokens(rows, '')).layout.title.text).toBe('After the bos alone');
  const { data } = figureOf(new Beside([top(1, 'a', 0.5, 0.5)], 0, ['', ''], ['exact plan', 'fast plan']));
  expect(data.map(({ name }) => name)).toEqual(['1: the bos alone · exact plan', '2: the bos alone · fast plan']);
});

test('headroom says that the largest is a finite number where another is none, and has one form down a column', () => {
  const activations = [rows('a', [[1, 2]]), rows('b', [[Number.POSITIVE_INFINITY, 30]])];
  expect(of(Headroom.of(activations, 1))['text/plain']).toContain('the largest that is a finite number is 30, in b.');
  expect(of(Headroom.of([rows('a', [[70_000, 2]])], 1))['text/plain']).toContain('the largest is 7.0e+4, in a.');
  const table = of(Headroom.of([rows('a', [[1, 1]]), rows('b', [[6, 5]])], 1))['text/plain'];
  expect(table).toContain(' 0.00781 ');
  expect(table).toContain(' 0.0313 ');
});

test('a histogram ends where its values do, in both forms, and large numbers are written alike', () => {
  const histogram = new Histogram(rows('a', [[3e38, 1, 2, -1]]));
  const { layout } = figureOf(histogram);
  const { range } = layout.xaxis as { range: number[] };
  expect(range[0]).toBeCloseTo(-1, 5);
  expect(range[1] / Math.fround(3e38)).toBeCloseTo(1, 6);
  expect(layout.xaxis).toMatchObject({ exponentformat: 'e' });
  expect(of(histogram)['image/svg+xml']).toContain('>1e+38<');
  expect(of(bar({ a: 3e38, b: 1 }))['image/svg+xml']).toContain('>3e+38<');
});

test('what a pooled cell holds is called by its dimension', async () => {
  const ids = Array.from({ length: 300 }, (_, i) => 3 + ((i * 7) % 300));
  const run = await model.run(ids, { tap: ['layers.2.attn.q', 'logits'], logits: 'all' });
  expect(said(run.at('layers.2.attn.q'))).toContain('a cell is 5 rows × 1 dim, the largest');
  expect(said(run.at('logits'))).toContain('a cell is 2 tokens × 2 ids, the largest');
});

test('long tokens have room below a picture', () => {
  const labels = Array.from({ length: 6 }, (_, i) => `a word as long as ${i}`);
  const norm = new Activation('n', [{ name: 'token', size: 6, labels }], Float32Array.from([1, 2, 3, 4, 5, 6]));
  const longest = '5 a word as lo…'.length;
  expect(figureOf(norm).layout.margin.b).toBeGreaterThanOrEqual(48 + 6 * (longest - 1));
  const cell = (token: number): LensCell => ({
    ...{ stage: 'layers.0.resid', token, id: 1, text: 'a', probability: 0.5, top: [] },
    ...{ finalProbability: 0.5, finalRank: 1, finalId: 1, finalText: 'a' },
  });
  const lens = new Lens([labels.map((_, i) => cell(i))], labels);
  expect(figureOf(lens).layout.margin.b).toBeGreaterThanOrEqual(30 + 6 * (longest - 1));
});

test('words that are read from right to left leave the numbers beside them where they are', () => {
  const word = { id: 1, text: 'שלום', logit: 1, probability: 0.9 };
  const other = { id: 2, text: 'עולם', logit: 0, probability: 0.1 };
  const cell: LensCell = {
    ...{ stage: 'layers.0.resid', token: 0, id: 1, text: word.text, probability: 0.9, top: [word, other] },
    ...{ finalProbability: 0.9, finalRank: 1, finalId: 1, finalText: word.text },
  };
  const html = of(new Lens([[cell]], ['a']).table())['text/html']!;
  expect(html).toContain('<bdi>שלום</bdi> 90.0 %');
  expect(html).toContain('<bdi>עולם</bdi> 10.0 %');
});

test('what is masked around the worst place is written in the page’s grey, which both themes let be read', async () => {
  const text = 'The capital of Japan is Tokyo. The people of Japan speak Japanese. The capital of Japan is';
  const a = await model.run(text, { tap: '**' });
  const b = await model.run(text.replace('Tokyo', 'Paris'), { tap: '**' });
  const map = await (await compare(a, b)).map('layers.3.attn.scores'); // worst at query 6, which sees neither 7 nor 8
  const { layout } = figureOf(map) as unknown as {
    layout: { annotations: { text: string; font: { color?: string } }[] };
  };
  const masked = layout.annotations.filter(({ text }) => text === 'masked');
  expect(masked.map(({ font }) => font.color)).toEqual(Array.from({ length: 4 }, () => '#7f8791'));
  expect(of(map)['image/svg+xml']!.match(/>masked</g)).toHaveLength(4);
});
