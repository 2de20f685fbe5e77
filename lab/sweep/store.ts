// Where a data set lies, and what of it stands. A shard is several files, and no file system puts several in their place at once: it stands when its record does, which is written last.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OptionError } from '../../engine/errors.js';
import { parseJson } from '../../engine/json.js';
import { makeFolder } from '../../engine/make-folder.js';
import { isRecord } from '../values/record.js';
import { writeWhole } from '../values/write-file.js';

/** A file of a shard. */
export interface ShardFile {
  /** From the folder of the data set, with slashes. */
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  /** SHA-256, hex. */
  readonly sha256: string;
}

/** What is known of a shard that stands. */
export interface ShardRecord {
  readonly shard: string;
  readonly configuration: number;
  readonly model: string;
  /** Place of its first prompt, and of the first behind it. */
  readonly from: number;
  readonly to: number;
  readonly tokens: number;
  /** Of all its files. */
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly files: readonly ShardFile[];
  /** Model, adapter and the shaders that ran. */
  readonly provenance: Readonly<Record<string, string>>;
}

/** Names that begin so are none of Parquet's readers' business. */
const RECORDS = '_shards';
export const MANIFEST = '_manifest.json';

/** A data set in a folder. */
export class Store {
  constructor(readonly folder: string) {}

  /** Makes the folder. Throws OptionError where nothing can be written. */
  prepare(): void {
    this.place(`${RECORDS}/x`);
  }

  /** The path of a file of it, in a folder that is there. Throws OptionError. */
  place(name: string): string {
    const path = join(this.folder, ...name.split('/'));
    try {
      makeFolder(dirname(path));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const why = code === 'ENOSPC' ? 'the disk is full (ENOSPC)' : `its folder cannot be made (${code})`;
      throw new OptionError(`${path} cannot be written: ${why}. Give another "out".`, { cause: error });
    }
    return path;
  }

  /** Ids of the shards that stand. */
  standing(): Set<string> {
    try {
      return new Set(
        readdirSync(join(this.folder, RECORDS)).flatMap(name => /^([0-9a-f]{32})\.json$/.exec(name)?.[1] ?? []),
      );
    } catch {
      return new Set(); // there is nothing yet
    }
  }

  /** Of a shard that stands; null of one that does not. Throws OptionError for a record that is none. */
  record(shard: string): ShardRecord | null {
    const path = join(this.folder, RECORDS, `${shard}.json`);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw new OptionError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
    }
    try {
      const record = parseJson(text);
      if (isRecord(record) && record.shard === shard && Array.isArray(record.files))
        return record as unknown as ShardRecord;
    } catch {} // the same complaint
    throw new OptionError(`${path} is no record of a shard. Delete it, and the sweep makes the shard again.`);
  }

  /** Makes a shard stand: its files are there. */
  settle(record: ShardRecord): void {
    writeWhole(this.place(`${RECORDS}/${record.shard}.json`), [`${JSON.stringify(record)}\n`]);
  }

  /** A small file of it as JSON; null where there is none. */
  read(name: string): unknown {
    try {
      return parseJson(readFileSync(join(this.folder, name), 'utf8'));
    } catch {
      return null;
    }
  }

  write(name: string, value: unknown): void {
    writeWhole(this.place(name), [`${JSON.stringify(value)}\n`]);
  }

  remove(name: string): void {
    rmSync(join(this.folder, name), { force: true });
  }
}
