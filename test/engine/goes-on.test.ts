// A prompt that goes on a token at a time: what a single token needs is compiled while the prompt is read, so that the second token does not wait for a compiler.

import { expect, test, vi } from 'vitest';
import { generate } from '../../engine/generate.js';
import { open } from '../../lab/session/open.js';

const PROMPT = [2, 10, 11, 12, 13];

/** Pipelines that were asked for before the first token came, and after it. */
async function pipelines(maxTokens: number, taps = false) {
  using session = await open('atlas', { quiet: true });
  const { model } = session;
  const asked = vi.spyOn(model.gpu.device, 'createComputePipelineAsync');
  using context = model.context({ plan: 'fast' });
  const options = taps ? { taps: [{ stage: model.plan.stage('layers.1.attn.pattern') }] } : {};
  const ids: number[] = [];
  let before = 0;
  for await (const { id } of generate(context, PROMPT, { maxTokens, ignoreEos: true, ...options })) {
    if (ids.length === 0) before = asked.mock.calls.length;
    ids.push(id);
  }
  const after = asked.mock.calls.length - before;
  asked.mockRestore();
  return { before, after, ids };
}

test.each([false, true])('no pipeline is asked for after the first token (taps: %s)', async taps => {
  const { before, after, ids } = await pipelines(4, taps);
  expect(ids).toHaveLength(4);
  expect(before).toBeGreaterThan(0);
  expect(after).toBe(0);
});

test.each(['exact', 'fast'] as const)('a context of another length needs no other shaders: %s plan', async plan => {
  using session = await open('atlas', { quiet: true });
  const { model } = session;
  const read = async (length: number) => {
    using context = model.context({ plan, length });
    for await (const { id } of generate(context, PROMPT, { maxTokens: 3 })) expect(id).toBeGreaterThanOrEqual(0);
  };
  await read(40);
  await read(90); // a window of 16 and a chunk of 64: positions of sliding layers come round
  const asked = vi.spyOn(model.gpu.device, 'createComputePipelineAsync');
  await read(70);
  await read(37);
  await read(130);
  expect(asked.mock.calls).toEqual([]);
  asked.mockRestore();
});

test('a single token that is wanted compiles nothing for a second', async () => {
  const one = await pipelines(1);
  const more = await pipelines(4);
  // All of them: a small prompt may be read before the second token's are asked for.
  expect(one.before + one.after).toBeLessThan(more.before + more.after);
  expect(more.ids.slice(0, 1)).toEqual(one.ids);
});

test('a context that is disposed of while they are compiled leaves no byte and no rejection', async () => {
  const rejections: unknown[] = [];
  const note = (error: unknown) => void rejections.push(error);
  process.on('unhandledRejection', note);
  using session = await open('atlas', { quiet: true });
  const { model } = session;
  const before = model.gpu.liveBytes;
  {
    using context = model.context({ plan: 'fast' });
    await context.forward(PROMPT, { argmax: true, goesOn: true });
  }
  await model.gpu.settle();
  expect(model.gpu.liveBytes).toBe(before);
  {
    using context = model.context({ plan: 'fast' });
    for await (const { id } of generate(context, PROMPT, { maxTokens: 3 })) expect(id).toBeGreaterThanOrEqual(0);
  }
  expect(model.gpu.liveBytes).toBe(before);
  expect(rejections).toEqual([]);
  process.off('unhandledRejection', note);
});
