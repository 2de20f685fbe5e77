// Attention as one step against the exact chain of scores, softmax and mix and against float64, as every kind of adapter would run it:
// shapes, windows, soft-caps, wrapped rings, split keys, and what is not finite.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attend } from '../../engine/attend.js';
import { readShaderSource } from '../../engine/files.js';
import type { Gpu, Traits } from '../../engine/gpu.js';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { Kernels } from '../../engine/kernel.js';
import type { Dispatch, Setting, Source } from '../../engine/dispatch.js';
import { dispatchesOf } from '../../engine/ops.js';
import { count, type Extent, type Ref, shapeOf } from '../../engine/plan.js';
import { axis, Recorder } from '../../engine/recorder.js';

interface Shape {
  readonly A: number;
  readonly K: number;
  readonly D: number;
  /** Tokens of the chunk. */
  readonly T: number;
  /** Keys that exist with it. */
  readonly S: number;
  readonly window?: number;
  readonly softcap?: number;
  /** Slots of the rings: default S on full layers, window + T − 1 on sliding ones. */
  readonly ring?: number;
}

/** Queries [T,A,D]; keys and values of every position [S,K,D]. */
interface Values {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
}

let gpu: Gpu;
let kernels: Kernels;

beforeAll(async () => {
  gpu = await sharedGpu();
  kernels = new Kernels(gpu, readShaderSource);
});
afterAll(() => {
  expect(gpu.liveBytes).toBe(0);
});

const KINDS: Record<string, (t: Traits) => Traits> = {
  'as this adapter does': t => t,
  'as a software adapter without subgroups does': t => ({ ...t, software: true, subgroup: null }),
  'as a GPU does': t => ({ ...t, software: false, subgroup: null }),
};

const scaleOf = ({ D }: Shape) => 1 / Math.sqrt(D);
const slotsOf = ({ T, S, window, ring }: Shape) => ring ?? (window === undefined ? S : window + T - 1);
const oldestOf = (position: number, window?: number) => (window === undefined ? 0 : Math.max(0, position + 1 - window));
const nameOf = (s: Shape) =>
  Object.entries(s)
    .map(([name, size]) => `${name} ${size}`)
    .join(', ');

/** Uniform in ±1.7, of unit scale: a multiply-with-carry of the seed. */
function noise(n: number, seed: number): Float32Array {
  let [low, high] = [seed, 362436069];
  return Float32Array.from({ length: n }, () => {
    low = (36969 * (low & 65535) + (low >>> 16)) >>> 0;
    high = (18000 * (high & 65535) + (high >>> 16)) >>> 0;
    return ((((low << 16) + high) >>> 0) / 2 ** 32 - 0.5) * 3.46;
  });
}

/** @param sharp how far scores lie apart: 1 as in a fresh layer, 4 where few keys take all */
function valuesOf({ A, K, D, T, S }: Shape, sharp = 2): Values {
  return {
    q: noise(T * A * D, 11 + T).map(x => x * sharp),
    k: noise(S * K * D, 23 + S),
    v: noise(S * K * D, 37 + D),
  };
}

/** What a ring of `slots` holds once all positions were written. */
function ringOf(all: Float32Array, width: number, slots: number): Float32Array {
  const ring = new Float32Array(slots * width).fill(Number.NaN); // nobody may read what was never written
  for (let p = 0; p * width < all.length; p++) ring.set(all.subarray(p * width, (p + 1) * width), (p % slots) * width);
  return ring;
}

function stagesOf(shape: Shape) {
  const { A, K, D, window = null, softcap = null } = shape;
  const m = new Recorder();
  const T = { letter: 'T', name: 'token', size: 'tokens' } as const;
  const query: Ref = { name: 'q_rope', axes: [T, axis.heads(A), axis.dim(D)] };
  const fresh = (name: string): Ref => ({ name, axes: [T, axis.kvHeads(K), axis.dim(D)] });
  const keys = m.cache('k_cache', fresh('k'), window);
  const values = m.cache('v_cache', fresh('v'), window);
  const scores = m.scores('scores', query, keys, { scale: scaleOf(shape), softcap, window });
  m.mix('mix', m.softmax('pattern', scores, { window }), values, { window });
  const { stage } = m.finish();
  return {
    query,
    keys: stage('k_cache'),
    values: stage('v_cache'),
    scores: stage('scores'),
    pattern: stage('pattern'),
    mix: stage('mix'),
  };
}

/** Buffers by name, and dispatches over them. */
class Bench implements Disposable {
  readonly buffers = new Map<string, GPUBuffer>();
  readonly extent: Extent;

  constructor(
    readonly shape: Shape,
    { q, k, v }: Values,
  ) {
    const { K, D, T, S } = shape;
    this.extent = { tokens: T, keys: S, rows: 1 };
    this.put('chunk', Uint32Array.of(T, S - T, S, T - 1), GPUBufferUsage.UNIFORM);
    this.put('q_rope', q);
    this.put('k_cache', ringOf(k, K * D, slotsOf(shape)));
    this.put('v_cache', ringOf(v, K * D, slotsOf(shape)));
  }

