// Arithmetic and reductions of activations, against numpy 2's float64 (rounded to f32) on the same values.

import { expect, test } from 'vitest';
import { NumberError, OptionError } from '../../engine/errors.js';
import { Activation } from '../../lab/values/activation.js';
import { MASKED } from '../../lab/values/stats.js';

const wave = (of: (x: number) => number, step: number, high: number) =>
  Float32Array.from({ length: 24 }, (_, i) => of(i * step) * high);
const DIMS = [
  { name: 'head', size: 2 },
  { name: 'token', size: 3, labels: ['<bos>', 'The', ' capital'] },
  { name: 'dim', size: 4 },
] as const;
const a = new Activation('a', DIMS, wave(Math.sin, 0.7, 3));
const b = new Activation('b', DIMS, wave(Math.cos, 0.3, 2));
const line = (...values: number[]) =>
  new Activation('line', [{ name: 'dim', size: values.length }], Float32Array.from(values));
const f32 = (values: readonly number[]) => Float32Array.from(values);

const NUMPY: readonly [string, Activation, readonly string[], readonly number[]][] = [
  [
    'minus',
    a.minus(b),
    ['head', 'token', 'dim'],
    [
      -2.0, 0.02198004722595215, 1.305677890777588, 1.3464080095291138, 0.2802489399909973, -1.193824052810669,
      -2.160323143005371, -1.9376657009124756, -0.4190124273300171, 1.858586072921753, 3.9509449005126953,
      4.939464092254639, 4.357313632965088, 2.4091596603393555, -0.11891573667526245, -2.2174956798553467,
      -3.1125311851501465, -2.6103668212890625, -1.1685165166854858, 0.3392835855484009, 1.0514814853668213,
      0.5375232696533203, -0.99111008644104, -2.7776644229888916,
    ],
  ],
  [
    'times',
    a.times(b),
    ['head', 'token', 'dim'],
    [
      0.0, 3.6926681995391846, 4.879960536956787, 3.2194771766662598, 0.7283133864402771, -0.14888054132461548,
      1.188143014907837, 2.975924253463745, 2.792952299118042, -0.09120587259531021, -3.902470827102661,
      -5.854776859283447, -4.598212718963623, -1.3898627758026123, 1.0780221223831177, 1.112617015838623,
      -0.5140623450279236, -1.4018523693084717, 0.1280418485403061, 3.3533904552459717, 5.706910133361816,
      5.073763370513916, 1.7281975746154785, -1.869991421699524,
    ],
  ],
  [
    'over',
    a.over(b),
    ['head', 'token', 'dim'],
    [
      0.0, 1.01150381565094, 1.790998101234436, 2.083000659942627, 1.3867019414901733, -7.438446044921875,
      5.754188537597656, 2.9190657138824463, 1.2841171026229858, -0.0278969444334507, -0.9954417943954468,
      -1.501045823097229, -1.4294801950454712, -0.6593555808067322, 1.1212780475616455, 6.259819030761719,
      -16.78609848022461, -2.4530696868896484, 0.07946296036243439, 1.2032337188720703, 1.5475494861602783,
      1.2687996625900269, 0.47849076986312866, -0.702573835849762,
    ],
  ],
  [
    "mean('token')",
    a.mean('token'),
    ['head', 'dim'],
    [
      -0.2962784767150879, 0.31024837493896484, 0.7708605527877808, 0.8689249157905579, 0.8660285472869873,
      0.5467080473899841, -0.029737723991274834, -0.5921974182128906,
    ],
  ],
  [
    'mean()',
    a.mean(),
    ['head', 'token'],
    [
      1.8696575164794922, -1.4023675918579102, 0.7730265855789185, -0.05435818433761597, -0.6705915331840515,
      1.3180508613586426,
    ],
  ],
  [
    "mean(['dim', 'head'])",
    a.mean(['dim', 'head']),
    ['token'],
    [0.9076496958732605, -1.0364795923233032, 1.0455386638641357],
  ],
  [
    "sum('head')",
    a.sum('head'),
    ['token', 'dim'],
    [
      2.5637967586517334, 2.8899481296539307, 1.8569117784500122, -0.049459218978881836, -1.9325686693191528,
      -2.9067611694335938, -2.5138580799102783, -0.9386487007141113, 1.0780221223831177, 2.5876822471618652,
      2.880314826965332, 1.8182904720306396,
    ],
  ],
  [
    'std()',
    a.std(),
    ['head', 'token'],
    [
      1.140048623085022, 1.5632154941558838, 1.8622374534606934, 1.9780794382095337, 1.891709327697754,
      1.617174744606018,
    ],
  ],
  ['std of all', a.std(['head', 'token', 'dim']), [], [2.0415432453155518]],
  [
    'norm()',
    a.norm(),
    ['head', 'token'],
    [4.379648685455322, 4.200132369995117, 4.032616138458252, 3.9576523303985596, 4.014103889465332, 4.172534942626953],
  ],
  [
    "norm('token')",
    a.norm('token'),
    ['head', 'dim'],
    [
      2.1439290046691895, 2.2011661529541016, 4.4115166664123535, 4.91745662689209, 4.902436256408691,
      3.2852466106414795, 1.4303369522094727, 3.5090599060058594,
    ],
  ],
  [
    'min()',
    a.min(),
    ['head', 'token'],
    [0.0, -2.9473578929901123, -1.893799901008606, -2.639087200164795, -2.937533140182495, -1.146214246749878],
  ],
  [
    "max('token')",
    a.max('token'),
    ['head', 'dim'],
    [
      1.0049644708633423, 1.9326530694961548, 2.9563491344451904, 2.9645047187805176, 2.9718220233917236,
      2.537240505218506, 0.9093550443649292, 2.008709192276001,
    ],
  ],
  ['argmax()', a.argmax(), ['head', 'token'], [2.0, 0.0, 3.0, 0.0, 3.0, 0.0]],
  ["argmax('token')", a.argmax('token'), ['head', 'dim'], [1.0, 0.0, 0.0, 2.0, 2.0, 2.0, 2.0, 1.0]],
  [
    'a mean taken from what it is of',
    a.minus(a.mean('token')),
    ['head', 'token', 'dim'],
    [
      0.2962784767150879, 1.62240469455719, 2.185488700866699, 1.720703125, 1.3012429475784302, -1.3625980615615845,
      -3.385587692260742, -3.8162827491760254, -1.597521424293518, -0.25980666279792786, 1.200099229812622,
      2.0955798625946045, 1.697768211364746, 0.41058701276779175, -1.0696996450424194, -2.0468897819519043,
      -3.8035616874694824, -2.4011194705963135, 0.13060685992240906, 2.6009066104888916, 2.1057934761047363,
      1.990532398223877, 0.939092755317688, -0.5540168285369873,
    ],
  ],
];

