// Two runs by the table of a golden.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OptionError, TraceError } from '../../engine/errors.js';
import { compare } from '../../lab/session/compare.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { trace } from '../../lab/values/trace.js';
import { freshFolder } from '../fixtures/folder.js';

const ids = [2, 300, 17, 18, 19, 40, 41];
let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

test('a run and itself in chunks of 2, 3 and 5: the same bits in the run', async () => {
  const whole = await model.run(ids);
  for (const chunks of [
    [1, 1, 1, 1, 1, 1, 1],
    [2, 2, 3],
    [5, 2],
  ]) {
    const diff = await compare(whole, await model.run(ids, { chunks }));
    expect(diff.rows.length).toBe(135);
    expect(diff.pass).toBe(true);
    expect(diff.other).toBe('run');
  }
});

test('before and after an edit: the stage that was edited is the source', async () => {
  const before = await model.run(ids);
  await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
  const after = await model.run(ids);
  await model.edit('rope', null);
  const diff = await compare(before, after);
  expect(diff.first).toMatchObject({ stage: 'layers.0.attn.q_rope', verdict: 'source' });
  expect((await compare(after, after, { alone: false })).pass).toBe(true);
});

test('two prompts of one length: no stage is wrong, and what differs is carried from the tokens', async () => {
  const diff = await compare(await model.run(ids), await model.run([2, 17, 300, 19, 18, 40, 41]));
  expect(diff.rows[0]).toMatchObject({ stage: 'embed', verdict: 'carrier' });
  expect(diff.rows.filter(({ verdict }) => verdict === 'source' || verdict === 'masked')).toEqual([]);
});

test('a trace that was saved, and what cannot be compared', async () => {
  const run = await model.run(ids, { tap: '**', logits: 'all' });
  const path = join(freshFolder(), 'saved.safetensors');
  run.save(path);
  const diff = await compare(run, await trace(path));
  expect(diff.rows.length).toBe(135);
  expect(diff.rows.every(({ accumulated }) => accumulated.maxAbs === 0)).toBe(true);
  await expect(compare(run, await model.run(ids.slice(1)))).rejects.toThrow(TraceError);
  await expect(compare(run, await model.run(ids.slice(1)))).rejects.toThrow('The runs are of 7 and 6 tokens');
  await expect(compare(run, 'x' as never)).rejects.toThrow(OptionError);
  expect(compare(Float32Array.of(1), Float32Array.of(1), [1]).relL2).toBe(0);
});
