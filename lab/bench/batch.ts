// How many tokens a second several sequences make that are continued together.

import { BudgetError } from '../../engine/errors.js';
import type { PlanKind } from '../../engine/fuse.js';
import { generateBatch } from '../../engine/generate-batch.js';
import type { Model } from '../../engine/model.js';
import { type Spread, spread } from './spread.js';

/** By how many sequences there are. */
export type BatchSpeeds = Readonly<Record<string, { readonly tokensPerSecond: Spread }>>;

const PROMPT = 16; // tokens of each

interface Asked {
  readonly plan: PlanKind;
  /** Each is measured in turn with the others. */
  readonly sequences: readonly number[];
  readonly decode: number;
  readonly rounds: number;
  /** Takes what does not fit. */
  readonly leftOut: string[];
}

export async function batchSpeeds(
  model: Model,
  { plan, sequences, decode, rounds, leftOut }: Asked,
): Promise<BatchSpeeds> {
  const speeds = new Map<number, number[]>();
  for (const many of sequences) {
    try {
      await speedOf(model, plan, many, decode, 2); // compiles what is compiled, for caches of this length
      speeds.set(many, []);
    } catch (error) {
      if (!(error instanceof BudgetError)) throw error;
      leftOut.push(`${many} sequences together: there is no memory for them`);
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const [many, each] of speeds) each.push(await speedOf(model, plan, many, decode));
  }
  return Object.fromEntries([...speeds].map(([many, each]) => [many, { tokensPerSecond: spread(each) }]));
}

/** Tokens a second of all sequences, once each of them has its first. */
async function speedOf(model: Model, plan: PlanKind, many: number, decode: number, made = decode): Promise<number> {
  const prompts = Array.from({ length: many }, (_, n) =>
    Array.from({ length: PROMPT }, (_, i) => 4 + ((n * 101 + i * 37) % (model.config.vocab - 4))),
  );
  using batch = model.batch({ length: PROMPT + decode + 1, sequences: many, plan });
  const begun = new Set<number>();
  let [first, tokens, now] = [0, 0, 0];
  for await (const { sequence } of generateBatch(batch, prompts, {
    maxTokens: made + 1,
    ignoreEos: true,
    temperature: 0,
  })) {
    now = performance.now();
    if (begun.size === many) tokens += 1;
    else if (begun.add(sequence).size === many) first = now;
  }
  return (1000 * tokens) / (now - first);
}
