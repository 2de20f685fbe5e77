// The largest logits as the GPU finds them: the same as by sorting, whatever the size, with equal ones, on this adapter's kernels and a GPU's; the tokens drawn from
// them are those that are drawn from all logits.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot, readShaderSource } from '../../engine/files.js';
import type { Gpu, Traits } from '../../engine/gpu.js';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { Kernels } from '../../engine/kernel.js';
import { likeliest } from '../../engine/likeliest.js';
import { type Sampling, sample, sampleTop, topWanted, uniform } from '../../engine/sample.js';
import { Tensor } from '../../engine/tensor.js';
import { type NoTop, REST_ERROR, type Top, TopChoice, type TopWanted } from '../../engine/top.js';
import type { GenerateRunOptions } from '../../lab/index.js';
import { open } from '../../lab/session/open.js';

let gpu: Gpu;
let own: Traits;
beforeAll(async () => {
  gpu = await sharedGpu();
  own = gpu.traits;
});
afterAll(() => expect(gpu.liveBytes).toBe(0));

/** What is found in a row of logits, the second of a chunk's. */
async function found(logits: Float32Array, asked: readonly TopWanted[]): Promise<(Top | NoTop)[]> {
  return (await foundTogether([logits], asked)).flat();
}

/** What is found in the last rows of a chunk, which has one more. */
async function foundTogether(rows: readonly Float32Array[], asked: readonly TopWanted[]): Promise<(Top | NoTop)[][]> {
  const shaders = await new Kernels(gpu, readShaderSource).inForce();
  const N = rows[0].length;
  using buffer = new Tensor(gpu, 'logits', [(rows.length + 1) * N]);
  using chunk = new Tensor(gpu, 'chunk', [4], 'u32', GPUBufferUsage.UNIFORM);
  gpu.write(buffer.buffer, new Float32Array(N).fill(1e9));
  for (const [i, logits] of rows.entries()) gpu.write(buffer.buffer, logits, 4 * (i + 1) * N);
  gpu.write(chunk.buffer, Uint32Array.of(7, 3, 10, 6 - rows.length));
  using choice = new TopChoice(gpu, rows.length);
  const encode = await choice.bind(shaders, buffer.buffer, N, chunk.buffer, rows.length);
  const out: (Top | NoTop)[][] = [];
  for (const wanted of asked) {
    choice.ask(wanted);
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass);
    pass.end();
    const read = choice.answer(encoder, wanted, rows.length);
    gpu.submit('a search', [encoder.finish()]);
    out.push(await read());
  }
  return out;
}

const withoutRest = (top: Top | NoTop) => (typeof top === 'string' ? top : { ...top, rest: null });
const restOf = (top: Top | NoTop) => (typeof top === 'string' ? 0 : (top.rest ?? 0));

/** Of a shape like a model's, or coarse so that many are equal, or in order, so that the largest lie together. */
function made(kind: string, size: number): Float32Array {
  const random = uniform(size);
  return Float32Array.from({ length: size }, (_, i) => {
    if (kind === 'coarse') return Math.round(random() * 20) - 20 || (i % 2 ? 0 : -0); // 0 and −0 are equal
    if (kind === 'rising') return -30 + (30 * i) / size;
    if (kind === 'tiny') return (random() - 0.5) * 1e-39; // below what f32 has with all its digits
    return 12 * (random() + random() + random() - 2);
  });
}

const SIZES = [331, 257, 4095, 4097, 50_001, 262_144, 262_145];

