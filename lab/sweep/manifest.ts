// The manifest of a data set: the plan that it is of, and every file with its hash.

import type { Configuration } from './configurations.js';
import { type Place, StorageError } from './place.js';
import type { SweepPlan } from './plan.js';
import { LOUPE_VERSION } from './shards.js';
import { MANIFEST, type ShardRecord } from './store.js';
import type { Sweep } from './sweep.js';

/** What `_manifest.json` has. */
export interface Manifest {
  readonly loupe_sweep: '1';
  readonly loupe: string;
  readonly plan: SweepPlan;
  readonly configurations: readonly Configuration[];
  /** Ids of the shards of the plan that do not stand. */
  readonly missing: readonly string[];
  readonly shards: readonly ShardRecord[];
}

/** What was begun so long ago, and no shard is missing, nobody writes any more. */
const FORSAKEN = 3_600_000;

/** Writes the manifest of the shards of a sweep that stand. Where none is missing, what ended processes left half written is taken away. */
export async function finish({ plan, configurations, shards, store }: Sweep): Promise<Manifest> {
  const ids = shards.map(({ shard }) => shard);
  const records = await store.records(ids);
  const manifest: Manifest = {
    loupe_sweep: '1',
    loupe: LOUPE_VERSION,
    plan,
    configurations,
    missing: ids.filter((_, i) => records[i] === null),
    shards: records.filter(record => record !== null),
  };
  await store.write(MANIFEST, manifest);
  if (manifest.missing.length === 0) await clear(store.place);
  return manifest;
}

async function clear(place: Place): Promise<void> {
  try {
    for (const { since, discard } of await place.leftover()) if (Date.now() - since > FORSAKEN) await discard();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error; // the data set is whole all the same
  }
}
