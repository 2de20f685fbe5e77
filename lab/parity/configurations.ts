// A random Gemma of an odd shape against what transformers computed with it (golden/parity.py): logits of all tokens read at once, in
// chunks and one by one, by the exact and the fast plan, at lengths below and beyond the windows, and greedy tokens.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GoldenError } from '../../engine/errors.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { compare } from '../diff/metrics.js';
import { open } from '../session/open.js';
import type { Session } from '../session/session.js';

/** Relative L2 of logits after tens of f32 stages with gains and weights of random sizes. */
export const PARITY_LIMIT = 1e-5;

export interface ConfigurationParity {
  readonly name: string;
  readonly family: 1 | 2 | 3;
  /** Layers, heads, widths and windows in words. */
  readonly shape: string;
  readonly lengths: readonly number[];
  /** Runs: by either plan, each length at once, one by one, and in chunks. */
  readonly runs: number;
  /** Largest relative L2 of the logits over all runs. */
  readonly relL2: number;
  readonly greedyTokens: number;
  readonly greedyEqual: boolean;
  readonly pass: boolean;
}

/** Names of the models in a folder that golden/parity.py wrote. Throws GoldenError when there are none. */
export function configurations(folder: string): string[] {
  let files: string[] = [];
  try {
    files = readdirSync(folder);
  } catch {} // the same complaint below
  const names = files.filter(name => files.includes(`${name}.safetensors`));
  if (names.length > 0) return names;
  throw new GoldenError(`${folder} has no models with their logits. Make them: python golden/parity.py ${folder}`);
}

export async function checkConfiguration(folder: string, name: string): Promise<ConfigurationParity> {
  const expected = await openSafetensors(join(folder, `${name}.safetensors`));
  const model = await open(join(folder, name), { quiet: true });
  try {
    const lengths = [...expected.tensors.keys()].flatMap(key => /^(\d+)\/ids$/.exec(key)?.[1] ?? []).map(Number);
    lengths.sort((a, b) => a - b);
    let runs = 0;
    let worst = 0;
    for (const length of lengths) {
      const ids = [...(await expected.readF32(`${length}/ids`))];
      const theirs = await expected.readF32(`${length}/logits`);
      const { shape } = expected.tensors.get(`${length}/logits`)!;
      for (const plan of ['exact', 'fast'] as const) {
        for (const chunks of schedules(length)) {
          const run = await model.run(ids, { tap: 'logits', logits: 'all', chunks, plan });
          const { relL2 } = compare(run.at('logits').data, theirs, shape);
          worst = Number.isNaN(relL2) ? Number.POSITIVE_INFINITY : Math.max(worst, relL2);
          runs += 1;
        }
      }
    }
    const greedy = [...(await expected.readF32('greedy/ids'))];
    const made: number[] = [];
    const prompt = [...(await expected.readF32('17/ids'))];
    for await (const { id } of model.generate(prompt, { maxTokens: greedy.length, ignoreEos: true })) {
      if (id >= 0) made.push(id);
    }
    const greedyEqual = made.join() === greedy.join();
    return {
      name,
      family: model.config.family,
      shape: shapeOf(model),
      lengths,
      runs,
      relL2: worst,
      greedyTokens: greedy.length,
      greedyEqual,
      pass: worst <= PARITY_LIMIT && greedyEqual,
    };
  } finally {
    await expected.close();
    model[Symbol.dispose]();
  }
}

/** At once, one by one, and five, then single ones, then seven. */
function schedules(length: number): number[][] {
  const ones = (n: number) => Array<number>(n).fill(1);
  return [[length], ...(length > 1 ? [ones(length)] : []), ...(length > 12 ? [[5, ...ones(length - 12), 7]] : [])];
}

function shapeOf({ config: c }: Session): string {
  const windows = c.layerKinds.map(kind => (kind === 'full' ? 'F' : 'S')).join('');
  const caps = [c.attnSoftcap, c.finalSoftcap].filter(cap => cap !== null);
  return [
    `H ${c.hidden}`,
    `${c.heads}/${c.kvHeads} heads of ${c.headDim}`,
    c.slidingWindow === null ? `${c.layers} layers` : `${windows}, window ${c.slidingWindow}`,
    ...(caps.length > 0 ? [`caps ${caps.join('/')}`] : []),
    ...(c.rope.full.factor !== 1 ? [`RoPE ÷ ${c.rope.full.factor}`] : []),
    ...(c.rope.full.scaling ? [`RoPE ${c.rope.full.scaling.kind}`] : []),
    ...(c.tiedHead ? [] : ['own head']),
  ].join(', ');
}
