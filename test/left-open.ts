// After each file of tests: the sessions that it left open are closed, and nothing else of it may lie on a GPU. Files that share a process share its
// device too, and ask whether their own memory is all that is there.

import { afterAll, expect } from 'vitest';
import type { Gpu } from '../engine/gpu.js';

const held = <T>(name: string) =>
  (globalThis as Record<symbol, unknown>)[Symbol.for(name)] as Map<string, T> | undefined;

afterAll(async () => {
  const sessions = held<Disposable>('gemma-loupe.sessions');
  for (const session of sessions?.values() ?? []) session[Symbol.dispose]();
  sessions?.clear();
  for (const opening of held<Promise<Gpu>>('gemma-loupe.gpu')?.values() ?? []) {
    const gpu = await opening;
    if (gpu.lost) continue;
    gpu.giveBack();
    expect(gpu.liveBytes, 'bytes on the GPU that a test left there').toBe(0);
  }
});
