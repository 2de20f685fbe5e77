// What a run takes and leaves: bytes on the GPU, bytes over the bus, and taps that change nothing.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { BudgetError, Interrupted } from '../../engine/errors.js';
import { WeightStore } from '../../engine/weight-store.js';
import { compare } from '../../lab/diff/metrics.js';
import { fireInterrupt } from '../../lab/host/interrupt.js';
import { open } from '../../lab/session/open.js';
import { select } from '../../lab/values/select.js';
import type { Session } from '../../lab/session/session.js';

let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => {
  model[Symbol.dispose]();
  expect(model.gpu.liveBytes).toBe(0);
  expect(model.gpu.liveBuffers).toBe(0);
});

test('opening the same model twenty times leaves the bytes of one', async () => {
  const one = model.gpu.liveBytes;
  for (let i = 0; i < 20; i++) model = await open('atlas', { quiet: true });
  expect(model.gpu.liveBytes).toBe(one);
});

test('runs, taps, diffs and generations give back what they take', async () => {
  const before = model.gpu.liveBytes;
  await model.run('The capital of Spain is', { tap: '**', logits: 'all' });
  for await (const token of model.generate('In', { maxTokens: 5, tap: 'layers.*.resid' })) void token;
  for await (const token of model.generate('In', { maxTokens: 50 })) if (token.position > 5) break;
  await expect(model.run([2, 3], { tap: 'layers.9.resid' })).rejects.toThrow();
  expect(model.gpu.liveBytes).toBe(before);
});

test('a greedy token costs 20 bytes in and 4 out; nothing else crosses the bus', async () => {
  using context = model.model.context({ length: 64 });
  let { token } = await context.forward([2, 300, 301], { argmax: true });
  for (let i = 0; i < 6; i++) {
    const before = { ...model.gpu.traffic };
    ({ token } = await context.forward([token!], { argmax: true }));
    expect(model.gpu.traffic.written - before.written).toBe(4 + 16);
    expect(model.gpu.traffic.read - before.read).toBe(4);
  }
});

/** What is submitted and dispatched for each of the tokens from the third to the last but two, made after a prompt. */
async function eachToken(prompt: number, options: object): Promise<{ submits: number; dispatches: number }[]> {
  const submits = vi.spyOn(model.gpu, 'submit');
  const dispatches = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups');
  const ids = Array.from({ length: prompt }, (_, i) => 2 + i);
  try {
    const told: [number, number][] = [];
    for await (const _ of model.generate(ids, { maxTokens: 10, ignoreEos: true, ...options }))
      told.push([submits.mock.calls.length, dispatches.mock.calls.length]);
    return told
      .slice(3, -2)
      .map(([n, many], i) => ({ submits: n - told[i + 2][0], dispatches: many - told[i + 2][1] }));
  } finally {
    submits.mockRestore();
    dispatches.mockRestore();
  }
}

test('a token is one submit, and eight dispatches a layer where attention is not split', async () => {
  const { layers } = model.config;
  // Beside the layers: embedding, first norm, head; and what finds the likeliest, or the largest few.
  const [likeliest, largest] = [3 + 2, 3 + 4];
  // On a GPU products make their own inputs, which is fewer (given-products.test.ts).
  const dispatches = (n: number) => (model.gpu.traits.software ? n : expect.any(Number));
  const all = (n: number) => Array.from({ length: 5 }, () => ({ submits: 1, dispatches: dispatches(n) }));
  expect(await eachToken(5, {})).toEqual(all(8 * layers + likeliest));
  expect(await eachToken(5, { temperature: 1, topK: 40 })).toEqual(all(8 * layers + largest));
  // Over many keys, those of the one full layer, it is two: over parts of them, and what joins the parts.
  expect(await eachToken(200, {})).toEqual(all(8 * layers + 1 + likeliest));
});

test.each(['embed', 'layers.*.attn.pattern', 'layers.{0,5}.**', 'logits', '**', 'blocks.2.hook_resid_post'])(
  'looking at %s does not change the run by a bit',
  async tap => {
    const ids = model.encode('The capital of Ghana is Accra. The people of Ghana speak');
    const plain = await model.run(ids);
    const looked = await model.run(ids, { tap });
    expect(new Uint32Array(looked.logits.values.data.buffer)).toEqual(new Uint32Array(plain.logits.values.data.buffer));
  },
);

test('a run that tells its layers computes the same bits, and can be stopped between two of them', async () => {
  const ids = Array.from({ length: 40 }, (_, i) => 2 + i);
  const before = model.gpu.liveBytes;
  {
    using plain = model.model.context({ length: 64, chunk: 30 });
    using told = model.model.context({ length: 64, chunk: 30 });
    await plain.forward(ids);
    const seen: number[][] = [];
    await told.forward(ids, { onLayer: (...at) => void seen.push(at) });
    expect(seen).toEqual([
      ...[1, 2, 3, 4, 5, 6].map(layer => [layer, 6, 0, 30]),
      ...[1, 2, 3, 4, 5, 6].map(layer => [layer, 6, 30, 10]),
    ]);
    expect(await told.logits()).toEqual(await plain.logits());
    using stopped = model.model.context({ length: 64 });
    const controller = new AbortController();
    let layers = 0;
    const onLayer = () => {
      layers += 1;
      if (layers === 2) controller.abort(new Interrupted());
    };
    await expect(stopped.forward(ids, { onLayer, signal: controller.signal })).rejects.toThrow(Interrupted);
    expect(layers).toBe(2);
    expect(stopped.ids).toEqual([]);
  }
  expect(model.gpu.liveBytes).toBe(before);
});

