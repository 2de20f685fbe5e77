// How an adapter rounds: each operation that shaders are made of, over inputs of all magnitudes that activations have, held against float64. WGSL leaves much of it to
// the adapter (division 2.5 ULP, exp and tanh more, subnormals as it likes), so that it is measured and not looked up.

import { readShaderSource } from './files.js';
import type { Gpu } from './gpu.js';
import { Kernels } from './kernel.js';
import { Tensor } from './tensor.js';
import { ulpOf } from './ulp.js';

/** What shaders compute with. */
export type MeasuredOperation = 'add' | 'multiply' | 'fma' | 'divide' | 'sqrt' | 'inverseSqrt' | 'exp' | 'tanh';

/** In the order of rounding.wgsl. */
export const MEASURED: readonly MeasuredOperation[] = [
  'add',
  'multiply',
  'fma',
  'divide',
  'sqrt',
  'inverseSqrt',
  'exp',
  'tanh',
];

/**
 * Distances from float64 in ULP of f32 at the exact value; of tanh in those just below 1, because it is added to 1 or stands for a share of a cap. What is rounded right is 0.5 off at
 * most, and 0.29 in the root mean square.
 */
export interface Distance {
  /** The largest. */
  readonly most: number;
  /** The root of the mean of their squares. */
  readonly rms: number;
}

/** How an adapter rounds, as it was measured. */
export interface Accuracy {
  /** Of what was measured. */
  readonly adapter: string;
  /** By operation. */
  readonly operations: Readonly<Record<MeasuredOperation, Distance>>;
  /** Whether fma rounds once, and not its product too. */
  readonly fused: boolean;
  /** Whether numbers below the smallest normal one stay, as inputs and as results, or become 0. */
  readonly subnormals: 'kept' | 'flushed';
  /** Inputs of each operation. */
  readonly cases: number;
}

const CASES = 1 << 14;
const LANES = 64;

/** Devices live as long as the process, and a driver is not changed beneath one: what was measured holds for the device, and no file could be of another driver. */
const known = new WeakMap<Gpu, Promise<Accuracy>>();

/** Measured once a device, in less than a second, by the shader as its file has it. Throws BudgetError where there is no room for 400 kB. */
export function accuracyOf(gpu: Gpu): Promise<Accuracy> {
  const before = known.get(gpu);
  if (before) return before;
  const now = measure(gpu);
  known.set(gpu, now);
  now.catch(() => known.delete(gpu));
  return now;
}

type Case = readonly [a: number, b: number, c: number];

/** The exact value, as near as float64 has it: 2⁻²⁹ ULP of f32. */
const EXACT: Readonly<Record<MeasuredOperation, (...of: Case) => number>> = {
  add: (a, b) => a + b,
  multiply: (a, b) => a * b,
  fma: (a, b, c) => a * b + c,
  divide: (a, b) => a / b,
  sqrt: a => Math.sqrt(a),
  inverseSqrt: a => 1 / Math.sqrt(a),
  exp: a => Math.exp(a),
  tanh: a => Math.tanh(a),
};

/** Magnitudes, as powers of two: those of activations, of a softmax's distance from its largest score, and of what tanh turns. */
const signed = (random: () => number, low: number, high: number): number =>
  (random() < 0.5 ? -1 : 1) * (1 + random()) * 2 ** (low + Math.floor(random() * (high - low)));
const INPUTS: Readonly<Record<MeasuredOperation, (random: () => number) => Case>> = {
  // Of like size, so that both are rounded away and neither is nothing.
  add: random => {
    const a = signed(random, -30, 30);
    return [a, a * signed(random, -6, 6), 0];
  },
  multiply: random => [signed(random, -30, 30), signed(random, -30, 30), 0],
  fma: random => {
    const [a, b] = [signed(random, -20, 20), signed(random, -20, 20)];
    return [a, b, a * b * Math.abs(signed(random, -6, 6))]; // where the two cancel, rounding the product alone is everything
  },
  divide: random => [signed(random, -30, 30), signed(random, -30, 30), 0],
  sqrt: random => [Math.abs(signed(random, -40, 40)), 0, 0],
  inverseSqrt: random => [Math.abs(signed(random, -40, 40)), 0, 0],
  exp: random => [-Math.abs(signed(random, -20, 6)), 0, 0], // to e^-64: beyond 87 results are no normal numbers
  tanh: random => [signed(random, -20, 4), 0, 0],
};

