// The seed's tiny model, made here by formula, end to end against transformers: prefill, decode on the cache, shards.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
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

// Each adapter proves the store that it uses.
test('the same with weights split over buffers or textures that hold little', async () => {
  const gpu = await sharedGpu();
  const own = gpu.traits;
  const small = own.store === 'buffer' ? { maxBinding: 100_000 } : { maxTexture: 90 };
  gpu.traits = { ...own, ...small };
  try {
    const model = await open(await writeTiny(join(folder, 'split')), { quiet: true });
    const shards = model.model.shards('embed');
    expect(shards.length).toBeGreaterThan(4);
    // A tile is then over several rows of texels.
    if (own.store === 'texture') expect(shards[0].constants.HEIGHT).toBeGreaterThan(4);
    const diff = await model.diff(await golden(path));
    expect(diff.first?.stage ?? null).toBeNull();
    model[Symbol.dispose]();
  } finally {
    gpu.traits = own;
  }
});

test('a golden of another model is refused before anything runs', async () => {
  const model = await open(join(folder, 'tiny'), { quiet: true });
  await expect(model.diff(await golden('atlas/capital'))).rejects.toThrow(/is of another\s+model/);
  model[Symbol.dispose]();
});
