// Patches of parts of a stage: where they go, what they leave masked, and what they were when the run was asked for.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { open } from '../../lab/session/open.js';
import type { RunOptions } from '../../lab/session/request.js';
import type { Run } from '../../lab/session/run.js';
import type { Session } from '../../lab/session/session.js';
import { INSPECT } from '../../lab/values/shown.js';

const LONG =
  'The capital of Ghana is Accra. The people of Ghana speak English. The capital of France is Paris. The people of France speak French.';
const WINDOW = 16;

let model: Session;
let ids: number[];
let whole: Run;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  ids = model.encode(LONG).slice(0, 40);
  whole = await model.run(ids, { tap: '**', logits: 'all' });
});
afterAll(() => model[Symbol.dispose]());

test('a patch of part of a stage goes where it says, by a slice from the end too', async () => {
  const tap = 'layers.3.resid';
  const patch = {
    stage: tap,
    values: whole.at(tap).slice({ token: [5, 6] }),
    slice: { token: [-1, Infinity] },
  } as const;
  const run = await model.run(ids, { tap, patch });
  expect(run.at(tap).token(39).data).toEqual(whole.at(tap).token(5).data);
  expect(run.at(tap).token(38).data).toEqual((await model.run(ids, { tap })).at(tap).token(38).data);
  expect(run[INSPECT]()).toContain('layers.3.resid [token 40, channel 128]');
  const middle = { stage: tap, values: whole.at(tap).slice({ token: [30, 36] }), slice: { token: [3, 9] } } as const;
  const [once, chunked] = [
    await model.run(ids, { tap, patch: middle }),
    await model.run(ids, { tap, patch: middle, chunks: [5, 2, 33] }),
  ];
  for (const token of [3, 4, 5, 6, 7, 8])
    for (const r of [once, chunked]) expect(r.at(tap).token(token).data).toEqual(whole.at(tap).token(token + 27).data);
});

describe('a patch leaves masked what a query may not see, however the prompt was read', () => {
  const [sliding, full] = ['layers.0', 'layers.5'];
  const of = async (patch: RunOptions['patch']) => {
    const tap = ['layers.*.attn.{scores,pattern}', 'layers.5.resid'];
    return Promise.all(
      [{}, { chunks: [5, 12, 23] }, { plan: 'fast' as const }].map(o => model.run(ids, { tap, patch, ...o })),
    );
  };
  const may = (layer: string, query: number, key: number) => key <= query && (layer === full || query - key < WINDOW);

  test.each([sliding, full])('scores of 0 are the same weight for every key that is seen: %s', async layer => {
    const runs = await of({ stage: `${layer}.attn.scores`, values: 0 });
    for (const run of runs) {
      const pattern = run.at(`${layer}.attn.pattern`);
      for (let query = 0; query < 40; query++)
        for (let key = 0; key < 40; key++) {
          const many = layer === full ? query + 1 : Math.min(query + 1, WINDOW);
          expect(pattern.get(1, query, key)).toBeCloseTo(may(layer, query, key) ? 1 / many : 0, 6);
        }
      const [here, first] = [run, runs[0]].map(r => r.at('layers.5.resid').data);
      if (run !== runs[2]) expect(here).toEqual(first);
      expect(Math.max(...here.map((x, i) => Math.abs(x - first[i])))).toBeLessThan(1e-4); // the fast plan adds up in another order
    }
  });

  test.each([sliding, full])('weights: %s', async layer => {
    const slice = { query: [10, 30], key: [2, 25] } as const;
    const stage = `${layer}.attn.pattern`;
    for (const run of await of({ stage, values: 0.25, slice }))
      for (let query = 10; query < 30; query++)
        for (let key = 2; key < 25; key++)
          expect(run.at(stage).get(3, query, key)).toBe(may(layer, query, key) ? 0.25 : 0);
  });

  test('a patch at the first and the last key that is seen is one, and one beside them is none', async () => {
    const patch = (key: number) =>
      model.run(ids, { patch: { stage: 'layers.0.attn.pattern', values: 0, slice: { query: 30, key } } });
    for (const key of [15, 30]) expect((await patch(key)).ids).toHaveLength(40);
    for (const key of [14, 31]) await expect(patch(key)).rejects.toThrow(/would change nothing/);
  });
});

test('a patch is what it was when the run was asked for', async () => {
  const right = await model.run('The capital of France is', { tap: 'layers.3.resid' });
  const values = right.at('layers.3.resid');
  const kept = values.data.slice();
  const asked = model.run('The capital of France is', { patch: { stage: 'layers.3.resid', values } });
  values.data.fill(9);
  expect((await asked).logits.top(1)).toEqual(right.logits.top(1));
  values.data.set(kept);
});