test.each(NUMPY)('%s is numpy’s', (_, found, dims, expected) => {
  expect(found.dims.map(({ name }) => name)).toEqual(dims);
  expect(found.data).toEqual(f32(expected));
});

test('values as halves, bf16 and whole numbers store them; sums do not lose what f32 would', () => {
  const half = line(...[2 ** -24, -6.097555160522461e-5, 65504, 2 ** -23]);
  expect([half.sum().get(), half.norm().get()]).toEqual([65504, 65504]);
  expect(
    line(...[3.140625, -0.00099945068359375, 256.0, 1.0002555517425873e30])
      .mean()
      .get(),
  ).toBe(2.500638879356468e29);
  expect(line(16777216, 1, 1, 1).sum().get()).toBe(16777220); // one after the other in f32: 16777216
  const many = new Activation('many', [{ name: 'dim', size: 1_000_000 }], new Float32Array(1_000_000).fill(0.1));
  expect([many.sum().get(), many.mean().get()]).toEqual([100000.0, Math.fround(0.1)]);
  expect(line(3e38, 3e38).sum().get()).toBe(Number.POSITIVE_INFINITY);
});

test('what is no number stays none, and what is masked stays masked and is in no sum', () => {
  const odd = line(1, Number.NaN, Number.NEGATIVE_INFINITY, MASKED);
  expect([...odd.minus(1).data]).toEqual([0, Number.NaN, Number.NEGATIVE_INFINITY, MASKED]);
  expect([...odd.minus(odd).data]).toEqual([0, Number.NaN, Number.NaN, MASKED]);
  for (const found of [odd.sum(), odd.mean(), odd.max(), odd.min(), odd.norm(), odd.std()])
    expect(found.get()).toBeNaN();
  expect(() => odd.argmax()).toThrow(NumberError);
  expect(() => odd.argmax()).toThrow(/line holds NaN at dim 1/);
  const scores = line(2, 4, MASKED);
  expect([scores.sum(), scores.mean(), scores.min(), scores.max(), scores.argmax()].map(s => s.get())).toEqual([
    6, 3, 2, 4, 1,
  ]);
  const hidden = line(MASKED, MASKED);
  for (const none of [hidden.sum(), hidden.norm(), hidden.mean(), hidden.std(), hidden.min(), hidden.max()]) {
    expect(none.get()).toBe(MASKED);
    expect(none.stats()).toMatchObject({ masked: 1, nans: 0 });
  }
  expect(() => hidden.argmax()).toThrow(/All of line along 'dim' is masked/);
  expect(line(Number.NEGATIVE_INFINITY, 1).min().get()).toBe(Number.NEGATIVE_INFINITY);
  expect(line(1).over(0).get(0)).toBe(Number.POSITIVE_INFINITY);
});

