// A data set in a bucket of S3, or of what speaks as S3 does. A file is made in the folder for temporary files and sent when it is whole: what is sent is there at once or not at all.

import { randomUUID } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import { LoupeError, OptionError } from '../../engine/errors.js';
import { printable } from '../../engine/printable.js';
import { settled, unfinished } from '../values/unfinished.js';
import { writeAside } from '../values/write-file.js';
import { type Connection, connect } from './bucket-client.js';
import { faultOf } from './bucket-faults.js';
import { type Aside, type Leftover, type Place, StorageError } from './place.js';

const ADDRESS = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;
/** Of a file that is sent in parts, which are sent again one by one: 10,000 of them are 160 GB. */
const PART = 16 << 20;
/** How often a file is asked for whose bytes stop in the middle. */
const READS = 3;

/** What is wrong with an address; null where it is one. */
export const addressFault = (address: string): string | null =>
  ADDRESS.test(address)
    ? null
    : `'${printable(address)}' is neither a folder nor s3://bucket/prefix, with a bucket's name of 3 to 63 small letters, digits, dots and hyphens. Other storages speak S3 too, and AWS_ENDPOINT_URL says where they are; or mount it, and give the folder.`;

/** s3://bucket/prefix. */
export class Bucket implements Place {
  readonly name: string;
  readonly #bucket: string;
  readonly #prefix: string;
  #connection: Promise<Connection> | null = null;

  /** Throws OptionError for an address of another kind. */
  constructor(address: string) {
    const fault = addressFault(address);
    if (fault !== null) throw new OptionError(fault);
    const [, bucket, prefix = ''] = ADDRESS.exec(address)!;
    const path = prefix.replace(/^\/+|\/+$/g, '');
    this.#bucket = bucket;
    this.#prefix = path === '' ? '' : `${path}/`;
    this.name = `s3://${bucket}${path === '' ? '' : `/${path}`}`;
  }

  /** Whether it can be written is seen when the first file is. */
  async prepare(): Promise<() => void> {
    await this.#ask('read', '', ({ s3, client }) =>
      client.send(new s3.ListObjectsV2Command({ Bucket: this.#bucket, Prefix: this.#prefix, MaxKeys: 1 })),
    );
    return () => {}; // it has no folders
  }

  aside(name: string): Aside {
    const path = join(tmpdir(), `loupe-${randomUUID()}.parquet`);
    const file = roomier(this.name, () => writeAside(path));
    return {
      write: part => roomier(this.name, () => file.write(part)),
      commit: async () => {
        unfinished(path);
        roomier(this.name, () => file.commit());
        try {
          await this.#send(name, path);
        } finally {
          rmSync(path, { force: true });
          settled(path);
        }
      },
      [Symbol.dispose]: () => file[Symbol.dispose](),
    };
  }

  async write(name: string, text: string): Promise<void> {
    await this.#ask('written', name, ({ s3, client }) =>
      client.send(new s3.PutObjectCommand({ ...this.#at(name), Body: text })),
    );
  }

  async read(name: string): Promise<Buffer | null> {
    return this.#ask('read', name, async ({ s3, client }) => {
      try {
        const { Body } = await client.send(new s3.GetObjectCommand(this.#at(name)));
        return Buffer.from(await Body!.transformToByteArray());
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return null;
        throw error;
      }
    });
  }

  async list(folder: string): Promise<string[]> {
    return this.#ask('read', folder, async ({ s3, client }) => {
      const out: string[] = [];
      const pages = s3.paginateListObjectsV2({ client }, { Bucket: this.#bucket, Prefix: `${this.#prefix}${folder}` });
      for await (const { Contents = [] } of pages)
        for (const { Key } of Contents) out.push(Key!.slice(this.#prefix.length));
      return out;
    });
  }

  async *stream(name: string): AsyncIterable<Uint8Array> {
    const body = await this.#ask('read', name, async ({ s3, client }) => {
      const { Body } = await client.send(new s3.GetObjectCommand(this.#at(name)));
      return Body as unknown as AsyncIterable<Uint8Array>;
    });
    try {
      yield* body;
    } catch (error) {
      throw this.#told('read', name, error);
    }
  }

  part(name: string, from: number, to: number): Promise<Uint8Array> {
    return this.#ask('read', name, async ({ s3, client }) => {
      const range = { ...this.#at(name), Range: `bytes=${from}-${to - 1}` };
      const { Body } = await client.send(new s3.GetObjectCommand(range));
      return Body!.transformToByteArray();
    });
  }

  /** Parts of files whose sending was ended outright are kept, and paid for, until they are taken away. Who may not list them has none. */
  async leftover(): Promise<Leftover[]> {
    const out: Leftover[] = [];
    try {
      await this.#ask('read', '', async ({ s3, client }) => {
        let [key, id]: (string | undefined)[] = [];
        do {
          const page: ListMultipartUploadsCommandOutput = await client.send(
            new s3.ListMultipartUploadsCommand({
              Bucket: this.#bucket,
              Prefix: this.#prefix,
              KeyMarker: key,
              UploadIdMarker: id,
            }),
          );
          for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
            out.push(this.#begun(Key!, UploadId!, Initiated?.getTime() ?? Date.now()));
          [key, id] = page.IsTruncated ? [page.NextKeyMarker, page.NextUploadIdMarker] : [];
        } while (key !== undefined);
      });
    } catch (error) {
      if (!(error instanceof StorageError) || error.retry) throw error;
    }
    return out;
  }

  #begun(key: string, id: string, since: number): Leftover {
    const name = key.slice(this.#prefix.length);
    const abort = { Bucket: this.#bucket, Key: key, UploadId: id };
    const discard = () =>
      this.#ask('written', name, ({ s3, client }) => client.send(new s3.AbortMultipartUploadCommand(abort)));
    return { name, since, discard: async () => void (await discard()) };
  }

  async #send(name: string, path: string): Promise<void> {
    const { Upload } = await import('@aws-sdk/lib-storage');
    await this.#ask('written', name, ({ client }) =>
      new Upload({
        client,
        params: { ...this.#at(name), Body: createReadStream(path) },
        partSize: PART,
        queueSize: 2,
      }).done(),
    );
  }

  #at(name: string) {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${name}` };
  }

  async #ask<T>(doing: 'read' | 'written', name: string, what: (connection: Connection) => Promise<T>): Promise<T> {
    this.#connection ??= connect();
    const connection = await this.#connection;
    for (let read = 1; ; read++) {
      try {
        return await what(connection);
      } catch (error) {
        const told = this.#told(doing, name, error);
        // What the library has asked for often enough has a mark of it; what stops in the middle of a body has not.
        const { $metadata } = error as { $metadata?: unknown };
        if ($metadata === undefined && told instanceof StorageError && told.retry && read < READS) continue;
        throw told;
      }
    }
  }

  #told(doing: 'read' | 'written', name: string, error: unknown): unknown {
    if (error instanceof LoupeError) return error;
    const fault = faultOf(error, this.#bucket);
    if (fault === null) return error;
    const what = name === '' ? this.name : `${this.name}/${name}`;
    return new StorageError(`${what} cannot be ${doing}: ${fault.why}. ${fault.cure}`, fault, { cause: error });
  }
}

/** A file is made here before it is sent. */
function roomier<T>(name: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    const [why] = error.message.split('. What was there');
    throw new StorageError(
      `${why}. Files are made there before they go to ${name}: set TMPDIR to a folder that has room for a shard.`,
      { retry: false, forAll: true },
      { cause: error.cause },
    );
  }
}
