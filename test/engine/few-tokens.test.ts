// Products with a few tokens in the fast plan of a GPU: a shader of its own (linear_few.wgsl), up to as many as it is faster for. Forced here on whatever
// adapter there is, and compared with sums in float64.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dequantise } from '../../engine/weights/dequantise.js';
import { Executor } from '../../engine/execute.js';
import { FORMATS } from '../../engine/formats/formats.js';
import { Gpu } from '../../engine/gpu.js';
import { Kernels } from '../../engine/kernel.js';
import { readShaderSource } from '../../engine/files.js';
import { dispatchesOf } from '../../engine/ops.js';
import type { Ref } from '../../engine/plan.js';
import { axis, Recorder } from '../../engine/recorder.js';
import { uniform } from '../../engine/sample.js';
import { WeightStore } from '../../engine/weight-store.js';

const gpu = await Gpu.open();
const own = gpu.traits;
beforeAll(() => {
  gpu.traits = { ...own, software: false, subgroup: null };
});
afterAll(() => {
  gpu.traits = own;
});

const MOST = 200;
const COLUMNS: Record<string, number> = { F32: 72, BF16: 136, Q8_0: 96, Q4_0: 288, Q6_K: 256, Q4_K: 512 };

/** A weight of values that are no special ones, as its format stores them. */
async function weightOf(format: string, rows: number, columns: number) {
  const { values, bytes: size } = FORMATS.get(format)!;
  const bytes = new Uint8Array(((rows * columns) / values) * size);
  const random = uniform(7);
  for (let i = 0; i < bytes.length; i++) bytes[i] = 256 * random();
  const view = new DataView(bytes.buffer);
  const [width, exponent] = format === 'F32' ? [4, 0x3f] : format === 'BF16' ? [2, 0x3f] : [size, 0x2c];
  for (let at = 0; at < bytes.length; at += width) {
    if (width <= 4) view.setUint8(at + width - 1, exponent | (bytes[at] & 0x80));
    else
      for (const half of format === 'Q4_K' ? [0, 2] : [format === 'Q6_K' ? 208 : 0])
        view.setUint8(at + half + 1, exponent);
  }
  const rowBytes = bytes.length / rows;
  const some = (start: number, count: number) => bytes.slice(start * rowBytes, (start + count) * rowBytes);
  const store = new WeightStore(gpu);
  await store.add({
    name: 'y',
    shape: [rows, columns],
    format,
    readStored: async (start, count) => some(start, count),
    readRows: async (start, count) => dequantise(format, some(start, count)),
  });
  return { store, values: dequantise(format, bytes) };
}

describe.each(Object.entries(COLUMNS))('%s', (format, columns) => {
  const rows = 331;

  test.each([2, 3, 5, 17, 192, 193])('%i tokens', async tokens => {
    const { store, values } = await weightOf(format, rows, columns);
    using _ = store;
    const m = new Recorder();
    const x: Ref = { name: 'x', axes: [{ letter: 'T', name: 'token', size: 'tokens' }, axis.hidden(columns)] };
    m.linear('y', x, [axis.hidden(rows)]);
    const { stages } = m.finish();
    const random = uniform(tokens);
    const given = Float32Array.from({ length: tokens * columns }, () => random() - 0.5);
    const sizes = { tokens: MOST, positions: MOST, rows: MOST };
    using executor = new Executor(gpu, new Kernels(gpu, readShaderSource), store, stages, sizes, {
      feeds: [x],
      keep: ['y'],
      plan: 'fast',
    });
    executor.feed('x', given);
    const extent = { tokens, keys: tokens, rows: tokens };
    const { captured } = await executor.run({ extent, taps: [{ stage: stages[0] }] });
    let [off, all] = [0, 0];
    for (let t = 0; t < tokens; t++) {
      for (let row = 0; row < rows; row++) {
        let sum = 0;
        for (let k = 0; k < columns; k++) sum += given[t * columns + k] * values[row * columns + k];
        off += (captured[0].data[t * rows + row] - sum) ** 2;
        all += sum ** 2;
      }
    }
    expect(all).toBeGreaterThan(0);
    // What a single chain of roundings comes to.
    expect(Math.sqrt(off / all)).toBeLessThan(Math.sqrt(columns) * 2 ** -24);
    const [few, blocks] = dispatchesOf(stages[0], {
      traits: gpu.traits,
      oneToken: false,
      oneRow: false,
      few: true,
      shards: name => store.shards(name),
      ring: () => 1,
    });
    expect([few.shader, blocks.shader]).toEqual(['linear_few', 'linear']);
    const runs = [few, blocks].map(({ grid }) => grid(extent).every(n => n > 0));
    expect(runs).toEqual([tokens <= 192, tokens > 192]);
  });
});
