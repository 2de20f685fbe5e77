// Pictures of one's own numbers: what they hold, what they say, and what they refuse.

import { expect, test } from 'vitest';
import { Activation, bar, heatmap, plot } from '../../lab/index.js';
import { type Bundle, DISPLAY, type Shown } from '../../lab/values/shown.js';
import { type Packed, unpacked } from '../fixtures/plotly.js';

const of = (value: unknown): Bundle => (value as Shown)[DISPLAY]();
const figure = (value: unknown) =>
  of(value)['application/vnd.plotly.v1+json']! as unknown as {
    data: { name?: string; x: unknown[]; y: unknown[]; z?: Packed; zmin?: number; zmax?: number }[];
    layout: { title: { subtitle: { text: string } } } & Record<'xaxis' | 'yaxis', { title: { text: string } }>;
  };

test('lines have the numbers they were given, and gaps where there is none, which is said', () => {
  const one = figure(plot([3, 1, 2]));
  expect(one.data).toHaveLength(1);
  expect(one.data[0]).toMatchObject({ x: [0, 1, 2], y: [3, 1, 2] });
  const two = figure(plot([10, 20, 30], { a: [1, Number.NaN, 3], b: new Float32Array([4, 5, Infinity]) }, { x: 'n' }));
  expect(two.data.map(({ name, y }) => [name, y])).toEqual([
    ['a', [1, null, 3]],
    ['b', [4, 5, null]],
  ]);
  expect(two.layout.title.subtitle.text).toBe('2 of the values are no finite number: a gap');
  expect(of(plot([3, 1, 2], undefined, { title: 'three' }))['text/plain']).toMatch(/^three\n/);
  expect(of(plot([3, 1, 2], { title: 'three', log: 'y' }))['text/plain']).toMatch(/^three\n/);
  expect(of(plot([1_000_001, 1_000_002]))['text/plain']).toMatch(/0 +1000001\n +1 +1000002/);
  const row = new Activation('x', [{ name: 'token', size: 3 }], new Float32Array([1, 2, 4]));
  expect(figure(plot(row)).data[0].y).toEqual([1, 2, 4]);
});

test('what stands around a line may come after it, as with bars; lines may be called x and y all the same', () => {
  const { data, layout } = figure(plot([1, 10, 100], { log: 'y', y: 'seconds' })) as unknown as {
    data: unknown[];
    layout: { yaxis: object };
  };
  expect(data).toHaveLength(1);
  expect(layout.yaxis).toMatchObject({ type: 'log', title: { text: 'seconds' } });
  expect(figure(plot([0, 1], { x: [1, 2], y: [3, 4] })).data.map(({ name }) => name)).toEqual(['x', 'y']);
});

test('numbers that only their last digits tell apart are written in full', () => {
  const close = plot([1000001, 1000002, 1000004]);
  const written = of(close)['image/svg+xml']!;
  expect(written).toContain('>1,000,004.0<');
  expect(of(close)['text/plain']).toContain('1000002');
  const { layout } = figure(close) as unknown as { layout: { yaxis: object; xaxis: object; margin: { l: number } } };
  expect(layout.yaxis).toMatchObject({ tickformat: ',.1f' });
  expect(layout.margin.l).toBeGreaterThan(100);
  expect(layout.xaxis).toMatchObject({ ticktext: ['0', '1', '2'] });
});

test('bars stand for their names, twice the same too', () => {
  expect(figure(bar({ a: 1, b: -2 })).data[0]).toMatchObject({ x: ['a', 'b'], y: [1, -2] });
  const [{ x, y }] = figure(bar(['a', 'a', 'b'], [1, 2, 3])).data;
  expect(new Set(x).size).toBe(3);
  expect(y).toEqual([1, 2, 3]);
});

const said = (value: unknown) => figure(value).layout.title.subtitle?.text;
const NOTHING_ODD = /NaN|Infinity|undefined/;

