// Where weights lie on this adapter: in buffers or in storage textures, whichever it reads faster, by measurement. Mesa's lavapipe reads a texture with a few
// vector instructions, and a buffer with a branch and a check for every lane; others gain nothing, or lose.

import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache.js';
import { LoupeError } from './errors.js';
import { MOST_JSON, packageRoot, readShaderSource, readText } from './files.js';
import type { Gpu } from './gpu.js';
import { Kernels } from './kernel.js';
import { streamOf, timed } from './stream.js';
import type { Store } from './traits.js';

/** What was measured, and what follows from it. */
export interface StoreChoice {
  /** Where weights lie. */
  readonly store: Store;
  /** Bytes a second read from each, the best of the rounds; null where the adapter has no timestamps, and weights lie in buffers. */
  readonly speeds: Readonly<Record<Store, number>> | null;
  /** When, as an ISO date. */
  readonly measured: string;
}

/** Textures have limits that buffers have not, and are worth them from here on. On a busy machine lavapipe measured 1.35 at least, and SwiftShader, which gains nothing by them, 0.9 at most. */
export const WORTH_IT = 1.15;
/** Rounds: so many at least, and on until the best of either was nearly reached again and again, so that it is no best of disturbed ones. */
const [LEAST_ROUNDS, MOST_ROUNDS] = [30, 100];
const [AGAIN, NEARLY] = [5, 1.1];
const STORES: readonly Store[] = ['buffer', 'texture'];
const MOST = 1e15; // bytes a second
const DATE = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const MOST_KEPT = 1000; // bytes of a file

/** The choice as it was kept for this adapter, driver and package, else measured and kept; a fraction of a second, once. `anew`: measured in any case. */
export async function storeOf(gpu: Gpu, anew = false): Promise<StoreChoice> {
  const file = fileFor(gpu);
  const kept = anew || file === null ? null : readChoice(file);
  if (kept) return kept;
  const choice = chosen(await speedsOf(gpu));
  if (file !== null && choice.speeds) keep(file, choice);
  return choice;
}

/** What follows from such speeds. */
export function chosen(speeds: StoreChoice['speeds']): StoreChoice {
  const store = speeds !== null && speeds.texture >= WORTH_IT * speeds.buffer ? 'texture' : 'buffer';
  return { store, speeds, measured: new Date().toISOString() };
}

/** By both, in turn: what else the machine does takes from both, and the best of each is what it disturbed least. */
async function speedsOf(gpu: Gpu): Promise<StoreChoice['speeds']> {
  if (!gpu.device.features.has('timestamp-query')) return null;
  const kernels = new Kernels(gpu, readShaderSource);
  const wanted = gpu.kind === 'hardware' ? 256 << 20 : 1 << 20;
  const streams: Awaited<ReturnType<typeof streamOf>>[] = [];
  try {
    for (const store of STORES) streams.push(await streamOf(gpu, kernels, store, wanted));
    const passes = streams.map(({ pass }) => pass);
    const times: number[][] = STORES.map(() => []);
    const isSure = (of: readonly number[]) => of.filter(ns => ns <= NEARLY * Math.min(...of)).length >= AGAIN;
    for (let round = 0; round < MOST_ROUNDS && !(round >= LEAST_ROUNDS && times.every(isSure)); round += 1)
      for (const [i, ns] of (await timed(gpu, passes)).entries()) if (ns > 0) times[i].push(ns);
    const [buffer, texture] = passes.map(({ bytes }, i) => (1e9 * bytes) / Math.min(...times[i]));
    return buffer > 0 && texture > 0 ? { buffer, texture } : null;
  } catch (error) {
    // No room, or shaders that this driver cannot compile: then nothing is known, and no reason not to begin.
    if (error instanceof LoupeError && !gpu.lost) return null;
    throw error;
  } finally {
    for (const one of streams) one[Symbol.dispose]();
  }
}

/** Of an adapter with its driver, as it calls itself, by this version of Dawn; null where nothing can be kept. */
function fileFor(gpu: Gpu): string | null {
  try {
    const json = readText(join(packageRoot(), 'node_modules', 'webgpu', 'package.json'), MOST_JSON, fault);
    const { version } = JSON.parse(json) as { version: string };
    const key = createHash('sha256')
      .update(JSON.stringify([gpu.kind, gpu.name, version]))
      .digest('hex');
    return join(cacheFolder(), 'stores', `${gpu.kind}-${key.slice(0, 12)}.json`);
  } catch {
    return null;
  }
}

const fault = (what: string) => new Error(what);

/** Null for what is not there, or no such choice. */
function readChoice(file: string): StoreChoice | null {
  try {
    const { speeds, measured } = JSON.parse(readText(file, MOST_KEPT, fault)) as StoreChoice;
    const right = (n: unknown) => typeof n === 'number' && n > 0 && n < MOST;
    if (!right(speeds?.buffer) || !right(speeds?.texture) || !DATE.test(String(measured))) return null;
    return { ...chosen(speeds), measured };
  } catch {
    return null;
  }
}

/** Whole or not at all: others may read it meanwhile. Where it cannot be written, the next one measures again. */
function keep(file: string, { speeds, measured }: StoreChoice): void {
  const aside = `${file}.${process.pid}`;
  try {
    mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(aside, JSON.stringify({ speeds, measured }));
    renameSync(aside, file);
  } catch {
    try {
      rmSync(aside, { force: true });
    } catch {} // nor was it made
  }
}
