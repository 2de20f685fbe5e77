// How fast an adapter reads what weights lie in: a store full of words that are all different, a shader that reads each once in the order in which
// products do (shaders/stream.wgsl), and the time that it takes.

import type { Kernel } from './compile.js';
import { BudgetError } from './errors.js';
import type { Gpu } from './gpu.js';
import type { Kernels } from './kernel.js';
import { Tensor } from './tensor.js';
import { Timer } from './timer.js';
import type { Store } from './traits.js';

const TEXELS = 2048; // of a tile
const TILE_BYTES = 16 * TEXELS;

/** Lanes of a workgroup: as many as a software adapter runs at once, or as a GPU needs to hide what it waits for. */
export const lanesOf = ({ kind }: Gpu) => (kind === 'hardware' ? 256 : 8);

/** Something to dispatch. */
export interface Pass {
  readonly kernel: Kernel;
  readonly group: GPUBindGroup;
  readonly groups: number;
}

/** Such a store, of `wanted` bytes or what the adapter has room for, and what reads it. Throws BudgetError where 32 kB are too much. */
export async function streamOf(gpu: Gpu, kernels: Kernels, store: Store, wanted: number) {
  const wide = lanesOf(gpu);
  const held: (() => void)[] = [];
  const end = () => {
    for (const one of held.splice(0)) one();
  };
  try {
    const { maxBinding, maxBuffer, maxTexture } = gpu.traits;
    const most = store === 'texture' ? maxTexture * TILE_BYTES : Math.min(maxBinding, maxBuffer);
    let bytes = Math.min(2 ** Math.floor(Math.log2(most)), wanted);
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

export function bind(gpu: Gpu, { bindings, layout }: Kernel, given: Readonly<Record<string, GPUBindingResource>>) {
  const entries = bindings.map(({ index, name }) => ({ binding: index, resource: given[name] }));
  return gpu.scoped('the bindings of a yardstick', () => gpu.device.createBindGroup({ layout, entries }));
}

/** Nanoseconds of each pass, one after the other. */
export async function timed(gpu: Gpu, passes: readonly Pass[]): Promise<number[]> {
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
