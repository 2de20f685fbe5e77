// What one asks of a session: to run a prompt, or to go on from one; and a token as it comes.

import type { Activations } from '../../engine/dispatch.js';
import { OptionError } from '../../engine/errors.js';
import type { PlanKind } from '../../engine/fuse.js';
import type { GenerateOptions } from '../../engine/generate.js';
import type { Shaders } from '../../engine/kernel.js';
import { isId, listOfIds } from '../../engine/token-ids.js';
import type { Opened } from '../../engine/units.js';
import type { Activation } from '../values/activation.js';
import type { OptionNames } from '../values/arguments.js';
import { type Cuts, said } from '../values/dims.js';
import type { Selector } from '../values/select.js';
import type { KeptContext } from './kept-context.js';

/** Values to put in the place of what a stage computes, before anybody reads it. */
export interface PatchSpec {
  /** Which stages. */
  readonly stage: Selector;
  /** Of the same shape as the part that is replaced, or one number for all of it. */
  readonly values: Activation | number;
  /**
   * Which part: `{ token: 3 }`, `{ head: [0, 2] }`; `values` has exactly that part, with or without a dimension that has one index. All of it
   * by default. Of scores and pattern, what a query may not see stays masked; a part in which no query sees a key is refused.
   */
  readonly slice?: Cuts;
}

export const PATCH_KEYS: OptionNames<PatchSpec> = { stage: true, values: true, slice: true };

/** What a run brings back, and what it changes. */
export interface RunOptions {
  /** Stages to bring back. */
  readonly tap?: Selector;
  /** Parts of them, by dimension: `{ head: [0, 2], query: [10, 20] }`. An index is that entry alone, and the dimension stays: `{ head: 2 }` is `{ head: [2, 3] }`. */
  readonly slice?: Cuts;
  /** Logits of every token, or of the last (default). */
  readonly logits?: 'last' | 'all';
  /** Values to put in the place of what stages compute: another run's activations, or a number (0 removes a part). */
  readonly patch?: PatchSpec | readonly PatchSpec[];
  /** Read the tokens in chunks of exactly these sizes, on the cache. */
  readonly chunks?: readonly number[];
  /** Most bytes to bring back. */
  readonly budget?: number;
  /** Stops it; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** The shaders to run; by default those in force once the edits asked for so far are. */
  readonly shaders?: Shaders;
  /** Default exact: every stage is computed as the plan has it. */
  readonly plan?: PlanKind;
  /**
   * Runs that are given the same one, and begin alike, read whole chunks of their beginning once.
   * @internal
   */
  readonly shared?: KeptContext;
}

export const RUN_OPTIONS: OptionNames<RunOptions> = {
  tap: true,
  slice: true,
  logits: true,
  patch: true,
  chunks: true,
  budget: true,
  signal: true,
  shaders: true,
  plan: true,
  shared: true,
};

/** How a prompt is continued. */
export interface GenerateRunOptions extends Omit<GenerateOptions, 'taps' | 'onPrefill' | 'onLayer'> {
  /** Stages to bring back with every token, the prompt’s with the first. */
  readonly tap?: Selector;
  /** Parts of them, by dimension, as for a run. */
  readonly slice?: Cuts;
  /** Most bytes to bring back for one token, the prompt's with the first. */
  readonly budget?: number;
  /** Default fast: several stages a step. */
  readonly plan?: PlanKind;
}

export const GENERATE_OPTIONS: OptionNames<GenerateRunOptions> = {
  maxTokens: true,
  temperature: true,
  topK: true,
  topP: true,
  seed: true,
  stopIds: true,
  ignoreEos: true,
  tap: true,
  slice: true,
  budget: true,
  signal: true,
  plan: true,
};

/** The plan that was asked for, or `otherwise`. Throws OptionError for what is no plan. */
export function checkPlan(plan: unknown, otherwise: PlanKind): PlanKind {
  if (plan === undefined) return otherwise;
  if (plan === 'exact' || plan === 'fast') return plan;
  throw new OptionError(`The plan is 'exact', a stage at a time, or 'fast', several a step; not ${said(plan)}.`);
}

/** What a run says of the plan it went by. */
export function planProvenance(
  plan: PlanKind,
  activations: Activations,
  opened: readonly Opened[] = [],
): Record<string, string> {
  const told = opened.map(({ step, why }) => `${step}: ${why}`);
  return {
    plan,
    ...(plan === 'fast' && activations === 'int8' && { activations }),
    ...(told.length > 0 && { opened_steps: told.join('; ') }),
  };
}

/** Throws OptionError for ends of a generation that go against each other, and for ids that no token has. */
export function checkEnds({ stopIds, ignoreEos }: GenerateRunOptions, vocab: number): void {
  if (stopIds === undefined) return;
  if (ignoreEos && stopIds.length > 0)
    throw new OptionError(
      'stopIds says which tokens end the generation, and ignoreEos that none does. Leave one of them out.',
    );
  const other = listOfIds(stopIds)?.find(id => Number.isInteger(id) && !(isId(id) && id < vocab));
  if (other === undefined) return;
  throw new OptionError(`stopIds has ${other}, and ids go from 0 to ${vocab - 1}, so it ends nothing. Leave it out.`);
}

/** A generated token: its text so far certain, and what the taps saw while it was computed. */
export interface Token {
  /** In the vocabulary. */
  readonly id: number;
  /** What is certain to stand in the text now; a character of several tokens comes with the last. */
  readonly text: string;
  /** In the sequence, the prompt included. */
  readonly position: number;
  /** True for an end-of-sequence token, whose text is none of its own. */
  readonly stop: boolean;
  /** Whether no more comes. The last token brings what its text ends with, so that the texts together are what all ids stand for. */
  readonly last: boolean;
  /** Shaders that were edited between what came before and this token: what is in the cache is of the old ones. */
  readonly edited: readonly string[];
  /** What a tap saw while it was computed, by any name of the stage. Throws StageError for what was not tapped. */
  at(stage: string): Activation;
}
