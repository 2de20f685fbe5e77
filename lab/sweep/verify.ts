// Whether a data set is what its manifest says: every file, its bytes, its rows and its columns; every shard once, and none missing.

import { createHash } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetMetadataAsync } from 'hyparquet';
import { OptionError } from '../../engine/errors.js';
import { progressLine } from '../host/progress.js';
import { isRecord } from '../values/record.js';
import type { Manifest } from './manifest.js';
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
}

/** The manifest of a folder. Throws OptionError where there is none. */
export function manifestOf(folder: string): Manifest {
  const manifest = new Store(folder).read(MANIFEST);
  if (
    isRecord(manifest) &&
    manifest.loupe_sweep === '1' &&
    Array.isArray(manifest.shards) &&
    Array.isArray(manifest.missing)
  )
    return manifest as unknown as Manifest;
  throw new OptionError(
    `${folder} has no ${MANIFEST} of a sweep. Give the folder that is a plan's "out"; loupe sweep PLAN --finish writes one.`,
  );
}

/** Reads every file of a data set. Throws OptionError for a folder that is none. */
export async function verify(folder: string, signal?: AbortSignal): Promise<Verified> {
  const manifest = manifestOf(folder);
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
  using progress = progressLine('Verifying');
  for (const [place, record] of shards.entries()) {
    for (const file of record.files) {
      signal?.throwIfAborted();
      known.add(file.path);
      files += 1;
      rows += file.rows;
      bytes += file.bytes;
      const wrong = await whatIsWrong(join(folder, file.path), file, columns);
      if (wrong !== null) problems.push(`${file.path} ${wrong}. ${cureOf(record)}`);
    }
    progress.count(place + 1, shards.length, 'shards');
  }
  for (const path of found(folder))
    if (!known.has(path))
      problems.push(
        `${path} is of no shard that stands: a worker that was ended left it, or the plan is another now. Delete it.`,
      );
  return { folder, shards: shards.length, files, rows, bytes, problems };
}

const cureOf = ({ shard }: ShardRecord) => `Delete _shards/${shard}.json and run the sweep again.`;

async function whatIsWrong(path: string, file: ShardFile, columns: Map<string, string>): Promise<string | null> {
  const digest = createHash('sha256');
  let bytes = 0;
  try {
    for await (const part of createReadStream(path)) {
      digest.update(part as Buffer);
      bytes += (part as Buffer).length;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`;
  }
  if (bytes !== file.bytes) return `has ${bytes} bytes, and was written with ${file.bytes}`;
  if (digest.digest('hex') !== file.sha256) return 'has other bytes than were written';
  const { rows, schema } = await shapeOf(path, bytes);
  if (rows !== file.rows) return `has ${rows} rows, and was written with ${file.rows}`;
  // Files of a folder are one table.
  const table = file.path.replace(/[^/]*$/, '');
  const others = columns.get(table) ?? schema;
  columns.set(table, others);
  return others === schema ? null : 'has other columns than the files beside it';
}

/** Not as what is read here as a model is opened: that may not be written again in this process. */
async function shapeOf(path: string, bytes: number): Promise<{ rows: number; schema: string }> {
  const file = await open(path);
  try {
    const slice = async (from: number, to = bytes) => {
      const part = new Uint8Array(to - from);
      await file.read(part, 0, part.length, from);
      return part.buffer;
    };
    const { num_rows, schema } = await parquetMetadataAsync({ byteLength: bytes, slice });
    return { rows: Number(num_rows), schema: JSON.stringify(schema) };
  } finally {
    await file.close();
  }
}

/** Parquet files in the folders of a data set. */
function found(folder: string): string[] {
  const out: string[] = [];
  const look = (path: string) => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
      const name = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) look(name);
      else if (entry.name.endsWith('.parquet')) out.push(name);
    }
  };
  look('');
  return out.sort();
}
