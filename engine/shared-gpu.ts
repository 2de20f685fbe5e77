// The device that a process computes on: opened once for each choice, with its weights where it reads them fastest.

import { Gpu } from './gpu.js';
import { storeOf } from './store.js';
import type { KernelChoice } from './traits.js';

const OPEN = Symbol.for('gemma-loupe.gpu');
type Shared = Map<string, Promise<Gpu>>;

/** One device a process and choice, opened at first use and kept, and replaced once it is lost. Dawn itself must outlive everything made with it. */
export async function sharedGpu(choice?: string, kernels: KernelChoice = 'own'): Promise<Gpu> {
  const shared = ((globalThis as Record<symbol, unknown>)[OPEN] ??= new Map()) as Shared;
  const key = `${choice ?? (process.env.LOUPE_ADAPTER || 'auto')} ${kernels}`;
  const known = shared.get(key);
  if (known && !(await known).lost) return known;
  const current = shared.get(key);
  if (current && current !== known) return current; // somebody who asked at the same time was first
  const fresh = Gpu.open(choice, kernels, async gpu => (await storeOf(gpu)).store);
  shared.set(key, fresh);
  fresh.catch(() => shared.delete(key));
  return fresh;
}
