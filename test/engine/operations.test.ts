// Every operation's WGSL alone, on unit-scale inputs, against torch: golden/operations.safetensors, made by make_operations.py.
// Each runs as this adapter would run it and as the other kind of adapter would, so that all shaders are proved everywhere.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Executor } from '../../engine/execute.js';
import { packageRoot, readShaderSource } from '../../engine/files.js';
import type { Gpu, Traits } from '../../engine/gpu.js';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { Kernels } from '../../engine/kernel.js';
import type { Axis, Ref, Stage } from '../../engine/plan.js';
import { axis, Recorder } from '../../engine/recorder.js';
import { WeightStore } from '../../engine/weight-store.js';
import { openSafetensors, type Safetensors } from '../../engine/weights/safetensors.js';
import { compare } from '../../lab/diff/metrics.js';

interface Case {
  readonly case: string;
  readonly op: string;
  readonly tolerance: number;
  readonly params: Record<string, number | null> & { ids?: number[] };
}

const file: Safetensors = await openSafetensors(join(packageRoot(), 'golden', 'operations.safetensors'));
const cases = JSON.parse(file.metadata.get('cases')!) as Case[];
const T: Axis = { letter: 'T', name: 'token', size: 'tokens' };
let gpu: Gpu;
let own: Traits;

beforeAll(async () => {
  gpu = await sharedGpu();
  own = gpu.traits;
});
afterAll(async () => {
  await file.close();
  expect(gpu.liveBytes).toBe(0);
});

/** Runs the recorded stages on feeds and one weight; gives the outputs by stage name. */
async function execute(
  m: Recorder,
  feeds: Map<Ref, Float32Array>,
  weights: Map<string, { shape: readonly number[]; data: Float32Array }>,
  tokens: number,
  ids?: number[],
) {
  const stages = m.finish().stages as Stage[];
  using store = new WeightStore(gpu);
  for (const [name, { shape, data }] of weights) {
    const [, columns = 1] = shape;
    const rowsOf = (start: number, count: number) => data.slice(start * columns, (start + count) * columns);
    await store.add({
      name,
      shape,
      format: 'F32',
      readRows: async (start, count) => rowsOf(start, count),
      readStored: async (start, count) => new Uint8Array(rowsOf(start, count).buffer),
    });
  }
  const kernels = new Kernels(gpu, readShaderSource);
  using executor = new Executor(
    gpu,
    kernels,
    store,
    stages,
    { tokens, positions: tokens, rows: tokens },
    {
      feeds: [...feeds.keys()],
      keep: stages.map(s => s.name),
    },
  );
  for (const [ref, data] of feeds) executor.feed(ref.name, data);
  const taps = stages.filter(s => !s.state).map(stage => ({ stage }));
  const { captured } = await executor.run({ extent: { tokens, keys: tokens, rows: tokens }, ids, taps });
  return new Map(captured.map(c => [c.stage.name, c.data]));
}

async function run(
  c: Case,
  plusOne = 1,
): Promise<Map<string, { data: Float32Array; expected: Float32Array; shape: readonly number[] }>> {
  const tensor = async (name: string) => ({
    shape: file.tensors.get(`${c.case}/${name}`)!.shape,
    data: await file.readF32(`${c.case}/${name}`),
  });
  const m = new Recorder();
  const p = c.params as Record<string, number>;
  const feeds = new Map<Ref, Float32Array>();
  const weights = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  const feed = async (name: string, axes: (shape: readonly number[]) => Axis[]): Promise<Ref> => {
    const { shape, data } = await tensor(name);
    const ref = { name: `in.${name}`, axes: axes(shape) };
    feeds.set(ref, data);
    return ref;
  };
  const rows = (shape: readonly number[]) => [T, axis.hidden(shape[1])];
  const heads = (letter: 'A' | 'K') => (shape: readonly number[]) => [
    T,
    (letter === 'A' ? axis.heads : axis.kvHeads)(shape[1]),
    axis.dim(shape[2]),
  ];
  let outputs = ['y'];
  let ids: number[] | undefined;
  if (c.op === 'embed') {
    const w = await tensor('weight');
    weights.set('y', w);
    ids = c.params.ids!;
    m.embed('y', m.ids, [axis.vocab(w.shape[0]), axis.hidden(w.shape[1])], { scale: p.scale });
  } else if (c.op === 'rmsNorm') {
    const w = await tensor('weight');
    weights.set('y', { shape: w.shape, data: w.data.map(v => plusOne + v) });
    m.rmsNorm('y', await feed('x', rows), { eps: p.eps });
  } else if (c.op === 'linear') {
    const w = await tensor('weight');
    weights.set('y', w);
    m.linear('y', await feed('x', rows), [axis.feedForward(w.shape[0])]);
  } else if (c.op === 'rope') {
    m.rope('y', await feed('x', heads('A')), { base: p.base, factor: p.factor });
  } else if (c.op === 'attention') {
    const [q, k, v] = [await feed('q', heads('A')), await feed('k', heads('K')), await feed('v', heads('K'))];
    const { window, softcap } = c.params as { window: number | null; softcap: number | null };
    const scores = m.scores('scores', q, m.cache('k_cache', k, window), { scale: p.scale, softcap, window });
    m.mix('mix', m.softmax('pattern', scores, { window }), m.cache('v_cache', v, window), { window });
    outputs = ['scores', 'pattern', 'mix'];
  } else if (c.op === 'geluTanh') {
    m.geluTanh('y', await feed('x', rows));
  } else {
    m[c.op as 'add' | 'mul']('y', await feed('a', rows), await feed('b', rows));
  }
  const { shape } = await tensor(c.op === 'embed' ? 'y' : c.op === 'attention' ? 'q' : 'y');
  const results = await execute(m, feeds, weights, shape[0], ids);
  const out = new Map();
  for (const name of outputs) {
    const expected = await tensor(name);
    out.set(name, { data: results.get(name)!, expected: expected.data, shape: expected.shape });
  }
  return out;
}

const kinds: Record<string, (t: Traits) => Traits> = {
  'as this adapter does': t => t,
  'as a software adapter without subgroups does': t => ({ ...t, software: true, subgroup: null }),
  'as a GPU without subgroups does': t => ({ ...t, software: false, subgroup: null }),
};

for (const [kind, traits] of Object.entries(kinds)) {
  describe(kind, () => {
    beforeAll(() => {
      gpu.traits = traits(own);
      return () => {
        gpu.traits = own;
      };
    });
    for (const c of cases) {
      test(`${c.case} within ${c.tolerance}`, async () => {
        for (const [name, { data, expected, shape }] of await run(c)) {
          const m = compare(data, expected, shape);
          expect(
            m.maxAbs,
            `${name}, worst at [${m.worst}]: ${m.actualAtWorst} for ${m.expectedAtWorst}`,
          ).toBeLessThanOrEqual(c.tolerance);
        }
      });
    }
  });
}

test('the tolerances can fail: a norm without its +1 does', async () => {
  for (const c of cases.filter(({ op }) => op === 'rmsNorm')) {
    for (const { data, expected, shape } of (await run(c, 0)).values()) {
      expect(compare(data, expected, shape).maxAbs).toBeGreaterThan(1000 * c.tolerance);
    }
  }
});