/** (1 + 2⁻¹²)² − (1 + 2⁻¹¹) is 2⁻²⁴, and 0 where the product is rounded. */
const FUSED: Case = [1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11)];

/** Subnormals as inputs (times 2²⁴ they are normal), and as results. */
const SUBNORMAL: readonly Case[] = [
  [2 ** -130, 2 ** 24, 0],
  [2 ** -149, 2 ** 24, 0],
  [2 ** -100, 2 ** -40, 0],
  [2 ** -126, 2 ** -20, 0],
];

async function measure(gpu: Gpu): Promise<Accuracy> {
  const kernels = new Kernels(gpu, readShaderSource); // as the file has it, whatever a session edited
  using x = new Tensor(gpu, 'cases of an operation', [CASES, 4]);
  using y = new Tensor(gpu, 'what became of them', [CASES]);
  const entries = await Promise.all(
    MEASURED.map(async (_, OP) => ({ OP, kernel: await kernels.get('rounding', { WG: LANES, OP }) })),
  );
  const run = async (OP: number, cases: readonly Case[]): Promise<Float32Array> => {
    const given = new Float32Array(4 * CASES);
    for (const [i, one] of cases.entries()) given.set(one, 4 * i);
    gpu.write(x.buffer, given);
    const { kernel } = entries[OP];
    const bound: Readonly<Record<string, GPUBindingResource>> = { x: { buffer: x.buffer }, y: { buffer: y.buffer } };
    await gpu.scoped('the measuring of this adapter', () => {
      const group = gpu.device.createBindGroup({
        layout: kernel.layout,
        entries: kernel.bindings.map(({ index, name }) => ({ binding: index, resource: bound[name] })),
      });
      const encoder = gpu.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(Math.ceil(CASES / LANES));
      pass.end();
      gpu.submit('the measuring of this adapter', [encoder.finish()]);
    });
    return new Float32Array(await gpu.read([{ buffer: y.buffer, bytes: 4 * CASES }]));
  };
  const operations = {} as Record<MeasuredOperation, Distance>;
  for (const [OP, name] of MEASURED.entries()) {
    const random = sequence(OP + 1);
    const f32 = ([a, b, c]: Case): Case => [Math.fround(a), Math.fround(b), Math.fround(c)];
    const cases = Array.from({ length: CASES }, () => f32(INPUTS[name](random)));
    operations[name] = distance(
      await run(OP, cases),
      cases.map(one => EXACT[name](...one)),
      name === 'tanh' ? () => 2 ** -24 : ulpOf,
    );
  }
  const [fused] = await run(MEASURED.indexOf('fma'), [FUSED]);
  const tiny = await run(MEASURED.indexOf('multiply'), SUBNORMAL);
  const kept = SUBNORMAL.every(([a, b], i) => tiny[i] === Math.fround(a * b));
  return {
    adapter: gpu.name,
    operations,
    fused: fused === 2 ** -24,
    subnormals: kept ? 'kept' : 'flushed',
    cases: CASES,
  };
}

/** What is no number where it should be one is infinitely far off. */
function distance(values: Float32Array, exact: readonly number[], unit: (right: number) => number): Distance {
  let [most, squares] = [0, 0];
  for (const [i, right] of exact.entries()) {
    const off = Math.abs(values[i] - right) / unit(right);
    const ulps = Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
    most = Math.max(most, ulps);
    squares += ulps * ulps;
  }
  return { most, rms: Math.sqrt(squares / exact.length) };
}

/** Numbers from 0 to 1, the same each time (Numerical Recipes' generator): two reports of one adapter say the same. */
function sequence(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
