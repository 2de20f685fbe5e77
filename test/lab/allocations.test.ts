// Whichever allocation of a call fails, the call fails with that, and every byte and buffer that it took comes back. So for each public call that runs on
// the GPU.

import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BudgetError } from '../../engine/errors.js';
import type { Gpu } from '../../engine/gpu.js';
import { compare } from '../../lab/session/compare.js';
import { open } from '../../lab/session/open.js';
import type { Run } from '../../lab/session/run.js';
import type { Session } from '../../lab/session/session.js';
import { compareModels } from '../../lab/probe/model-comparison.js';
import { type Golden, golden } from '../../lab/values/golden.js';
import { type Trace, trace } from '../../lab/values/trace.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

/** Makes the n-th buffer or texture from now on fail. @returns whether it came to that, and the call did not do without it */
async function failing(
  gpu: Gpu,
  n: number,
  work: () => Promise<unknown>,
): Promise<'never came' | 'failed' | 'went on'> {
  const { createBuffer, createTexture } = gpu;
  let count = 0;
  const counted = <A extends unknown[], R>(own: (...args: A) => R) =>
    function (this: Gpu, ...args: A): R {
      count += 1;
      if (count === n) throw new BudgetError(`allocation ${n}`);
      return own.apply(this, args);
    };
  gpu.createBuffer = counted(createBuffer);
  gpu.createTexture = counted(createTexture);
  try {
    const error = await work().then(
      () => null,
      (error: Error) => error,
    );
    if (error === null) return count < n ? 'never came' : 'went on';
    expect(error.message).toContain(`allocation ${n}`);
    return 'failed';
  } finally {
    delete (gpu as { createBuffer?: unknown }).createBuffer;
    delete (gpu as { createTexture?: unknown }).createTexture;
  }
}

/** What goes ahead with taps reads one token at a time where there is no room for the next. */
const DOES_WITHOUT = ['headroom'];

/** Each allocation of `call` in turn. */
async function allComeBack(gpu: Gpu, name: string, call: () => Promise<unknown>): Promise<void> {
  await call();
  const [bytes, buffers] = [gpu.liveBytes, gpu.liveBuffers];
  let n = 1;
  for (let came = await failing(gpu, n, call); came !== 'never came'; came = await failing(gpu, n, call)) {
    if (!DOES_WITHOUT.includes(name)) expect(came, `allocation ${n} of ${name}`).toBe('failed');
    expect([gpu.liveBytes, gpu.liveBuffers], `allocation ${n} of ${name}`).toEqual([bytes, buffers]);
    n += 1;
  }
  expect(n).toBeGreaterThan(2);
  expect([gpu.liveBytes, gpu.liveBuffers]).toEqual([bytes, buffers]);
}

const drain = async (all: AsyncIterable<unknown>) => {
  for await (const one of all) void one;
};