describe.each(['own', 'gpu'])('kernels: %s', kernels => {
  beforeAll(() => {
    if (kernels === 'gpu') gpu.traits = { ...own, software: false, subgroup: null };
  });
  afterAll(() => {
    gpu.traits = own;
  });

  test.each(SIZES)('of %i logits, the largest in order', async size => {
    const many = [1, 2, 40, 64, 255, 256];
    for (const kind of ['usual', 'coarse', 'rising', 'tiny']) {
      const logits = made(kind, size);
      const tops = await found(logits, [...many.map(many => ({ many })), { many: 256, temperature: 0.8 }]);
      for (const [i, top] of tops.entries()) {
        const right = likeliest(logits, many[i] ?? 256);
        const least = logits[right[right.length - 1]];
        // 21 values among a quarter of a million: more equal the k-th than there is room for.
        if (logits.filter(x => x >= least).length > 4096) {
          expect([kind, top]).toEqual(['coarse', 'ties']);
          continue;
        }
        const { ids, logits: values, rest } = top as Top;
        expect([...ids], `${kind} ${many[i]}`).toEqual([...right]);
        expect(values).toEqual(Float32Array.from(right, id => logits[id] + 0));
        if (i < many.length) {
          expect(rest).toBe(null);
          continue;
        }
        const largest = new Set(right);
        let sum = 0;
        logits.forEach((x, id) => {
          if (!largest.has(id)) sum += Math.exp((x - logits[right[0]]) / 0.8);
        });
        expect(Math.abs(rest! - sum)).toBeLessThanOrEqual((sum * REST_ERROR) / 4);
      }
    }
  });

  test('of several rows, each has what it has alone', async () => {
    for (const size of [331, 5000, 50_001]) {
      const broken = made('usual', size);
      broken[size - 2] = Number.NaN;
      const rows = [made('rising', size), broken, made('usual', size + 1).slice(1), made('coarse', size)];
      const asked = [{ many: 3 }, { many: 256 }, { many: 200, temperature: 0.8 }];
      const alone = await Promise.all(rows.map(row => found(row, asked)));
      const together = await foundTogether(rows, asked);
      for (const [i, tops] of together.entries()) {
        expect(tops.map(withoutRest)).toEqual(alone.map(one => withoutRest(one[i])));
        // Candidates are added up in the order in which lanes find them.
        for (const [row, top] of tops.entries()) {
          const [one, other] = [restOf(top), restOf(alone[row][i])];
          expect(Math.abs(one - other)).toBeLessThanOrEqual((other * REST_ERROR) / 4);
        }
      }
      expect(together.map(tops => tops[1])).toEqual(asked.map(() => 'no numbers'));
      expect(together[0].slice(2)).not.toEqual(together[0].slice(0, 2));
    }
  });

  test('a value that is no number is told, wherever it lies', async () => {
    for (const [at, bad] of [
      [0, Number.NaN],
      [4999, Number.POSITIVE_INFINITY],
      [2500, Number.NEGATIVE_INFINITY],
    ]) {
      const logits = made('usual', 5000);
      logits[at] = bad;
      expect(await found(logits, [{ many: 5 }])).toEqual(['no numbers']);
    }
  });

  test('tokens are those that are drawn from all logits', async () => {
    const random = uniform(5);
    let told = 0;
    let asked = 0;
    for (const size of [331, 5000, 100_003]) {
      const logits = made('usual', size);
      for (const options of [
        { temperature: 0.7, topK: 40 },
        { temperature: 1, topK: 64, topP: 0.95 },
        { temperature: 3, topK: 256, topP: 0.99 },
        { temperature: 0.3, topP: 0.9 },
        { temperature: 0.6, topP: 0.95 },
        { temperature: 1.1, topP: 0.2 },
      ] satisfies Sampling[]) {
        const [top] = await found(logits, [topWanted(options, size)!]);
        for (let i = 0; i < 300; i++) {
          const draw = i === 0 ? 0 : i === 1 ? 1 - 2 ** -32 : random();
          const token = sampleTop(top as Top, options, draw);
          asked += 1;
          if (token === null) continue;
          told += 1;
          expect(token, JSON.stringify({ size, draw, ...options })).toBe(sample(logits, options, draw));
        }
      }
    }
    expect(told / asked).toBeGreaterThan(0.8);
  });

  test('generations with a seed are what they were when all logits came back', async () => {
    const before = JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/sampled.json'), 'utf8')) as {
      prompt: string | number[];
      options: GenerateRunOptions;
      ids: number[];
    }[];
    using model = await open('atlas', { quiet: true, another: true });
    // A GPU's kernels are slow where there is none.
    const some = before.filter((_, i) => kernels === 'own' || i % 7 === 3);
    for (const [i, { prompt, options, ids }] of some.entries()) {
      const now: number[] = [];
      const maxTokens = i % 4 === 0 ? 24 : 8;
      for await (const { id } of model.generate(prompt, { ...options, maxTokens, ignoreEos: true })) {
        now.push(id);
      }
      expect(now, JSON.stringify({ prompt, options })).toEqual(ids.slice(0, maxTokens));
    }
  }, 300_000);
});

test('only as much is asked of the GPU as is needed', () => {
  expect(topWanted({ temperature: 1, topK: 64, topP: 0.9 }, 512)).toEqual({ many: 64 });
  expect(topWanted({ temperature: 1, topP: 0.9 }, 512)).toEqual({ many: 256, temperature: 1 });
  expect(topWanted({ temperature: 1, topK: 512, topP: 0.9 }, 512)).toEqual({ many: 256, temperature: 1 });
  for (const all of [{ topK: 257 }, {}, { topK: 300, topP: 0.5 }, { temperature: 1e-9, topP: 0.5 }]) {
    expect(topWanted({ temperature: 1, ...all }, 512)).toBe(null);
  }
  expect(topWanted({ temperature: 1, topP: 0.9 }, 256)).toBe(null);
});

test('a draw that ends at the edge of what is known is left to all logits', () => {
  const top = (rest: number): Top => ({ ids: Uint32Array.of(4, 2), logits: Float32Array.of(0, 0), rest });
  expect(sampleTop(top(1), { temperature: 1, topP: 0.3 }, 0.9)).toBe(4); // 0.9 of 3
  expect(sampleTop(top(1), { temperature: 1, topP: 0.6 }, 0.9)).toBe(2);
  expect(sampleTop(top(1), { temperature: 1, topP: 1 / 3 }, 0.9)).toBe(null); // one exactly, or two
  expect(sampleTop(top(1), { temperature: 1, topP: 0.7 }, 0.1)).toBe(null); // more than the two
});
