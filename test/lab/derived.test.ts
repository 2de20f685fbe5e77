// Limits that are derived from what the adapter was measured to do: right stages lie within them on each adapter there is, they follow the lengths of sums and the adapter, and none is looser
// than the limits that judge. A row carries the limits that it would just have passed.

import { expect, test } from 'vitest';
import { type Accuracy, accuracyOf, MEASURED } from '../../engine/accuracy.js';
import { exactStep } from '../../engine/step.js';
import { derivedLimit, MARGIN } from '../../lab/diff/derived.js';
import { ACCUMULATED_LIMIT, LOCAL_LIMIT } from '../../lab/diff/tolerance.js';
import { summary } from '../../lab/display/diff.js';
import { open } from '../../lab/session/open.js';
import { golden } from '../../lab/values/golden.js';
import { lavapipeThere } from '../fixtures/adapters.js';

test('the limits that judge are those of always: nothing that is derived moves them', () => {
  expect([LOCAL_LIMIT, ACCUMULATED_LIMIT]).toEqual([5e-6, 2e-5]);
});

for (const adapter of ['swiftshader', ...((await lavapipeThere()) ? ['lavapipe'] : [])]) {
  test(`right stages are within what rounding explains on ${adapter}, with room, and it is less than the limit`, async () => {
    using atlas = await open('atlas', { quiet: true, adapter });
    for (const name of ['capital', 'long', 'short', 'decode']) {
      const diff = await atlas.diff(await golden(`atlas/${name}`), { oracle: false });
      expect(diff.limits).toEqual({ local: LOCAL_LIMIT, accumulated: ACCUMULATED_LIMIT });
      expect(diff.accuracy?.adapter).toBe(atlas.gpu.name);
      expect(diff.beyond).toEqual([]);
      for (const { stage, local, derived } of diff.rows) {
        expect(derived!, stage).toBeLessThan(LOCAL_LIMIT);
        // Twice what was measured: a margin of 4 is not used up by right stages.
        expect(local!.relL2, stage).toBeLessThan(derived! / 2);
      }
    }
  });
}

test('it follows the length of a sum, what the adapter rounds to, and never passes the limit', async () => {
  using atlas = await open('atlas', { quiet: true });
  const right = await accuracyOf(atlas.gpu);
  const worse = (by: number): Accuracy => ({
    ...right,
    operations: Object.fromEntries(
      MEASURED.map(name => [name, { most: by * right.operations[name].most, rms: by * right.operations[name].rms }]),
    ) as Accuracy['operations'],
  });
  const values = new Float32Array([1, -1, Number.NEGATIVE_INFINITY]);
  const of = (stage: string, accuracy = right, tokens = 8) =>
    derivedLimit(atlas.plan.stage(stage), exactStep(atlas.plan.stage(stage)), {
      model: atlas.model,
      accuracy,
      tokens,
      values,
    })!;
  // mlp.down sums over F, gate over H: as their square roots, but for what the ends of a sum cost.
  const [down, gate] = [of('layers.0.mlp.down'), of('layers.0.mlp.gate')];
  const [F, H] = [atlas.plan.stage('layers.0.mlp.down'), atlas.plan.stage('layers.0.mlp.gate')].map(
    ({ weight }) => weight!.shape[1],
  );
  expect(down / gate).toBeGreaterThan(0.8 * Math.sqrt(F / H));
  expect(down / gate).toBeLessThan(Math.sqrt(F / H));
  expect(of('layers.0.attn.mix', right, 4096)).toBeGreaterThan(10 * of('layers.0.attn.mix', right, 8));
  // One addition: of the two engines' roundings, each 1/√12 ULP.
  expect(of('layers.0.resid')).toBeCloseTo(MARGIN * Math.sqrt(2 / 12) * 2 ** -23, 8);
  expect(of('layers.0.mlp.gate', worse(2))).toBeGreaterThan(1.2 * gate);
  expect(of('layers.0.mlp.gate', worse(1000))).toBe(LOCAL_LIMIT);
  // What the fast plan computes in one step with what it reads is more than one rounding.
  const mul = atlas.plan.stage('layers.0.mlp.mul');
  const fused = atlas.model.steps('fast').find(({ stages }) => stages.includes(mul))!;
  expect(derivedLimit(mul, fused, { model: atlas.model, accuracy: right, tokens: 8, values })).toBeNull();
});

test('a cache in f16 rounds by itself, and no limit is derived of what reads it', async () => {
  using atlas = await open('atlas', { quiet: true, cache: 'f16' });
  const { rows } = await atlas.diff(await golden('atlas/short'), { oracle: false });
  const none = rows.filter(({ derived }) => derived === null).map(({ stage }) => stage.replace(/^layers\.\d+\./, ''));
  expect(new Set(none)).toEqual(new Set(['attn.scores', 'attn.mix']));
});

test('a row carries the limits that it would just have passed, in the table, in JSON and in Arrow', async () => {
  using atlas = await open('atlas', { quiet: true });
  await atlas.edit('gelu_tanh', wgsl => wgsl.replace('(v + 0.044715', '(v + 0.04'));
  const g = await golden('atlas/short');
  const diff = await atlas.diff(g);
  const row = diff.first!;
  expect(row.stage).toBe('layers.0.mlp.act');
  const { local, accumulated } = row.passing;
  expect(local!).toBeGreaterThanOrEqual(row.local!.relL2);
  expect(local!).toBeLessThan(1.1 * row.local!.relL2);
  const passes = await atlas.diff(g, { local: local!, accumulated: accumulated! });
  expect(passes.at(row.stage).verdict).toBe('ok');
  const fails = await atlas.diff(g, { local: 0.9 * local!, accumulated: accumulated! });
  expect(fails.at(row.stage).pass).toBe(false);
  expect((diff.toJSON() as { rows: unknown[] }).rows[diff.rows.indexOf(row)]).toMatchObject({
    passing: { local, accumulated },
  });
  const arrow = diff.toArrow();
  expect(arrow.get(diff.rows.indexOf(row))!.toJSON()).toMatchObject({
    passes_alone_at: local,
    passes_in_the_run_at: accumulated,
    rounding_explains: row.derived,
  });
  expect(JSON.parse(arrow.schema.metadata.get('accuracy')!)).toEqual(diff.accuracy);
});

test('a fault that is smaller than the limits is told by what rounding explains', async () => {
  using atlas = await open('atlas', { quiet: true });
  await atlas.edit('gelu_tanh', wgsl => wgsl.replace('(v + 0.044715', '(v + 0.044713'));
  const diff = await atlas.diff(await golden('atlas/short'));
  expect(diff.pass).toBe(true);
  expect(new Set(diff.beyond.map(({ stage }) => stage.replace(/^layers\.\d+\./, '')))).toEqual(new Set(['mlp.act']));
  expect(summary(diff)).toMatch(
    / farther off alone than rounding on this adapter explains, most layers\.\d\.mlp\.act: /,
  );
});

test('nothing passes NaN, and its row says so', async () => {
  using atlas = await open('atlas', { quiet: true });
  await atlas.edit('gelu_tanh', wgsl => wgsl.replace('y[i] = ', 'y[i] = sqrt(-1.0 - abs(x[i])) + '));
  const diff = await atlas.diff(await golden('atlas/short'));
  expect(diff.first!.passing).toEqual({ local: null, accumulated: null });
});
