// Which shaders the instruments beside the plan use, and what they give them: taps, patches, the check for NaN, the choice of a token.

import { partsFor } from './assembly.js';
import { partsForCache } from './cache-format.js';
import type { Constants } from './compile.js';
import { sideOf } from './finite.js';
import { PARTS, searchLanes } from './greedy.js';
import type { LoadedModel } from './loaded.js';
import { TOP_BUFFERS, topShaders } from './top.js';
import { CHUNK_BYTES, type Given, type Use } from './use.js';

const BOX_BYTES = 48;
const PATCH_BYTES = 64;
const TOP = 'the search for the largest logits';

/** What uses shaders beside the plan. Taps and patches bind by number. */
export function instrumentUses(model: LoadedModel): Use[] {
  const { gpu, config } = model;
  const uniform = (bytes: number, index: number | null = null): Given => ({ access: ['uniform'], bytes, index });
  const read = (bytes: number, index: number | null = null): Given => ({ access: ['read'], bytes, index });
  const write = (bytes: number, index: number | null = null): Given => ({ access: ['write'], bytes, index });
  const logits = 4 * config.vocab;
  const chunk: Given = { access: ['uniform', 'read'], bytes: CHUNK_BYTES, index: null };
  const use = (shader: string, by: string, constants: Constants, given: Record<string, Given>): Use => ({
    shader,
    files: [shader],
    by,
    constants,
    given: new Map(Object.entries(given)),
  });
  const N = config.vocab;
  const of = Object.fromEntries(topShaders(gpu, N).map(({ shader, constants }) => [shader, constants]));
  const top = Object.fromEntries(Object.entries(TOP_BUFFERS).map(([name, words]) => [name, 4 * words]));
  const weightChecks = model.weightRefs.flatMap(({ name, shape }) =>
    model
      .shards(name)
      .filter(({ layout }) => layout !== 'rows')
      .map((shard): Use => {
        const { store, constants, rows, resource, bytes, side } = shard;
        const weight: Given = { access: [store === 'texture' ? 'texture' : 'read'], bytes, index: null, resource };
        return {
          shader: 'finite_weight',
          files: ['finite_weight', ...partsFor(shard)],
          by: 'the check for NaN',
          constants: { ...constants, ...sideOf(side), IN: shape[1], OUT: rows },
          given: new Map(Object.entries({ part: uniform(CHUNK_BYTES), found: write(8), weight })),
        };
      }),
  );
  return [
    ...weightChecks,
    use('slice', 'taps', {}, { box: uniform(BOX_BYTES, 0), x: read(4, 1), y: write(4, 2) }),
    use('patch', 'patches', {}, { box: uniform(PATCH_BYTES, 0), x: read(4, 1), y: write(4, 2) }),
    use('finite', 'the check for NaN', {}, { part: uniform(CHUNK_BYTES, 0), x: read(4, 1), found: write(8, 2) }),
    {
      ...use('finite_cache', 'the check for NaN', {}, { part: uniform(CHUNK_BYTES), x: read(16), found: write(8) }),
      files: ['finite_cache', ...partsForCache(model.cache)],
    },
    use(
      'argmax',
      'the greedy choice',
      { N, WG: searchLanes(gpu) },
      { chunk, x: read(logits), places: write(4 * PARTS) },
    ),
    use(
      'argmax_last',
      'the greedy choice',
      { N, PARTS },
      { chunk, x: read(logits), places: read(4 * PARTS), best: write(4) },
    ),
    use('top_maxima', TOP, of.top_maxima, { chunk, x: read(logits), maxima: write(top.maxima) }),
    use('top_threshold', TOP, of.top_threshold, {
      wanted: uniform(top.wanted),
      maxima: read(top.maxima),
      state: write(top.state),
    }),
    use('top_collect', TOP, of.top_collect, {
      chunk,
      wanted: uniform(top.wanted),
      x: read(logits),
      maxima: read(top.maxima),
      state: write(top.state),
      candidates: write(top.candidates),
      sums: write(top.sums),
    }),
    use('top_rank', TOP, of.top_rank, {
      wanted: uniform(top.wanted),
      state: read(top.state),
      candidates: read(top.candidates),
      sums: read(top.sums),
      found: write(top.found),
    }),
  ];
}
