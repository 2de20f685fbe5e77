// The engine alone, for programs that need no lab.

export { ADAPTER_CHOICES } from './adapter.js';
export { cacheFolder } from './cache.js';
export type { GemmaConfig } from './config.js';
export { Context } from './context.js';
export * from './errors.js';
export { gemma, planOf } from './gemma.js';
export { generate } from './generate.js';
export { Gpu, sharedGpu } from './gpu.js';
export { Model } from './model.js';
export type { Plan, Stage } from './plan.js';
export { openTokenizer, openTokenizerFile } from './tokenizer/open.js';
export { openModelFiles } from './weights/open.js';
