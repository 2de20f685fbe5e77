// Quantising on loading: the bytes of the Python package gguf 0.19 (quants.quantize, which is bit-exact with ggml-quants.c), and a model opened so.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { OptionError } from '../../engine/errors.js';
import { dequantise } from '../../engine/weights/dequantise.js';
import { f16Bits, quantiseRows } from '../../engine/weights/quantise.js';
import { f16Value } from '../../engine/weights/safetensors.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';

/** 64 blocks of sizes from 2⁻¹⁹ to 2⁵, and odd ones: zero, one value, all equal, whole numbers, less than a half float can scale. */
function blocks(): Float32Array {
  const x = new Float32Array(64 * 32);
  let state = 1;
  for (let i = 0; i < x.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    x[i] = (state / 2 ** 32 - 0.5) * 2 ** ((Math.floor(i / 32) % 24) - 18);
  }
  x.fill(0, 0, 64)[32] = -3.5;
  x.fill(0.5, 64, 96);
  for (let i = 0; i < 32; i++) x[96 + i] = i - 16;
  return x.fill(1e-7, 128, 160);
}

test.each([
  ['q8_0', 2176, '97c0a0ba53c8ad88b6e978acf49187aba508bdef24f2f306467a88d233dceb8c'],
  ['q4_0', 1152, '45b70322d216a2a21f685a8f4783839329cb7016adec6d9135365c350eb4544a'],
] as const)('%s has the bytes of the package gguf', (to, bytes, sha256) => {
  const made = quantiseRows(to, blocks());
  expect(made).toHaveLength(bytes);
  expect(createHash('sha256').update(made).digest('hex')).toBe(sha256);
});

test('half floats: every one of them, and ties between two', () => {
  for (let bits = 0; bits < 0x7c00; bits++) {
    const [value, next] = [f16Value(bits), f16Value(bits + 1)];
    if (f16Bits(value) !== bits) throw new Error(`${value}`);
    if (bits === 0x7bff) continue;
    if (f16Bits((value + next) / 2) !== bits + (bits & 1)) throw new Error(`between ${value} and ${next}`);
  }
  expect([65519, 65520, Number.POSITIVE_INFINITY, Number.NaN, -0, -1].map(f16Bits)).toEqual([
    ...[0x7bff, 0x7c00, 0x7c00, 0x7e00, 0x8000, 0xbc00],
  ]);
});

test.each(['q8_0', 'q4_0'] as const)('%s of a value that is no number is none', to => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const x = blocks().subarray(96, 128).slice();
    x[7] = bad;
    expect(Number.isFinite(dequantise(to.toUpperCase(), quantiseRows(to, x))[7])).toBe(false);
  }
});

test('a model opened so is smaller, answers alike, and fails where its weights do', async () => {
  const model = await open('atlas', { quiet: true, quantise: 'q8_0' });
  const whole = await open('atlas', { quiet: true });
  expect(model.model.weightBytes).toBeLessThan(0.3 * whole.model.weightBytes);
  const [run, wholeRun] = [await model.run('The capital of France is'), await whole.run('The capital of France is')];
  const [one, other] = [run.logits.top(1).rows[0], wholeRun.logits.top(1).rows[0]];
  expect(one.id).toBe(other.id);
  expect(one.logit).not.toBe(other.logit);
  expect(Math.abs(one.logit - other.logit)).toBeLessThan(0.1 * Math.abs(other.logit));
  // A golden of the model as it is stored shows what every stage loses.
  const diff = await model.diff(await golden('atlas/capital'));
  expect(diff.rows.find(row => row.stage === 'layers.0.attn.q')?.pass).toBe(false);
  expect(diff.rows.find(row => row.stage === 'layers.0.attn.q')?.local?.relL2).toBeLessThan(0.02);
  for (const session of [model, whole]) session[Symbol.dispose]();
});

test('what cannot be, is refused', async () => {
  await expect(open('atlas', { quiet: true, quantise: 'q3' as 'q8_0' })).rejects.toThrow(OptionError);
  await expect(open('atlas', { quiet: true, quantise: 'q3' as 'q8_0' })).rejects.toThrow(
    "quantise can be 'q8_0' or 'q4_0', and not 'q3'.",
  );
});
