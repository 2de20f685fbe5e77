// atlas, stage by stage, against transformers: prompts shorter and longer than its window, prefill and decode on the cache.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { generate } from '../../engine/generate.js';
import { assemble } from '../../lab/session/capture.js';
import { compare } from '../../lab/diff/metrics.js';
import { ACCUMULATED_LIMIT } from '../../lab/diff/tolerance.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';

let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

describe.each(['atlas/capital', 'atlas/short', 'atlas/long', 'atlas/decode'])('%s', name => {
  test('every stage agrees with PyTorch, alone and in the run', async () => {
    const g = await golden(name);
    const diff = await model.diff(g);
    expect(
      diff.rows.filter(row => !row.pass).map(row => `${row.stage} ${row.accumulated.relL2} ${row.local?.relL2}`),
    ).toEqual([]);
    expect(diff.rows).toHaveLength(135);
  });
});

test('any schedule of chunks gives the same stages: one by one, in fives, all at once', async () => {
  const g = await golden('atlas/long');
  for (const chunks of [Array(28).fill(1), [5, 5, 5, 5, 5, 3], [1, 27]]) {
    const diff = await model.diff({ ...g, chunks }, { alone: false });
    expect(diff.first?.stage ?? null, `chunks ${chunks}`).toBeNull();
  }
});

test.each([1, 3, 7])('rings that wrap give the same stages: chunks of %i on a window of 16', async chunk => {
  const g = await golden('atlas/long'); // 28 tokens: more than the 16 + chunk − 1 slots of a sliding layer
  using context = model.model.context({ length: 512, chunk, logits: 'all' });
  const taps = model.plan.stages.filter(stage => !stage.state).map(stage => ({ stage }));
  const { captured } = await context.forward(g.ids, { taps, logits: 'all' });
  for (const [name, { data, shape }] of assemble(captured, model.labels(g.ids))) {
    const { relL2, worst } = compare(data, await g.read(name), shape);
    expect(relL2, `${name}, worst at [${worst}]`).toBeLessThan(ACCUMULATED_LIMIT);
  }
});

test('a hundred tokens through small rings are those of a cache that never wraps', async () => {
  const { ids } = greedy[1];
  const made: number[][] = [];
  for (const chunk of [2, 200]) {
    using context = model.model.context({ length: 200, chunk });
    const tokens: number[] = [];
    for await (const { id } of generate(context, ids, { maxTokens: 100, ignoreEos: true })) tokens.push(id);
    made.push(tokens);
  }
  expect(made[0]).toEqual(made[1]);
  expect(made[0]).toHaveLength(100);
});

const greedy = JSON.parse(readFileSync(join(packageRoot(), 'golden/atlas/greedy.json'), 'utf8')) as {
  prompt: string;
  ids: number[];
  next: number[];
}[];

test.each(greedy)('greedy tokens after "$prompt" are transformers’', async ({ prompt, ids, next }) => {
  expect(model.encode(prompt)).toEqual(ids);
  const made: number[] = [];
  for await (const token of model.generate(prompt, { maxTokens: 32, ignoreEos: true })) made.push(token.id);
  expect(made).toEqual(next);
});

test('the same tokens without a cache, every one from an empty context', async () => {
  const { ids, next } = greedy[1];
  for (let n = 0; n < 12; n++) {
    using context = model.model.context({ length: 64 });
    const { token } = await context.forward([...ids, ...next.slice(0, n)], { argmax: true });
    expect(token).toBe(next[n]);
  }
});