test('slices keep their places: in what comes out, and in what is refused', () => {
  const part = a.slice({ head: [1, 2], token: [1, 3] });
  expect(part.mean('dim').get(1, 2)).toBe(a.mean('dim').get(1, 2));
  expect(String(part.mean('token'))).toBe('a[head 1:2, token 1:3].mean(token 1:3) [head 1:2 of 2, dim 4]');
  expect(part.argmax('token').get(1, 0)).toBe(a.argmax('token').get(1, 0));
  expect([...part.argmax('token').data].every(at => at >= 1)).toBe(true);
  expect(part.minus(b.slice({ head: [1, 2], token: [1, 3] })).get(1, 1, 0)).toBe(a.minus(b).get(1, 1, 0));
  expect(part.minus(b.slice({ head: 1, token: [1, 3] })).get(1, 2, 3)).toBe(a.minus(b).get(1, 2, 3));
  for (const [find, words] of [
    [
      () => part.minus(a.slice({ head: [0, 1], token: [1, 3] })),
      /along 'head' they are of different positions, head 1:2 of 2 and head 0:1 of 2/,
    ],
    [
      () => a.slice({ token: [0, 2] }).plus(b.slice({ token: [1, 3] })),
      /along 'token' they are of different positions/,
    ],
    [() => a.mean('token').minus(a), /the second has the dimension 'token', and the first has head, dim/],
    [() => a.mean('tokens' as never), /a has no dimension 'tokens'/],
    [() => a.mean(['dim', 'dim']), /along dimensions that differ/],
    [() => a.mean([]), /along dimensions that differ/],
    [() => a.mean(2 as never), /by its name, or a list of them, not 2/],
    [() => a.argmax(['dim'] as never), /along one dimension/],
    [() => a.sum(['head', 'token', 'dim']).norm(), /is one value and has no dimension/],
    [() => a.minus('b' as never), /with another activation or a number, not 'b'/],
    [() => a.minus(undefined as never), /not undefined/],
    [() => new Activation('none', [{ name: 'dim', size: 0 }], new Float32Array()).max(), /no entries along 'dim'/],
  ] as const) {
    expect(find).toThrow(OptionError);
    expect(find).toThrow(words);
  }
});

test('labels that differ are told both, dimensions may come in another order, and what was made again is said', () => {
  const other = new Activation(
    'c',
    [DIMS[2], { ...DIMS[1], labels: ['<bos>', 'A', ' capital'] }],
    new Float32Array(12).fill(1),
    true,
  );
  const found = a.minus(other);
  expect(found.dims[1].labels).toEqual(['<bos>', 'The/A', ' capital']);
  expect(found.get(1, 2, 3)).toBe(Math.fround(a.get(1, 2, 3) - 1));
  expect(found.recomputed).toBe(true);
  const turned = new Activation(
    't',
    [
      { name: 'dim', size: 2 },
      { name: 'token', size: 2 },
    ],
    f32([1, 2, 3, 4]),
  );
  const straight = new Activation(
    's',
    [
      { name: 'token', size: 2 },
      { name: 'dim', size: 2 },
    ],
    f32([1, 2, 3, 4]),
  );
  expect([...straight.minus(turned).data]).toEqual([0, -1, 1, 0]);
});
