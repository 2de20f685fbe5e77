// The runs of a sweep that are furthest from the first configuration's: which prompt, where in the model, and the prompt itself, to run it again and look.

import { LoupeError } from '../../engine/errors.js';
import type { Prompt } from '../values/prompt-file.js';
import { Shown } from '../values/shown.js';
import type { SweepPlan } from './plan.js';
import { promptFile } from './shards.js';

/** How far a stage of a run is from the first configuration's. */
export interface StageMargin {
  /** Its name. */
  readonly stage: string;
  /** How often the error fits into the limit of a diff. */
  readonly margin: number;
  /** Relative L2 of it. */
  readonly relL2: number;
}

/** One run, and how far each of its stages is from the first configuration's. */
export interface WorstRun {
  /** Its place in the file of prompts, from 0. */
  readonly prompt: number;
  /** The number of its configuration, from 0. */
  readonly configuration: number;
  /** What the configuration is called among those of the sweep: `q8_0, fast`. */
  readonly name: string;
  /** Of the prompt. */
  readonly tokens: number;
  /** The stage that is furthest. */
  readonly stage: string;
  /** How often its error fits into the limit of a diff; below 1 it fails. */
  readonly margin: number;
  /** Of the prompt, where the sweep kept it. */
  readonly perplexity: number | null;
  /** As it stands in the file; null where that is gone. */
  readonly text: Prompt | null;
  /** All stages that were held against the first configuration's, in the model's order. */
  readonly stages: readonly StageMargin[];
}

/** The runs with the least margins, the least first. `data.worst()` makes it. */
export class WorstRuns extends Shown {
  constructor(
    /** Folder of the data set. */
    readonly path: string,
    /** The runs. */
    readonly runs: readonly WorstRun[],
  ) {
    super();
  }
}

/** Prompts of the plan's file at these places; those of a file that cannot be read any more, or has fewer, are not there. */
export async function promptsAt(plan: SweepPlan, places: ReadonlySet<number>): Promise<Map<number, Prompt>> {
  const found = new Map<number, Prompt>();
  try {
    let place = 0;
    for await (const one of promptFile(plan).each()) {
      if (places.has(place)) found.set(place, one());
      place += 1;
      if (found.size === places.size) break;
    }
  } catch (error) {
    if (!(error instanceof LoupeError)) throw error;
  }
  return found;
}
