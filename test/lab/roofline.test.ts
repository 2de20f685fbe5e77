// model.roofline(): every step once, with what it moves and computes; two ceilings that were measured; and a shader made slow is seen where it is.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { costOfStep } from '../../engine/cost.js';
import type { Roofline } from '../../lab/bench/roofline.js';
import { DISPLAY } from '../../lab/values/shown.js';
import { rooflineText } from '../../lab/display/roofline-text.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';

let atlas: Session;
let roofline: Roofline;

beforeAll(async () => {
  atlas = await open('atlas', { quiet: true });
  roofline = await atlas.roofline();
});
afterAll(() => {
  const { gpu } = atlas;
  atlas[Symbol.dispose]();
  expect(gpu.liveBytes).toBe(0);
});

test('every step is told once, with what it must move and compute, as shares of two measured ceilings', () => {
  const { steps, operations, ceilings } = roofline;
  const planned = atlas.model.steps('fast');
  expect(steps.map(({ index }) => index).sort((a, b) => a - b)).toEqual(planned.map((_, i) => i));
  expect(ceilings.bytesPerSecond).toBeGreaterThan(1e7);
  expect(ceilings.operationsPerSecond).toBeGreaterThan(1e8);
  expect(ceilings.store).toBe(atlas.gpu.traits.store);
  for (const one of steps) {
    const step = planned[one.index];
    const cost = costOfStep(step, { tokens: 1, keys: 65, rows: 1 }, weight => atlas.model.bytesOf(weight));
    expect(one.step).toBe(step.name);
    expect(one.bytesRead + one.bytesWritten).toBe(cost.bytes);
    expect(one.operations).toBe(cost.flops);
    expect(one.us).toBeGreaterThan(0);
    expect(one.ofBandwidth * ceilings.bytesPerSecond * one.us * 1e-6).toBeCloseTo(cost.bytes, 3);
    expect(one.ofArithmetic * ceilings.operationsPerSecond * one.us * 1e-6).toBeCloseTo(cost.flops, 3);
    expect(one.reached).toBe(one.bound === 'bandwidth' ? one.ofBandwidth : one.ofArithmetic);
  }
  expect(steps.map(({ us }) => us)).toEqual(steps.map(({ us }) => us).sort((a, b) => b - a));
  expect(steps.reduce((n, { share }) => n + share, 0)).toBeCloseTo(1, 9);
  expect(operations.reduce((n, one) => n + one.steps, 0)).toBe(steps.length);
  expect(operations.reduce((n, { us }) => n + us, 0)).toBeCloseTo(
    steps.reduce((n, { us }) => n + us, 0),
    6,
  );
  // What the head writes: a logit for each of 512 pieces. What it reads: its weight and a vector of 128.
  const head = steps.find(({ step }) => step === 'logits')!;
  expect(head.bytesWritten).toBe(4 * 512);
  expect(head.bytesRead).toBe(4 * 512 * 128 + 4 * 128);
});

/** Where chunks are read with timestamps: tokens before each, and in it. */
async function timed(what: () => Promise<unknown>): Promise<(readonly [number, number])[]> {
  const at: (readonly [number, number])[] = [];
  const { model } = atlas;
  const make = model.context.bind(model);
  using _ = vi.spyOn(model, 'context').mockImplementation(options => {
    const context = make(options);
    const forward = context.forward.bind(context);
    context.forward = (ids, given) => {
      if (given?.profile) at.push([context.ids.length, ids.length]);
      return forward(ids, given);
    };
    return context;
  });
  await what();
  return at;
}

test('every round is measured where it says: after as many tokens as that', async () => {
  for (const [tokens, context, rounds] of [
    [1, 0, 2],
    [64, 64, 3], // past what the rings hold
    [20, 130, 2],
    [128, 0, 1],
  ]) {
    const at = await timed(async () => {
      const { steps, extent } = await atlas.roofline({ tokens, context, rounds });
      expect(extent).toEqual({ tokens, context });
      const planned = atlas.model.steps('fast');
      const keys = { tokens, keys: context + tokens, rows: 1 };
      for (const { index, operations } of steps)
        expect(operations).toBe(costOfStep(planned[index], keys, weight => atlas.model.bytesOf(weight)).flops);
    });
    expect(at).toEqual(Array.from({ length: rounds + 1 }, () => [context, tokens]));
  }
  // As many as the model was made for, however many rounds there are.
  const { contextLength } = atlas.config;
  await expect(atlas.roofline({ tokens: 8, context: contextLength - 7 })).rejects.toThrow(
    /before and 8 after them are/,
  );
  expect(await timed(() => atlas.roofline({ tokens: 1, context: contextLength - 1, rounds: 3 }))).toEqual(
    Array.from({ length: 4 }, () => [contextLength - 1, 1]),
  );
});

test('a chunk that does not fit a binding is counted as the chunks that it is read in', async () => {
  const { traits } = atlas.gpu;
  const { maxBinding } = traits;
  // Scores of 20 tokens fit, in a context of 200: 4 heads × 20 × 200.
  atlas.gpu.traits = { ...traits, maxBinding: 4 * 4 * 20 * 200 };
  try {
    const at = await timed(async () => {
      const { steps } = await atlas.roofline({ tokens: 50, context: 150, rounds: 1, plan: 'exact' });
      const planned = atlas.model.steps('exact');
      for (const { index, operations, bytesRead, bytesWritten } of steps) {
        const costs = [170, 190, 200].map((keys, i) =>
          costOfStep(planned[index], { tokens: i < 2 ? 20 : 10, keys, rows: i < 2 ? 0 : 1 }, weight =>
            atlas.model.bytesOf(weight),
          ),
        );
        expect(operations).toBe(costs.reduce((n, { flops }) => n + flops, 0));
        expect(bytesRead + bytesWritten).toBe(costs.reduce((n, { bytes }) => n + bytes, 0));
      }
      const head = steps.find(({ step }) => step === 'logits')!;
      expect(head.bytesRead).toBe(4 * 512 * 128 + 4 * 128);
    });
    expect(at).toEqual([
      [150, 50],
      [150, 50],
    ]);
  } finally {
    atlas.gpu.traits = { ...traits, maxBinding };
  }
});

