// One shard: its prompts are run, what is kept of them is written aside, and then all of it is put in its place.

import { createHash } from 'node:crypto';
import { OptionError } from '../../engine/errors.js';
import type { Session } from '../session/session.js';
import type { Prompt } from '../values/prompt-file.js';
import { tapped } from '../values/select.js';
import { logitsOf } from './configurations.js';
import { Ledger, rowOf } from './ledger.js';
import type { SweepPlan } from './plan.js';
import { StageTables } from './shard-tables.js';
import { LOUPE_VERSION, type Shard } from './shards.js';
import type { ShardRecord, Store } from './store.js';

/** Runs a shard in an open session, and lets it stand. Throws OptionError where prompts are others than those it has its name from. */
export async function runShard(
  session: Session,
  shard: Shard,
  prompts: readonly Prompt[],
  { plan, store }: { readonly plan: SweepPlan; readonly store: Store },
  { signal, onPrompt }: { readonly signal?: AbortSignal; readonly onPrompt?: (done: number) => void } = {},
): Promise<ShardRecord> {
  const began = performance.now();
  const { keep } = plan;
  checkSame(session, shard, prompts, plan);
  const stages = tapped(session.plan, keep.tap);
  const provenance: Record<string, string> = { ...session.provenance(), plan: shard.plan };
  const metadata = {
    loupe_sweep: '1',
    loupe: LOUPE_VERSION,
    shard: shard.shard,
    ...provenance,
    ...(shard.quantise && { quantise: shard.quantise }),
    ...(shard.activations !== 'f32' && { activations: shard.activations }),
    ...(keep.slice && { slice: JSON.stringify(keep.slice) }),
    values: keep.values,
  };
  const adapter = session.gpu.kind;
  const { configuration, quantise } = shard;
  using tables = new StageTables(
    store,
    shard.shard,
    stages,
    { configuration, quantise, plan: shard.plan, adapter },
    { model: shard.model, slice: keep.slice, values: keep.values },
    metadata,
  );
  using ledger = new Ledger(store, shard, adapter, metadata);
  let [place, tokens] = [shard.from, 0];
  const runs = session.runs(prompts, {
    tap: stages.map(({ name }) => name),
    ...(keep.slice && stages.length > 0 && { slice: keep.slice }),
    logits: logitsOf(keep, stages),
    plan: shard.plan,
    signal,
  });
  for await (const run of runs) {
    tables.add(place, run);
    ledger.add(rowOf(place, run));
    tokens += run.ids.length;
    place += 1;
    onPrompt?.(place - shard.from);
  }
  const files = [...tables.finish(), ledger.finish()];
  tables.commit();
  ledger.commit();
  const record = {
    ...{ shard: shard.shard, configuration, model: shard.model, from: shard.from, to: shard.to, tokens },
    rows: files.reduce((n, { rows }) => n + rows, 0),
    bytes: files.reduce((n, { bytes }) => n + bytes, 0),
    seconds: Number(((performance.now() - began) / 1000).toFixed(3)),
    files,
    provenance,
  };
  store.settle(record);
  return record;
}

/** The session may be of other weights than were looked at, and the file of prompts may have been written since. */
function checkSame(session: Session, shard: Shard, prompts: readonly Prompt[], plan: SweepPlan): void {
  if (session.model.fingerprint !== shard.fingerprint)
    throw new OptionError(
      `Model '${shard.model}' is not what it was when the sweep began (${session.model.fingerprint.slice(0, 16)}, and it was ${shard.fingerprint.slice(0, 16)}). Begin again, or bring it back.`,
    );
  const digest = createHash('sha256');
  for (const prompt of prompts) digest.update(`${session.encode(prompt)}\n`);
  if (prompts.length === shard.to - shard.from && digest.digest('hex') === shard.hash) return;
  throw new OptionError(
    `The prompts ${shard.from} to ${shard.to - 1} of ${plan.prompts} are not what they were when the sweep began. Begin again, or bring them back.`,
  );
}