  put(name: string, data: Float32Array | Uint32Array, usage: number = GPUBufferUsage.STORAGE): void {
    const { COPY_DST, COPY_SRC } = GPUBufferUsage;
    const buffer = gpu.createBuffer(name, data.byteLength, usage | COPY_DST | COPY_SRC);
    gpu.write(buffer, data);
    this.buffers.set(name, buffer);
  }

  /** A buffer full of NaN, so that what is not written shows. */
  make(ref: Ref): void {
    if (this.buffers.has(ref.name)) return;
    this.put(ref.name, new Float32Array(count(shapeOf(ref.axes, this.extent))).fill(Number.NaN));
  }

  setting(traits: Traits): Setting {
    return {
      traits,
      oneToken: this.shape.T === 1,
      oneRow: true,
      shards: () => [],
      ring: () => slotsOf(this.shape),
    };
  }

  async run(dispatches: readonly Dispatch[], read: Ref): Promise<Float32Array> {
    const steps = await Promise.all(
      dispatches.map(async ({ shader, parts, constants, reads, writes, grid }) => {
        const kernel = await kernels.get(shader, constants, parts);
        const entries = kernel.bindings.map(({ index, name, access }) => ({
          binding: index,
          resource: { buffer: this.#source((access === 'write' ? writes : reads)[name]) },
        }));
        const group = gpu.device.createBindGroup({ layout: kernel.layout, entries });
        return { kernel, group, grid: grid(this.extent) };
      }),
    );
    await gpu.scoped('the attention', () => {
      const encoder = gpu.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const { kernel, group, grid } of steps) {
        if (grid.includes(0)) continue;
        pass.setPipeline(kernel.pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...grid);
      }
      pass.end();
      gpu.submit('the attention', [encoder.finish()]);
    });
    const bytes = 4 * count(shapeOf(read.axes, this.extent));
    return new Float32Array(await gpu.read([{ buffer: this.buffers.get(read.name)!, bytes }]));
  }

  #source(source: Source): GPUBuffer {
    if ('chunk' in source) return this.buffers.get('chunk')!;
    if ('value' in source) return this.buffers.get(source.value)!;
    throw new Error('Attention reads values and the chunk alone.');
  }

  [Symbol.dispose](): void {
    for (const buffer of this.buffers.values()) gpu.destroyBuffer(buffer);
  }
}

async function exact(shape: Shape, values: Values): Promise<Float32Array> {
  using bench = new Bench(shape, values);
  const { scores, pattern, mix } = stagesOf(shape);
  for (const stage of [scores, pattern, mix]) bench.make(stage);
  return await bench.run(
    [scores, pattern, mix].flatMap(stage => dispatchesOf(stage, bench.setting(gpu.traits))),
    mix,
  );
}

async function fused(shape: Shape, values: Values, kind: string): Promise<Float32Array> {
  using bench = new Bench(shape, values);
  const stages = stagesOf(shape);
  const { dispatches, scratch } = attend(stages, bench.setting(KINDS[kind](gpu.traits)));
  for (const ref of [stages.mix, ...scratch]) bench.make(ref);
  return await bench.run(dispatches, stages.mix);
}

/** The mix in float64. */
function reference(shape: Shape, { q, k, v }: Values): Float64Array {
  const { A, K, D, T, S, window, softcap } = shape;
  const out = new Float64Array(T * A * D);
  for (let t = 0; t < T; t++) {
    const position = S - T + t;
    const oldest = oldestOf(position, window);
    for (let a = 0; a < A; a++) {
      const head = Math.floor((a * K) / A);
      const row = (t * A + a) * D;
      const scores: number[] = [];
      for (let s = oldest; s <= position; s++) {
        let score = 0;
        for (let i = 0; i < D; i++) score += q[row + i] * k[(s * K + head) * D + i];
        score *= Math.fround(scaleOf(shape));
        scores.push(softcap === undefined ? score : softcap * Math.tanh(score / softcap));
      }
      const top = scores.reduce((x, y) => Math.max(x, y));
      const weights = scores.map(score => Math.exp(score - top));
      const sum = weights.reduce((x, y) => x + y);
      for (const [j, weight] of weights.entries()) {
        for (let i = 0; i < D; i++) out[row + i] += (weight / sum) * v[((oldest + j) * K + head) * D + i];
      }
    }
  }
  return out;
}

