// Whether a data set is what its manifest says: every file, its bytes, its rows and its columns; every shard once, and none missing.

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
  if (missing.length > 0)
    problems.push(
      `${missing.length} of ${missing.length + shards.length} shards are missing, the first is ${missing[0]}. Run the sweep again.`,
    );
  const ids = new Set<string>();
  const ranges = new Set<string>();
  for (const { shard, configuration, from, to } of shards) {
    const range = `prompts ${from} to ${to - 1} of configuration ${configuration}`;
    if (ids.has(shard) || ranges.has(range))
      problems.push(`Shard ${shard}, ${range}, is there twice. Delete ${MANIFEST} and give --finish.`);
    ids.add(shard);
    ranges.add(range);
  }
  const columns = new Map<string, string>();
  const known = new Set<string>();
  let [files, rows, bytes] = [0, 0, 0];
  const there = new Set(await place.list(''));
  using progress = progressLine('Verifying');
  for (const [done, record] of shards.entries()) {
    for (const file of record.files) {
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
