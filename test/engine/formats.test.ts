// Weights in every stored format, read by shaders from where they lie on the GPU, against the CPU's dequantiser, which is held against the
// Python package gguf in dequantise.test.ts: equal values, and products with them.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Executor } from '../../engine/execute.js';
import { readShaderSource } from '../../engine/files.js';
import { alike } from '../../engine/formats/alike.js';
import { FORMATS } from '../../engine/formats/formats.js';
import type { Gpu } from '../../engine/gpu.js';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { Kernels } from '../../engine/kernel.js';
import type { Ref } from '../../engine/plan.js';
import { axis, Recorder } from '../../engine/recorder.js';
import { type Incoming, laidTogether, WeightStore } from '../../engine/weight-store.js';
import { dequantise } from '../../engine/weights/dequantise.js';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});
afterAll(() => expect(gpu.liveBytes).toBe(0));

/** Where a block keeps half floats, so that random bytes are no NaN there: a scale of any size from the least to 8. */
const HALVES: Record<string, number[]> = {
  ...{ F16: [0], Q8_0: [0], Q4_0: [0], Q4_1: [0, 2], Q5_0: [0], Q5_1: [0, 2], Q4_K: [0, 2], Q5_K: [0, 2], Q6_K: [208] },
  ...{ Q2_K: [80, 82], Q3_K: [108], IQ4_NL: [0], IQ4_XS: [0] },
};

/** Rows of random blocks; the first blocks have scales below the least normal half float, and zero. */
function randomRows(name: string, rows: number, columns: number): Uint8Array<ArrayBuffer> {
  const { values, bytes: size } = FORMATS.get(name)!;
  const bytes = new Uint8Array(((rows * columns) / values) * size);
  let state = 12345;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  const view = new DataView(bytes.buffer);
  for (let at = 0, n = 0; at < bytes.length; at += size, n++) {
    for (const half of HALVES[name] ?? []) {
      const scale =
        n === 0
          ? 0x0001
          : n === 1
            ? 0x8123
            : n === 2
              ? 0
              : (view.getUint16(at + half, true) & 0x83ff) | ((n % 19) << 10);
      view.setUint16(at + half, scale, true);
    }
    if (name === 'MXFP4') bytes[at] = 100 + (n % 60);
    if (name === 'BF16') view.setUint16(at, (view.getUint16(at, true) & 0xbfff) | 0x2000, true);
    if (name === 'F32') view.setUint32(at, (view.getUint32(at, true) & 0xbfffffff) | 0x20000000, true);
  }
  return bytes;
}

function incoming(name: string, format: string, rows: number, columns: number): Incoming {
  const { values, bytes: size } = FORMATS.get(format)!;
  const bytes = randomRows(format, rows, columns);
  const rowBytes = (columns / values) * size;
  const some = (start: number, count: number) => bytes.slice(start * rowBytes, (start + count) * rowBytes);
  return {
    name,
    shape: [rows, columns],
    format,
    readStored: async (start, count) => some(start, count),
    readRows: async (start, count) => dequantise(format, some(start, count)),
  };
}

async function stored(name: string, rows: number, columns: number) {
  const weight = incoming('y', name, rows, columns);
  const store = new WeightStore(gpu);
  await store.add(weight);
  return { store, values: await weight.readRows(0, rows) };
}

async function output(
  m: Recorder,
  store: WeightStore,
  tokens: number,
  feeds: [Ref, Float32Array][],
  { ids, plan = 'exact', room = tokens }: { ids?: number[]; plan?: 'exact' | 'fast'; room?: number } = {},
) {
  const { stages } = m.finish();
  const sizes = { tokens: room, positions: room, rows: room };
  const options = { feeds: feeds.map(([ref]) => ref), keep: stages.map(({ name }) => name), plan };
  using executor = new Executor(gpu, new Kernels(gpu, readShaderSource), store, stages, sizes, options);
  for (const [ref, data] of feeds) executor.feed(ref.name, data);
  const extent = { tokens, keys: tokens, rows: tokens };
  const { captured } = await executor.run({ extent, ids, taps: [{ stage: stages[0] }] });
  return captured[0].data;
}

