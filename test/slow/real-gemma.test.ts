// Gemma 3 270M, quantised to Q4_K_M, on real input: PyTorch's logits, its greedy tokens, and every stage of every layer.

import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { compare } from '../../lab/diff/metrics.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { freshFolder } from '../fixtures/folder.js';
import { runPython } from '../notebook/jupyter.js';
import { realGolden, realModel } from './real-model.js';

const PROMPT = [2, 818, 5279, 529, 7001, 563]; // The capital of France is
let model: Session;
let peak = 0;

beforeAll(async () => {
  const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  const watch = setInterval(() => {
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    peak = Math.max(peak, arrayBuffers + heapUsed - before);
  }, 5);
  model = await open(realModel(), { quiet: true });
  clearInterval(watch);
}, 120_000);
afterAll(() => model[Symbol.dispose]());

test('the vocabulary in the GGUF reads the prompt', () => {
  expect(model.encode('The capital of France is')).toEqual(PROMPT);
});

test('it lies on the GPU as it is stored, with its caches in less than 330 MB, and took less than 256 MB of the CPU’s', async () => {
  expect(peak).toBeGreaterThan(10e6);
  expect(peak).toBeLessThan(256e6);
  using context = model.model.context();
  await context.forward(PROMPT);
  expect(model.gpu.liveBytes).toBeLessThan(330e6);
});

test('the last logits are PyTorch’s to 2e-3', async () => {
  const { rows } = (await model.run(PROMPT)).logits.top(5);
  const expected = [
    [506, 19.0915],
    [496, 18.5476],
    [9079, 18.2686],
    [886, 18.113],
    [3224, 17.7839],
  ];
  expect(rows.map(r => r.id)).toEqual(expected.map(([id]) => id));
  for (const [i, { logit }] of rows.entries()) expect(Math.abs(logit - expected[i][1])).toBeLessThan(2e-3);
}, 120_000);

test('sixteen greedy tokens are PyTorch’s', async () => {
  const made: number[] = [];
  for await (const token of model.generate(PROMPT, { maxTokens: 16, ignoreEos: true })) made.push(token.id);
  expect(made).toEqual([506, 5279, 529, 506, 2891, 529, 7001, 236761, 1030, 563, 506, 7488, 3207, 528, 7001, 532]);
}, 120_000);

test('every stage of every layer agrees with PyTorch, alone and in the run', async () => {
  const diff = await model.diff(await golden(realGolden()));
  expect(diff.rows).toHaveLength(399);
  expect(diff.rows.filter(row => !row.pass).map(row => row.stage)).toEqual([]);
}, 300_000);

test('what the steps of the fast plan leave agrees with PyTorch, each alone and in the run', async () => {
  const diff = await model.diff(await golden(realGolden()), { plan: 'fast' });
  // Of 22 stages a layer, twelve and the keys in the cache; and embed, the last norm and the logits.
  expect(diff.rows).toHaveLength(18 * 13 + 3);
  expect(diff.rows.filter(row => !row.pass).map(row => row.stage)).toEqual([]);
  // A token's dispatches, with the two that find the likeliest: as many as steps (resources.test.ts), until attention is split over more than 128 keys.
  expect(model.model.steps('fast').length + 2).toBeLessThanOrEqual(150);
}, 300_000);

const BEGINNINGS = [
  'The capital of France is',
  'Once upon a time, in a village by the sea,',
  'def fibonacci(n):\n',
  'The three laws of thermodynamics say that',
  'Dear Sir or Madam,\n\nI am writing to',
  'Die Hauptstadt von Deutschland ist',
  '1, 1, 2, 3, 5, 8,',
  'Ingredients:\n- 200 g flour\n- 3 eggs\n',
  'Q: Why is the sky blue?\nA:',
  'In 1969, the first',
];

test.each(BEGINNINGS)(
  '64 greedy tokens after %j are those of the exact plan, or part at a tie',
  async text => {
    const made = { exact: [] as number[], fast: [] as number[] };
    for (const plan of ['exact', 'fast'] as const) {
      for await (const { id } of model.generate(text, { maxTokens: 64, ignoreEos: true, plan })) made[plan].push(id);
    }
    const parts = made.fast.findIndex((id, i) => id !== made.exact[i]);
    if (parts < 0) return;
    const { rows } = (await model.run([...model.encode(text), ...made.exact.slice(0, parts)])).logits.top(2);
    expect(Math.abs(rows[0].logit - rows[1].logit), `${parts}: ${rows.map(row => row.text)}`).toBeLessThan(1e-4);
  },
  120_000,
);

test('the logits of the fast plan are the exact ones to 1e-5, at once and in chunks', async () => {
  const ids = model.encode(BEGINNINGS.join('\n'));
  const exact = (await model.run(ids)).logits.values.data;
  for (const chunks of [undefined, [ids.length - 2, 1, 1]]) {
    const fast = (await model.run(ids, { plan: 'fast', chunks })).logits.values.data;
    expect(compare(fast, exact, [exact.length]).relL2).toBeLessThan(1e-5);
  }
}, 120_000);

test('the notebook on it runs from a clean kernel', () => {
  model[Symbol.dispose](); // its gigabyte is wanted by the kernel
  const name = '04-real-gemma.ipynb';
  const out = join(freshFolder(), name);
  copyFileSync(join(packageRoot(), 'notebooks', name), out);
  const { status, stderr } = runPython(
    join(packageRoot(), 'lab/kernel/execute.py'),
    join(packageRoot(), 'notebooks', name),
    '--out',
    out,
  );
  expect(stderr).not.toMatch(/CellExecutionError/);
  expect(status).toBe(0);
  expect(readFileSync(out, 'utf8')).toMatch(/All 399 stages pass/);
}, 600_000);
