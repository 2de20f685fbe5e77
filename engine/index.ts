// The engine alone, for programs that need no lab.

export { ADAPTER_CHOICES } from './adapter.js';
export { cacheFolder } from './cache.js';
export type { CacheFormat } from './cache-format.js';
export type { GemmaConfig } from './config.js';
export { Context } from './context.js';
export type { Activations } from './dispatch.js';
export * from './errors.js';
export type { ContextOptions, ForwardOptions, ForwardResult, ReadAhead } from './forward.js';
export type { PlanKind } from './fuse.js';
export { gemma, planOf } from './gemma.js';
export { type Generated, type GenerateOptions, generate } from './generate.js';
export { Gpu, type Traffic } from './gpu.js';
export { sharedGpu } from './shared-gpu.js';
export type { Change, Kernels, Shaders } from './kernel.js';
export { type LoadOptions, type LoadProgress, Model } from './model.js';
export type { Patch } from './patches.js';
export type { Axis, AxisName, Plan, Ref, Stage, WeightRef } from './plan.js';
export type { Sampling } from './sample.js';
export type { Captured, Slice, Tap } from './taps.js';
export { openTokenizer, openTokenizerFile } from './tokenizer/open.js';
export type { Ends } from './tokenizer/ends.js';
export type { DecodeStream, EncodeOptions, Tokenizer } from './tokenizer/tokenizer.js';
export type { Top, TopWanted } from './top.js';
export type { KernelChoice, Store, Traits } from './traits.js';
export type { Opened } from './units.js';
export { openModelFiles } from './weights/open.js';
export type {
  ChatFiles,
  FolderFiles,
  ModelFiles,
  SamplingDefaults,
  WeightEntry,
  WeightSource,
} from './weights/source.js';
