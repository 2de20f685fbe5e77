// Probes: the lens, patches and patching. Each is held against something it must equal.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Context } from '../../engine/context.js';
import { open } from '../../lab/session/open.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';
import type { Session } from '../../lab/session/session.js';

let model: Session;
let before: number;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  before = model.gpu.liveBytes;
});
afterAll(() => {
  expect(model.gpu.liveBytes).toBe(before);
  model[Symbol.dispose]();
});

const CLEAN = 'The capital of France is';
const CORRUPT = 'The capital of Italy is';

describe('the lens', () => {
  test('after the last layer says what the model says, for every token', async () => {
    const run = await model.run(CLEAN, { tap: ['layers.*.resid', 'logits'], logits: 'all' });
    const { cells } = await run.lens();
    expect(cells).toHaveLength(6);
    const logits = run.at('logits');
    cells[5].forEach(({ id, probability, finalRank }, token) => {
      const row = logits.token(token).data;
      const best = row.indexOf(Math.max(...row));
      expect(id).toBe(best);
      expect(finalRank).toBe(1);
      const sum = row.reduce((n, logit) => n + Math.exp(logit - row[best]), 0);
      expect(probability).toBeCloseTo(1 / sum, 6);
    });
  });

  test('refuses what is no residual stream', async () => {
    const run = await model.run(CLEAN, { tap: '**' });
    await expect(run.lens('layers.*.attn.pattern')).rejects.toThrow(
      /reads residual streams, \[T,128\], and 'layers.0.attn.pattern' is/,
    );
  });
});

describe('a patch', () => {
  test('of a whole residual stream makes the other prompt’s logits, bit by bit, in one chunk and in several', async () => {
    const clean = await model.run(CLEAN, { tap: ['layers.2.resid'] });
    const patch = { stage: 'layers.2.resid', values: clean.at('layers.2.resid') };
    const patched = await model.run(CORRUPT, { patch });
    expect(patched.logits.values.data).not.toEqual((await model.run(CORRUPT)).logits.values.data);
    // Layers 0 to 2 of the corrupt prompt are in the cache of no later layer, so everything after is the clean prompt's.
    expect(patched.logits.values.data).toEqual(clean.logits.values.data);
    const chunks = [3, 2, 1, 1];
    const cleanChunked = await model.run(CLEAN, { chunks, tap: 'layers.2.resid' });
    const fromChunks = { stage: 'layers.2.resid', values: cleanChunked.at('layers.2.resid') };
    const chunked = await model.run(CORRUPT, { patch: fromChunks, chunks });
    expect(chunked.logits.values.data).toEqual(cleanChunked.logits.values.data);
  });

  test('is what a tap of the same stage sees, and touches only its slice', async () => {
    const plain = await model.run(CORRUPT, { tap: 'layers.1.attn.mix' });
    const run = await model.run(CORRUPT, {
      tap: 'layers.1.attn.mix',
      patch: { stage: 'layers.1.attn.mix', values: 0, slice: { head: [2, 3] } },
    });
    const [before, after] = [plain, run].map(r => r.at('layers.1.attn.mix'));
    expect(after.head(2).data.every(v => v === 0)).toBe(true);
    for (const head of [0, 1, 3]) expect(after.head(head).data).toEqual(before.head(head).data);
  });

  test('with its own values changes no bit', async () => {
    const run = await model.run(CLEAN, { tap: 'layers.*.attn.pattern' });
    const patch = [0, 3, 5].map(i => ({
      stage: `layers.${i}.attn.pattern`,
      values: run.at(`layers.${i}.attn.pattern`),
    }));
    expect((await model.run(CLEAN, { patch })).logits.values.data).toEqual(run.logits.values.data);
  });

  test('of the wrong size is refused, and frees what it took', async () => {
    const short = await model.run('The capital', { tap: 'layers.0.resid' });
    const patch = { stage: 'layers.0.resid', values: short.at('layers.0.resid') };
    await expect(model.run(CLEAN, { patch })).rejects.toThrow(
      /has 3 entries along 'token', and 7 are to be replaced. Slice it/,
    );
    const other = { stage: 'layers.0.attn.q', values: short.at('layers.0.resid') };
    await expect(model.run('The capital', { patch: other })).rejects.toThrow(/needs values of 3 dimensions/);
  });
});

