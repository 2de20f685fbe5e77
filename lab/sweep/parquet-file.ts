// A Parquet file, a row group at a time. Arrow's own schema goes with it, so that who reads by Arrow gets lists of a fixed size, which Parquet has no word for.

import { createHash } from 'node:crypto';
import { Field, FixedSizeList, Float16, Float32, Float64, Int32, Schema, Table, tableToIPC, Utf8 } from 'apache-arrow';
import type { ColumnChunk, RowGroup } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { type Column, type Encoded, schemaOf } from './parquet-columns.js';
import type { Aside } from './place.js';

const MAGIC = Buffer.from('PAR1');

/** What was written. */
export interface FileCounts {
  readonly rows: number;
  readonly bytes: number;
  /** SHA-256 of the file, hex. */
  readonly sha256: string;
}

/** A file that is written aside until it is committed. Disposed of before, it is as if nothing had been written. */
export class ParquetFile {
  readonly #digest = createHash('sha256');
  readonly #groups: RowGroup[] = [];
  #offset = 0;
  #rows = 0;

  /** @param file what it is written to @param metadata what the file says of itself beside its schema. Throws OptionError where nothing can be written there. */
  constructor(
    private readonly file: Aside,
    private readonly columns: readonly Column[],
    private readonly metadata: Readonly<Record<string, string>>,
  ) {
    this.#write(MAGIC);
  }

  /** @param encoded a chunk a column, in their order */
  rowGroup(rows: number, encoded: readonly Encoded[]): void {
    const began = this.#offset;
    const columns = encoded.map(({ bytes, chunk }) => {
      const moved = movedBy(chunk, this.#offset);
      this.#write(bytes);
      return moved;
    });
    const total = columns.reduce((n, { meta_data }) => n + meta_data!.total_uncompressed_size, 0n);
    this.#groups.push({
      columns,
      num_rows: BigInt(rows),
      total_byte_size: total,
      total_compressed_size: BigInt(this.#offset - began),
    });
    this.#rows += rows;
  }

  /** Writes what a file ends with. It still is aside. */
  finish(): FileCounts {
    const writer = new ByteWriter();
    const own = Object.entries(this.metadata).map(([key, value]) => ({ key, value }));
    writeMetadata(writer, {
      version: 2,
      created_by: 'gemma-loupe',
      schema: [{ name: 'root', num_children: this.columns.length }, ...this.columns.flatMap(schemaOf)],
      num_rows: BigInt(this.#rows),
      row_groups: this.#groups,
      key_value_metadata: [...own, { key: 'ARROW:schema', value: arrowSchema(this.columns, this.metadata) }],
    } as unknown as Parameters<typeof writeMetadata>[1]); // its length is written by whoever writes it
    this.#write(writer.getBytes());
    this.#write(MAGIC);
    return { rows: this.#rows, bytes: this.#offset, sha256: this.#digest.digest('hex') };
  }

  commit(): Promise<void> {
    return this.file.commit();
  }

  [Symbol.dispose](): void {
    this.file[Symbol.dispose]();
  }

  #write(bytes: Uint8Array): void {
    this.file.write(bytes);
    this.#digest.update(bytes);
    this.#offset += bytes.length;
  }
}

function movedBy(chunk: ColumnChunk, by: number): ColumnChunk {
  const at = BigInt(by);
  const { dictionary_page_offset: dictionary, ...meta } = chunk.meta_data!;
  return {
    ...chunk,
    file_offset: chunk.file_offset + at,
    meta_data: {
      ...meta,
      data_page_offset: meta.data_page_offset + at,
      ...(dictionary !== undefined && { dictionary_page_offset: dictionary + at }),
    },
  };
}

const ARROW = { int: new Int32(), text: new Utf8(), real: new Float64(), f32: new Float32(), f16: new Float16() };

/** With the metadata: who reads by it looks for none beside it. */
function arrowSchema(columns: readonly Column[], metadata: Readonly<Record<string, string>>): string {
  const fields = columns.map(column =>
    column.type === 'list'
      ? new Field(column.name, new FixedSizeList(column.length, new Field('element', ARROW[column.of], false)), false)
      : new Field(column.name, ARROW[column.type], column.optional === true),
  );
  // The message of a stream's schema, without the eight bytes that end the stream.
  return Buffer.from(
    tableToIPC(new Table(new Schema(fields, new Map(Object.entries(metadata)))), 'stream').subarray(0, -8),
  ).toString('base64');
}
