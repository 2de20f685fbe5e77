// Engines that round, judged where there is little to judge them by: values that are NaN from a stage on, prompts of a few tokens, dumps of a few stages.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import type { Diff } from '../../lab/diff/diff.js';
import { locationText } from '../../lab/diff/locate.js';
import { placeOf } from '../../lab/diff/row.js';
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

/** What an engine with these options dumped, judged. @param kept of its values, another form of them, or null */
async function judged(
  options: OtherOptions,
  prompt: readonly number[] = ids,
  kept: (name: string, value: Dumped) => Dumped | null = (_, value) => value,
): Promise<Diff> {
  const path = join(folder, `${made++}.safetensors`);
  const tensors = [...otherEngine(known.config, known.weights, prompt, options)].flatMap(([name, value]) => {
    const dumped = kept(name, value);
    return dumped ? [{ name, shape: dumped.shape, data: Float32Array.from(dumped.data) }] : [];
  });
  await writeSafetensors(path, tensors, { ids: JSON.stringify(prompt) });
  return model.diff(await trace(path));
}
const failing = (diff: Diff) =>
  diff.rows.filter(({ pass }) => !pass).map(row => `${placeOf(row)} ${row.verdict} ${row.local?.relL2}`);

const ENGINES = {
  f32: {},
  bf16: { round: 'bf16' },
  'eight bits': { weightSteps: 127 },
  'four bits': { weightSteps: 7 },
} as const;
const each = Object.entries(ENGINES) as [keyof typeof ENGINES, OtherOptions][];

// That place is the answer, however much everything before it is rounded.
const BROKEN = [
  [{ stage: 'layers.2.mlp.up', token: 12, value: Number.NaN }, /^only positions ≥ 12/],
  [{ stage: 'layers.0.attn.q', token: 0, value: Number.NaN }, /^spread over everything/],
  [{ stage: 'layers.3.attn.mix', token: 0, value: Number.NaN }, /^spread over everything/],
  [{ stage: 'layers.1.mlp.mul', token: 3, value: Number.POSITIVE_INFINITY }, /^only positions ≥ 3/],
  [{ stage: 'layers.1.mlp.mul', token: 3, value: Number.NEGATIVE_INFINITY }, /^only positions ≥ 3/],
  [{ stage: 'logits', token: 21, value: Number.NaN }, /^all of it in token 21/],
] as const;
for (const [engine, options] of each) {
  test.each(BROKEN)(`${engine}, $stage is $value from token $token on`, async (broken, where) => {
    const diff = await judged({ ...options, broken });
    expect([diff.first?.stage, diff.first?.verdict]).toEqual([broken.stage, 'source']);
    expect(locationText(diff.first!.where)).toMatch(where);
    expect(diff.rows.filter(({ verdict }) => verdict === 'source').map(({ stage }) => stage)).toEqual([broken.stage]);
  });

  test(`${engine}, of residual streams alone the first with NaN`, async () => {
    const broken = { stage: 'layers.2.mlp.up', token: 12, value: Number.NaN };
    const diff = await judged({ ...options, broken }, ids, (name, value) => (/\d\.resid$/.test(name) ? value : null));
    expect(diff.first && placeOf(diff.first)).toBe('from layers.1.resid to layers.2.resid');
  });

  test.each([1, 2, 3, 4, 6])(`${engine}, no alarm in %i tokens`, async tokens => {
    for (const from of [0, 3, 9]) {
      const prompt = [2, ...ids.slice(from + 1, from + tokens)];
      expect([from, failing(await judged(options, prompt))]).toEqual([from, []]);
    }
  });

  const row = (name: string, { shape, data }: Dumped): Dumped | null =>
    /\d\.resid$|logits/.test(name) ? { shape: [1, shape[1]], data: data.slice(-shape[1]) } : null;
  test.each([
    ['every second layer', (name: string, value: Dumped) => (/[135]\.resid$/.test(name) ? value : null)],
    ['the last token of every layer', row],
    ['two layers and the logits', (name: string, value: Dumped) => (/[04]\.resid$|logits/.test(name) ? value : null)],
  ] as const)(`${engine}, no alarm in a dump of %s`, async (_, kept) => {
    expect(failing(await judged(options, ids, kept))).toEqual([]);
  });

  if (engine === 'four bits') continue; // it would be below what they round
  test(`${engine}, what is wrong in a dump of every second layer is named`, async () => {
    const fault = 'post-norm skipped'; // in layer 2
    const diff = await judged({ ...options, fault }, ids, (name, value) => (/[135]\.resid$/.test(name) ? value : null));
    expect(diff.first && placeOf(diff.first)).toBe('from layers.1.resid to layers.3.resid');
  });
}
