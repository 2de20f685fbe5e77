// Prompts that begin alike: how much of what a context has read can stand for the beginning of another prompt, so that what follows has the bits that it has
// when all of it is read. That is whole chunks, as the other prompt would be read in, of the same plan and shaders, that no patch reaches.

import type { ReadChunk } from './forward.js';
import type { PlanKind } from './fuse.js';
import type { GemmaConfig } from './config.js';
import type { Patch } from './patches.js';
import { lengthThatMatters } from './rope-table.js';

export interface Earlier {
  readonly ids: readonly number[];
  readonly read: readonly ReadChunk[];
  readonly chunk: number;
  readonly plan: PlanKind;
  readonly config: GemmaConfig;
}

/** The first position that a patch may change; those that are of no tokens reach all. */
const firstOf = ({ slice }: Patch): number => slice?.token?.[0] ?? 0;

/** How many of `ids` were read already, as they would be read now with these patches. At least one is left to be read. */
export function readBefore(
  { ids: known, read, chunk, plan, config }: Earlier,
  ids: readonly number[],
  patches: readonly Patch[],
): number {
  // A patch opens steps of the fast plan in every chunk, also in those that it does not reach.
  if (plan === 'fast' && patches.length > 0) return 0;
  let kept = 0;
  for (const { extent, patches: were, length } of read) {
    const { keys: end } = extent;
    const whole = end - extent.tokens === kept && extent.tokens === chunk && end < ids.length;
    const unpatched = plan === 'fast' ? were.length === 0 : [...were, ...patches].every(patch => firstOf(patch) >= end);
    const turned = Object.values(config.rope).every(
      rope => lengthThatMatters(rope, length) === lengthThatMatters(rope, ids.length),
    );
    if (!whole || !unpatched || !turned) break;
    let same = true;
    for (let i = kept; i < end; i++) same &&= known[i] === ids[i];
    if (!same) break;
    kept = end;
  }
  return kept;
}
