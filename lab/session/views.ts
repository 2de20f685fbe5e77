// What a session shows of its model: one stage, what an edit came to, and the plan as a picture.

import type { ShaderUse } from '../../engine/shader-use.js';
import type { Stage } from '../../engine/plan.js';
import type { Diff } from '../diff/diff.js';
import type { Activation } from '../values/activation.js';
import type { Golden } from '../values/golden.js';
import { PREPARE, Shown } from '../values/shown.js';
import type { Origin } from './run.js';

/** One stage of the plan: what it computes from what. */
export class OneStage extends Shown {
  constructor(
    /** Its name, operation, inputs, weight and axes. */
    readonly stage: Stage,
    /** Of its weight on the GPU; 0 where it has none. */
    readonly weightBytes: number,
    /** Its WGSL alone, on a golden's inputs. Throws GoldenError for a golden of another model. */
    readonly run: (golden: Golden) => Promise<Activation>,
  ) {
    super();
  }
}

/** What an edit of a shader came to: who uses it, and when it is not used. */
export class Edited extends Shown implements ShaderUse {
  /** Its name, as `shaders/` has it. */
  readonly shader: string;
  /** The stages that it computes, in the plan’s order; or `taps`, `patches` … */
  readonly by: readonly string[];
  /** What there is to know about when it is not used; null when it always is. */
  readonly note: string | null;

  constructor(
    { shader, by, note }: ShaderUse,
    /** Whether another text is in force than the file's. */
    readonly edited: boolean,
  ) {
    super();
    this.shader = shader;
    this.by = by;
    this.note = note;
  }
}

/** The plan, a block a stage; with a diff, by its verdicts. */
export class PlanView extends Shown {
  constructor(
    /** Whose plan it is. */
    readonly session: Origin & {
      /** As it was opened. */
      readonly name: string;
    },
    /** By whose verdicts it is coloured; null for what stages do and cost. */
    readonly diff: Diff | null,
  ) {
    super();
  }

  /** @internal */
  [PREPARE](): Promise<unknown> | null {
    return this.diff?.[PREPARE]() ?? null;
  }
}
