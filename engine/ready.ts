// What a chunk of tokens dispatches: which steps run as they are and which as their stages, compiled and bound for the kind of chunk that it is.

import { type Bound, BoundUnits } from './bound.js';
import { type Capacity, ringOf } from './buffers.js';
import type { ChunkRun } from './chunk.js';
import type { Setting, Source } from './dispatch.js';
import type { PlanKind } from './fuse.js';
import type { Gpu } from './gpu.js';
import type { Shaders } from './kernel.js';
import type { Stage } from './plan.js';
import type { Step } from './step.js';
import { openings, type Unit, unitsOf } from './units.js';
import type { Shard } from './weight-store.js';

/** Weights on the GPU, split by rows where one binding cannot hold them. */
export interface Weights {
  shards(name: string): readonly Shard[];
}

export interface Ready {
  readonly bound: readonly Bound[];
  /** Shaders that differ from their files. */
  readonly edited: ReadonlySet<string>;
  /** Stages that somebody looks at. */
  readonly looks: readonly Stage[];
  /** Steps that run as the stages they stand for. */
  readonly opened: ReadonlySet<Step>;
  /** Why, of those that a patch or an edit opens. */
  readonly why: ReadonlyMap<Step, string>;
}

/** What there is to prepare for. */
interface Prepared {
  readonly stages: readonly Stage[];
  readonly steps: readonly Step[];
  /** Of the steps: bits of the exact one do not depend on how many tokens are read together. */
  readonly plan: PlanKind;
  readonly capacity: Capacity;
  readonly weights: Weights;
}

/** Shaders whose work `givens/` do in their products. */
const MADE_ELSEWHERE = ['add_norm', 'attend_join'];

/** Shaders whose work matvec_scaled does. */
export const AS_THEY_ARE = ['matvec_broadcast', 'weights/scaled'];

export class Preparation {
  /** As they are when nobody looks inside. */
  readonly #units: readonly Unit[];
  readonly #bound: BoundUnits;

  constructor(
    private readonly gpu: Gpu,
    private readonly of: Prepared,
    resourceOf: (source: Source) => GPUBindingResource,
  ) {
    this.#units = unitsOf(of.steps, new Set(), []);
    this.#bound = new BoundUnits(gpu, resourceOf);
  }

  /** What there is for a chunk, made where it is not there yet. Throws ShaderError where a shader does not compile. */
  async ready({ extent, taps = [], patches = [], ...chunk }: ChunkRun, shaders: Shaders): Promise<Ready> {
    const { steps, stages } = this.of;
    const edited = new Set(shaders.edited);
    const { oneByOne = { tokens: extent.tokens === 1, logits: extent.rows === 1 } } = chunk;
    const setting = this.setting(oneByOne.tokens, oneByOne.logits, edited);
    const why = openings(steps, { patches, edited, setting });
    const looks = chunk.check ? stages : taps.map(({ stage }) => stage);
    const opened = new Set(chunk.check ? steps : why.keys());
    const asIs = opened.size + looks.length === 0;
    const bound = await this.#bound.of(asIs ? this.#units : unitsOf(steps, opened, looks), setting, shaders);
    return { edited, why, looks, opened, bound };
  }

  setting(oneToken: boolean, oneRow: boolean, edited?: ReadonlySet<string>): Setting {
    const { stages, plan, capacity, weights } = this.of;
    const { traits } = this.gpu;
    const stage = (name: string) => stages.find(stage => stage.name === name)!;
    return {
      traits,
      oneToken,
      oneRow,
      // Whoever edits what blocks of tokens meet wants to see it run.
      few: plan === 'fast' && !traits.software && !edited?.has('linear'),
      // And so does whoever edits what a product makes by itself in another file.
      merged: plan === 'fast' && !traits.software && !MADE_ELSEWHERE.some(shader => edited?.has(shader)),
      // And whoever edits what multiplies by weights as they are, or what they are worth.
      scaled: plan === 'fast' && traits.software && !AS_THEY_ARE.some(shader => edited?.has(shader)),
      room: capacity.tokens,
      many: capacity.sequences !== undefined,
      shards: name => weights.shards(name),
      cache: capacity.cache,
      ring: name => ringOf(stage(name), capacity),
    };
  }
}
