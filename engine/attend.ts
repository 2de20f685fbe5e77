// Attention of a layer as one step: scores, softmax and mix without a matrix of T × S. Which shader does it, by adapter; and into how many
// parts the keys of a few tokens are split, so that a long context keeps every core busy.

import { CAP } from './assembly.js';
import { partsForCache } from './cache-format.js';
import type { Constants } from './compile.js';
import { chunk, type Dispatch, groups, placed, type Setting, sizeOf, value } from './dispatch.js';
import type { Axis, Extent, Ref, Stage } from './plan.js';
import type { Given } from './products.js';
import type { Traits } from './traits.js';

/** Stages of a layer that attention reads or stands for. */
export interface AttentionStages {
  /** q_rope [T,A,D]. */
  readonly query: Ref;
  /** k_cache [R,K,D]. */
  readonly keys: Ref;
  /** v_cache [R,K,D]. */
  readonly values: Ref;
  /** attn.scores, for its scale, soft-cap and window. */
  readonly scores: Stage;
  /** attn.mix [T,A,D], which is written. */
  readonly mix: Stage;
}

export interface Attention {
  /** Over all keys at once; over parts of them; and what joins parts. For any extent those that are not needed have no workgroups. */
  readonly dispatches: Dispatch[];
  /** Values beside the stages that need a buffer while the dispatches run. */
  readonly scratch: Ref[];
  /** The last of the dispatches, as a product does it by itself that is given attn.mix of one token. */
  readonly given: Given;
}

/** Rows of A heads that there is room for when keys are split: parts × tokens. */
const SLOTS = 64;
/** Keys that are worth a part of their own: a GPU has room for many at once, and waits for each. */
const keysOfPart = ({ software }: Traits): number => (software ? 128 : 32);
/** Lanes of a workgroup, where a GPU has so much to do. */
const LANES = 256;

const axisOf = (letter: string, name: Axis['name'], size: number): Axis => ({ letter, name, size });

/**
 * The dispatches that compute attn.mix [T,A,D] from q_rope and the caches, as scores, pattern and mix do one after the other. The chunk's own
 * keys and values must be in the caches.
 */
export function attend(stages: AttentionStages, setting: Setting): Attention {
  const { query, keys, values, scores, mix } = stages;
  if (scores.operation.kind !== 'scores') throw new Error(`${scores.name} is no stage of scores.`);
  const { scale, softcap, window } = scores.operation;
  const [A, D, K] = [sizeOf(query, 'A'), sizeOf(query, 'D'), sizeOf(keys, 'K')];
  const parts: Ref = {
    name: `${mix.name}.parts`,
    axes: [axisOf('P', 'slot', SLOTS), axisOf('A', 'head', A), axisOf('D', 'dim', D + 4)],
  };
  const where = placed(setting);
  const { parts: files } = where;
  // Tokens of several sequences read other keys, and share no block.
  const alone = setting.oneToken || setting.many;
  const { shader, rows, own } = kernelFor(setting.traits, D, alone ? A / K : Number.POSITIVE_INFINITY);
  const PADDED = setting.many ? groups(A / K, rows) * rows : A / K;
  const WINDOW = window ?? 0;
  const RING = setting.ring(keys.name);
  const constants = { A, K, D, SCALE: scale, SOFTCAP: softcap ?? 0, WINDOW, RING, PADDED, ...own };
  const reads = { chunk, ...where.reads, q: value(query), k: value(keys), v: value(values) };
  const blocks = (e: Extent) => groups(e.tokens * PADDED, rows);
  const over = (e: Extent) => partsOf(e, window, setting.many ? 1 : e.tokens, keysOfPart(setting.traits));
  const whole = { shader, parts: [CAP, ...files, ...partsForCache(setting.cache)], constants, reads };
  return {
    dispatches: [
      { ...whole, writes: { y: value(mix) }, grid: e => [blocks(e), K, over(e) === 1 ? 1 : 0] },
      { ...whole, writes: { y: value(parts) }, grid: e => [blocks(e), K, over(e) > 1 ? over(e) : 0] },
      {
        shader: 'attend_join',
        parts: files,
        constants: { A, D, WINDOW, ...(!setting.traits.software && { SHARES: 4 }) },
        reads: { chunk, ...where.reads, parts: value(parts) },
        writes: { y: value(mix) },
        grid: e => [groups((A * D) / 4, 64), 1, over(e) > 1 ? e.tokens : 0],
      },
    ],
    scratch: [parts],
    given: {
      part: 'givens/joined',
      constants: { A, WINDOW, PARTS: SLOTS },
      reads: { parts: value(parts) },
      writes: { mix: value(mix) },
      bytes: 4 * A * (D + 2 * SLOTS),
    },
  };
}

/** The shader, rows that a workgroup of it takes, and constants of its own, where a key/value head has up to `most` rows. */
function kernelFor({ software, subgroup }: Traits, D: number, most: number) {
  if (software && (subgroup ?? 0) >= 4) {
    // Workgroup memory is cleared by as many instructions as it has words on SwiftShader, and each is compiled.
    const own: Constants = subgroup! >= 8 ? { LANES: 8, KEYS: 128 } : { LANES: 4, KEYS: 64 };
    return { shader: 'attend_broadcast', rows: 4, own };
  }
  const room = D <= 64 ? 4 : D <= 256 ? 2 : 1; // what it holds fits 16 KiB
  const GROUPS = Math.min(room, 2 ** Math.ceil(Math.log2(groups(most, 4))));
  const SHARES = Math.max(1, Math.min(8, Math.floor(LANES / ((D / 4) * GROUPS))));
  return { shader: 'attend', rows: 4 * GROUPS, own: { GROUPS, SHARES } as Constants };
}

/**
 * Parts that the keys of a chunk are split into.
 * @param row tokens of one sequence that lie next to each other
 * @param least keys that are worth a part
 */
function partsOf({ tokens, keys }: Extent, window: number | null, row: number, least: number): number {
  const seen = window === null ? keys : Math.min(keys, window + row - 1);
  return Math.max(1, Math.min(groups(seen, least), Math.floor(SLOTS / tokens)));
}
