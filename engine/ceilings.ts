// What an adapter can do at most, measured here and now by two small shaders: how fast it reads what weights lie in, and how fast it multiplies and
// adds. What steps reach is told as a share of that.

import type { Kernel } from './compile.js';
import { BudgetError, DeviceError } from './errors.js';
import { readShaderSource } from './files.js';
import type { Gpu } from './gpu.js';
import { Kernels } from './kernel.js';
import { Tensor } from './tensor.js';
import { Timer } from './timer.js';
import type { Store } from './weight-store.js';

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

const TEXELS = 2048; // of a tile
const TILE_BYTES = 16 * TEXELS;
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
      const stream = await streamOf(gpu, kernels);
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

/** Lanes of a workgroup: as many as a software adapter runs at once, or as a GPU needs to hide what it waits for. */
const lanesOf = ({ traits }: Gpu) => (traits.software ? 8 : 256);

/** Something to dispatch. */
interface Pass {
  readonly kernel: Kernel;
  readonly group: GPUBindGroup;
  readonly groups: number;
}

/** A store full of words that are all different, and what reads it. */
async function streamOf(gpu: Gpu, kernels: Kernels) {
  const wide = lanesOf(gpu);
  const held: (() => void)[] = [];
  const end = () => {
    for (const one of held.splice(0)) one();
  };
  try {
    const { store, maxBinding, maxBuffer, maxTexture } = gpu.traits;
    const most = store === 'texture' ? maxTexture * TILE_BYTES : Math.min(maxBinding, maxBuffer);
    let bytes = Math.min(2 ** Math.floor(Math.log2(most)), gpu.traits.software ? 128 << 20 : 512 << 20);
    while (bytes > gpu.budgetBytes - gpu.liveBytes && bytes > 8 << 20) bytes /= 2;
    const tiles = bytes / TILE_BYTES;
    if (tiles < 1) throw new BudgetError('The measuring of this adapter needs a buffer of 32 kB.');
    const piece = Uint32Array.from({ length: Math.min(bytes, 4 << 20) / 4 }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
    const rows = piece.byteLength / TILE_BYTES;
    let resource: GPUBindingResource;
    if (store === 'texture') {
      const texture = gpu.createTexture('a stream', TEXELS, tiles);
      held.push(() => gpu.destroyTexture(texture));
      for (let row = 0; row < tiles; row += rows) gpu.writeTexture(texture, piece, row);
      resource = texture.createView();
    } else {
      const tensor = new Tensor(gpu, 'a stream', [bytes / 4]);
      held.push(() => tensor[Symbol.dispose]());
      for (let at = 0; at < bytes; at += piece.byteLength) gpu.write(tensor.buffer, piece, at);
      resource = { buffer: tensor.buffer };
    }
    await gpu.settle();
    const out = new Tensor(gpu, 'what was read', [tiles * wide, 4]);
    held.push(() => out[Symbol.dispose]());
    const constants = { WG: wide, TEXELS, ...(store === 'texture' ? { WIDTH: TEXELS } : { SIZE: TEXELS }) };
    const kernel = await kernels.get('stream', constants, [`stores/${store}`]);
    const given = { y: { buffer: out.buffer }, weight: resource };
    return { pass: { kernel, group: await bind(gpu, kernel, given), groups: tiles, bytes }, [Symbol.dispose]: end };
  } catch (error) {
    end();
    throw error;
  }
}

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

function bind(gpu: Gpu, { bindings, layout }: Kernel, given: Readonly<Record<string, GPUBindingResource>>) {
  const entries = bindings.map(({ index, name }) => ({ binding: index, resource: given[name] }));
  return gpu.scoped('the bindings of a yardstick', () => gpu.device.createBindGroup({ layout, entries }));
}

/** Nanoseconds of each, one after the other. */
async function timed(gpu: Gpu, passes: readonly Pass[]): Promise<number[]> {
  using timer = new Timer(gpu, passes.length);
  await gpu.scoped('the measuring of this adapter', () => {
    const encoder = gpu.device.createCommandEncoder();
    for (const [i, { kernel, group, groups }] of passes.entries()) {
      const pass = encoder.beginComputePass({ timestampWrites: timer.writes(i) });
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(groups);
      pass.end();
    }
    timer.resolve(encoder);
    gpu.submit('the measuring of this adapter', [encoder.finish()]);
  });
  const names = passes.map((_, i) => String(i));
  return [...(await timer.read(names)).values()];
}
