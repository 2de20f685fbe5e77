// The seed's tiny model, made here by formula, end to end against transformers: prefill, decode on the cache, shards.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { sharedGpu, type Traits } from '../../engine/gpu.js';
import { golden } from '../../lab/golden.js';
import { open } from '../../lab/open.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();
const path = join(packageRoot(), 'golden', 'tiny.safetensors');

test('every stage agrees with PyTorch', async () => {
  const model = await open(await writeTiny(join(folder, 'tiny')), { quiet: true });
  const diff = await model.diff(await golden(path));
  expect(diff.first?.stage ?? null).toBeNull();
  expect(diff.rows).toHaveLength(47);
  model[Symbol.dispose]();
});

test('the same with weights split over bindings, as on adapters that bind 128 MiB', async () => {
  const gpu = await sharedGpu();
  const own = gpu.traits;
  (gpu as { traits: Traits }).traits = { ...own, maxBinding: 100_000 };
  try {
    const model = await open(await writeTiny(join(folder, 'split')), { quiet: true });
    expect(model.model.shards('embed').length).toBeGreaterThan(4);
    const diff = await model.diff(await golden(path));
    expect(diff.first?.stage ?? null).toBeNull();
    model[Symbol.dispose]();
  } finally {
    (gpu as { traits: Traits }).traits = own;
  }
});

test('a golden of another model is refused before anything runs', async () => {
  const model = await open(join(folder, 'tiny'), { quiet: true });
  await expect(model.diff(await golden('atlas/capital'))).rejects.toThrow(/is of another\s+model/);
  model[Symbol.dispose]();
});
