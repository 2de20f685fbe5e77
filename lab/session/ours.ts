// Our own activations for a diff: all stages of one run where they fit the capture budget, else of as many runs as it takes.

import type { Stage } from '../../engine/plan.js';
import { tapBytes } from '../../engine/taps.js';
import { CAPTURE_BUDGET } from './capture.js';
import type { Run } from './run.js';

export class OurValues {
  readonly #batches: readonly (readonly string[])[];
  #held: Run | null = null;

  /** @param stages to compare, in the plan's order @param run reads the golden's tokens with these taps; the same bits each time */
  constructor(
    stages: readonly Stage[],
    tokens: number,
    logits: 'last' | 'all',
    private readonly run: (tap: readonly string[]) => Promise<Run>,
    budget = CAPTURE_BUDGET,
  ) {
    const extent = { tokens, keys: tokens, rows: logits === 'all' ? tokens : 1 };
    const batches: string[][] = [];
    let left = 0;
    for (const stage of stages) {
      const bytes = tapBytes({ stage }, extent);
      if (bytes > left || batches.length === 0) {
        batches.push([]);
        left = budget;
      }
      batches[batches.length - 1].push(stage.name);
      left -= bytes;
    }
    this.#batches = batches;
  }

  /** Values of a stage. Asked for in the plan's order, no batch is run twice. Throws BudgetError for a stage too large alone. */
  async read(stage: string): Promise<Float32Array> {
    if (!this.#held?.activations.has(stage)) {
      this.#held = null;
      this.#held = await this.run(this.#batches.find(batch => batch.includes(stage))!);
    }
    return this.#held.at(stage).data;
  }
}
