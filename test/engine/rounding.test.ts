// Inputs of products in 8 bits: the shader's rounding against the arithmetic written out here, and products with it against float64.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Executor } from '../../engine/execute.js';
import { readShaderSource } from '../../engine/files.js';
import type { Gpu } from '../../engine/gpu.js';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { Kernels } from '../../engine/kernel.js';
import type { Ref } from '../../engine/plan.js';
import { axis, Recorder } from '../../engine/recorder.js';
import { exactStep } from '../../engine/step.js';
import { WeightStore } from '../../engine/weight-store.js';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});
afterAll(() => expect(gpu.liveBytes).toBe(0));

/** Blocks of 32, each max |x| / 127 and whole numbers of it, in f32 as the shader has it. */
function rounded(x: Float32Array, columns: number): Float32Array {
  const f = Math.fround;
  const even = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
  const y = x.slice();
  for (let row = 0; row < x.length; row += columns) {
    for (let first = 0; first < columns; first += 32) {
      const end = row + Math.min(columns, first + 32);
      let most = 0;
      for (let i = row + first; i < end; i++) most = Math.max(most, Math.abs(x[i]));
      const d = f(most / 127);
      if (d > 0) for (let i = row + first; i < end; i++) y[i] = f(even(f(x[i] / d)) * d);
    }
  }
  return y;
}

const noise = (n: number, seed: number) =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(seed + i * 1.7) * 10 ** Math.sin(i * 0.37));

/** y = x · weightᵀ, and what the shader made of x. */
async function multiply(x: Float32Array, weight: Float32Array, tokens: number, columns: number) {
  const rows = weight.length / columns;
  using store = new WeightStore(gpu);
  const some = (start: number, count: number) => weight.slice(start * columns, (start + count) * columns);
  await store.add({
    name: 'y',
    shape: [rows, columns],
    format: 'F32',
    readStored: async (start, count) => new Uint8Array(some(start, count).buffer),
    readRows: async (start, count) => some(start, count),
  });
  const feed: Ref = { name: 'x', axes: [{ letter: 'T', name: 'token', size: 'tokens' }, axis.hidden(columns)] };
  const m = new Recorder();
  m.linear('y', feed, [axis.feedForward(rows)]);
  const { stages } = m.finish();
  const options = { feeds: [feed], keep: ['y'], steps: stages.map(stage => exactStep(stage, 'int8')) };
  const sizes = { tokens, positions: tokens, rows: tokens };
  using executor = new Executor(gpu, new Kernels(gpu, readShaderSource), store, stages, sizes, options);
  executor.feed('x', x);
  const { captured } = await executor.run({
    extent: { tokens, keys: tokens, rows: tokens },
    taps: [{ stage: stages[0] }],
  });
  const buffer = executor.buffer('x in 8 bits');
  const seen = new Float32Array(await gpu.read([{ buffer, bytes: 4 * x.length, at: 0 }]));
  return { y: captured[0].data, seen };
}

describe.each([32, 72, 96, 256])('rows of %i', columns => {
  test.each([1, 5])('of %i tokens', async tokens => {
    const x = noise(tokens * columns, columns + tokens);
    x.fill(0, 0, 32); // a block of zeros has no scale
    if (columns > 64) for (let i = 32; i < 64; i++) x[i] *= 1e-30;
    const weight = noise(24 * columns, 3);
    const { y, seen } = await multiply(x, weight, tokens, columns);
    const right = rounded(x, columns);
    // A quotient on the edge between two whole numbers may fall to either side where a division is not rounded right.
    for (let i = 0; i < x.length; i++) {
      const block = x.subarray(i - ((i % columns) % 32), Math.min(x.length, i - ((i % columns) % 32) + 32));
      const step = Math.max(...block.map(Math.abs)) / 127;
      expect(Math.abs(seen[i] - x[i])).toBeLessThanOrEqual(0.5001 * step);
    }
    expect(seen.filter((v, i) => Math.abs(v - right[i]) > 1e-6 * Math.abs(right[i])).length).toBeLessThanOrEqual(1);
    for (let t = 0; t < tokens; t++) {
      for (let row = 0; row < 24; row++) {
        let [sum, size] = [0, 0];
        for (let k = 0; k < columns; k++) {
          const product = weight[row * columns + k] * seen[t * columns + k];
          sum += product;
          size += Math.abs(product);
        }
        expect(Math.abs(y[t * 24 + row] - sum), `row ${row}, token ${t}`).toBeLessThanOrEqual(2e-6 * size);
      }
    }
  });
});

test('what is not finite stays so, and its neighbours in other blocks are as they were', async () => {
  const x = noise(128, 1);
  const clean = await multiply(x, noise(8 * 128, 2), 1, 128);
  x[3] = Number.NaN;
  x[40] = Number.POSITIVE_INFINITY;
  const { y, seen } = await multiply(x, noise(8 * 128, 2), 1, 128);
  expect(Number.isFinite(seen[3])).toBe(false);
  expect(Number.isFinite(seen[40])).toBe(false);
  expect([...seen.slice(64)]).toEqual([...clean.seen.slice(64)]);
  expect([...y].every(v => !Number.isFinite(v))).toBe(true);
});
