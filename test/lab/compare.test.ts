// Two runs by the table of a golden.

import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OptionError, TraceError } from '../../engine/errors.js';
import { locationText } from '../../lab/diff/locate.js';
import { compare } from '../../lab/session/compare.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { trace } from '../../lab/values/trace.js';
import { safetensorsOf, type Tensor } from '../fixtures/array-files.js';
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

test('what is carried has a place, that of its error in the run', async () => {
  const diff = await compare(await model.run(ids), await model.run([2, 300, 17, 99, 19, 40, 41]));
  expect([diff.first?.stage, diff.first?.verdict]).toEqual(['embed', 'carrier']);
  expect(locationText(diff.first!.where)).toBe('all of it in token 3');
  expect(diff.at('layers.2.resid').where.map(({ words }) => words)).toContainEqual(
    expect.stringMatching(/positions ≥ 3/),
  );
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

test('a norm before its gain, as TransformerLens has it, gets the gain of the first run’s model', async () => {
  const run = await model.run(ids, { tap: ['layers.0.input_norm', 'layers.0.resid'], logits: 'all' });
  const { shape, data } = run.at('layers.0.input_norm');
  const files = (await model.files!())!;
  const gain = await files.weights.readRows('layers.0.input_norm', 0, shape[1]);
  await files.close();
  const bare = Float32Array.from(data, (x, i) => x / gain[i % shape[1]]);
  const path = join(freshFolder(), 'normalized.safetensors');
  const write = (values: Float32Array) => {
    const array: Tensor = ['F32', [1, ...shape], Buffer.from(values.buffer)];
    writeFileSync(path, safetensorsOf({ 'blocks.0.ln1.hook_normalized': array }, { ids: JSON.stringify(ids) }));
  };
  write(bare);
  expect((await compare(run, await trace(path))).pass).toBe(true);
  write(bare.map(x => 1.01 * x));
  expect((await compare(run, await trace(path))).first?.stage).toBe('layers.0.input_norm');
});

test('a trace of 3 GB is read an array at a time', async () => {
  // Padded rows of zeros, which take no place on the disk; the run's own where the tokens are.
  const rows = 250_000;
  const stages = [0, 1, 2, 3, 4, 5].flatMap(i =>
    ['input_norm', 'attn.out', 'resid_mid', 'resid'].map(name => `layers.${i}.${name}`),
  );
  const run = await model.run(ids, { tap: stages });
  const bytes = 4 * rows * 128;
  const mask = Uint8Array.from({ length: rows }, (_, i) => Number(i < ids.length));
  const header: Record<string, unknown> = {
    __metadata__: { ids: JSON.stringify(ids) },
    attention_mask: { dtype: 'U8', shape: [1, rows], data_offsets: [0, rows] },
  };
  for (const [i, stage] of stages.entries())
    header[stage] = { dtype: 'F32', shape: [rows, 128], data_offsets: [rows + i * bytes, rows + (i + 1) * bytes] };
  const text = JSON.stringify(header);
  const head = Buffer.from(text.padEnd(8 * Math.ceil(text.length / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  const path = join(freshFolder(), 'large.safetensors');
  const file = openSync(path, 'w');
  const start = 8 + head.length + rows;
  ftruncateSync(file, start + stages.length * bytes);
  writeSync(file, length, 0, 8, 0);
  writeSync(file, head, 0, head.length, 8);
  writeSync(file, mask, 0, rows, 8 + head.length);
  for (const [i, stage] of stages.entries()) {
    const values = Buffer.from(Float32Array.from(run.at(stage).data).buffer);
    writeSync(file, values, 0, values.length, start + i * bytes);
  }
  closeSync(file);
  expect(start + stages.length * bytes).toBeGreaterThan(3e9);
  const before = process.memoryUsage().rss;
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss - before);
  }, 20);
  const diff = await compare(run, await trace(path), { alone: false });
  clearInterval(watch);
  expect(diff.rows.length).toBe(stages.length);
  expect(diff.pass).toBe(true);
  expect(peak).toBeLessThan(1e9);
}, 300_000);