/** ‖a − b‖ / ‖b‖. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [off, all] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    off += (a[i] - b[i]) ** 2;
    all += b[i] ** 2;
  }
  return Math.sqrt(off / all);
}

const SHAPES: readonly Shape[] = [
  // Decode: from one key to many, over every way of sharing keys, and dimensions that fill no register.
  { A: 4, K: 1, D: 256, T: 1, S: 1 },
  { A: 4, K: 1, D: 256, T: 1, S: 7 },
  { A: 4, K: 1, D: 256, T: 1, S: 129 },
  { A: 4, K: 1, D: 256, T: 1, S: 3000 },
  { A: 8, K: 4, D: 256, T: 1, S: 600 },
  { A: 8, K: 1, D: 64, T: 1, S: 1025 },
  { A: 6, K: 2, D: 96, T: 1, S: 300 },
  { A: 3, K: 3, D: 72, T: 1, S: 515 },
  { A: 2, K: 2, D: 32, T: 1, S: 2047 },
  { A: 8, K: 4, D: 256, T: 1, S: 700, softcap: 5 },
  // Decode behind a window: not yet full, just full, wrapped.
  { A: 4, K: 1, D: 256, T: 1, S: 512, window: 512 },
  { A: 4, K: 1, D: 256, T: 1, S: 511, window: 512, ring: 639 },
  { A: 4, K: 1, D: 256, T: 1, S: 3000, window: 512, ring: 639 },
  { A: 4, K: 2, D: 64, T: 1, S: 100, window: 16, ring: 23 },
  { A: 4, K: 2, D: 64, T: 1, S: 100, window: 1 },
  // Chunks: few tokens, blocks that are not full, a chunk in the middle, windows shorter and longer than the chunk.
  { A: 4, K: 1, D: 256, T: 2, S: 2 },
  { A: 4, K: 1, D: 32, T: 2, S: 3000 },
  { A: 8, K: 2, D: 64, T: 7, S: 7 },
  { A: 8, K: 1, D: 32, T: 8, S: 200 },
  { A: 4, K: 1, D: 256, T: 9, S: 41, softcap: 3 },
  { A: 3, K: 3, D: 72, T: 9, S: 500, window: 100 },
  { A: 4, K: 1, D: 256, T: 64, S: 64 },
  { A: 4, K: 4, D: 96, T: 64, S: 1000, window: 33 },
  { A: 8, K: 4, D: 128, T: 33, S: 333, window: 64, softcap: 20 },
  { A: 2, K: 1, D: 32, T: 200, S: 450, window: 150, ring: 661 },
  { A: 1, K: 1, D: 4, T: 5, S: 65 },
  { A: 2, K: 1, D: 512, T: 3, S: 70 },
];

for (const kind of Object.keys(KINDS)) {
  describe(kind, () => {
    for (const shape of SHAPES) {
      test(nameOf(shape), async () => {
        const values = valuesOf(shape);
        const right = reference(shape, values);
        const far = distance(await fused(shape, values, kind), right);
        expect(far).toBeLessThan(2e-6);
        // Of the last bits there are more or fewer by the order of summation alone.
        expect(far).toBeLessThan(1.5 * distance(await exact(shape, values), right) + 3e-8);
      });
    }

    test('scores that lie far apart, and scores that are all the same', async () => {
      for (const sharp of [0, 30]) {
        for (const shape of [
          { A: 4, K: 2, D: 64, T: 1, S: 700 },
          { A: 4, K: 2, D: 64, T: 9, S: 90, window: 40 },
        ]) {
          const values = valuesOf(shape, sharp);
          const far = distance(await fused(shape, values, kind), reference(shape, values));
          expect(far, `${nameOf(shape)}, ${sharp}`).toBeLessThan(2e-6);
        }
      }
    });

    test('what is not finite goes where the exact chain lets it go', async () => {
      const shapes: Shape[] = [
        { A: 4, K: 2, D: 64, T: 1, S: 300 },
        { A: 4, K: 2, D: 64, T: 1, S: 300, window: 150 },
        { A: 4, K: 2, D: 64, T: 9, S: 9 },
        { A: 4, K: 1, D: 32, T: 9, S: 80, window: 20, softcap: 4 },
        { A: 2, K: 1, D: 64, T: 20, S: 20, softcap: 9 },
      ];
      let [broken, whole] = [0, 0];
      for (const shape of shapes) {
        const { D, K, S, T } = shape;
        for (const name of ['q', 'k', 'v'] as const) {
          for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
            // The first, one in the middle and the last token, at an odd dimension.
            for (const at of [S - T, S - Math.ceil(T / 2), S - 1]) {
              const values = valuesOf(shape);
              const row = name === 'q' ? (at - (S - T)) * shape.A : at * K;
              values[name][row * D + 5] = odd;
              const [want, got] = [await exact(shape, values), await fused(shape, values, kind)];
              const kinds = [...want].map(kindOf);
              expect([...got].map(kindOf), `${nameOf(shape)}: ${odd} in ${name} at ${at}`).toEqual(kinds);
              broken += kinds.filter(k => k !== 'number').length;
              whole += kinds.filter(k => k === 'number').length;
            }
          }
        }
      }
      expect(broken).toBeGreaterThan(1000);
      expect(whole).toBeGreaterThan(1000);
    });
  });
}

const kindOf = (x: number) => (Number.isNaN(x) ? 'NaN' : Number.isFinite(x) ? 'number' : String(x));
