// What an adapter can do at most, measured here and now by two small shaders: how fast it reads what weights lie in, and how fast it multiplies and
// adds. What steps reach is told as a share of that.

import { DeviceError } from './errors.js';
import { readShaderSource } from './files.js';
import type { Gpu } from './gpu.js';
import { Kernels } from './kernel.js';
import { bind, lanesOf, type Pass, streamOf, timed } from './stream.js';
import { Tensor } from './tensor.js';
import type { Store } from './traits.js';

/** What an adapter does at most, as it was measured. */
export interface Ceilings {
  /** Medians over the rounds. */
  readonly bytesPerSecond: number;
  /** Multiplications and additions of f32. */
  readonly operationsPerSecond: number;
  /** What was read from: what weights lie in on this adapter. */
  readonly store: Store;
  /** How much was read in a round: more than caches hold. */
  readonly bytes: number;
  /** Measurements of each ceiling. */
  readonly rounds: number;
}

const PER_TURN = 128; // operations of a lane in multiply_add.wgsl
/** A GPU that has rested takes its clocks up under load: so long it is kept busy before it is measured. */
const WARM = 300; // ms
const LONG_ENOUGH = 4e6; // ns: what comes before and after a pass is then little of it

/** Measures an adapter, a round at a time, so that what it is compared with can be measured in turn. */
export class Yardstick {
  readonly #read: number[] = [];
  readonly #computed: number[] = [];

  private constructor(
    readonly gpu: Gpu,
    private readonly reading: Pass & { readonly bytes: number },
    private readonly computing: Pass & { readonly operations: number },
    private readonly held: readonly Disposable[],
  ) {}

  /** Throws DeviceError where the adapter cannot time, and BudgetError where there is no room for 8 MB. */
  static async make(gpu: Gpu): Promise<Yardstick> {
    checkTimed(gpu);
    const kernels = new Kernels(gpu, readShaderSource); // as the files have them, whatever a session edited
    const held: Disposable[] = [];
    try {
      const stream = await streamOf(gpu, kernels, gpu.traits.store, gpu.traits.software ? 128 << 20 : 512 << 20);
      held.push(stream);
      const sums = sumsOf(gpu, kernels);
      held.push(sums);
      await timed(gpu, [stream.pass]);
      let turns = 256;
      for (let ns = 0; ns < LONG_ENOUGH && turns < 1 << 24; turns *= 4) {
        [ns] = await timed(gpu, [await sums.pass(turns)]);
      }
      const yardstick = new Yardstick(gpu, stream.pass, await sums.pass(turns), held);
      const until = performance.now() + (gpu.kind === 'hardware' ? WARM : 0);
      while (performance.now() < until) await timed(gpu, [stream.pass, await sums.pass(turns)]);
      return yardstick;
    } catch (error) {
      for (const one of held) one[Symbol.dispose]();
      throw error;
    }
  }

  /** Reads and computes once. */
  async round(): Promise<void> {
    const [read, computed] = await timed(this.gpu, [this.reading, this.computing]);
    this.#read.push(this.reading.bytes / read);
    this.#computed.push(this.computing.operations / computed);
  }

  /** Of the rounds so far. */
  get ceilings(): Ceilings {
    return {
      bytesPerSecond: 1e9 * middle(this.#read),
      operationsPerSecond: 1e9 * middle(this.#computed),
      store: this.gpu.traits.store,
      bytes: this.reading.bytes,
      rounds: this.#read.length,
    };
  }

  [Symbol.dispose](): void {
    for (const one of this.held) one[Symbol.dispose]();
  }
}

/** Throws DeviceError where the adapter has no timestamps. */
export function checkTimed(gpu: Gpu): void {
  if (gpu.device.features.has('timestamp-query')) return;
  throw new DeviceError(
    `This adapter (${gpu.kind}) has no timestamps, so what a step takes cannot be told. Ask for another: --adapter, or LOUPE_ADAPTER.`,
  );
}

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Lanes that only compute. */
function sumsOf(gpu: Gpu, kernels: Kernels) {
  const wide = lanesOf(gpu);
  const groups = gpu.traits.software ? 256 : 4096;
  const lanes = groups * wide;
  const x = new Tensor(gpu, 'a factor', [2]);
  let y: Tensor;
  try {
    y = new Tensor(gpu, 'what was computed', [lanes, 4]);
  } catch (error) {
    x[Symbol.dispose]();
    throw error;
  }
  gpu.write(x.buffer, Float32Array.of(0.999, 0.001));
  const given = { x: { buffer: x.buffer }, y: { buffer: y.buffer } };
  return {
    async pass(TURNS: number) {
      const kernel = await kernels.get('multiply_add', { WG: wide, TURNS });
      return { kernel, group: await bind(gpu, kernel, given), groups, operations: PER_TURN * TURNS * lanes };
    },
    [Symbol.dispose]() {
      x[Symbol.dispose]();
      y[Symbol.dispose]();
    },
  };
}
