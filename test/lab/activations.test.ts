// Activations of 8 bits in the fast plan: near the exact plan and not equal to it; looking changes nothing and tells what ran; the exact plan stays exact.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { OptionError } from '../../engine/errors.js';
import { compare } from '../../lab/diff/metrics.js';
import { golden } from '../../lab/values/golden.js';
import { open, type OpenOptions } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';

const PROMPT = 'The capital of France is';
const bits = (data: Float32Array) => new Uint32Array(data.buffer, data.byteOffset, data.length);
const apart = (a: Float32Array, b: Float32Array) => compare(a, b, [a.length]).relL2;

let whole: Session;
let rough: Session;
beforeAll(async () => {
  whole = await open('atlas', { quiet: true });
  rough = await open('atlas', { quiet: true, activations: 'int8' });
});
afterAll(() => {
  const { gpu } = whole;
  whole[Symbol.dispose]();
  rough[Symbol.dispose]();
  expect(gpu.liveBytes).toBe(0);
});

test('the fast plan is near the exact one, and the exact one is exact', async () => {
  const exact = await whole.run(PROMPT);
  const same = await rough.run(PROMPT);
  expect(bits(same.logits.values.data)).toEqual(bits(exact.logits.values.data));
  expect(same.provenance.activations).toBeUndefined();
  const fast = await rough.run(PROMPT, { plan: 'fast' });
  expect(fast.provenance).toMatchObject({ plan: 'fast', activations: 'int8' });
  const distance = apart(fast.logits.values.data, exact.logits.values.data);
  expect(distance).toBeGreaterThan(1e-4);
  expect(distance).toBeLessThan(0.05);
});

test('looking changes nothing, and what is inside a step is made of the same rounded inputs', async () => {
  const plain = await rough.run(PROMPT, { plan: 'fast' });
  const tap = ['gate', 'up', 'mul'].map(part => `layers.1.mlp.${part}`);
  const seen = await rough.run(PROMPT, { plan: 'fast', tap });
  expect(bits(seen.logits.values.data)).toEqual(bits(plain.logits.values.data));
  const [gate, up, mul] = tap.map(name => seen.at(name).data);
  const gelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  expect(
    apart(
      Float32Array.from(gate, (g, i) => gelu(g) * up[i]),
      mul,
    ),
  ).toBeLessThan(1e-5);
});

test('a step that a patch opens multiplies as the others do', async () => {
  const name = 'layers.1.mlp.up';
  const [plain, same] = await Promise.all([
    rough.run(PROMPT, { plan: 'fast' }),
    rough.run(PROMPT, { plan: 'fast', tap: name }),
  ]);
  const opened = await rough.run(PROMPT, { plan: 'fast', patch: { stage: name, values: same.at(name) } });
  expect(opened.provenance.opened_steps).toContain(name);
  // 8 bits apart it would be if the opened step took its inputs whole.
  expect(apart(opened.logits.values.data, plain.logits.values.data)).toBeLessThan(1e-4);
});

test('the diff of the fast plan finds the rounding in every product, alone and in the run', async () => {
  const reference = await golden('atlas/capital');
  const diff = await rough.diff(reference, { plan: 'fast' });
  expect(diff.pass).toBe(false);
  const out = diff.rows.find(row => row.stage === 'layers.0.attn.out')!;
  expect(out.local!.relL2).toBeGreaterThan(1e-4);
  expect(out.local!.relL2).toBeLessThan(0.02);
  expect((await rough.diff(reference)).pass).toBe(true);
});

test('an edit of the rounding is in force', async () => {
  const before = await rough.run(PROMPT, { plan: 'fast' });
  const use = await rough.edit('round8', wgsl => wgsl.replace('round(v / d)', 'round(v / d / 8.0) * 8.0'));
  expect(use.note).toMatch(/^Only in the fast plan/);
  expect(use.by).toContain('layers.0.attn.out');
  const rougher = await rough.run(PROMPT, { plan: 'fast' });
  const exact = await rough.run(PROMPT);
  const [less, more] = [before, rougher].map(run => apart(run.logits.values.data, exact.logits.values.data));
  expect(more).toBeGreaterThan(3 * less);
  await rough.edit('round8', null);
});

test('other activations are refused', async () => {
  await expect(open('atlas', { activations: 'int4' } as unknown as OpenOptions)).rejects.toThrow(OptionError);
});
