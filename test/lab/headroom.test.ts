// The largest value of each stage beside what 16 bits hold.

import { expect, test } from 'vitest';
import '../../lab/display/all.js';
import { open } from '../../lab/session/open.js';
import { Activation } from '../../lab/values/activation.js';
import { Headroom } from '../../lab/values/headroom.js';

const of = (name: string, ...values: number[]) =>
  new Activation(name, [{ name: 'channel', size: values.length }], Float32Array.from(values));

test('planted: the first number that f16 rounds to infinity, NaN, a mask that counts for nothing, and spacings of bf16', () => {
  const { rows, beyond, largest } = new Headroom([
    of('small', 0.5, -1.5),
    of('most', 65519, 1),
    of('over', -65520, 1),
    of('nan', 1, Number.NaN),
    of('masked', -3.4028234663852886e38, 3),
    of('zero', 0, 0),
  ]);
  expect(rows.map(({ fitsF16 }) => fitsF16)).toEqual([true, true, false, false, true, true]);
  expect(beyond.map(({ stage }) => stage)).toEqual(['over', 'nan']);
  // 8 bits: from 1 to 2 in steps of 2⁻⁷, from 2¹⁵ in steps of 2⁸.
  expect(rows.map(({ bf16Spacing }) => bf16Spacing)).toEqual([2 ** -7, 256, 256, 2 ** -7, 2 ** -6, 0]);
  expect(largest.stage).toBe('over');
  expect(String(new Headroom([of('over', 1e5)]))).toMatch(
    /does not hold 1 of 1 stages, first over: the largest is 1\.0e\+5/,
  );
});

test('of a run: every stage that was tapped, and none without a tap', async () => {
  using model = await open('atlas', { quiet: true });
  const run = await model.run('The capital of France is', { tap: ['layers.*.resid', 'layers.0.attn.scores'] });
  const { rows, beyond } = run.headroom();
  expect(rows.length).toBe(7);
  expect(beyond).toEqual([]);
  for (const { stage, maxAbs } of rows) expect(maxAbs).toBe(run.at(stage).stats().maxAbs);
  const bare = await model.run('The capital of France is');
  expect(() => bare.headroom()).toThrow(/Nothing was tapped/);
});
