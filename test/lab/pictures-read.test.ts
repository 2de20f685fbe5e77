// What an eye finds in pictures, as numbers: areas of dots, digits of a column, minus signs, and room around titles and legends.

import { describe, expect, test } from 'vitest';
import { Roofline } from '../../lab/bench/roofline.js';
import { bar, heatmap, plot } from '../../lab/index.js';
import { titleLines } from '../../lab/display/page.js';
import { still } from '../../lab/display/still/still.js';
import type { Layout, Trace } from '../../lab/display/still/trace.js';
import { HeadScores } from '../../lab/probe/head-scores.js';
import { Patching } from '../../lab/probe/patching.js';
import { Activation } from '../../lab/values/activation.js';
import { AttentionView } from '../../lab/values/attention.js';
import { Beside, TopTokens } from '../../lab/values/next-token.js';
import { sci } from '../../lab/values/numbers.js';
import { type Bundle, DISPLAY, type Figure, type Shown } from '../../lab/values/shown.js';

const FIGURE = 'application/vnd.plotly.v1+json';
const of = (value: unknown): Bundle => (value as Shown)[DISPLAY]();
interface Drawn {
  readonly data: readonly (Trace & { readonly customdata?: unknown[]; readonly hovertemplate?: string })[];
  readonly layout: Layout;
}
const figureOf = (value: unknown) => of(value)[FIGURE] as unknown as Drawn;

test('where two tokens stand at one place, the space before each is shown', () => {
  const at = (labels: string[]) =>
    new Activation(
      'layers.0.resid',
      [{ name: 'token', size: 2, from: 0, of: 2, labels } as never],
      new Float32Array(2),
    );
  expect(at([' F', ' is']).minus(at([' It', ' is'])).dims[0].labels).toEqual(['␣F/␣It', ' is']);
});

describe('a roofline', () => {
  const step = (name: string, index: number, us: number, operation: string, perSecond: number) => ({
    ...{ step: name, index, us, operation, share: us / 1000, bytesRead: 4000, bytesWritten: 1000, operations: 5000 },
    ...{ bytesPerSecond: 1e9, operationsPerSecond: perSecond, ofBandwidth: 0.1, ofArithmetic: 0.1, reached: 0.1 },
    bound: 'bandwidth' as const,
  });
  const steps = [
    step('logits', 0, 720, 'linear', 2e5), // the lowest and the longest
    step('layers.0.attn.q', 1, 180, 'linear', 1e10),
    step('layers.0.attn.k', 2, 90, 'linear', 1e9),
    step('layers.0.input_norm', 3, 9.9, 'rmsNorm', 1e9),
    step('embed', 4, 0.1, 'linear', 1e8),
  ];
  const roofline = Object.assign(Object.create(Roofline.prototype), {
    ...{
      model: 'm',
      plan: 'fast',
      adapter: 'a',
      edited: [],
      extent: { tokens: 1, context: 64 },
      operations: [],
      steps,
    },
    ceilings: { bytesPerSecond: 1e10, operationsPerSecond: 1e11, store: 'buffer', rounds: 1 },
  });

  test('has dots whose areas are their steps’ times, down to one that can be pointed at, which it says', () => {
    const { data, layout } = figureOf(roofline);
    const sizes = new Map<number, number>();
    for (const { marker, customdata } of data)
      for (const [i, text] of ((customdata ?? []) as string[]).entries())
        sizes.set(Number(/step (\d+)/.exec(text)![1]), (marker!.size as number[])[i]);
    expect(sizes.size).toBe(5);
    const area = (index: number) => sizes.get(index)! ** 2;
    expect(area(0) / area(1)).toBeCloseTo(4, 2);
    expect(area(1) / area(2)).toBeCloseTo(2, 2);
    // 5 of 32 pixels across: 2.44 % of the largest one's area, whose step takes 72 % of the time.
    expect([sizes.get(0), sizes.get(3), sizes.get(4)]).toEqual([32, 5, 5]);
    expect(layout.title?.subtitle?.text).toContain('its area its time; a step under 1.8 % is drawn as one of 1.8 %');
    const radii = [...of(roofline)['image/svg+xml']!.matchAll(/<circle [^>]* r="([\d.]+)"/g)].map(([, r]) => Number(r));
    expect(radii.sort((a, b) => b - a)).toEqual([16, 8, 5.7, 2.5, 2.5]);
  });

  test('has the name of its slope within the picture, where the slope is short', () => {
    const named = (ceilings: Partial<Roofline['ceilings']>) => {
      const other = { ...roofline.ceilings, ...ceilings };
      const { layout } = figureOf(Object.assign(Object.create(Roofline.prototype), roofline, { ceilings: other }));
      const [first] = (layout as unknown as { annotations: { xanchor: string; yanchor: string }[] }).annotations;
      return [first.xanchor, first.yanchor];
    };
    expect(named({})).toEqual(['right', 'bottom']); // left of the slope and above it
    expect(named({ bytesPerSecond: 1e11, operationsPerSecond: 2e10 })).toEqual(['left', 'top']); // no room there: below it
  });

  test('keeps its largest dot inside, where it stands lowest', () => {
    const picture = of(roofline)['image/svg+xml']!;
    const { layout } = figureOf(roofline);
    const bottom = layout.height - layout.margin.b;
    const ends = [...picture.matchAll(/<circle cx="[^"]*" cy="([\d.]+)" r="([\d.]+)"/g)].map(
      ([, y, r]) => Number(y) + Number(r),
    );
    expect(Math.max(...ends)).toBeLessThanOrEqual(bottom);
    expect(Math.max(...ends)).toBeGreaterThan(bottom - 40);
  });
});

