// Greedy sampling on the GPU: the largest logit wherever it lies, the lowest index among equals.

import { expect, test } from 'vitest';
import { open } from '../../lab/session/open.js';

test('the GPU takes the token that the CPU finds in the same logits', async () => {
  const model = await open('atlas', { quiet: true });
  using context = model.model.context({ length: 128 });
  for (const ids of [[2, 300, 301], [17], [500, 4, 9, 9], [2], [264, 281, 299]]) {
    const { token } = await context.forward(ids, { argmax: true });
    const logits = await context.logits();
    expect(token).toBe(logits.indexOf(logits.reduce((a, b) => Math.max(a, b))));
  }
  // A head of zeros makes all logits equal: the first is taken.
  await model.edit('results/one', wgsl => wgsl.replace(/= (low|high);/g, '= 0.0;'));
  expect((await context.forward([5], { argmax: true })).token).toBe(0);
  model[Symbol.dispose]();
});
