// What attention takes in a layer, by what the layer sees: GPU timestamps of a few tokens more.

import type { Context } from '../../engine/context.js';
import type { Model } from '../../engine/model.js';
import { LOOKS } from './measure.js';
import { spread } from './spread.js';

/** Medians over layers and tokens, in microseconds; null where the model has no such layer. */
export interface AttentionTimes {
  /** Of layers that see a window. */
  readonly sliding: number | null;
  /** Of layers that see everything. */
  readonly full: number | null;
}

const ATTENTION = new Set(['scores', 'softmax', 'mix']);

/** Of a token after those that the context has read. It is read `LOOKS` times, and forgotten. */
export async function attentionTimes(model: Model, context: Context, ids: readonly number[]): Promise<AttentionTimes> {
  const steps = model.steps(context.plan).filter(({ stages }) => stages.every(s => ATTENTION.has(s.operation.kind)));
  const found = { sliding: [] as number[], full: [] as number[] };
  const after = context.ids.length;
  for (let i = 0; i < LOOKS; i++) {
    const { times } = await context.forward([ids[i]], { profile: true });
    context.rewind(after);
    if (i === 0) continue; // compiles what is compiled
    const layers = new Map<number, number>();
    for (const { name } of steps) {
      const layer = Number(name.split('.')[1]);
      layers.set(layer, (layers.get(layer) ?? 0) + (times!.get(name) ?? 0) / 1000);
    }
    for (const [layer, us] of layers) found[model.config.layerKinds[layer]].push(us);
  }
  const middle = (all: readonly number[]) => (all.length === 0 ? null : spread(all).median);
  return { sliding: middle(found.sliding), full: middle(found.full) };
}