describe('of a text', () => {
  const PROMPT = 'The capital of France is';
  let model: Session;
  beforeAll(async () => {
    model = await open('atlas', { quiet: true });
  });
  afterAll(() => {
    model[Symbol.dispose]();
    expect(model.gpu.liveBytes).toBe(0);
  });

  const calls: Record<string, (session: Session) => Promise<unknown>> = {
    open: async () => void (await open('atlas', { quiet: true, another: true }))[Symbol.dispose](),
    'open, made smaller': async () =>
      void (await open('atlas', { quiet: true, another: true, quantise: 'q8_0' }))[Symbol.dispose](),
    'run with taps': s => s.run(PROMPT, { tap: ['embed', 'layers.0.attn.*', 'logits'], logits: 'all' }),
    'run in chunks': s => s.run(PROMPT, { tap: 'layers.1.resid', chunks: [2, s.encode(PROMPT).length - 2] }),
    'run with patches': s =>
      s.run(PROMPT, {
        patch: [
          { stage: 'layers.0.resid', values: 0, slice: { token: [1, 2] } },
          { stage: 'layers.1.attn.mix', values: 0, slice: { head: [0, 1] } },
        ],
      }),
    generate: s => drain(s.generate(PROMPT, { maxTokens: 2, tap: 'layers.0.resid' })),
    'sampled generation': s => drain(s.generate(PROMPT, { maxTokens: 2, temperature: 1 })),
    'several prompts': s =>
      drain(s.generate([PROMPT, 'The capital of Spain'], { maxTokens: 2, temperature: 1, topK: 5 })),
    runs: s => drain(s.runs([PROMPT, 'Once'], { tap: 'layers.0.resid' })),
    chat: async s => {
      using conversation = s.chat();
      await drain(conversation.say('Hello', { maxTokens: 2 }));
    },
    'one stage': async s => s.stage('layers.0.attn.scores').run(await golden('atlas/short')),
    lens: async s => (await s.run(PROMPT, { tap: 'layers.*.resid' })).lens(),
    perplexity: s => s.perplexity(PROMPT, { window: 4 }),
    'perplexity by two plans': s => s.perplexity(PROMPT, { against: 'exact' }),
    compareModels: s => compareModels(s, s, PROMPT),
    profile: async s => {
      using context = s.model.context({ length: 16 });
      await context.forward(s.encode(PROMPT), { profile: s.gpu.device.features.has('timestamp-query') });
    },
  };

  test.each(Object.keys(calls))('%s', name => allComeBack(model.gpu, name, () => calls[name](model)));
});

describe('of two layers', () => {
  const IDS = [2, 5, 7];
  let model: Session;
  let whole: Run;
  let own: Golden;
  let theirs: Trace;
  let two: [Run, Run];
  beforeAll(async () => {
    const folder = freshFolder();
    model = await open(await writeTiny(join(folder, 'tiny')), { quiet: true });
    whole = await model.run(IDS, { tap: '**', logits: 'all' });
    await whole.save(join(folder, 'own.safetensors'));
    own = await golden(join(folder, 'own.safetensors'));
    const path = join(folder, 'few.safetensors');
    const few = await model.run(IDS, { tap: ['layers.*.resid', 'layers.1.attn.{q,pattern}', 'logits'], logits: 'all' });
    await few.save(path);
    theirs = await trace(path);
    two = [few, await model.run(IDS, { tap: 'layers.*.resid', chunks: [1, 2] })];
  });
  afterEach(async () => {
    expect((await model.run(IDS, { logits: 'all' })).logits.values.data).toEqual(whole.logits.values.data);
  });
  afterAll(() => {
    model[Symbol.dispose]();
    expect(model.gpu.liveBytes).toBe(0);
  });

  const calls: Record<string, (session: Session) => Promise<unknown>> = {
    // Of the parts of a diff each stage has the same: a few stand for all of them.
    diff: s => s.diff(own, { stages: 'layers.0.attn.*' }),
    'diff of the fast plan': s => s.diff(own, { plan: 'fast', stages: 'layers.0.**' }),
    'diff asked of float64': s => s.diff(own, { oracle: true, stages: 'layers.0.attn.*' }),
    'diff of a trace': s => s.diff(theirs),
    compare: () => compare(...two, { alone: false }),
    patching: s => s.patching({ clean: IDS, corrupt: [2, 6, 7], stages: 'layers.0.resid', answer: 3, wrong: 4 }),
    headScores: s => s.headScores({ period: 2, times: 2, ablation: false }),
    headroom: s => s.headroom(IDS.slice(0, 2)),
    twice: s => s.twice(IDS),
    roofline: s => s.roofline({ rounds: 1, tokens: 1, context: 4 }),
    edit: async s => {
      try {
        await s.edit('rope', wgsl => `${wgsl}\n`);
      } finally {
        await s.edit('rope', null);
      }
    },
  };

  test.each(Object.keys(calls))('%s', name => allComeBack(model.gpu, name, () => calls[name](model)));
});
