// Whether a data set is what its manifest says: every file, its bytes, its rows and its columns; every shard once, and none missing. And whether the manifest says what stands: the records do.

import { createHash } from 'node:crypto';
import { parquetMetadataAsync } from 'hyparquet';
import { OptionError } from '../../engine/errors.js';
import { progressLine } from '../host/progress.js';
import { isRecord } from '../values/record.js';
import type { Manifest } from './manifest.js';
import { type Place, StorageError } from './place.js';
import { MANIFEST, type ShardFile, type ShardRecord, Store } from './store.js';

/** What was found. */
export interface Verified {
  readonly folder: string;
  readonly shards: number;
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
  /** A sentence each; none where all is as it should be. */
  readonly problems: readonly string[];
  /** Names of what is half written: a process that was ended outright left it, or one is at it. No problem of the data set. */
  readonly leftover: readonly string[];
}

/** The manifest of a data set. Throws OptionError where there is none. */
export async function manifestOf(store: Store): Promise<Manifest> {
  const manifest = await store.read(MANIFEST);
  if (
    isRecord(manifest) &&
    manifest.loupe_sweep === '1' &&
    Array.isArray(manifest.shards) &&
    Array.isArray(manifest.missing)
  )
    return manifest as unknown as Manifest;
  throw new OptionError(
    `${store.place.name} has no ${MANIFEST} of a sweep. Give the folder or the s3://bucket/prefix that is a plan's "out"; loupe sweep PLAN --finish writes one.`,
  );
}

/** Reads every file of a data set, in a folder or at s3://bucket/prefix. Throws OptionError for what is none, and for a storage that does not answer. */
export async function verify(folder: string, signal?: AbortSignal): Promise<Verified> {
  const store = new Store(folder);
  const { place } = store;
  const manifest = await manifestOf(store);
  const { shards, missing } = manifest;
  const problems: string[] = [];
  const there = new Set(await place.list(''));
  // Whatever the manifest says: a sweep that was killed has written none since its last shards.
  const { records, faults } = await recordsOf(store);
  const made = missing.filter(id => records.has(id));
  const gone = missing.filter(id => !records.has(id));
  if (gone.length > 0)
    problems.push(
      `${gone.length} of ${missing.length + shards.length} shards are missing, the first is ${gone[0]}. Run the sweep again.`,
    );
  if (made.length > 0)
    problems.push(
      `${made.length} ${made.length === 1 ? 'shard stands' : 'shards stand'} that ${MANIFEST} calls missing, the first is ${made[0]}: it is older than they are. Give loupe sweep PLAN --finish, which writes it anew.`,
    );
  problems.push(...faults.values());
  const ids = new Set<string>();
  const ranges = new Set<string>();
  for (const one of shards) {
    const { shard } = one;
    const range = rangeIn(one);
    if (ids.has(shard) || ranges.has(range))
      problems.push(`Shard ${shard}, ${range}, is there twice. Delete ${MANIFEST} and give --finish.`);
    ids.add(shard);
    ranges.add(range);
    const record = records.get(shard);
    if (record && JSON.stringify(record.files) !== JSON.stringify(one.files))
      problems.push(
        `Shard ${shard}, ${range}, was made again since ${MANIFEST} was written. Give loupe sweep PLAN --finish.`,
      );
    if (record || faults.has(shard)) continue;
    problems.push(
      `_shards/${shard}.json is not there, so that its shard, ${range}, does not stand. Run the sweep again.`,
    );
  }
  for (const [shard, record] of records) {
    if (ids.has(shard) || missing.includes(shard)) continue;
    problems.push(
      `Shard ${shard}, ${rangeIn(record)}, stands and is of another plan than ${MANIFEST}. Give loupe sweep PLAN --finish with the plan that has it; where none has it any more, _shards/${shard}.json says which files are its.`,
    );
  }
  const columns = new Map<string, string>();
  const known = new Set([...records.values()].flatMap(record => record.files.map(({ path }) => path)));
  let [files, rows, bytes] = [0, 0, 0];
  using progress = progressLine('Verifying');
  for (const [done, record] of shards.entries()) {
    // What was made again is held against its own record.
    for (const file of (records.get(record.shard) ?? record).files) {
      signal?.throwIfAborted();
      known.add(file.path);
      files += 1;
      rows += file.rows;
      bytes += file.bytes;
      const wrong = there.has(file.path) ? await whatIsWrong(place, file, columns) : 'is not there';
      if (wrong !== null) problems.push(`${file.path} ${wrong}. ${cureOf(record)}`);
    }
    progress.count(done + 1, shards.length, 'shards');
  }
  for (const path of [...there].sort())
    if (path.endsWith('.parquet') && !known.has(path))
      problems.push(
        `${path} is of no shard that stands: a worker that was ended left it, or the plan is another now. Delete it.`,
      );
  const leftover = (await place.leftover()).map(({ name }) => name);
  return { folder, shards: shards.length, files, rows, bytes, problems, leftover };
}

const rangeIn = ({ from, to, configuration }: ShardRecord) =>
  `prompts ${from} to ${to - 1} of configuration ${configuration}`;

/** The records that are there, and by its shard's id what is wrong with one that is none. */
async function recordsOf(store: Store) {
  const records = new Map<string, ShardRecord>();
  const faults = new Map<string, string>();
  const ids = [...(await store.standing())].sort();
  const found = await store.records(ids, (id, fault) => void faults.set(id, fault.message));
  for (const record of found) if (record !== null) records.set(record.shard, record);
  return { records, faults };
}

const cureOf = ({ shard }: ShardRecord) => `Delete _shards/${shard}.json and run the sweep again.`;

async function whatIsWrong(place: Place, file: ShardFile, columns: Map<string, string>): Promise<string | null> {
  const digest = createHash('sha256');
  let bytes = 0;
  try {
    for await (const part of place.stream(file.path)) {
      digest.update(part);
      bytes += part.length;
    }
    if (bytes !== file.bytes) return `has ${bytes} bytes, and was written with ${file.bytes}`;
    if (digest.digest('hex') !== file.sha256) return 'has other bytes than were written';
    const slice = async (from: number, to = bytes) => (await place.part(file.path, from, to)).buffer as ArrayBuffer;
    const { num_rows, schema } = await parquetMetadataAsync({ byteLength: bytes, slice });
    const rows = Number(num_rows);
    if (rows !== file.rows) return `has ${rows} rows, and was written with ${file.rows}`;
    // Files of a folder are one table.
    const table = file.path.replace(/[^/]*$/, '');
    const own = JSON.stringify(schema);
    const others = columns.get(table) ?? own;
    columns.set(table, others);
    return others === own ? null : 'has other columns than the files beside it';
  } catch (error) {
    if (!(error instanceof StorageError) || error.forAll) throw error;
    const { code, name } = error.cause as NodeJS.ErrnoException;
    return `cannot be read (${code ?? name})`;
  }
}
