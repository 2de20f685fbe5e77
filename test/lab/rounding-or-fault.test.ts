// Dumps of some stages, any of them, of an engine that is exact, or rounds, or multiplies quantised weights: right ones give no alarm, and of one with a bug the first span that has it is named.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import type { Diff } from '../../lab/diff/diff.js';
import { type DiffRow, placeOf } from '../../lab/diff/row.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { trace } from '../../lab/values/trace.js';
import { freshFolder } from '../fixtures/folder.js';
import { type Dumped, type OtherOptions, otherEngine, weightsOf } from '../fixtures/other-engine.js';

const folder = freshFolder();
const ids = [2, 300, 17, 18, 19, 40, 41, 42, 43, 77, 78, 79, 101, 102, 103, 104, 105, 300, 17, 18, 55, 56];
let model: Session;
let known: Awaited<ReturnType<typeof weightsOf>>;
let made = 0;
beforeAll(async () => {
  known = await weightsOf('golden/atlas');
  model = await open('atlas', { quiet: true, another: true });
});
afterAll(() => model[Symbol.dispose]());

const ran = (options: OtherOptions) => otherEngine(known.config, known.weights, ids, options);
async function judged(values: ReadonlyMap<string, Dumped>, kept: (name: string) => boolean): Promise<Diff> {
  const path = join(folder, `${made++}.safetensors`);
  const tensors = [...values].flatMap(([name, { shape, data }]) =>
    kept(name) ? [{ name, shape, data: Float32Array.from(data) }] : [],
  );
  await writeSafetensors(path, tensors, { ids: JSON.stringify(ids) });
  return model.diff(await trace(path));
}

const STREAM = /^layers\.\d\.resid$/;
/** Some of the stages of a layer and the one behind it, other ones each time. */
function* subsets(names: readonly string[], layer: number, many: number): Generator<Set<string>> {
  const near = names.filter(name => name.startsWith(`layers.${layer}.`) || name.startsWith(`layers.${layer + 1}.`));
  let state = 7;
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < many; i++) {
    const some = new Set<string>();
    while (some.size < 2 + (i % 4)) some.add(near[next(near.length)]);
    yield some;
  }
}
const has = (row: DiffRow, stage: string) => row.stage === stage || (row.between ?? []).includes(stage);
/** Where a bug is, or nothing where no dump shows it. */
function expected(diff: Diff, stage: string): string | undefined {
  const row = diff.rows.find(one => has(one, stage));
  return row && placeOf(row);
}

const FAULTS = [
  ['stale cache', 'layers.0.attn.scores', 0],
  ['row of a weight transposed', 'layers.3.attn.out', 3],
  ['f16 overflow', 'layers.4.mlp.mul', 4],
] as const;
test.each(FAULTS)(
  '%s in an engine that is exact elsewhere is no rounding, whatever it dumped',
  async (fault, stage, layer) => {
    const values = ran({ fault });
    for (const some of subsets([...values.keys()], layer, 10)) {
      const diff = await judged(values, name => some.has(name) || name === `layers.${layer}.resid`);
      expect([[...some], diff.first && placeOf(diff.first)]).toEqual([[...some], expected(diff, stage)]);
      expect(diff.first?.mayRound).toBeUndefined();
    }
  },
);

test('a bug much larger than the rounding of its engine is named, beside a stream a layer', async () => {
  const values = ran({ fault: 'post-norm skipped', round: 'bf16' });
  for (const some of subsets([...values.keys()], 2, 8)) {
    const diff = await judged(values, name => some.has(name) || STREAM.test(name));
    expect([[...some], diff.first && placeOf(diff.first)]).toEqual([[...some], expected(diff, 'layers.2.resid_mid')]);
  }
});

const ROUNDING = [
  ['bf16', { round: 'bf16' }],
  ['eight bits', { weightSteps: 127 }],
  ['four bits', { weightSteps: 7 }],
] as const;
test.each(ROUNDING)('right, of %s: no alarm, or it is asked what the engine rounds', async (_, options) => {
  const values = ran(options);
  for (const layer of [0, 3])
    for (const some of subsets([...values.keys()], layer, 12)) {
      const diff = await judged(values, name => some.has(name));
      const alarms = diff.rows.filter(({ pass, mayRound }) => !pass && mayRound === undefined);
      expect([[...some], alarms.filter(({ verdict }) => verdict !== 'carrier').map(placeOf)]).toEqual([[...some], []]);
      const beside = await judged(values, name => some.has(name) || STREAM.test(name));
      expect([[...some], beside.rows.filter(({ pass }) => !pass).map(placeOf)]).toEqual([[...some], []]);
    }
});

test('weights of four and eight bits explain no function of values: GELU by erf is named where they are f32', async () => {
  for (const weightSteps of [127, 7]) {
    const diff = await judged(ran({ weightSteps, fault: 'GELU erf' }), () => true);
    expect(diff.first?.stage).toBe('layers.0.mlp.act');
  }
});
