// Names that stand for two stages, of an engine that is wrong from its first norm on: nothing of it agrees with a right run, and what each is can still be told.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { trace } from '../../lab/values/trace.js';
import { safetensorsOf, type Tensor } from '../fixtures/array-files.js';
import { freshFolder } from '../fixtures/folder.js';

/** llama.cpp's names; `Qcur` and `kqv_out` are of two stages, which have one shape in this model. */
const NAMES: Readonly<Record<string, string>> = {
  input_norm: 'attn_norm',
  'attn.q_norm': 'Qcur_normed',
  'attn.k_norm': 'Kcur_normed',
  'attn.q_rope': 'Qcur',
  'attn.k_rope': 'Kcur',
  'attn.v': 'Vcur',
  'attn.mix': 'kqv_out',
  resid: 'l_out',
};
const ids = [2, 300, 17, 18, 19, 40, 41];
let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true, another: true });
});
afterAll(() => model[Symbol.dispose]());

/** What the model makes of the ids with a shader that is another, joined as llama.cpp has it. */
async function written(shader: string, from: string, to: string): Promise<string> {
  await model.edit(shader, wgsl => wgsl.replace(from, to));
  const run = await model.run(ids, { tap: '**' });
  await model.edit(shader, null);
  const arrays: Record<string, Tensor> = {};
  for (const [stage, { shape, data }] of run.activations) {
    const [, layer, rest] = /^layers\.(\d+)\.(.*)$/.exec(stage) ?? [];
    const name = NAMES[rest];
    if (name === undefined) continue;
    const joined = rest === 'attn.mix' ? [shape[0], shape[1] * shape[2]] : [...shape];
    arrays[`${name}-${layer}`] = ['F32', joined, Buffer.from(Float32Array.from(data).buffer)];
  }
  const path = join(freshFolder(), 'theirs.safetensors');
  writeFileSync(path, safetensorsOf(arrays, { ids: JSON.stringify(ids) }));
  return path;
}

test.each([
  ['rms_norm', 'scale * gain[', 'scale * 0.5 * gain[', 'layers.0.input_norm'],
  ['rope', 'a * turn.x - b', 'a * turn.x + b', 'layers.0.attn.q_rope'],
])('a wrong %s is named, and what its engine has is what it is', async (shader, from, to, first) => {
  const diff = await model.diff(await trace(await written(shader, from, to)));
  expect(diff.first).toMatchObject({ stage: first, verdict: 'source' });
  const stages = new Set(diff.rows.map(({ stage }) => stage));
  for (const stage of Object.keys(NAMES)) expect([stage, stages.has(`layers.0.${stage}`)]).toEqual([stage, true]);
  expect(diff.leftover.notCompared).toEqual([]);
});

test('what agrees with neither is asked for, by both of its stages', async () => {
  const path = join(freshFolder(), 'odd.safetensors');
  const data = Float32Array.from({ length: ids.length * 128 }, (_, i) => Math.sin(i * 12.9898) * 3);
  const arrays: Record<string, Tensor> = { 'Qcur-2': ['F32', [ids.length, 4, 32], Buffer.from(data.buffer)] };
  writeFileSync(path, safetensorsOf(arrays, { ids: JSON.stringify(ids) }));
  await expect(model.diff(await trace(path))).rejects.toThrow(
    `'Qcur-2' [7,4,32] may be layers.2.attn.q_rope or layers.2.attn.q, and neither agrees with this model. Say which in a map of names: { "Qcur-{i}": "layers.{i}.attn.q_rope" }.`,
  );
  const said = await trace(path, { names: { 'Qcur-{i}': 'layers.{i}.attn.q' } });
  expect((await model.diff(said)).first?.stage).toBe('layers.2.attn.q');
});
