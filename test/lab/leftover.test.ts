// A golden with more in it than the model has stages: nothing of it is passed over without a word.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GoldenError } from '../../engine/errors.js';
import { type F32Tensor, writeSafetensors } from '../../engine/weights/safetensors-write.js';
import { type Bundle, DISPLAY, INSPECT } from '../../lab/values/shown.js';
import { type Golden, golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
const ids = [2, 300, 17];
let model: Session;
let own: F32Tensor[];
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  const run = await model.run(ids, { tap: '**', logits: 'all' });
  own = [...run.activations.values()].map(({ name, shape, data }) => ({ name, shape, data }));
});
afterAll(() => model[Symbol.dispose]());

const named = (name: string, as: string, change = (v: number) => v): F32Tensor => {
  const { shape, data } = own.find(tensor => tensor.name === name)!;
  return { name: as, shape, data: data.map(change) };
};
let made = 0;
async function goldenWith(...more: F32Tensor[]): Promise<Golden> {
  const path = join(folder, `${made++}.safetensors`);
  await writeSafetensors(path, [...own, ...more], { loupe_golden: '1', ids: JSON.stringify(ids), chunks: '[3]' });
  return golden(path);
}
const alone = false;
const bundle = (value: unknown): Bundle => (value as { [DISPLAY](): Bundle })[DISPLAY]();

test('tensors that no stage is called by are named: in text, JSON, table, ledger and plan', async () => {
  const more = ['layers.9.resid', 'layers.3.whatever', 'layers.*.resid', '<b>x</b>'];
  const diff = await model.diff(await goldenWith(...more.map(name => named('layers.3.resid', name))), { alone });
  expect(diff.leftover.notCompared).toEqual(more);
  expect(diff.toJSON()).toMatchObject({ pass: true, notCompared: more, otherNames: {} });
  const said =
    'Not compared: 4 tensors of the golden that belong to no stage of this model: layers.9.resid, layers.3.whatever, layers.*.resid, ';
  expect(diff[INSPECT]()).toContain(`${said}<b>x</b>.`);
  expect(bundle(diff)['text/plain']).toContain(said);
  expect(bundle(diff)['text/html']).toContain(`${said}&lt;b&gt;x&lt;/b&gt;.`);
  expect(JSON.parse(diff.toArrow().schema.metadata.get('not_compared')!)).toEqual(more);
  const plan = bundle(model.picture(diff));
  expect(plan['text/plain']).toContain(said);
  for (const kind of ['image/svg+xml', 'application/vnd.plotly.v1+json'] as const) {
    expect(JSON.stringify(plan[kind]), kind).toContain('layers.9.resid, layers.3.whatever');
  }
});

test('a second name of a stage, with the same values, is named with the stage', async () => {
  const diff = await model.diff(
    await goldenWith(
      named('layers.3.resid', 'blocks.3.hook_resid_post'),
      named('embed', 'model.language_model.embed_tokens'),
    ),
    { alone },
  );
  const otherNames = { 'blocks.3.hook_resid_post': 'layers.3.resid', 'model.language_model.embed_tokens': 'embed' };
  expect(diff.toJSON()).toMatchObject({ pass: true, notCompared: [], otherNames });
  expect(diff[INSPECT]()).toContain(
    'In the golden twice, with the same values: blocks.3.hook_resid_post (layers.3.resid), model.language_model.embed_tokens (embed).',
  );
});

test('a second name with other values is refused, in a diff and for a stage alone', async () => {
  const doubled = await goldenWith(named('layers.3.resid', 'blocks.3.hook_resid_post', v => 2 * v));
  const told =
    /has 'blocks\.3\.hook_resid_post' and 'layers\.3\.resid', two names of one stage, with different values\./;
  await expect(model.diff(doubled, { alone })).rejects.toThrow(told);
  await expect(model.diff(doubled, { alone })).rejects.toBeInstanceOf(GoldenError);
  await expect(model.stage('layers.3.mlp.mul').run(doubled)).rejects.toThrow(told);
  const { data } = own.find(({ name }) => name === 'layers.3.resid')!;
  const flat = await goldenWith({ name: 'model.layers.3', shape: [data.length], data });
  await expect(model.diff(flat, { alone })).rejects.toThrow(/has 'model\.layers\.3' and 'layers\.3\.resid'/);
});

test('a stage that is there under another name alone is not taken for one of another model', async () => {
  const path = join(folder, 'other.safetensors');
  const tensors = own.map(t => (t.name === 'layers.3.resid' ? { ...t, name: 'blocks.3.hook_resid_post' } : t));
  await writeSafetensors(path, tensors, { loupe_golden: '1', ids: JSON.stringify(ids), chunks: '[3]' });
  await expect(model.diff(await golden(path), { alone })).rejects.toThrow(
    /has no stage 'layers\.3\.resid', and has it as 'blocks\.3\.hook_resid_post'\./,
  );
});

test('what a golden lacks is told by its first stage, and whether the rest would fit', async () => {
  const saved = async (tensors: F32Tensor[], more: Record<string, string> = {}) => {
    const path = join(folder, `less-${made++}.safetensors`);
    const marks = { loupe_golden: '1', ids: JSON.stringify(ids), chunks: '[3]', ...more };
    await writeSafetensors(path, tensors, marks);
    return golden(path);
  };
  const told = (lacks: string | RegExp, tensors: F32Tensor[], more = {}) =>
    saved(tensors, more).then(g => expect(model.diff(g, { alone })).rejects.toThrow(lacks));
  const without = (pattern: RegExp) => own.filter(({ name }) => !pattern.test(name));
  const again = 'Make one for this model with golden/make_golden.py.';
  await told(
    `has no stage 'layers.3.resid', of ${own.length} that this model has. Those that it has would fit, so it is not whole. ${again}`,
    without(/^layers\.3\.resid$/),
  );
  await told(
    /has no stage 'layers\.2\.input_norm', the first of 22 that it lacks, of 135 .* so it is not whole/,
    without(/^layers\.2\./),
  );
  const narrow = (pattern: RegExp) => own.map(t => (pattern.test(t.name) ? { ...t, shape: [t.data.length] } : t));
  await told(
    `has 'layers.3.resid' in the shape [384], and this model makes [3,128]; all others fit, so it was changed. ${again}`,
    narrow(/^layers\.3\.resid$/),
  );
  await told(/in the shape \[384\], and this model makes \[3,128\], so it is of another model\./, narrow(/resid$/));
  await told(
    /has no stage 'layers\.2\.input_norm', .* Others have other shapes, so it is of another model/,
    narrow(/[345]\.resid$/).filter(({ name }) => !/^layers\.2\./.test(name)),
  );
  await told(`says logits 'last' and has 3 rows of them for 3 tokens. ${again}`, own, { logits: 'last' });
  const last = own.map(t => (t.name === 'logits' ? { ...t, shape: [1, 512], data: t.data.slice(-512) } : t));
  await told(`says logits 'all' and has 1 row of them for 3 tokens. ${again}`, last, { logits: 'all' });
  expect((await model.diff(await saved(last, { logits: 'last' }), { alone })).pass).toBe(true);
  expect((await model.diff(await saved(own, { logits: 'all' }), { alone })).pass).toBe(true);
});

test('a golden with the stages alone says nothing of it', async () => {
  const diff = await model.diff(await goldenWith(), { alone });
  expect(diff.toJSON()).toMatchObject({ notCompared: [], otherNames: {} });
  expect(diff[INSPECT]()).not.toMatch(/Not compared|twice/);
  expect(diff.toArrow().schema.metadata.has('not_compared')).toBe(false);
});