describe.each([...FORMATS.keys()])('%s', name => {
  const block = FORMATS.get(name)!.values;
  // 19 rows: a tile and a part of one. Columns: whole turns, and where blocks are small a part of one.
  const widths = block === 256 ? [256, 512] : block === 32 ? [32, 96, 288] : [72, 128, 260];

  test.each(widths)('is read as the CPU reads it, in rows of %i', async columns => {
    const rows = 19;
    const { store, values } = await stored(name, rows, columns);
    using _ = store;
    const m = new Recorder();
    m.embed('y', m.ids, [axis.vocab(rows), axis.hidden(columns)], { scale: 1 });
    const ids = Array.from({ length: rows }, (_, i) => i);
    const read = await output(m, store, rows, [], { ids });
    // 0 and −0 are one value: a format that takes an offset off gives 0 where d · 0 is −0.
    const wrong = [...values.keys()].filter(i => read[i] !== values[i]);
    expect(wrong.slice(0, 3).map(i => [i, read[i], values[i]])).toEqual([]);
  });

  // The fast plan multiplies by a block's scale last, on some adapters, and reads its input from where there is room for it.
  test.each([
    [1, 'exact', 1],
    [9, 'exact', 9],
    [1, 'fast', 1],
    [1, 'fast', 300],
    [9, 'fast', 9],
  ] as const)('is multiplied with %i tokens in the %s plan, with room for %i', async (tokens, plan, room) => {
    const [rows, columns] = [35, widths[widths.length - 1]];
    const { store, values } = await stored(name, rows, columns);
    using _ = store;
    const x = Float32Array.from({ length: tokens * columns }, (_, i) => Math.sin(1 + i));
    const feed: Ref = { name: 'x', axes: [{ letter: 'T', name: 'token', size: 'tokens' }, axis.hidden(columns)] };
    const m = new Recorder();
    m.linear('y', feed, [axis.feedForward(rows)]);
    const y = await output(m, store, tokens, [[feed, x]], { plan, room });
    for (let t = 0; t < tokens; t++) {
      for (let row = 0; row < rows; row++) {
        let [sum, size] = [0, 0];
        for (let k = 0; k < columns; k++) {
          const product = values[row * columns + k] * x[t * columns + k];
          sum += product;
          size += Math.abs(product);
        }
        expect(Math.abs(y[t * rows + row] - sum), `row ${row}, token ${t}`).toBeLessThanOrEqual(2e-6 * size);
      }
    }
  });
});

// A zero point or a least value that is taken off a sum, and not off each number, leaves what a large input times it is rounded by, where the weight itself is next to nothing.
test.each([...FORMATS.keys()])('%s: a large input leaves no more than its small weight makes of it', async name => {
  const [rows, columns] = [64, Math.max(96, FORMATS.get(name)!.values)];
  const { store, values } = await stored(name, rows, columns);
  using _ = store;
  const size = (i: number) => Math.abs(values[i]);
  const all = [...values.keys()];
  const small = all.reduce((a, b) => (size(b) < size(a) ? b : a));
  expect(size(small)).toBeLessThan(0.02 * Math.max(...all.map(size)));
  const [row, large] = [Math.floor(small / columns), small % columns];
  const x = Float32Array.from({ length: columns }, (_, k) => (k === large ? 1e6 : Math.sin(1 + k)));
  const feed: Ref = { name: 'x', axes: [{ letter: 'T', name: 'token', size: 'tokens' }, axis.hidden(columns)] };
  const products = Array.from(x, (v, k) => v * values[row * columns + k]);
  const sum = products.reduce((a, b) => a + b, 0);
  const sizes = products.reduce((a, b) => a + Math.abs(b), 0);
  for (const plan of ['exact', 'fast'] as const) {
    const m = new Recorder();
    m.linear('y', feed, [axis.feedForward(rows)]);
    const y = await output(m, store, 1, [[feed, x]], { plan });
    expect(Math.abs(y[row] - sum), plan).toBeLessThanOrEqual(2e-6 * sizes);
  }
});

