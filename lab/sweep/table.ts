// A table of a shard: rows are gathered by column and written a row group at a time.

import type { Column, ColumnValues, Encoded } from './parquet-columns.js';
import { encode } from './parquet-columns.js';
import { ParquetFile } from './parquet-file.js';
import type { ShardFile, Store } from './store.js';

/** Columns by name, entry i of each of row i. */
export type Columns = Readonly<Record<string, ColumnValues>>;

/** One value of a row. */
export type Cell = number | string | null | Int32Array | Float32Array;

/** Rows of a row group. */
const AT_ONCE = 50_000;

/** A file of rows, which is aside until it is committed. */
export class TableFile {
  readonly #file: ParquetFile;

  constructor(
    store: Store,
    /** From the folder of the data set. */
    readonly path: string,
    private readonly columns: readonly Column[],
    metadata: Readonly<Record<string, string>>,
  ) {
    this.#file = new ParquetFile(store.aside(path), columns, metadata);
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

  /** Writes what the file ends with. */
  finish(): ShardFile {
    return { path: this.path, ...this.#file.finish() };
  }

  commit(): Promise<void> {
    return this.#file.commit();
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** A table to which rows come one by one. */
export class RowTable {
  readonly #file: TableFile;
  #rows: Readonly<Record<string, Cell>>[] = [];

  constructor(
    store: Store,
    path: string,
    private readonly columns: readonly Column[],
    /** What all rows have. */
    private readonly same: Readonly<Record<string, Cell>>,
    metadata: Readonly<Record<string, string>>,
  ) {
    this.#file = new TableFile(store, path, columns, metadata);
  }

  add(row: Readonly<Record<string, Cell>>): void {
    this.#rows.push(row);
    if (this.#rows.length === AT_ONCE) this.#flush();
  }

  finish(): ShardFile {
    this.#flush();
    return this.#file.finish();
  }

  commit(): Promise<void> {
    return this.#file.commit();
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  #flush(): void {
    const { same } = this;
    const rows = this.#rows;
    if (rows.length === 0) return;
    const values = this.columns.map(({ name, type }) => {
      const cells = rows.map(row => (name in row ? row[name] : same[name]));
      return [name, type === 'list' ? joined(cells as (Int32Array | Float32Array)[]) : (cells as number[])] as const;
    });
    this.#file.write(rows.length, Object.fromEntries(values));
    this.#rows = [];
  }
}

function joined(lists: readonly (Int32Array | Float32Array)[]): Int32Array | Float32Array {
  const { length } = lists[0];
  const Numbers = lists[0].constructor as Int32ArrayConstructor;
  const out = new Numbers(length * lists.length);
  for (const [i, list] of lists.entries()) out.set(list, i * length);
  return out;
}
