// The manifest of a data set: the plan that it is of, and every file with its hash.

import type { Configuration } from './configurations.js';
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

/** Writes the manifest of the shards of a sweep that stand. */
export function finish({ plan, configurations, shards, store }: Sweep): Manifest {
  const standing: ShardRecord[] = [];
  const missing: string[] = [];
  for (const { shard } of shards) {
    const record = store.record(shard);
    if (record) standing.push(record);
    else missing.push(shard);
  }
  const manifest: Manifest = {
    loupe_sweep: '1',
    loupe: LOUPE_VERSION,
    plan,
    configurations,
    missing,
    shards: standing,
  };
  store.write(MANIFEST, manifest);
  return manifest;
}
