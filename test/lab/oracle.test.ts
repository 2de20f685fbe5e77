// The oracle against torch in float64, whose every stage of three families it must make of the stage's own inputs; and the second word on who is wrong.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { planOf } from '../../engine/gemma.js';
import { openModelFiles } from '../../engine/weights/open.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { configFromJson } from '../../engine/weights/detect.js';
import { anglesOf } from '../../lab/oracle/angles.js';
import { ulpOf } from '../../engine/ulp.js';
import { nearerOf, ulpsFrom } from '../../lab/diff/nearer.js';
import { compare } from '../../lab/session/compare.js';
import { open } from '../../lab/session/open.js';
import { golden } from '../../lab/values/golden.js';
import { DISPLAY } from '../../lab/values/shown.js';
import { command } from '../fixtures/command.js';
import { exactly } from '../../lab/oracle/stage.js';
import { freshFolder } from '../fixtures/folder.js';
import { oracleModels } from '../fixtures/oracle-models.js';

const models = await oracleModels(freshFolder());

/** Relative L2, masked values aside. */
function off(ours: Float64Array, theirs: Float64Array): number {
  expect(ours.length).toBe(theirs.length);
  let [error, size] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    expect(ours[i] <= -1e30).toBe(theirs[i] <= -1e30);
    if (theirs[i] <= -1e30) continue;
    error += (ours[i] - theirs[i]) ** 2;
    size += theirs[i] ** 2;
  }
  return Math.sqrt(error / size);
}

for (const { name, folder, ids, stages } of models) {
  test(`${name}: every stage is what torch makes of its inputs in float64`, async () => {
    const files = await openModelFiles(folder);
    const plan = planOf(files.config);
    const given = { ids, rows: ids.length, read: async (stage: string) => stages.get(stage)!.data };
    const own = plan.stages.filter(({ state }) => !state);
    expect(own.map(({ name }) => name).sort()).toEqual([...stages.keys()].sort());
    for (const stage of own) {
      const exact = await exactly(plan, stage, { stages: [stage] }, files.weights, given);
      expect(off(exact, stages.get(stage.name)!.data), stage.name).toBeLessThan(2e-14);
    }
    // And from the ids on, in one go.
    const all = { stages: plan.stages };
    const logits = await exactly(plan, plan.stage('logits'), all, files.weights, {
      ...given,
      read: async stage => Promise.reject(new Error(stage)),
    });
    expect(off(logits, stages.get('logits')!.data)).toBeLessThan(1e-12);
    const last = await exactly(plan, plan.stage('logits'), { stages: [plan.stage('logits')] }, files.weights, {
      ...given,
      rows: 1,
    });
    expect(off(last, stages.get('logits')!.data.subarray(-last.length))).toBeLessThan(2e-14);
    await files.close();
  });
}

test('angles of every scaling are those of transformers, as far as those are rounded to f32', async () => {
  const file = await openSafetensors(join(packageRoot(), 'golden', 'rope.safetensors'));
  const asked = JSON.parse(file.metadata.get('frequencies')!) as {
    case: string;
    config: { [key: string]: unknown };
    length: number;
    attention: [number, number];
  }[];
  const kinds = new Set<string>();
  for (const { case: name, config, length, attention } of asked) {
    const { rope } = configFromJson(config, 'config.json');
    for (const [i, kind] of (['full', 'sliding'] as const).entries()) {
      kinds.add(rope[kind].scaling?.kind ?? 'none');
      const theirs = await file.readF32(`${name}/${kind}`);
      const { perToken, by } = anglesOf(rope[kind], 32, length);
      const worst = Math.max(...perToken.map((value, pair) => Math.abs(value / theirs[pair] - 1)));
      expect(worst, `${name}, ${kind}`).toBeLessThan(5e-7);
      expect(by).toBeCloseTo(attention[i], 12);
    }
  }
  await file.close();
  expect([...kinds].sort()).toEqual(['dynamic', 'llama3', 'longrope', 'none', 'yarn']);
});

test('a ULP, and how many of them two engines are off', () => {
  expect([1, 1.5, 2, -2, 3e38, 0, 1e-45].map(ulpOf)).toEqual([
    2 ** -23,
    2 ** -23,
    2 ** -22,
    2 ** -22,
    2 ** 104,
    2 ** -149,
    2 ** -149,
  ]);
  const exact = Float64Array.of(1, 1.5, Number.NEGATIVE_INFINITY, 1.25);
  const off = (...values: number[]) => ulpsFrom(Float32Array.from(values), exact);
  expect(off(1, 1.5, -3.4028234663852886e38, 1.25)).toBe(0);
  expect(off(1 + 2 ** -23, 1.5, Number.NEGATIVE_INFINITY, 1.25)).toBeCloseTo(Math.sqrt(1 / 3), 12);
  expect(off(1, 1.5, 0, 1.25)).toBe(Number.POSITIVE_INFINITY);
  expect(off(1, Number.NaN, -1e38, 1.25)).toBe(Number.POSITIVE_INFINITY);
  // What f32 does not reach is infinite in it; of half a ULP neither is nearer.
  expect(ulpsFrom(Float32Array.of(Number.POSITIVE_INFINITY), Float64Array.of(1e40))).toBe(0);
  expect(ulpsFrom(Float32Array.of(Number.NEGATIVE_INFINITY), Float64Array.of(1e40))).toBe(Number.POSITIVE_INFINITY);
  const half = Float64Array.of(1 + 2 ** -24);
  expect(nearerOf(Float32Array.of(1), Float32Array.of(1 + 2 ** -23), half, 0)).toEqual({
    nearer: 'even',
    ours: 0.5,
    theirs: 0.5,
    exactAtWorst: half[0],
  });
  expect(nearerOf(Float32Array.of(1.5), Float32Array.of(1), half, 0).nearer).toBe('theirs');
});

