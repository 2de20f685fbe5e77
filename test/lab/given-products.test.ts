// On a GPU a product with one vector makes what it is given by itself: the residual stream with its norms, and attention of its parts (shaders/givens).
// Held against the exact plan at odd sizes; where it does not fit, or where the shader that does the same for many tokens is edited, that one runs.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Traits } from '../../engine/gpu.js';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { compare } from '../../lab/diff/metrics.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();
// A token after more keys than one part has, and one after more than two windows.
const IDS = Array.from({ length: 71 }, (_, i) => (i === 0 ? 2 : 5 + ((i * 37) % 500)));
const CHUNKS = [34, 1, 1, 33, 1, 1];
const bits = (data: Float32Array) => new Uint32Array(data.buffer, data.byteOffset, data.length);

/** The tiny model, as wide as said. */
const writeWide = (width: number) =>
  writeTiny(join(folder, `wide ${width}`), {
    config: { hidden_size: width },
    tensors: shapes => {
      for (const [name, shape] of shapes) {
        const of = /layernorm|model\.norm|embed|down_proj|o_proj/.test(name) ? (/embed/.test(name) ? 1 : 0) : 1;
        if (/[qk]_norm/.test(name)) continue;
        shapes.set(
          name,
          shape.map((size, i) => (i === of ? width : size)),
        );
      }
    },
  });

/** With kernels of a GPU of these traits. */
async function asGpu<T>(traits: Partial<Traits>, path: string, use: (model: Session) => Promise<T>): Promise<T> {
  const gpu = await sharedGpu();
  const own = gpu.traits;
  gpu.traits = { ...own, software: false, subgroup: null, maxStorageBuffers: 10, ...traits };
  try {
    using model = await open(path, { quiet: true });
    return await use(model);
  } finally {
    gpu.traits = own;
  }
}

/** Logits of every token, by chunks. */
const logitsOf = async (model: Session, plan: 'exact' | 'fast', tap = 'logits') =>
  (await model.run(IDS, { plan, chunks: CHUNKS, logits: 'all', tap })).at('logits').data;

const apart = (a: Float32Array, b: Float32Array) => compare(a, b, [a.length]).relL2;

/** Relative L2 of the fast plan to the exact one. */
const fastApart = async (model: Session) => apart(await logitsOf(model, 'fast'), await logitsOf(model, 'exact'));

describe.each([72, 128])('%i values a token', width => {
  let path: string;
  beforeAll(async () => {
    path = await writeWide(width);
  });
  afterAll(async () => {
    expect((await sharedGpu()).liveBytes).toBe(0);
  });

  test('the exact values; looking changes nothing; each part is run by single tokens alone', async () => {
    await asGpu({}, path, async model => {
      expect(model.model.steps('fast').map(({ rule }) => rule)).toEqual([
        ...[null, null, 'products', 'heads', 'attention + out', 'sums + gated'],
        ...[null, 'sums + products', 'heads', 'attention + out', 'sums + gated', null, 'sums', null],
      ]);
      const exact = await logitsOf(model, 'exact');
      const fast = await logitsOf(model, 'fast');
      expect(apart(fast, exact)).toBeLessThan(2e-6);
      expect(bits(await logitsOf(model, 'fast', '**'))).toEqual(bits(fast));
      const [tokens] = CHUNKS;
      const V = fast.length / IDS.length;
      for (const [part, from, to] of [
        ['givens/normed', 'given[i] = v;\n    own', 'given[i] = v * 2.0;\n    own'],
        ['givens/joined', 'given[i] = sum;', 'given[i] = sum * vec4f(1, 2, 1, 1);'],
      ]) {
        const { by } = await model.edit(part, wgsl => wgsl.replace(from, to));
        expect(by.length, part).toBeGreaterThan(1);
        const edited = await logitsOf(model, 'fast');
        await model.edit(part, null);
        expect(bits(edited.subarray(0, tokens * V)), part).toEqual(bits(fast.subarray(0, tokens * V)));
        const next = [tokens * V, (tokens + 1) * V];
        expect(apart(edited.subarray(...next), fast.subarray(...next)), part).toBeGreaterThan(1e-3);
      }
    });
  });

  test.each([
    ['no memory to share', { maxShared: 1024 }],
    ['eight buffers a shader', { maxStorageBuffers: 8 }],
  ] as const)('%s: two dispatches, the same values', async (_, traits) => {
    await asGpu(traits, path, async model => {
      expect(await fastApart(model)).toBeLessThan(2e-6);
    });
  });
});

test('an edit of what many tokens are given is in force for one token too', async () => {
  await asGpu({}, await writeWide(96), async model => {
    for (const [shader, from, to] of [
      ['add_norm', 'v += a[row + i];', 'v += 1.1 * a[row + i];'],
      ['attend_join', 'mine.sum *', 'vec4f(1, 1.1, 1, 1) * mine.sum *'],
    ]) {
      const last = async () => (await model.run(IDS, { plan: 'fast', chunks: [70, 1] })).logits.values.data;
      const before = await last();
      await model.edit(shader, wgsl => `${wgsl}\n// looked at`);
      // Made in another order, by another shader.
      expect(apart(await last(), before), shader).toBeLessThan(2e-6);
      await model.edit(shader, wgsl => wgsl.replace(from, to));
      expect(apart(await last(), before), shader).toBeGreaterThan(1e-3);
      await model.edit(shader, null);
      expect(bits(await last()), shader).toEqual(bits(before));
    }
  });
});

test('values that are not finite are where they are in the exact plan', async () => {
  await asGpu({}, await writeWide(128), async model => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -3e38]) {
      const patch = { stage: 'layers.0.attn.v', values: value, slice: { token: 36 } };
      const taps = { tap: 'layers.0.attn.mix', patch, chunks: CHUNKS };
      const exact = (await model.run(IDS, taps)).at('layers.0.attn.mix').data;
      const fast = (await model.run(IDS, { ...taps, plan: 'fast' })).at('layers.0.attn.mix').data;
      expect([...fast].map(Number.isFinite)).toEqual([...exact].map(Number.isFinite));
    }
  });
});

test('a token is six dispatches a layer, and four around them', async () => {
  await asGpu({}, await writeWide(128), async ({ model }) => {
    const setting = {
      traits: model.gpu.traits,
      ...{ oneToken: true, oneRow: true, merged: true, few: true, cache: model.cache },
      shards: (name: string) => model.shards(name),
      ring: () => 2 ** 31,
    };
    for (const keys of [8, 100]) {
      const dispatches = model.steps('fast').flatMap(step => step.work(setting).dispatches);
      const ran = dispatches.filter(({ grid }) => grid({ tokens: 1, keys, rows: 1 }).every(n => n > 0));
      expect(ran.length).toBe(6 * model.config.layers + 4);
    }
  });
});