test('caches in f16 are counted as what they are', async () => {
  using half = await open('atlas', { quiet: true, cache: 'f16' });
  const { steps } = await half.roofline({ rounds: 1 });
  const of = (all: Roofline['steps'], rule: string) =>
    all.find(one => one.operation === rule && one.step.includes('.5.'))!;
  // Layer 5 sees all 65 keys and values of 32, and writes one of each.
  expect(of(roofline.steps, 'attention').bytesRead - of(steps, 'attention').bytesRead).toBe(2 * 2 * 65 * 32);
  expect(of(roofline.steps, 'heads').bytesWritten - of(steps, 'heads').bytesWritten).toBe(2 * 2 * 32);
});

test('times are not rounded to what a web page may know', () => {
  // Dawn's rounding is 2¹⁶ ns; without it no fifty times are all multiples of that.
  expect(roofline.steps.every(({ us }) => Math.round(1000 * us) % 65536 === 0)).toBe(false);
});

test('a shader that was made slow is at the top, and what it reaches falls', async () => {
  // The product of rows of 512 does its loop two hundred times: of atlas, that is mlp.down. Asked of it is a fiftieth of that, whatever else runs.
  const slow = (wgsl: string) =>
    wgsl.replace(
      /for \(var k = ([^;]+); k < IN; k \+= ([^{]+)\) \{/,
      'for (var n = $1; n < IN * select(1u, 200u, IN == 512); n += $2) {\n    let k = n % IN;',
    );
  const shaders = ['matvec', 'matvec_lanes', 'matvec_broadcast'];
  for (const shader of shaders) await atlas.edit(shader, slow);
  try {
    const after = await atlas.roofline();
    const isDown = ({ step }: { step: string }) => step.endsWith('mlp.down');
    // Of the first eight, so that a pause of the machine in another step or two is none of ours.
    expect(after.steps.slice(0, 8).filter(isDown)).toHaveLength(6);
    expect(after.operations[0].operation).toBe('linear');
    const reached = ({ steps }: Roofline) => {
      const mean = (of: (one: { step: string }) => boolean) =>
        steps.filter(of).reduce((n, one) => n + 1 / one.reached, 0) / steps.filter(of).length;
      return mean(isDown) / mean(({ step }) => step.includes('mlp.gate'));
    };
    expect(reached(after) / reached(roofline)).toBeGreaterThan(4);
    expect(after.edited).toEqual(shaders.sort());
  } finally {
    for (const shader of shaders) await atlas.edit(shader, null);
  }
});

test('as text it fits a terminal; the picture has both ceilings, every step with its index, and what steps do by name', () => {
  const text = rooflineText(roofline, Number.POSITIVE_INFINITY);
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(80);
  expect(text).toContain('50  logits');
  const bundle = roofline[DISPLAY]();
  expect(bundle['text/plain']).toMatch(/and 41 steps more/);
  const { bytesPerSecond, operationsPerSecond, store } = roofline.ceilings;
  const bandwidth = `${(bytesPerSecond / 1e9).toPrecision(3)} GB/s from ${store}s`;
  const arithmetic = `${(operationsPerSecond / 1e9).toPrecision(3)} GFLOP/s`;
  for (const form of ['text/plain', 'image/svg+xml'] as const) {
    expect(bundle[form]).toContain(bandwidth);
    expect(bundle[form]).toContain(arithmetic);
  }
  const { data, layout } = bundle['application/vnd.plotly.v1+json']!;
  const notes = data.slice(1).flatMap(trace => trace.customdata as string[]);
  for (const { index, step } of roofline.steps)
    expect(notes.some(note => note.startsWith(step) && note.includes(`step ${index},`))).toBe(true);
  expect(JSON.stringify(layout.annotations)).toContain(bandwidth);
  const kinds = data.slice(1).map(({ name }) => name as string);
  expect(kinds.map(name => name.replace(/ [\d.]+ %$/, ''))).toEqual([
    'embedding, head',
    'weights',
    'norm',
    'RoPE',
    'attention',
  ]);
  const shares = kinds.reduce((sum, name) => sum + Number(/([\d.]+) %$/.exec(name)![1]), 0);
  expect(Math.abs(shares - 100)).toBeLessThan(3);
  const ridge = operationsPerSecond / bytesPerSecond;
  expect((data[0].x as number[])[1]).toBeCloseTo(ridge, 6);
});

test('what cannot be measured is refused', async () => {
  await expect(atlas.roofline({ context: 2000 })).rejects.toThrow(/2000 tokens before and 1 after them are more than/);
  await expect(atlas.roofline({ rounds: 0 })).rejects.toThrow(/rounds of roofline is a whole number from 1/);
  await expect(atlas.roofline({ plan: 'slow' as 'fast' })).rejects.toThrow(/The plan is/);
  await expect(atlas.roofline({ round: 3 } as object)).rejects.toThrow(/rounds/);
  const exact = await atlas.roofline({ plan: 'exact', tokens: 8, context: 0, rounds: 1 });
  expect(exact.steps.length).toBe(atlas.model.steps('exact').length);
});
