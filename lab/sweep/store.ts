// What of a data set stands. A shard is several files, and nothing puts several in their place at once: it stands when its record does, which is written last.

import { OptionError } from '../../engine/errors.js';
import { parseJson } from '../../engine/json.js';
import { isRecord } from '../values/record.js';
import { Bucket } from './bucket.js';
import { Folder } from './folder.js';
import { type Aside, isAddress, type Place, StorageError } from './place.js';

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
const RECORDS = '_shards/';
export const MANIFEST = '_manifest.json';
/** Records that are asked for at once: a bucket answers each after some hundredths of a second. */
const AT_ONCE = 32;

/** A data set in a folder or a bucket. */
export class Store {
  readonly place: Place;

  /** @param out a folder's path, or s3://bucket/prefix. Throws OptionError for an address that is none. */
  constructor(out: string) {
    this.place = isAddress(out) ? new Bucket(out) : new Folder(out);
  }

  /** Makes sure that there is something to write to. Throws OptionError. @returns what takes it away again where nothing was written */
  prepare(): Promise<() => void> {
    return this.place.prepare();
  }

  aside(name: string): Aside {
    return this.place.aside(name);
  }

  /** Ids of the shards that stand. */
  async standing(): Promise<Set<string>> {
    const names = await this.place.list(RECORDS);
    return new Set(names.flatMap(name => /^_shards\/([0-9a-f]{32})\.json$/.exec(name)?.[1] ?? []));
  }

  /** Of a shard that stands; null of one that does not. Throws OptionError for a record that is none. */
  async record(shard: string): Promise<ShardRecord | null> {
    const name = `${RECORDS}${shard}.json`;
    const text = await this.place.read(name);
    if (text === null) return null;
    try {
      const record = parseJson(text.toString());
      if (isRecord(record) && record.shard === shard && Array.isArray(record.files))
        return record as unknown as ShardRecord;
    } catch {} // the same complaint
    throw new OptionError(
      `${this.place.name}/${name} is no record of a shard. Delete it, and the sweep makes the shard again.`,
    );
  }

  /** Of all of them that stand, in their order. A record that is none is told to `wrong`, where that is given, and is null. */
  async records(
    shards: readonly string[],
    wrong?: (shard: string, fault: OptionError) => void,
  ): Promise<(ShardRecord | null)[]> {
    const record = async (shard: string) => {
      try {
        return await this.record(shard);
      } catch (error) {
        if (!wrong || !(error instanceof OptionError) || error instanceof StorageError) throw error;
        wrong(shard, error);
        return null;
      }
    };
    const out: (ShardRecord | null)[] = [];
    for (let at = 0; at < shards.length; at += AT_ONCE)
      out.push(...(await Promise.all(shards.slice(at, at + AT_ONCE).map(record))));
    return out;
  }

  /** Makes a shard stand: its files are there. */
  settle(record: ShardRecord): Promise<void> {
    return this.write(`${RECORDS}${record.shard}.json`, record);
  }

  /** A small file of it as JSON; null where there is none that can be read. */
  async read(name: string): Promise<unknown> {
    try {
      const text = await this.place.read(name);
      return text && parseJson(text.toString());
    } catch (error) {
      if (error instanceof OptionError) throw error;
      return null;
    }
  }

  write(name: string, value: unknown): Promise<void> {
    return this.place.write(name, `${JSON.stringify(value)}\n`);
  }
}