test('bars on a logarithmic scale have heights by it, from the power of ten below the least', () => {
  const drawn = bar({ a: 1, b: 1000, c: 0, d: -1 }, { log: 'y', y: 'ms' });
  const { data, layout } = figure(drawn) as unknown as { data: { y: unknown }[]; layout: { yaxis: object } };
  expect(data[0].y).toEqual([1, 1000, null, null]);
  expect(layout.yaxis).toMatchObject({ type: 'log', exponentformat: 'power', range: [-1, 3.2] });
  expect(layout.yaxis).not.toHaveProperty('rangemode');
  expect(said(drawn)).toBe('2 of the values are 0 or less, which a logarithmic axis has not: no bar');
  const picture = of(drawn)['image/svg+xml']!;
  const heights = [...picture.matchAll(/<rect [^>]*height="([\d.]+)" fill="#4c8dae"/g)].map(([, height]) =>
    Number(height),
  );
  expect(heights).toHaveLength(2);
  expect(heights[1] / heights[0]).toBeCloseTo(4, 1);
  expect(picture).toContain('10²');
  expect(said(bar(['a', 'b'], [1, 1000], { log: 'y' }))).toBeUndefined();
  for (const log of ['x', 'xy'] as const)
    expect(() => bar({ a: 1 }, { log })).toThrow(
      `log of bar is 'y', not '${log}': along x stand names, which have no scale. Leave x out.`,
    );
  expect(() => bar({ a: 1 }, { log: 'q' } as never)).toThrow("log of bar is 'y', not 'q'");
});

test('what is left out is said with why, and nothing that is no number reaches a picture', () => {
  const gap = 'which a logarithmic axis has not: a gap';
  const cases: [unknown, string | undefined][] = [
    [plot([0, -1, 5, 10], { log: 'y' }), `2 of the values are 0 or less, ${gap}`],
    [plot([0, -1], { log: 'y' }), `2 of the values are 0 or less, ${gap}`],
    [
      plot([-1, 0, 1], [1, 0, 3], { log: 'xy' }),
      `2 of x are 0 or less, ${gap}<br>1 of the values is 0 or less, ${gap}`,
    ],
    [plot([3, 2, 1], { log: 'x' }), `1 of x is 0 or less, ${gap}`],
    [plot([1, Number.NaN, 3], [1, 2, 3]), '1 of x is no finite number: a gap'],
    [bar({ a: Infinity, b: 1 }), '1 of the values is no finite number: no bar'],
    [bar({ a: Number.NaN }), '1 of the values is no finite number: no bar'],
    [plot([1e308, 1, -1e308]), '2 of the values are farther from 0 than 1e250, more than a page draws: a gap'],
    [plot([1e308, 1]), '1 of the values is farther from 0 than 1e250, more than a page draws: a gap'],
    [plot([5e-324, 1e-323]), '2 of the values are nearer to 0 than 1e-250, less than a page draws: drawn as 0'],
    [plot([5e-324, 1], { log: 'y' }), '1 of the values is nearer to 0 than 1e-250, less than a page draws: a gap'],
    [plot([5e-324, 1]), undefined],
    [plot([1e-250, 1e250], { log: 'y' }), undefined],
    [plot([1e250, 1e250]), undefined],
    [plot([1e-20, 2e-20]), undefined],
    [plot([1, 1 + Number.EPSILON]), undefined],
    [plot([Number.NaN]), '1 of the values is no finite number: a gap'],
    [bar({ a: 1e-240, b: 1e240 }, { log: 'y' }), undefined],
    [bar({ a: 0 }, { log: 'y' }), '1 of the values is 0 or less, which a logarithmic axis has not: no bar'],
    [bar({ a: 5 }, { log: 'y' }), undefined],
    [heatmap([[Number.NaN, 5, -Infinity]]), '2 of the values are no finite number: a hole'],
    [heatmap([[1e308, -1e308, 2]]), '2 of the values are farther from 0 than 1e250, more than a page draws: a hole'],
    [heatmap([[1e250, -1e250]]), undefined],
    [heatmap([[1e-323, 0]]), '1 of the values is nearer to 0 than 1e-250, less than a page draws: drawn as 0'],
  ];
  for (const [value, words] of cases) {
    expect(said(value)).toBe(words);
    const bundle = of(value);
    expect(bundle['image/svg+xml']).not.toMatch(NOTHING_ODD);
    expect(JSON.stringify((value as { figure: unknown }).figure)).not.toMatch(NOTHING_ODD);
  }
  expect(() => heatmap([[1e308, Number.NaN]])).toThrow('no finite number that a page draws');
  expect(of(plot([1e-20, 2e-20]))['image/svg+xml']).toContain('>1.2e−20<');
  expect(figure(plot([1, Number.NaN, 3], [1, 2, 3])).data[0]).toMatchObject({ x: [1, null, 3], y: [1, 2, 3] });
});

