// The exact geometry of Gemma 3 1B with random weights in bf16 shards (golden/make_1b.py): what it takes to load, and every stage of a
// forward pass of 16 tokens against PyTorch.

import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import { freshFolder } from '../fixtures/folder.js';
import { runTorch } from './torch.js';

const folder = freshFolder();
runTorch('make_1b.py', folder);
const model = await open(join(folder, 'model'), { quiet: true, context: 64 });
const loaded = process.resourceUsage().maxRSS * 1024;
afterAll(() => model[Symbol.dispose]());

test('a billion parameters out of four shards, as they are stored: 2.2 GB on the GPU, less than 4 GiB with the CPU’s', () => {
  const { layers, hidden, feedForward, vocab, heads, kvHeads, headDim } = model.config;
  expect([layers, hidden, feedForward, vocab, heads, kvHeads, headDim]).toEqual([26, 1152, 6912, 262144, 4, 1, 256]);
  // Two bytes a weight, and a tile and a turn of zeros where a matrix ends within one.
  expect(model.model.weightBytes).toBeGreaterThanOrEqual(2 * 999_885_952);
  expect(model.gpu.liveBytes).toBeLessThan(2.2e9);
  expect(loaded).toBeGreaterThan(1e9);
  expect(loaded).toBeLessThan(4 * 2 ** 30);
  console.log(`1B loads with at most ${(loaded / 2 ** 30).toFixed(2)} GiB resident`);
});

test('a token is at most 215 dispatches, with the two that find the likeliest', () => {
  expect(model.model.steps('fast').length + 2).toBeLessThanOrEqual(215);
});

test('every stage of a forward pass of 16 tokens is PyTorch’s, alone and in the run', async () => {
  const diff = await model.diff(await golden(join(folder, 'golden.safetensors')));
  expect(diff.rows).toHaveLength(575);
  expect(diff.rows.filter(row => !row.pass).map(row => row.stage)).toEqual([]);
}, 300_000);
