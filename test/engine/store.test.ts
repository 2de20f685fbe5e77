// Where weights lie is what this adapter reads faster, as it was measured here: kept, followed, and measured again where what was kept is no measurement.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Gpu } from '../../engine/gpu.js';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { chosen, storeOf, WORTH_IT } from '../../engine/store.js';
import { lanesOf } from '../../engine/stream.js';
import { open } from '../../lab/session/open.js';
import { golden } from '../../lab/values/golden.js';

let folder: string;
const before = process.env.LOUPE_CACHE;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stores-'));
});
afterEach(() => {
  if (before === undefined) delete process.env.LOUPE_CACHE;
  else process.env.LOUPE_CACHE = before;
  rmSync(folder, { recursive: true, force: true });
});
/** The adapter's own files are where they were. */
const elsewhere = () => {
  process.env.LOUPE_CACHE = folder;
};
const kept = () => join(folder, 'stores', readdirSync(join(folder, 'stores'))[0]);

test('textures have to be worth it, and without a clock weights lie in buffers', () => {
  expect(chosen({ buffer: 4, texture: 4 * WORTH_IT }).store).toBe('texture');
  expect(chosen({ buffer: 4, texture: 4 * WORTH_IT - 0.01 }).store).toBe('buffer');
  expect(chosen({ buffer: 4, texture: 1 }).store).toBe('buffer');
  expect(chosen(null)).toMatchObject({ store: 'buffer', speeds: null });
});

test('it is measured once and kept, leaves nothing on the GPU, and what is no measurement is measured again', async () => {
  const gpu = await sharedGpu();
  const live = gpu.liveBytes;
  elsewhere();
  const first = await storeOf(gpu);
  expect(gpu.liveBytes).toBe(live);
  // Of the two software adapters, by a factor of two.
  if (gpu.kind !== 'hardware') expect(first.store).toBe(gpu.kind === 'lavapipe' ? 'texture' : 'buffer');
  expect(gpu.traits.store).toBe(first.store);
  expect(first.speeds?.buffer).toBeGreaterThan(1e7);
  expect(await storeOf(gpu)).toEqual(first);
  const odd = `{"speeds":${JSON.stringify(first.speeds)},"measured":5}`;
  for (const text of [odd, '', '{}', 'null', '{"speeds":{"buffer":-1,"texture":2},"measured":"2026-01-01"}', '[1']) {
    writeFileSync(kept(), text);
    const again = await storeOf(gpu);
    expect(again.measured > first.measured).toBe(true);
    expect(JSON.parse(readFileSync(kept(), 'utf8'))).toEqual({ speeds: again.speeds, measured: again.measured });
  }
  const last = await storeOf(gpu);
  const anew = await storeOf(gpu, true);
  expect(anew.measured > last.measured).toBe(true);
  expect(await storeOf(gpu)).toEqual(anew);
  expect(readdirSync(join(folder, 'stores'))).toHaveLength(1);
  // What waits for somebody to write is not waited for.
  const path = kept();
  rmSync(path);
  execFileSync('mkfifo', [path]);
  expect((await storeOf(gpu)).store).toBe(first.store);
});

test('what was kept is followed by the next device, whose activations are right from either', async () => {
  const gpu = await sharedGpu();
  elsewhere();
  await storeOf(gpu);
  const other = gpu.traits.store === 'buffer' ? 'texture' : 'buffer';
  const speeds = { buffer: 1e9, texture: 1e9, [other]: 5e9 };
  writeFileSync(kept(), JSON.stringify({ speeds, measured: new Date().toISOString() }));
  const opened = await Gpu.open(undefined, 'own', async one => (await storeOf(one)).store);
  expect(opened.traits.store).toBe(other);
  const own = gpu.traits;
  try {
    gpu.traits = { ...own, store: other };
    using model = await open('atlas', { another: true });
    const capital = await golden('atlas/capital');
    expect((await model.diff(capital, { plan: 'fast' })).pass).toBe(true);
  } finally {
    gpu.traits = own;
    opened.device.destroy();
  }
});

test('it is measured by the adapter’s own lanes whatever kernels were asked for, as what is kept is of the adapter', async () => {
  const lanes: number[] = [];
  for (const kernels of ['own', 'gpu'] as const) {
    const gpu = await Gpu.open(undefined, kernels);
    lanes.push(lanesOf(gpu));
    gpu.device.destroy();
  }
  expect(lanes[1]).toBe(lanes[0]);
});

test('where it cannot be kept it is measured each time, and that is all', async () => {
  const gpu = await sharedGpu();
  elsewhere();
  writeFileSync(join(folder, 'stores'), 'a file where the folder would be');
  const first = await storeOf(gpu);
  expect(first.store).toBe(gpu.traits.store);
  expect((await storeOf(gpu)).measured).not.toBe(first.measured);
});