test('numbers of any size have their lines, bars and cells', () => {
  const sizes = [-1e250, -1e30, -3, -1e-12, -1e-250, 0, 1e-250, 1e-50, 1e-12, 0.1, 1, 3, 1e15, 1e39, 1e250];
  for (const a of sizes)
    for (const b of sizes)
      for (const log of [undefined, 'y', 'xy'] as const) {
        const drawn = [plot([a, b], [b, a], { log }), bar({ a, b }, log ? { log: 'y' } : {}), heatmap([[a, b]])];
        for (const one of drawn) expect(of(one)['image/svg+xml']).not.toMatch(NOTHING_ODD);
      }
});

test('a grid keeps numbers that f32 has not, and what attention hides is a hole in it and a gap in a line', () => {
  const [small] = figure(heatmap([[1e-50, 2e-50]])).data;
  expect([small.z!.dtype, small.zmin, small.zmax]).toEqual(['f8', 0, 2e-50]);
  expect(unpacked(small.z as Packed)).toEqual([[1e-50, 2e-50]]);
  expect(figure(heatmap([[1e300 / 1e100, 1]])).data[0].zmax).toBe(1e200);
  const hidden = -3.4028234663852886e38;
  const row = new Activation('scores', [{ name: 'key', size: 3 }], new Float32Array([1, hidden, -1e35]));
  expect(figure(heatmap([row, [1, 2, hidden]])).data[0]).toMatchObject({ zmin: 0, zmax: 2 });
  expect(unpacked(figure(heatmap([row])).data[0].z as Packed)).toEqual([[1, Number.NaN, Number.NaN]]);
  expect(said(heatmap([row]))).toBe('2 of the values are masked: a hole');
  expect(figure(plot(row)).data[0].y).toEqual([1, null, null]);
  expect(said(plot(row))).toBe('2 of the values are masked: a gap');
  expect(plot(row).text).toMatch(/1 +masked/);
});

test('a grid keeps its rows, its names and its sign, and says where it is pooled', () => {
  const small = figure(
    heatmap(
      [
        [1, 2],
        [3, 4],
      ],
      { x: ['p', 'q'], y: [7, 8] },
    ),
  ).data[0];
  expect(unpacked(small.z as Packed)).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect([small.x, small.y, small.zmin, small.zmax]).toEqual([['p', 'q'], ['7', '8'], 0, 4]);
  expect(figure(heatmap([[-1, 4]])).data[0]).toMatchObject({ zmin: -4, zmax: 4 });
  expect(figure(heatmap([[9, 10]])).data[0]).toMatchObject({ zmin: 9, zmax: 10 });
  const rows = Array.from({ length: 500 }, (_, i) =>
    Array.from({ length: 2 }, (_, j) => (i === 321 && j === 1 ? 5 : 0)),
  );
  const large = figure(heatmap(rows));
  expect(large.layout.title.subtitle.text).toBe('a cell is 4 rows × 1 column, the largest |x| of them');
  expect(unpacked(large.data[0].z as Packed)[80]).toEqual([0, 5]);
  const part = new Activation(
    'scores',
    [
      { name: 'head', size: 1, from: 3, of: 4 },
      { name: 'dim', size: 2 },
    ],
    new Float32Array([1, 2]),
  );
  expect(figure(heatmap(part)).data[0].y).toEqual(['3']);
});

test('a grid of an activation has its axes, its tokens as every picture writes them, and holes where no query reads', () => {
  const labels = ['<bos>', ' A', '  b'];
  const dims = [
    { name: 'query' as const, size: 3, labels },
    { name: 'key' as const, size: 3, labels },
  ];
  const pattern = new Activation('pattern', dims, new Float32Array([1, 0, 0, 0.5, 0.5, 0, 0, 0.25, 0.75]));
  const { data, layout } = figure(heatmap(pattern));
  const nothing = Number.NaN;
  const seen = [
    [1, nothing, nothing],
    [0.5, 0.5, nothing],
    [0, 0.25, 0.75],
  ];
  expect(unpacked(data[0].z as Packed)).toEqual(seen);
  expect(unpacked(figure(pattern as unknown as Shown).data[0].z as Packed)).toEqual(seen);
  expect([layout.xaxis.title.text, layout.yaxis.title.text]).toEqual(['key', 'query']);
  expect(data[0].x).toEqual(['0 &lt;bos&gt;', '1 \u2423A', '2 \u2423 b']);
  expect(data[0].y).toEqual(data[0].x);
});

