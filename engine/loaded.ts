// A model on the GPU, as those see it who run it: contexts, batches, and who asks what uses a shader. Model is one (model.ts), and knows them.

import type { CacheFormat } from './cache-format.js';
import type { GemmaConfig } from './config.js';
import type { Activations } from './dispatch.js';
import type { Weights } from './ready.js';
import type { PlanKind } from './fuse.js';
import type { Gpu } from './gpu.js';
import type { Join } from './joins.js';
import type { Kernels } from './kernel.js';
import type { Plan, WeightRef } from './plan.js';
import type { Step } from './step.js';

export interface LoadedModel extends Weights {
  readonly gpu: Gpu;
  readonly config: GemmaConfig;
  readonly plan: Plan;
  readonly kernels: Kernels;
  /** How products are given their inputs in the fast plan. */
  readonly activations: Activations;
  /** How caches keep keys and values. */
  readonly cache: CacheFormat;
  /** The matrices and gains the plan needs, once each, in the order of their first use. */
  readonly weightRefs: readonly WeightRef[];
  /** The steps of a plan on this adapter. @param many for several sequences at once */
  steps(kind: PlanKind, many?: boolean): readonly Step[];
  /** How weights lie together under this name (joins.ts), or null. */
  joined(name: string): Join['order'] | null;
}
