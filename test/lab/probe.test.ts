// Probes: the lens, patches and patching. Each is held against something it must equal.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { open } from '../../lab/session/open.js';
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
