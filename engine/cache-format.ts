// How caches keep keys and values: as they are, or rounded to f16, in half the bytes. Either is a file that the shaders of caches are assembled with.

import type { Stage } from './plan.js';

/** How caches keep keys and values: as they are, or rounded to half the bytes. */
export type CacheFormat = 'f32' | 'f16';
export const CACHE_FORMATS: readonly CacheFormat[] = ['f32', 'f16'];

/** Bytes of a value. */
export const CACHE_BYTES: Readonly<Record<CacheFormat, number>> = { f32: 4, f16: 2 };

/** What f16 reaches. What is beyond it becomes NaN in the cache. */
export const F16_LARGEST = 65504;

/** The files that a shader is assembled with to read or write a cache. */
export const partsForCache = (format: CacheFormat = 'f32'): string[] => [`caches/${format}`];

/** Bytes that a token takes in the caches of these stages, until windows are full. */
export function cacheBytesPerToken(stages: readonly Stage[], format: CacheFormat): number {
  const values = stages.filter(({ state }) => state).map(({ axes }) => axes.slice(1));
  const one = values.reduce((n, axes) => n + axes.reduce((m, { size }) => m * (size as number), 1), 0);
  return CACHE_BYTES[format] * one;
}
