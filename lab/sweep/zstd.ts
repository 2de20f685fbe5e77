// Zstandard, which Node 20 has not: libzstd compiled to WebAssembly. Level 1: what is left of f32 values is nearly noise, and higher levels take longer to find that out.

import { compress, init } from '@bokuweb/zstd-wasm';

const LEVEL = 1;
let ready: Promise<void> | null = null;

/** Is to be awaited before the first `zstd`. */
export function zstdReady(): Promise<void> {
  ready ??= init();
  return ready;
}

export const zstd = (bytes: Uint8Array): Uint8Array => compress(bytes as Buffer, LEVEL);
