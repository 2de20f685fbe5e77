// What an adapter is like, as far as it decides how kernels are written for it. Read from the device and never assumed.

import type { FoundAdapter } from './adapter.js';

/** How a kernel should be written for this adapter. */
export interface Traits {
  /** Software adapters run one workgroup on one thread: lanes without barriers are fast there. */
  readonly software: boolean;
  /** Size of every subgroup, or null when it varies or subgroups are not there. */
  readonly subgroup: number | null;
  /** Most lanes of a workgroup. */
  readonly maxInvocations: number;
  /** Buffers that a shader may be given, uniforms aside. */
  readonly maxStorageBuffers: number;
  /** Bytes of memory that a workgroup may share. */
  readonly maxShared: number;
  /** Bytes of a buffer that a shader may be given at once. */
  readonly maxBinding: number;
  /** Bytes of the largest buffer. */
  readonly maxBuffer: number;
  /** Longest side of a texture. */
  readonly maxTexture: number;
  /** Where matrices lie, as it was measured (store.ts). */
  readonly store: Store;
}

/** What matrices can lie in. */
export type Store = 'buffer' | 'texture';

/** Whose kernels run: the adapter's own, or a GPU's, which any adapter can run: to prove them where there is none. */
export type KernelChoice = 'own' | 'gpu';

export function traitsOf(
  { limits, features }: GPUDevice,
  info: GPUAdapterInfo,
  kind: FoundAdapter['kind'],
  kernels: KernelChoice = 'own',
): Traits {
  const fixed = info.subgroupMinSize === info.subgroupMaxSize && features.has('subgroups');
  const software = kind !== 'hardware' && kernels === 'own';
  const subgroup = fixed ? (info.subgroupMinSize ?? null) : null;
  return {
    software,
    subgroup,
    store: 'buffer',
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    maxShared: limits.maxComputeWorkgroupStorageSize,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
    maxBinding: limits.maxStorageBufferBindingSize,
    maxBuffer: limits.maxBufferSize,
    maxTexture: limits.maxTextureDimension2D,
  };
}