test('what cannot be drawn is refused with what was given', () => {
  const wrong: [() => unknown, RegExp][] = [
    [() => plot([1, 2], [1]), /plot was given 2 of x and 1 of y. Give as many/],
    [() => plot([1, 2], { a: [1, 2, 3] }), /2 of x and 3 of a/],
    [() => plot([1], {}), /was given no line/],
    [() => plot([]), /plot was given no values. Give numbers/],
    [() => plot([], []), /plot was given no values/],
    [() => plot([], { a: [] }), /plot was given no values/],
    [() => bar({}), /bar was given no values. Give \{ name: value \}/],
    [() => bar([], []), /bar was given no values/],
    [() => plot(['a' as unknown as number]), /was given 'a' as x\[0\], and a number is needed/],
    [() => plot(3 as never), /was given 3 as x, and numbers are needed/],
    [() => plot(new Float64Array(30_000)), /was given 30000 points, and a page carries 20000/],
    [() => bar(['a'], [1, 2]), /1 of names and 2 of values/],
    [() => bar(['a']), /names without values/],
    [() => heatmap([[1, 2], [3]]), /2 of row 0 and 1 of row 1/],
    [() => heatmap([]), /no values/],
    [() => heatmap(null as never), /takes rows of numbers, .*not null/],
    [() => heatmap(undefined as never), /not undefined/],
    [() => plot([], null as never), /as y, not null/],
    [() => plot([1], { titel: 'x' } as never), /titel/],
    [() => plot([1], [2], { titel: 'x' } as never), /titel/],
    [() => bar({ a: 1 }, { titel: 'x' } as never), /titel/],
    [() => heatmap([[1]], { log: 'x' } as never), /log/],
    [() => heatmap([[Number.NaN]]), /no finite number/],
    [() => heatmap([[1, 2]], { x: ['a'] }), /1 of x and 2 of columns/],
    [
      () => heatmap(new Activation('a', [{ name: 'token', size: 1 }], new Float32Array(1))),
      /'a' of 1 dimensions, and it draws two/,
    ],
  ];
  for (const [make, message] of wrong) expect(make).toThrow(message);
});

test('names are text', () => {
  const evil = '<img src=x onerror=alert(1)>';
  for (const value of [
    plot([1], { [evil]: [1], b: [2] }, { title: evil, x: evil, y: evil }),
    bar({ [evil]: 1 }, { title: evil }),
    heatmap([[1]], { x: [evil], y: [evil], title: evil }),
  ]) {
    const bundle = of(value);
    expect(JSON.stringify(bundle['application/vnd.plotly.v1+json'])).not.toContain('<img');
    expect(bundle['image/svg+xml']).not.toContain('<img');
  }
});

test('long names are as long as there is room for, and still told apart', () => {
  const long = 'a very long name that somebody gives because his stages are called so, layers.3.attn.q_rope and';
  const lines = { [`${long} exact`]: [1, 2, 3], [`${long} fast`]: [3, 2, 1], b: [0, 0, 0] };
  const { figure, text } = plot([0, 1, 2], lines, { title: long, x: long, y: long });
  const { xaxis, yaxis } = figure.layout as Record<string, { title: { text: string } }>;
  expect([xaxis.title.text.length, yaxis.title.text.length]).toEqual([80, 36]);
  expect(yaxis.title.text).toBe('a very long name that somebody give…');
  const names = (figure.data as { name: string }[]).map(({ name }) => name);
  expect(names.map(name => name.length)).toEqual([60, 60, 1]);
  expect(names.map(name => name.slice(-11))).toEqual(['e and exact', 'pe and fast', 'b']);
  expect(text).toContain(`${long} exact`);
  const bars = bar({ a: 1 }, { x: long, y: long }).figure.layout as typeof figure.layout &
    Record<string, { title: { text: string } }>;
  expect([bars.xaxis.title.text.length, bars.yaxis.title.text.length]).toEqual([80, 36]);
});
