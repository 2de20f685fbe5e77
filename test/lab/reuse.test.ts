// A session that was opened with { reuse } reads of a prompt only what the one before did not begin with; to the same bits, and not where anything differs that could matter.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { open } from '../../lab/session/open.js';
import type { RunOptions } from '../../lab/session/request.js';
import type { Session } from '../../lab/session/session.js';

const idsOf = (n: number, from = 5) =>
  Array.from({ length: n }, (_, i) => (i === 0 ? 2 : 4 + ((from * 37 + i * 11) % 500)));
const bits = (data: Float32Array) => new Uint32Array(data.buffer, data.byteOffset, data.length);
/** 200 tokens; the first 150 are the same. The window of 16 and a chunk make rings of 79. */
const first = idsOf(200);
const second = [...first.slice(0, 150), ...idsOf(40, 8)];

let plain: Session;
let again: Session;
beforeAll(async () => {
  plain = await open('atlas', { quiet: true });
  again = await open('atlas', { quiet: true, another: true, reuse: true });
});
afterAll(() => {
  const { gpu } = plain;
  again[Symbol.dispose]();
  plain[Symbol.dispose]();
  expect(gpu.liveBytes).toBe(0);
  expect(gpu.spare.size).toBe(0);
});

/** Runs and holds the bits against a session that reads all. @returns tokens that were not read again */
async function reused(ids: number[], options: RunOptions = {}): Promise<number> {
  const [own, other] = [await again.run(ids, options), await plain.run(ids, options)];
  expect(bits(own.logits.values.data)).toEqual(bits(other.logits.values.data));
  return Number(own.provenance.reused_tokens ?? 0);
}

test.each(['exact', 'fast'] as const)('%s plan: prompts that go on from the one before, and others', async plan => {
  await reused(idsOf(70, 3), { plan });
  expect(await reused(first.slice(0, 64), { plan })).toBe(0); // one chunk: nothing to go on from
  expect(await reused(first.slice(0, 70), { plan })).toBe(0);
  expect(await reused([...first.slice(0, 70), 9, 8], { plan })).toBe(64);
  expect(await reused(first.slice(0, 65), { plan })).toBe(64);
  expect(await reused(second.slice(0, 66), { plan })).toBe(64);
  expect(await reused([...first.slice(0, 63), 9, ...first.slice(64, 90)], { plan })).toBe(0);
  // The rings have forgotten what came before the last 79.
  expect(await reused(first, { plan })).toBe(0);
  expect(await reused(second, { plan })).toBe(0);
  // Where nothing is to be forgotten, they hold what is needed.
  await reused(first.slice(0, 128), { plan });
  expect(await reused(second, { plan })).toBe(128);
  expect(await reused(idsOf(20), { plan })).toBe(0);
});

test('a generation goes on from a run and from a generation, with the same tokens', async () => {
  const made = async (model: Session, ids: number[]) => {
    const out: number[] = [];
    for await (const { id } of model.generate(ids, { maxTokens: 9, ignoreEos: true, temperature: 1, seed: 4 }))
      out.push(id);
    return out;
  };
  const prompt = first.slice(0, 67);
  await again.run(prompt, { plan: 'fast' });
  for (let round = 0; round < 2; round++) {
    expect(await made(again, prompt)).toEqual(await made(plain, prompt));
    expect(again.provenance().reused_tokens).toBe('64');
  }
});

test('an edit, another plan, taps, all logits and chunks of one’s own read everything', async () => {
  const ids = first.slice(0, 70);
  await reused(ids);
  expect(await reused(ids)).toBe(64);
  expect(await reused(ids, { plan: 'fast' })).toBe(0);
  await reused(ids);
  for (const options of [{ tap: 'layers.0.resid' }, { logits: 'all' }, { chunks: [35, 35] }] as RunOptions[]) {
    expect(await reused(ids, options)).toBe(0);
  }
  expect(await reused(ids)).toBe(64);
  const wrong = (wgsl: string) => wgsl.replace('* SCALE', '* SCALE * 1.5');
  await again.edit('scores', wrong);
  await plain.edit('scores', wrong);
  expect(await reused(ids)).toBe(0);
  expect(await reused(ids)).toBe(64);
  await again.edit('scores', null);
  await plain.edit('scores', null);
  expect(await reused(ids)).toBe(0);
});

test('a patch is put in where it reaches, and what it does not reach is not read again', async () => {
  const ids = first.slice(0, 75);
  const patch = (token: number) => ({
    stage: 'layers.1.resid',
    values: 0,
    slice: { token: [token, token + 1] as const },
  });
  await reused(ids);
  for (let token = 66; token < 69; token++) expect(await reused(ids, { patch: patch(token) })).toBe(64);
  expect(await reused(ids, { patch: patch(3) })).toBe(0);
  expect(await reused(ids)).toBe(0); // the chunk was patched
  expect(await reused(ids)).toBe(64);
  // In the fast plan a patch opens steps in all chunks.
  await reused(ids, { plan: 'fast' });
  expect(await reused(ids, { plan: 'fast', patch: patch(66) })).toBe(0);
  expect(await reused(ids, { plan: 'fast' })).toBe(0);
});

test('runs at once have contexts of their own; memory goes when it is short, and without the option is not held', async () => {
  const before = plain.gpu.liveBytes;
  await plain.run(first.slice(0, 70));
  expect(plain.gpu.liveBytes).toBe(before);
  const all = await Promise.all([0, 1, 2].map(() => again.run(first.slice(0, 70))));
  const { logits } = await plain.run(first.slice(0, 70));
  for (const run of all) expect(bits(run.logits.values.data)).toEqual(bits(logits.values.data));
  const held = again.gpu.liveBytes;
  const { gpu } = again;
  const { budgetBytes } = gpu;
  gpu.budgetBytes = held + 1000;
  try {
    gpu.reserve(100_000, 'Something');
    expect(gpu.liveBytes).toBeLessThan(held - 100_000);
  } finally {
    gpu.budgetBytes = budgetBytes;
  }
  expect(await reused(first.slice(0, 70))).toBe(0);
  expect(await reused(first.slice(0, 70))).toBe(64);
});