const NAMES = [...FORMATS.keys()].filter(name => FORMATS.get(name)!.values >= 32);
const pairs = NAMES.flatMap((a, i) =>
  NAMES.slice(i + 1).flatMap(b => (alike([a, b]) ? [[a, b, alike([a, b])![0].shader] as const] : [])),
);

test('formats that one shader reads, some of them as a wider one, can lie together', () => {
  expect(pairs.map(pair => pair.join(' '))).toEqual([
    'Q8_0 Q4_0 q8_0',
    'Q8_0 Q5_0 q8_0',
    'Q8_0 IQ4_NL q8_0',
    'Q4_0 Q5_0 q8_0',
    'Q4_0 IQ4_NL q8_0',
    'Q4_1 Q5_1 q5_1',
    'Q5_0 IQ4_NL q8_0',
    'Q4_K Q5_K q5_k',
    'Q6_K Q3_K q6_k',
    'Q6_K IQ4_XS q6_k',
    'Q3_K IQ4_XS q6_k',
  ]);
  expect(alike(['Q5_0', 'Q5_0', 'Q8_0'])!.map(({ texels, bytes }) => [texels, bytes])).toEqual([
    [17, 22],
    [17, 22],
    [17, 34],
  ]);
  // What is alike stays as it is.
  expect(alike(['Q4_0', 'Q4_0'])![0]).toBe(FORMATS.get('Q4_0'));
  expect(alike(['Q4_K', 'Q6_K'])).toBeNull();
  expect(alike(['F32', 'BF16'])).toBeNull();
  // A wider format costs bytes, and more of them than a dispatch is worth are not spent.
  const wide = (rows: number) =>
    laidTogether(
      [
        { name: 'a', shape: [rows, 1024], format: 'Q5_0' },
        { name: 'b', shape: [256, 1024], format: 'Q8_0' },
      ],
      gpu.traits,
    );
  expect(wide(3200)).not.toBeNull();
  expect(wide(3520)).toBeNull();
});

test.each(pairs)('%s beside %s, read as %s, gives the bits that either gives alone', async (a, b) => {
  const columns = Math.max(96, FORMATS.get(a)!.values, FORMATS.get(b)!.values);
  const rows = 32;
  const weights = [incoming('a', a, rows, columns), incoming('b', b, rows, columns)];
  const formats = laidTogether(weights, gpu.traits)!;
  const multiplied = async (store: WeightStore, name: string, tokens: number) => {
    const x = Float32Array.from({ length: tokens * columns }, (_, i) => Math.sin(1 + i));
    const feed: Ref = { name: 'x', axes: [{ letter: 'T', name: 'token', size: 'tokens' }, axis.hidden(columns)] };
    const m = new Recorder();
    m.linear(name, feed, [axis.feedForward(rows)]);
    return new Uint32Array((await output(m, store, tokens, [[feed, x]])).buffer);
  };
  using alone = new WeightStore(gpu);
  for (const weight of weights) await alone.add(weight);
  for (const order of ['after', 'in turn'] as const) {
    using together = new WeightStore(gpu);
    await together.addJoined({ name: 'a + b', parts: ['a', 'b'], order }, weights, formats);
    for (const name of ['a', 'b']) {
      for (const tokens of [1, 9]) {
        const bits = await multiplied(together, name, tokens);
        expect(bits.some(bit => bit !== 0)).toBe(true);
        expect(bits, `${name} ${order}`).toEqual(await multiplied(alone, name, tokens));
      }
    }
  }
});
