// A table of a shard: rows are gathered by column and written a row group at a time.

import { type Column, type ColumnValues, type Encoded, encode } from './parquet-columns.js';
import { type FileCounts, ParquetFile } from './parquet-file.js';

/** Columns by name, entry i of each of row i. */
export type Columns = Readonly<Record<string, ColumnValues>>;

/** One file of rows. */
export class TableFile {
  readonly #file: ParquetFile;
  #counts: FileCounts | null = null;

  constructor(
    path: string,
    private readonly columns: readonly Column[],
    metadata: Readonly<Record<string, string>>,
  ) {
    this.#file = new ParquetFile(path, columns, metadata);
  }

  /** @param known columns that another file has too, encoded: filled by the first that needs them */
  write(rows: number, values: Columns, known: Map<string, Encoded> = new Map()): void {
    const chunks = this.columns.map(column => {
      const { name, type } = column;
      if (type === 'list') return encode(column, values[name]);
      const chunk = known.get(name) ?? encode(column, values[name]);
      known.set(name, chunk);
      return chunk;
    });
    this.#file.rowGroup(rows, chunks);
  }

  finish(): FileCounts {
    this.#counts ??= this.#file.finish();
    return this.#counts;
  }

  commit(): void {
    this.#file.commit();
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