// The table: whose fault it is, by a third that is neither.
test('a wrong shader: PyTorch is nearer, and by how much; a wrong golden: ours is', async () => {
  using model = await open('atlas', { quiet: true });
  const g = await golden('atlas/capital');
  await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
  const wrong = await model.diff(g);
  await model.edit('rope', null);
  const row = wrong.first!;
  expect(row).toMatchObject({ stage: 'layers.0.attn.q_rope', verdict: 'source', oracle: { nearer: 'theirs' } });
  expect(row.oracle!.ours).toBeGreaterThan(1e5);
  expect(row.oracle!.theirs).toBeLessThan(2);
  const { expectedAtWorst, actualAtWorst } = row.local!;
  expect(Math.abs(row.oracle!.exactAtWorst - expectedAtWorst)).toBeLessThan(1e-4 * Math.abs(actualAtWorst));
  // Carriers are right alone, and nobody asked about them.
  for (const { verdict, oracle } of wrong.rows)
    expect(oracle !== undefined).toBe(verdict === 'source' || verdict === 'masked');
  expect(wrong[DISPLAY]()['text/html']).toMatch(
    /Nearer to float64 of the same inputs is PyTorch’s, \d\.?\d* ULP from it; ours is/,
  );
  expect(wrong[DISPLAY]()['text/html']).toContain('float64 has');

  const changed = async (stage: string) => {
    const data = await g.read(stage);
    return stage === 'layers.2.mlp.act' ? data.map((x, i) => (i % 7 === 0 ? x * 1.01 : x)) : data;
  };
  const other = await model.diff({ ...g, read: changed });
  const theirs = other.rows.find(({ stage }) => stage === 'layers.2.mlp.act')!;
  expect(theirs).toMatchObject({ verdict: 'source', oracle: { nearer: 'ours' } });
  expect(theirs.oracle!.ours).toBeLessThan(2);
  expect(theirs.oracle!.theirs).toBeGreaterThan(1000);
});

test('on request of every stage: both are within a few ULP of float64, in both plans and of the last logits', async () => {
  using model = await open('atlas', { quiet: true });
  for (const [plan, name] of [
    ['exact', 'atlas/decode'],
    ['fast', 'atlas/capital'],
  ] as const) {
    const diff = await model.diff(await golden(name), { oracle: true, plan });
    expect(diff.pass).toBe(true);
    for (const { stage, oracle } of diff.rows) {
      // RoPE's angles are f32 in either engine; those of float64 are not.
      const most = stage.endsWith('rope') || plan === 'fast' ? 200 : 20;
      expect(oracle!.ours, stage).toBeLessThan(most);
      expect(oracle!.theirs, stage).toBeLessThan(most);
    }
    const table = diff.toArrow();
    expect(table.getChild('ours_ulp')!.toArray()).toEqual(Float64Array.from(diff.rows, ({ oracle }) => oracle!.ours));
    expect(new Set(table.getChild('nearer')!)).toEqual(new Set(diff.rows.map(({ oracle }) => oracle!.nearer)));
    const { rows } = JSON.parse(JSON.stringify(diff)) as { rows: { oracle: object }[] };
    expect(rows[0].oracle).toEqual(diff.rows[0].oracle);
  }
  expect((await model.diff(await golden('atlas/capital'))).toArrow().getChild('nearer')).toBe(null);
});

test('what cannot be asked', async () => {
  using model = await open('atlas', { quiet: true });
  const g = await golden('atlas/capital');
  await expect(model.diff(g, { oracle: 1 as never })).rejects.toThrow(
    'oracle is true for every stage or false for none, not',
  );
  await expect(model.diff(g, { oracle: true, alone: false })).rejects.toThrow('{ alone: false } runs none so');
  const run = await model.run([2, 300, 17]);
  await expect(compare(run, run, { oracle: true })).rejects.toThrow('not about two runs');
  const said = await command('diff', '--oracle', '--no-alone');
  expect(said.status).toBe(2);
  const lines = (await command('diff', '--oracle', '--all')).stdout.split('\n');
  expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(80);
  expect(lines.join('\n')).toMatch(/nearer to float64 of the same inputs/);
  expect(lines.filter(line => /ok .*(ours|theirs|even) +[\d.]+/.test(line)).length).toBe(135);
});
