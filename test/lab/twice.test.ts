// One prompt read twice: the same bits, whatever plan, chunks and adapter; and what is not the same is named, the first that was computed.

import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { twiceText } from '../../lab/display/twice.js';
import { open } from '../../lab/session/open.js';
import { readTwice } from '../../lab/probe/twice.js';
import '../../lab/probe/methods.js';
import { lavapipeThere } from '../fixtures/adapters.js';

const IDS = [2, 300, 17, 45, 9, 120];

for (const adapter of ['swiftshader', ...((await lavapipeThere()) ? ['lavapipe'] : [])]) {
  test(`the same bits twice on ${adapter}, by either plan, a hash a stage and chunk`, async () => {
    using model = await open('atlas', { quiet: true, adapter });
    const whole = await model.twice(IDS);
    expect([whole.equal, whole.first]).toEqual([true, null]);
    expect(whole.rows.length).toBe(model.plan.stages.filter(({ state }) => !state).length);
    for (const { hashes } of whole.rows) expect(hashes[0]).toBe(hashes[1]);
    // Chunks have hashes of their own; two stages of one value have one.
    const cut = await model.twice(IDS, { chunks: [2, 4], plan: 'fast' });
    expect(cut.equal).toBe(true);
    expect(cut.rows.filter(({ stage }) => stage === 'embed').map(({ chunk }) => chunk)).toEqual([0, 1]);
    expect(new Set(whole.rows.map(({ hashes }) => hashes[0])).size).toBeGreaterThan(whole.rows.length / 2);
    expect(twiceText(whole)).toMatch(/^Read twice, in one chunk: all \d+ stages have the same bits/);
  });
}

test('what was edited between the two is named with its stage, chunk and place', async () => {
  using atlas = await open('atlas', { quiet: true });
  const right = await atlas.model.kernels.inForce();
  await atlas.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
  const wrong = await atlas.model.kernels.inForce();
  await atlas.edit('rope', null);
  const read = await readTwice(atlas, IDS, { chunks: [2, 4], budget: 1 << 16 }, [right, wrong]);
  // Token 0 is turned by nothing: cos 0 and sin 0 leave it as it is.
  expect(read.first).toMatchObject({ stage: 'layers.0.attn.q_rope', chunk: 0, place: [1, 0, 0] });
  expect(read.first!.values![0]).not.toBe(read.first!.values![1]);
  expect(read.rows.filter(({ stage }) => stage === 'layers.0.attn.q').every(({ place }) => place === null)).toBe(true);
  expect(twiceText(read)).toContain('layers.0.attn.q_rope in chunk 0, from [1,0,0] on');
  expect((read.toJSON() as { equal: boolean }).equal).toBe(false);
});

// SwiftShader computes workgroups on several threads, and those of one value in any order; lavapipe mostly in the same.
test.skipIf(availableParallelism() < 2)('workgroups that race for one value: the stage and the place', async () => {
  using atlas = await open('atlas', { quiet: true, adapter: 'swiftshader' });
  await atlas.edit('rms_norm', wgsl =>
    wgsl.replace('* scale * gain[i]; }', '* scale * gain[i]; }\n  if (lane == 0) { y[0] = y[0] + scale; }'),
  );
  const ids = Array.from({ length: 40 }, (_, i) => 3 + ((i * 7) % 250));
  let first = null;
  for (let i = 0; i < 8 && first === null; i++) ({ first } = await atlas.twice(ids));
  expect(first?.stage).toMatch(/norm/);
  expect(first?.place?.every(n => n === 0)).toBe(true);
});

test('bad input is one sentence', async () => {
  using atlas = await open('atlas', { quiet: true });
  await expect(atlas.twice(IDS, { chunks: [2, 2] })).rejects.toThrow(/chunks/i);
  await expect(atlas.twice(IDS, { chunk: [2] } as never)).rejects.toThrow(/chunk/);
  await expect(atlas.twice([])).rejects.toThrow();
});
