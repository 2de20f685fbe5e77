// Attention of a layer as one step: scores, softmax and mix without a matrix of T × S. Which shader does it, by adapter; and over how many
// parts the keys of a few tokens are split, so that a long context keeps every core busy.

import type { Dispatch, Setting, Source } from './ops.js';
import type { Axis, Extent, Ref, Stage } from './plan.js';

/** Stages of a layer that attention reads or stands for. */
export interface AttentionStages {
  /** q_rope [T,A,D]. */
  readonly query: Ref;
  /** k_cache [R,K,D]. */
  readonly keys: Stage;
  /** v_cache [R,K,D]. */
  readonly values: Stage;
  /** attn.scores, for its scale, soft-cap and window. */
  readonly scores: Stage;
  /** attn.mix [T,A,D], which is written. */
  readonly mix: Stage;
}

export interface Attention {
  /** Two: over the keys, and what joins their parts, of no workgroups where there is one part. */
  readonly dispatches: Dispatch[];
  /** Values beside the stages that need a buffer while the dispatches run. */
  readonly scratch: Ref[];
}

/** Rows of A heads that the parts of split keys have room for: splits × tokens. */
const SLOTS = 64;
/** Keys that are worth a part of their own. */
const KEYS_A_PART = 128;

const value = (ref: Ref): Source => ({ value: ref.name });
const groups = (n: number, size: number) => Math.ceil(n / size);
const axisOf = (letter: string, name: Axis['name'], size: number): Axis => ({ letter, name, size });
const sizeOf = (ref: Ref, letter: string): number => ref.axes.find(axis => axis.letter === letter)!.size as number;

/**
 * The dispatches that compute attn.mix [T,A,D] from q_rope and the caches, as scores, pattern and mix together do, and what they need
 * beside. Its keys must be in the cache.
 */
export function attend(stages: AttentionStages, setting: Setting): Attention {
  const { query, keys, values, scores, mix } = stages;
  if (scores.operation.kind !== 'scores') throw new Error(`${scores.name} is no stage of scores.`);
  const { scale, softcap, window } = scores.operation;
  const [A, D, K] = [sizeOf(query, 'A'), sizeOf(query, 'D'), sizeOf(keys, 'K')];
  const parts: Ref = {
    name: `${mix.name}.parts`,
    axes: [axisOf('P', 'slot', SLOTS), axisOf('A', 'head', A), axisOf('D', 'dim', D)],
  };
  const stats: Ref = { name: `${mix.name}.stats`, axes: [axisOf('P', 'slot', 2 * (SLOTS * A + 1))] };
  const GROUPS = lanesGroups(D, setting.oneToken ? A / K : 16);
  const chunk = { chunk: true } as const;
  const common = { A, D, WINDOW: window ?? 0, SLOTS };
  const over = (e: Extent) => splitsOf(e, window);
  return {
    dispatches: [
      {
        shader: 'attend',
        constants: { ...common, K, SCALE: scale, SOFTCAP: softcap ?? 0, RING: setting.slots(keys.name), GROUPS },
        reads: { chunk, q: value(query), k: value(keys), v: value(values) },
        writes: { y: value(mix), parts: value(parts), stats: value(stats) },
        grid: e => [groups((e.tokens * A) / K, 4 * GROUPS), K, over(e)],
      },
      {
        shader: 'attend_join',
        constants: common,
        reads: { chunk, parts: value(parts), stats: value(stats) },
        writes: { y: value(mix) },
        grid: e => (over(e) === 1 ? [0, 0, 0] : [groups((A * D) / 4, 64), e.tokens, 1]),
      },
    ],
    scratch: [parts, stats],
  };
}

/** Groups of D/4 lanes in a workgroup, for blocks of up to `rows` rows, so that what it holds fits 16 KiB. */
function lanesGroups(D: number, rows: number): number {
  const most = D <= 64 ? 4 : D <= 256 ? 2 : 1;
  return Math.min(most, groups(rows, 4));
}

/** Parts that the keys of a chunk are split into. */
function splitsOf({ tokens, keys }: Extent, window: number | null): number {
  const seen = window === null ? keys : Math.min(keys, window + tokens - 1);
  return Math.max(1, Math.min(groups(seen, KEYS_A_PART), Math.floor(SLOTS / tokens)));
}