test('a legend of many rows stands under the picture: the title has its own lines above it, and no more', () => {
  const names = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`a line with a long name ${i}`, [i, 1, 2]]));
  const { data, layout } = figureOf(plot([0, 1, 2], names, { title: 'seven', x: 'n' }));
  expect(data).toHaveLength(7);
  expect(layout.margin.t).toBe(50);
  expect(layout.legend).toMatchObject({ yanchor: 'top' });
  expect(layout.legend?.y).toBeLessThan(0);
  // A row a name in the narrowest cell, below the axis.
  expect(layout.margin.b).toBeGreaterThanOrEqual(54 + 7 * 19);
  const written = of(plot([0, 1, 2], names, { title: 'seven', x: 'n' }))['image/svg+xml']!;
  const places = [...written.matchAll(/<text[^>]* y="([\d.]+)"[^>]*>(?:<tspan[^>]*>)?a line with/g)].map(m =>
    Number(m[1]),
  );
  expect(places).toHaveLength(7);
  expect(Math.min(...places)).toBeGreaterThan(layout.height - layout.margin.b + 54);
  expect(Math.max(...places)).toBeLessThan(layout.height);
});

describe('two runs beside each other', () => {
  const row = (text: string, probability: [number, number], logit: [number, number]) => ({
    text,
    id: 1,
    probability,
    logit,
  });
  const besides = (...rows: object[]) =>
    Object.assign(Object.create(Beside.prototype), { rows, kl: 1, prompts: ['a', 'b'], runs: ['', ''] });
  const changes = (value: unknown) => (figureOf(value).data[1].customdata as unknown[][]).map(one => one[3]);

  test('have as many decimals down a column', () => {
    const two = besides(
      row('a', [0.999, 0.000022], [12.5, 0.5]),
      row('b', [0.000016, 0.997], [0.25, 10.001]),
      row('c', [0.000085, 0.00017], [-3, -3.503]),
      row('d', [0.5, 0.5], [1, 1]),
    );
    expect(changes(two)).toEqual([
      'Δ −99.898 points, logit −12.00',
      'Δ +99.698 points, logit +9.75',
      'Δ +0.009 points, logit −0.50',
      'no change',
    ]);
    expect(of(two)['text/plain']).toMatch(/−12\.00\n.*\+9\.75\n.*−0\.50\n.* 0\.00/);
    expect((figureOf(two).data[0].customdata as unknown[][])[2][2]).toBe('−3');
  });

  test('do not look equal where a change is too small for its column, or all are small', () => {
    expect(changes(besides(row('a', [0.9, 0.1], [12, 2]), row('b', [0.1, 0.100000001], [1, 1.0000001])))).toEqual([
      'Δ −80.000 points, logit −10.000',
      'Δ < +0.001 points, logit < +0.001',
    ]);
    expect(changes(besides(row('a', [0.5, 0.5000002], [1, 1.00002]), row('b', [0.5, 0.4999998], [1, 0.9994])))).toEqual(
      ['Δ +2.0e-5 points, logit +2.0e-5', 'Δ −2.0e-5 points, logit −6.0e-4'],
    );
  });

  test('are told by their prompts on one line each, with the spaces that they begin with', () => {
    const two = besides(row('a', [0.9, 0.1], [12, 2]));
    two.prompts = [' one\ntwo', 'b'];
    expect(of(two)['text/plain']).toContain('\n1: ␣one↵two\n2: b\n');
    expect(figureOf(two).data[0].name).toBe('1: ␣one↵two');
  });
});

test('one minus stands before numbers, in pictures and tables; the exponent is as programs write it', () => {
  expect([-1.905, -1.24e-7, Number.NEGATIVE_INFINITY, -0, 3].map(sci)).toEqual(['−1.905', '−1.2e-7', '−∞', '0', '3']);
  const patched = new Patching(['embed'], ['a', 'b', 'c'], [[-0.12, 1, -0.001]], 'x', 'y');
  const scores = Object.assign(Object.create(HeadScores.prototype), {
    ...{ induction: [[Number.NaN]], duplicate: [[Number.NaN]], previous: [[0.5]], ablation: [[-0.25]] },
    top: (kind: string) => [{ layer: 0, head: 0, score: kind === 'ablation' ? -0.25 : 0.5 }],
  });
  const values = [
    plot([-1, 2, -3]),
    bar({ a: -1.5 }),
    heatmap([[-2, 1]]),
    patched,
    scores,
    new Activation('logits', [{ name: 'token', size: 3, from: 0, of: 3 } as never], new Float32Array([-1.905, 0, 2])),
  ];
  for (const value of values) {
    const bundle = of(value);
    const drawn = JSON.stringify(figureOf(value).data.map(({ text, customdata }) => [text, customdata]));
    const written = [...bundle['image/svg+xml']!.matchAll(/>([^<>]+)</g)].map(([, text]) => text).join('\n');
    for (const form of [bundle['text/plain'], written, drawn]) expect(form).not.toMatch(/(^|[^\w)])-[\d.∞]/m);
    expect(bundle['text/plain']).toMatch(/−[\d.]/);
  }
  // A format within a hover has a hyphen: numbers of both signs come as plotly writes them on their axis.
  for (const value of values)
    for (const { hovertemplate } of figureOf(value).data) expect(hovertemplate).not.toMatch(/%\{[yz]:/);
});