test('while a piece of a weight is packed the next is on its way from the file, and one that cannot be read is told', async () => {
  using store = new WeightStore(model.gpu);
  const [rows, columns] = [40_000, 320]; // four pieces
  const told: string[] = [];
  const weight = {
    ...{ name: 'w', shape: [rows, columns], format: 'F32' },
    readRows: async () => expect.unreachable(),
    readStored: async (start: number, count: number) => {
      told.push(`read ${start}`);
      if (store.gpu.liveBytes > 0 && start >= 30_000) throw new Error('The disk is gone.');
      return new Uint8Array(4 * count * columns);
    },
  };
  const written = async () => void told.push('packed');
  await expect(store.add(weight, written)).rejects.toThrow('The disk is gone.');
  const starts = told.filter(one => one !== 'packed');
  expect(starts.length).toBe(4);
  expect(told).toEqual([starts[0], starts[1], 'packed', starts[2], 'packed', starts[3], 'packed']);
});

test('a slice taken on the GPU is the slice of the whole', async () => {
  const ids = model.encode('The capital of Ghana is Accra. The people of Ghana speak');
  const whole = await model.run(ids, { tap: ['layers.4.attn.pattern', 'layers.4.attn.q', 'layers.4.resid'] });
  const slice = { head: [1, 3], query: [4, 9], token: [4, 9], channel: [10, 20] } as const;
  for (const chunks of [undefined, [3, 4, ids.length - 7]]) {
    const part = await model.run(ids, {
      tap: ['layers.4.attn.pattern', 'layers.4.attn.q', 'layers.4.resid'],
      slice,
      chunks,
    });
    const near = (a: Float32Array, b: Float32Array) => expect(compare(a, b, [a.length]).relL2).toBeLessThan(1e-5);
    near(
      part.at('layers.4.attn.pattern').data,
      whole.at('layers.4.attn.pattern').slice({ head: [1, 3], query: [4, 9] }).data,
    );
    near(part.at('layers.4.attn.q').data, whole.at('layers.4.attn.q').slice({ head: [1, 3], token: [4, 9] }).data);
    near(part.at('layers.4.resid').data, whole.at('layers.4.resid').slice({ token: [4, 9], channel: [10, 20] }).data);
  }
});

test('a capture over the budget is refused before the run, with what would fit', async () => {
  const before = model.gpu.traffic.written;
  await expect(model.run('The capital of Ghana is', { tap: '**', budget: 50_000 })).rejects.toThrow(BudgetError);
  expect(model.gpu.traffic.written).toBe(before);
  // In units that tell the two apart, and the largest of them.
  for (const [budget, words] of [
    [
      50_000,
      /would bring back \d+ kB, and the budget is 50\.0 kB\. The largest is '[^']+' with \d\d\.\d kB; the \d+ smallest/,
    ],
    [1, /and the budget is 1 B\./],
    [0, /and the budget is 0 B\./],
  ] as const)
    await expect(model.run('The capital of Ghana is', { tap: '**', budget })).rejects.toThrow(words);
  const [resid] = [...(await model.run('The capital of Ghana is', { tap: 'layers.0.resid' })).activations.values()];
  const { byteLength } = resid.data;
  await expect(model.run('The capital of Ghana is', { tap: 'layers.0.resid', budget: byteLength - 1 })).rejects.toThrow(
    `would bring back ${byteLength} bytes, and the budget is ${byteLength - 1} bytes.`,
  );
  expect(model.gpu.traffic.written).toBeGreaterThan(before);
});

test('memory over the budget is refused before anything is allocated', async () => {
  const { budgetBytes, liveBytes } = model.gpu;
  model.gpu.budgetBytes = liveBytes + 1000;
  await expect(open('atlas', { another: true, quiet: true })).rejects.toThrow(
    /The model needs 6 MB of GPU memory, but the budget/,
  );
  model.gpu.budgetBytes = liveBytes + 5_400_000;
  expect(() => model.gpu.reserve(5_400_001, 'It')).toThrow(/^It needs 5400001 bytes of .* has 5400000 bytes left/);
  model.gpu.budgetBytes = budgetBytes;
  expect(model.gpu.liveBytes).toBe(liveBytes);
});

test('an interrupt stops a generation within a token, and the session goes on', async () => {
  let tokens = 0;
  const generating = (async () => {
    for await (const token of model.generate('Once', { maxTokens: 500, ignoreEos: true })) {
      void token;
      tokens += 1;
      if (tokens === 3) fireInterrupt();
    }
  })();
  await expect(generating).rejects.toThrow(Interrupted);
  expect(tokens).toBe(3);
  expect((await model.run('The capital of France is')).logits.top(1).rows[0].text.trim()).toBe('P');
});

test('a session that was replaced says so', async () => {
  const old = await open('atlas', { quiet: true });
  model = await open('atlas', { quiet: true });
  await expect(old.run('hi')).rejects.toThrow(/was closed, as opening the same model again does/);
  expect(select(model.plan, 'embed')).toHaveLength(1);
});

test('a session that was disposed of and not replaced says that, and what to do', async () => {
  const alone = await open('atlas', { quiet: true, another: true });
  alone[Symbol.dispose]();
  const closed = "This session with 'atlas' was closed. Open the model again: open('atlas').";
  await expect(alone.run('hi')).rejects.toThrow(closed);
  await expect(alone.reopen()).rejects.toThrow(closed);
  expect(() => alone.chat()).toThrow(closed);
});
