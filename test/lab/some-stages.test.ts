// A diff of chosen stages: what it says of each is what the whole diff says of it, also where what it reads was not chosen.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { golden, open, type Session } from '../../lab/index.js';

let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
});
afterAll(() => {
  model[Symbol.dispose]();
  expect(model.gpu.liveBytes).toBe(0);
});

test.each(['exact', 'fast'] as const)(
  'in the %s plan: the same rows, a carrier whose source was not chosen too',
  async plan => {
    const g = await golden('atlas/capital');
    const whole = await model.diff(g, { plan });
    // It carries what rope did, which is left out.
    const carrier = whole.rows.find(({ verdict }) => verdict === 'carrier')!.stage;
    const chosen = [carrier, 'layers.5.**', 'logits'];
    const some = await model.diff(g, { plan, stages: chosen });
    const names = some.rows.map(({ stage }) => stage);
    expect(names).toEqual(
      whole.rows.map(({ stage }) => stage).filter(name => chosen.includes(name) || name.startsWith('layers.5.')),
    );
    expect(some.rows).toEqual(whole.rows.filter(({ stage }) => names.includes(stage)));
    expect(some.note).toBe(`${names.length} of ${whole.rows.length} stages were compared, those that were chosen.`);
    expect([whole.note, some.pass, some.first!.stage]).toEqual([null, false, 'layers.5.attn.q_rope']);
    expect(`${some}`).toContain(some.note!);
  },
);

test('all of them is the whole diff, and says nothing of a choice', async () => {
  const g = await golden('atlas/capital');
  expect((await model.diff(g, { stages: '**', alone: false })).note).toBeNull();
});

test('what is no stage, and what a plan leaves none of, is one sentence', async () => {
  const g = await golden('atlas/capital');
  await expect(model.diff(g, { stages: 'nothing' })).rejects.toThrow(/No stage matches/);
  await expect(model.diff(g, { plan: 'fast', stages: 'layers.0.attn.scores' })).rejects.toThrow(
    'The fast plan leaves none of the stages that were chosen: layers.0.attn.scores. Choose others, or leave the plan out.',
  );
});
