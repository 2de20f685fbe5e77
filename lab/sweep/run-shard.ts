// One shard: its prompts are run, what is kept of them is written aside, and then all of it is put in its place.

import { createHash } from 'node:crypto';
import { OptionError } from '../../engine/errors.js';
import type { Run } from '../session/run.js';
import type { Session } from '../session/session.js';
import { cutOut, type Cuts, rangeOf, type Values } from '../values/dims.js';
import type { Prompt } from '../values/prompt-file.js';
import { tapped } from '../values/select.js';
import { logitsOf } from './configurations.js';
import type { SweepPlan } from './plan.js';
import { RunTables } from './run-tables.js';
import { StageTables } from './shard-tables.js';
import { LOUPE_VERSION, type Shard } from './shards.js';
import type { ShardRecord } from './store.js';
import type { Sweep } from './sweep.js';

/** Sessions that run a shard. */
export interface Sessions {
  readonly session: Session;
  /** Of the first configuration, where others are held against it. */
  readonly reference: Session | null;
}

/** Runs a shard in open sessions, and lets it stand. Throws OptionError where models or prompts are others than those it has its name from. */
export async function runShard(
  { session, reference }: Sessions,
  shard: Shard,
  prompts: readonly Prompt[],
  { plan, store, configurations }: Pick<Sweep, 'plan' | 'store' | 'configurations'>,
  { signal, onPrompt }: { readonly signal?: AbortSignal; readonly onPrompt?: (done: number) => void } = {},
): Promise<ShardRecord> {
  const began = performance.now();
  const { keep } = plan;
  checkSame(session, shard, prompts, plan);
  const names = (selectors: readonly string[]) => tapped(session.plan, selectors).map(({ name }) => name);
  const kept = tapped(session.plan, keep.tap);
  const looked = { summaries: names(keep.summaries), against: reference ? names(keep.against) : [] };
  const more = [...looked.summaries, ...looked.against, ...(keep.loss || keep.top > 0 ? ['logits'] : [])];
  // What is looked at is looked at whole: then the part that is kept is cut out here, and not on the GPU.
  const slice = kept.length > 0 ? keep.slice : null;
  const cut = more.length > 0 ? slice : null;
  const provenance: Record<string, string> = { ...session.provenance(), plan: shard.plan };
  const metadata = { ...metadataOf(shard, plan), ...provenance };
  const { configuration, quantise } = shard;
  const origin = { configuration, quantise, plan: shard.plan, adapter: session.gpu.kind };
  using stages = new StageTables(
    store,
    shard.shard,
    kept,
    origin,
    { model: shard.model, slice: keep.slice, values: keep.values },
    metadata,
  );
  using tables = new RunTables(store, shard, origin, keep, looked, metadata);
  const runs = session.runs(prompts, {
    tap: [...new Set([...kept.map(({ name }) => name), ...more])],
    ...(slice && !cut && { slice }),
    logits: logitsOf(keep, kept),
    plan: shard.plan,
    signal,
  });
  const others = reference
    ?.runs(prompts, {
      tap: looked.against,
      plan: configurations[0].plan,
      signal,
      logits: looked.against.includes('logits') ? logitsOf(keep, kept) : 'last',
    })
    [Symbol.asyncIterator]();
  let [place, tokens] = [shard.from, 0];
  try {
    for await (const run of runs) {
      const other = others ? ((await others.next()).value as Run) : null;
      if (other && `${other.ids}` !== `${run.ids}`)
        throw new OptionError(
          `Prompt ${place} has other tokens for model '${shard.model}' than for '${configurations[0].model}', and stages are held against each other token by token. Leave keep.against out.`,
        );
      stages.add(
        place,
        cut
          ? {
              ...run,
              ids: run.ids,
              tokens: run.tokens,
              activations: cutAll(
                run,
                kept.map(({ name }) => name),
                cut,
              ),
            }
          : run,
      );
      tables.add(place, run, other);
      tokens += run.ids.length;
      place += 1;
      onPrompt?.(place - shard.from);
    }
  } finally {
    await others?.return();
  }
  const files = [...stages.finish(), ...tables.finish()];
  await stages.commit();
  await tables.commit();
  const record = {
    ...{ shard: shard.shard, configuration, model: shard.model, from: shard.from, to: shard.to, tokens },
    rows: files.reduce((n, { rows }) => n + rows, 0),
    bytes: files.reduce((n, { bytes }) => n + bytes, 0),
    seconds: Number(((performance.now() - began) / 1000).toFixed(3)),
    files,
    provenance,
  };
  await store.settle(record);
  return record;
}

function metadataOf({ shard, quantise, activations }: Shard, { keep }: SweepPlan): Record<string, string> {
  return {
    loupe_sweep: '1',
    loupe: LOUPE_VERSION,
    shard,
    ...(quantise && { quantise }),
    ...(activations !== 'f32' && { activations }),
    ...(keep.slice && { slice: JSON.stringify(keep.slice) }),
    values: keep.values,
  };
}

/** The part that is kept of each stage. */
function cutAll({ activations }: Run, names: readonly string[], slice: Cuts): Map<string, Values> {
  return new Map(
    names.map(name => {
      const values = activations.get(name)!;
      const ranges = values.dims.map(dim => {
        const cut = slice[dim.name];
        return cut === undefined ? { from: dim.from, to: dim.from + dim.size } : rangeOf(`'${name}'`, dim, cut);
      });
      const dims = values.dims.map((dim, i) => {
        const { from, to } = ranges[i];
        return { ...dim, from, size: to - from };
      });
      return [name, { ...values, name, dims, data: cutOut(values, ranges as Parameters<typeof cutOut>[1]) }];
    }),
  );
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