test('the axis of unlikely next tokens has numbers that differ', () => {
  const rows = [0.0041, 0.0039].map((probability, id) => ({ id, text: `${id}`, logit: 1, probability }));
  const svg = of(new TopTokens(rows, 'Once'))['image/svg+xml']!;
  const ticks = [...svg.matchAll(/>([\d.]+)%</g)].map(([, tick]) => Number(tick));
  expect(ticks.length).toBeGreaterThan(2);
  expect(new Set(ticks).size).toBe(ticks.length);
  expect(Math.max(...ticks)).toBeCloseTo(0.4, 5);
});

test('a prompt above its next tokens is as long as the narrowest cell has room for', () => {
  const title = (prompt: string) =>
    (figureOf(new TopTokens([], prompt)).layout.title as { text: string }).text
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>');
  expect(title('The capital of Japan is')).toBe('After “The capital of Japan is”');
  expect(title('a'.repeat(60))).toBe(`After “…${'a'.repeat(title('a'.repeat(60)).length - 9)}”`);
  expect(title('<0xFE>'.repeat(30)).length).toBeLessThan(title('a'.repeat(60)).length);
});

test('a difference is titled by its two sides, broken between them', () => {
  const side = 'layers.5.resid (patched layers.3.attn.mix[head 2] = 0)';
  expect(titleLines(`layers.5.resid (no patch) - ${side} [token 26, channel 128]`)).toEqual([
    'layers.5.resid (no patch)',
    `- ${side}`,
    '[token 26, channel 128]',
  ]);
  expect(titleLines('a - b')).toEqual(['a - b']);
});

test('a scale of attention ends at the largest weight where that is small, and says so', () => {
  const view = (most: number) => {
    const dims = [
      { name: 'head' as const, size: 1 },
      { name: 'query' as const, size: 1, from: 3 },
      { name: 'key' as const, size: 4 },
    ];
    const pattern = new Activation('layers.5.attn.pattern', dims, Float32Array.of(most, 0.1, 0.1, 0.1));
    const figure = { layers: [{ layer: 5, pattern, window: null }], heads: 1, kvHeads: 1 };
    return figureOf(new AttentionView(figure));
  };
  const [small, large] = [view(0.187), view(0.7)];
  expect(small.data[0].zmax).toBe(0.19);
  expect(JSON.stringify(small.layout.title)).toContain('colours end at 0.19: no weight is larger');
  expect((small.data[0].colorbar as { ticktext: string[] }).ticktext.at(-1)).toBe('0.19');
  expect(large.data[0].zmax).toBe(1);
});

test('a picture of one’s own numbers that is pooled says so at its axes', () => {
  const grid = figureOf(heatmap(Array.from({ length: 400 }, () => Array.from({ length: 500 }, (_, i) => i))));
  expect([grid.layout.xaxis?.title?.text, grid.layout.yaxis?.title?.text]).toEqual([
    'column, 3 a cell',
    'row, 3 a cell',
  ]);
});

test('cells that touch have one edge: a hair between them would be a line', () => {
  const row = new Activation(
    'a',
    [{ name: 'token', size: 300 }],
    Float32Array.from({ length: 300 }, (_, i) => i),
  );
  const svg = of(row)['image/svg+xml']!;
  const ends = [...svg.matchAll(/M([\d.]+) [\d.]+H([\d.]+)V/g)].map(([, left, right]) => [Number(left), Number(right)]);
  expect(ends.length).toBeGreaterThan(10);
  const lefts = new Set(ends.map(([left]) => left));
  const most = Math.max(...ends.map(([, right]) => right));
  expect(ends.filter(([, right]) => right < most && !lefts.has(right))).toEqual([]);
});

test('what a bar of colours is called stands clear of the number at its top', () => {
  const figure = figureOf(
    new Patching(
      ['embed', 'layers.0.resid'],
      ['a', 'b'],
      [
        [0, 1],
        [1, 0],
      ],
      'x',
      'y',
    ),
  );
  const written = still(figure as unknown as Figure);
  const at = (text: string) =>
    Number(new RegExp(`<text[^>]* y="([\\d.]+)"[^>]*>(?:<tspan[^>]*>)?${text}`).exec(written)![1]);
  // Baselines: 11 pixels of a number are above its own, 3 of the title below.
  expect(at('100%') - at('restored')).toBeGreaterThan(11 + 3);
});
