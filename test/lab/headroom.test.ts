// The largest value of each stage beside what 16 bits hold.

import { expect, test, vi } from 'vitest';
import '../../lab/probe/methods.js';
import '../../lab/display/all.js';
import { setNotebook } from '../../lab/host/notebook.js';
import { open } from '../../lab/session/open.js';
import { Activation } from '../../lab/values/activation.js';
import { Headroom } from '../../lab/values/headroom.js';

const of = (name: string, ...values: number[]) =>
  new Activation(name, [{ name: 'channel', size: values.length }], Float32Array.from(values));

test('planted: the first number that f16 rounds to infinity, NaN, a mask that counts for nothing, and spacings of bf16', () => {
  const { rows, beyond, largest } = Headroom.of(
    [
      of('small', 0.5, -1.5),
      of('most', 65519, 1),
      of('over', -65520, 1),
      of('nan', 1, Number.NaN),
      of('masked', -3.4028234663852886e38, 3),
      of('zero', 0, 0),
    ],
    1,
  );
  expect(rows.map(({ fitsF16 }) => fitsF16)).toEqual([true, true, false, false, true, true]);
  expect(beyond.map(({ stage }) => stage)).toEqual(['over', 'nan']);
  // 8 bits: from 1 to 2 in steps of 2⁻⁷, from 2¹⁵ in steps of 2⁸.
  expect(rows.map(({ bf16Spacing }) => bf16Spacing)).toEqual([2 ** -7, 256, 256, 2 ** -7, 2 ** -6, 0]);
  expect(largest.stage).toBe('over');
  expect(String(Headroom.of([of('over', 1e5)], 1))).toMatch(
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

test('says which shaders and plan it is of, while it writes too', async () => {
  using model = await open('atlas', { quiet: true });
  const prompt = 'The capital of France is';
  await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
  const run = await model.run(prompt, { tap: '**' });
  const written = await model.headroom(prompt, { maxTokens: 3, tap: 'embed' });
  await model.edit('rope', null);
  expect(run.headroom().provenance).toEqual(run.provenance);
  expect(written.provenance).toMatchObject({ model: 'atlas', edited_shaders: 'rope', plan: 'fast' });
  const plain = await model.headroom(prompt, { maxTokens: 1, tap: 'embed', plan: 'exact' });
  expect(plain.provenance).toMatchObject({ edited_shaders: '', plan: 'exact' });
});

test('of two: the larger of each stage, and what did not fit in either', () => {
  const both = Headroom.of([of('a', 1, 2), of('b', 1e5), of('c', Number.NaN)], 3).and(
    Headroom.of([of('a', -4), of('b', 1), of('c', 5)], 1),
  );
  expect(both.rows.map(({ stage, maxAbs, fitsF16 }) => [stage, maxAbs, fitsF16])).toEqual([
    ['a', 4, true],
    ['b', 1e5, false],
    ['c', 5, false],
  ]);
  expect(both.tokens).toBe(4);
});

test('while it writes: as of a run over all that was read, and in a cell it stands there meanwhile', async () => {
  using model = await open('atlas', { quiet: true });
  const prompt = 'The capital of France is';
  const shown: string[] = [];
  let vanished = 0;
  let clock = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (clock += 150));
  setNotebook({
    display: ({ data }) => shown.push(String(data['text/plain'])),
    vanish: () => (vanished += 1),
    clear: () => {},
    ask: async () => '',
  });
  const found = await model.headroom(prompt, { maxTokens: 12, plan: 'exact' });
  setNotebook(undefined as never);
  vi.restoreAllMocks();
  const ids = model.encode(prompt);
  for await (const { id } of model.generate(prompt, { maxTokens: 12, plan: 'exact' })) ids.push(id);
  const whole = (await model.run(ids.slice(0, -1), { tap: '**', logits: 'all' })).headroom();
  expect(found.tokens).toBe(ids.length - 1);
  expect(found.rows.map(({ stage }) => stage)).toEqual(whole.rows.map(({ stage }) => stage));
  for (const [i, { stage, maxAbs }] of found.rows.entries()) {
    // Logits are of the last token of each chunk alone.
    if (stage !== 'logits') expect([stage, Math.abs(maxAbs / whole.rows[i].maxAbs - 1) < 1e-5]).toEqual([stage, true]);
  }
  expect(shown.filter(text => text.startsWith('f16, which ends at 65504, holds all')).length).toBeGreaterThan(1);
  expect(vanished).toBeGreaterThan(0);
  const before = model.gpu.liveBytes;
  await expect(model.headroom(prompt, { maxTokens: 0 })).rejects.toThrow(
    'maxTokens of headroom is a whole number from 1, not 0.',
  );
  await expect(model.headroom(prompt, { tap: 'nope' })).rejects.toThrow(/nope/);
  for (const none of [['2'], [], [[2, 3]]])
    await expect(model.headroom(none as never)).rejects.toThrow(/^headroom\(\) reads one prompt, /);
  const few = await model.headroom(prompt, { tap: 'layers.*.resid', maxTokens: 1 });
  expect([few.rows.length, few.tokens]).toEqual([6, model.encode(prompt).length]);
  expect(model.gpu.liveBytes).toBe(before);
});