describe('patching', () => {
  test('reads what is the same in all its runs once, to the same bits', async () => {
    const clean = Array.from({ length: 300 }, (_, i) => (i === 0 ? 2 : 5 + ((i * 37) % 500)));
    const corrupt = clean.map((id, i) => (i === 290 ? id + 1 : id));
    const stages = 'layers.0.resid';
    // A window that is shorter than the prompt has lost what the next run would go on from.
    const config = { sliding_window: 400, max_position_embeddings: 512 };
    using model = await open(await writeTiny(join(freshFolder(), 'wide'), { config }), { quiet: true });
    const read = vi.spyOn(Context.prototype, 'forward');
    const { restored } = await model.patching({ clean, corrupt, stages, answer: 7, wrong: 9 });
    const tokens = read.mock.calls.reduce((n, [ids]) => n + ids.length, 0);
    read.mockRestore();
    // The two prompts, and of ten runs what comes after the last whole chunk.
    using one = model.model.context({ length: 320 });
    const { chunk } = one;
    expect(tokens).toBe(2 * 300 + 10 * (300 - chunk * Math.floor(300 / chunk)));
    const from = await model.run(clean, { tap: stages });
    const apart = ({ data }: { data: Float32Array }) => data[7] - data[9];
    const none = apart((await model.run(corrupt)).logits.values);
    for (const token of [290, 299]) {
      const slice = { token: [token, token + 1] as const };
      const patch = { stage: stages, values: from.at(stages).slice(slice), slice };
      const one = apart((await model.run(corrupt, { patch })).logits.values);
      expect(restored[0][token]).toBe((one - none) / (apart(from.logits.values) - none));
    }
    await expect(model.run('a', { shared: {} as never })).rejects.toThrow(/^shared is what Loupe's own instruments/);
  });

  test('and head scores go by either plan', async () => {
    const pair = { clean: CLEAN, corrupt: CORRUPT, stages: 'layers.{1,4}.resid' };
    const exact = await model.patching(pair);
    const fast = await model.patching({ ...pair, plan: 'fast' });
    const values = exact.restored.flat();
    for (const [i, value] of fast.restored.flat().entries()) expect(value).toBeCloseTo(values[i], 4);
    expect(fast.provenance.plan).toBe('fast');
    const heads = { prompt: CLEAN, ablation: false };
    const [a, b] = [await model.headScores(heads), await model.headScores({ ...heads, plan: 'fast' })];
    expect(b.run.provenance.plan).toBe('fast');
    const previous = a.previous.flat();
    for (const [i, value] of b.previous.flat().entries()) expect(value).toBeCloseTo(previous[i], 5);
    await expect(model.patching({ ...pair, plan: 'slow' as never })).rejects.toThrow(/^The plan is 'exact'/);
    await expect(model.headScores({ ...heads, plan: 'slow' as never })).rejects.toThrow(/^The plan is 'exact'/);
  });

  test('restores everything at the last layer and token, nothing before the prompts differ', async () => {
    const { restored, tokens } = await model.patching({ clean: CLEAN, corrupt: CORRUPT });
    expect(tokens.slice(4)).toEqual(['␣F/␣It', 'rance/aly', ' is']);
    expect(restored[5][6]).toBeCloseTo(1, 5);
    for (const row of restored) expect(row.slice(0, 4)).toEqual([0, 0, 0, 0]);
  });

  test('says by which shaders it was made', async () => {
    const stages = 'layers.5.resid';
    const plain = await model.patching({ clean: CLEAN, corrupt: CORRUPT, stages });
    expect(plain.provenance).toMatchObject({ model: 'atlas', edited_shaders: '', plan: 'exact' });
    await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
    const edited = await model.patching({ clean: CLEAN, corrupt: CORRUPT, stages });
    await model.edit('rope', null);
    expect(edited.provenance).toMatchObject({ edited_shaders: 'rope' });
  });

  test('says what is wrong with the prompts or answers', async () => {
    await expect(model.patching({ clean: CLEAN, corrupt: 'The capital of' })).rejects.toThrow(
      /has 7 tokens and the corrupt one 4/,
    );
    await expect(model.patching({ clean: CLEAN, corrupt: CORRUPT, answer: ' Paris' })).rejects.toThrow(
      /' Paris' is \d tokens/,
    );
    await expect(model.patching({ clean: CLEAN, corrupt: CLEAN })).rejects.toThrow(/nothing to restore/);
    await expect(model.patching({ clean: CLEAN, corrupt: CORRUPT, stages: 'layers.*.attn.pattern' })).rejects.toThrow(
      /no row a token/,
    );
  });
});
