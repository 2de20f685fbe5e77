// Float64 beside a session's own stages: the weights as its files have them, opened when they are first needed.

import { setImmediate } from 'node:timers/promises';
import { GoldenError } from '../../engine/errors.js';
import type { Model } from '../../engine/model.js';
import type { Stage } from '../../engine/plan.js';
import type { Step } from '../../engine/step.js';
import type { ModelFiles } from '../../engine/weights/source.js';
import { exactly } from '../oracle/stage.js';
import type { StageInputs } from './stage.js';

export class Oracle {
  #files: Promise<ModelFiles | null> | null = null;

  /** @param wanted whether it was asked for, so that it must not be left out where the files are gone */
  constructor(
    private readonly model: Model,
    private readonly inputs: StageInputs,
    private readonly open: (() => Promise<ModelFiles>) | null,
    private readonly wanted: boolean,
    private readonly signal?: AbortSignal,
  ) {}

  /** The stage in float64, with the others of its step, on the inputs. Null where the files are not what they were and nobody asked for it; else throws GoldenError. */
  async exactly(stage: Stage, step: Pick<Step, 'stages'>): Promise<Float64Array | null> {
    this.#files ??= this.#opened();
    const files = await this.#files;
    if (!files) {
      if (!this.wanted) return null;
      throw new GoldenError(
        "The oracle reads the weights from the model's files, and they are gone or not what they were when it was opened. Open the model again, or leave oracle out.",
      );
    }
    const pause = async () => {
      await setImmediate(); // JavaScript multiplies for seconds: Stop is heard between
      this.signal?.throwIfAborted();
    };
    return exactly(this.model.plan, stage, step, files.weights, { ...this.inputs, pause });
  }

  async close(): Promise<void> {
    await (await this.#files)?.close();
  }

  async #opened(): Promise<ModelFiles | null> {
    return (await this.open?.().catch(() => null)) ?? null;
  }
}
