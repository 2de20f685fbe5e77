// A sweep's data set, asked in SQL: DuckDB over its Parquet files, a view a table. Nothing is copied; what a query does not need is not read.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DuckDBConnection, DuckDBInstance, DuckDBResultReader } from '@duckdb/node-api';
import type { Table } from 'apache-arrow';
import { OptionError } from '../../engine/errors.js';
import { narrow } from '../../engine/token-ids.js';
import { checkName } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { bytesText } from '../values/numbers.js';
import { Shown } from '../values/shown.js';
import { arrowOf } from './dataset-arrow.js';
import type { ShardRecord } from './store.js';
import { manifestOf } from './verify.js';

/** The tables that there may be. */
const TABLES = ['activations', 'ledger', 'margins', 'summaries', 'logits'];
/** Files that are named one by one, so that only those are read that stand; of more, all that lie there. */
const MOST_NAMED = 5000;

/**
 * The data set of a sweep. `dataset()` opens one. Its tables are views for SQL: `ledger`, a row a run; `activations`, a row a (run, token) of each stage that was kept; and `margins`, `summaries` and
 * `logits`, where the plan had them. Dispose of it when it is not needed: `using data = await dataset('sweep')`.
 * @example using data = await dataset('sweep'); await data.query('select stage, min(margin) from margins group by stage')
 */
export class SweepData extends Shown {
  #open: { readonly instance: DuckDBInstance; readonly connection: DuckDBConnection } | null;

  /** @internal */
  constructor(
    /** The folder. */
    readonly path: string,
    /** Tables that there are. */
    readonly tables: readonly string[],
    /** Shards that stand. */
    readonly shards: number,
    /** Shards of the plan that do not. */
    readonly missing: number,
    /** How many were run, by all configurations. */
    readonly runs: number,
    /** That were read. */
    readonly tokens: number,
    /** Of all tables. */
    readonly rows: number,
    /** Of all files. */
    readonly bytes: number,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
  ) {
    super();
    this.#open = { instance, connection };
  }

  /**
   * Rows of a query as objects, whole numbers of 64 bits as numbers where they are exact. Throws OptionError with what DuckDB says of a query that is none.
   * @example await data.query('select prompt, perplexity from ledger order by perplexity desc limit 10')
   */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    const rows = (await this.#read(sql)).getRowObjectsJS() as Record<string, unknown>[];
    for (const row of rows)
      for (const [name, value] of Object.entries(row)) if (typeof value === 'bigint') row[name] = narrow(value);
    return rows;
  }

  /**
   * What a query gives, as an apache-arrow Table in memory. Throws OptionError with what DuckDB says of a query that is none, and for columns of types that no table here has.
   * @example const table = await data.toArrow("select id, values from activations where stage = 'layers.5.resid'")
   */
  async toArrow(sql: string): Promise<Table> {
    return arrowOf(await this.#read(sql));
  }

  async #read(sql: string): Promise<DuckDBResultReader> {
    if (typeof sql !== 'string' || sql.trim() === '')
      throw new OptionError(
        `A query is SQL over ${this.tables.join(', ')}, not ${said(sql)}. Give e.g. 'select * from ledger limit 5'.`,
      );
    if (!this.#open)
      throw new OptionError(`${this.path} was closed. Open it again: dataset(${JSON.stringify(this.path)}).`);
    try {
      return await this.#open.connection.runAndReadAll(sql);
    } catch (error) {
      throw new OptionError(`DuckDB: ${(error as Error).message.replace(/\n+$/, '')}`, { cause: error });
    }
  }

  /** What there is, and how it is asked. */
  override toString(): string {
    const { shards, runs, tokens, rows, bytes } = this;
    const missing = this.missing > 0 ? ` ${this.missing} of ${shards + this.missing} shards are missing.` : '';
    return `${this.path}: ${runs} runs, ${tokens} tokens, ${rows} rows (${bytesText(bytes)}) in ${this.tables.join(', ')}.${missing}\nAsk it: await data.query('select * from ledger limit 5')`;
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#open?.connection.closeSync();
    this.#open?.instance.closeSync();
    this.#open = null;
  }
}

/**
 * Opens the data set that `loupe sweep` wrote, to ask it in SQL. Throws OptionError for a folder that has no manifest of one.
 * @param path the folder that is the plan's `out`
 */
export async function dataset(path: string): Promise<SweepData> {
  checkName('dataset', path);
  const folder = resolve(path);
  const manifest = manifestOf(folder);
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const files = manifest.shards.flatMap(({ files }) => files.map(({ path }) => path));
    const tables = TABLES.filter(table => files.some(file => file.startsWith(`${table}/`)));
    for (const table of tables) {
      const own = files.filter(file => file.startsWith(`${table}/`));
      const named = own.length <= MOST_NAMED && own.every(file => existsSync(join(folder, file)));
      const from = named
        ? own.map(file => text(join(folder, file))).join(', ')
        : text(join(folder, table, '**', '*.parquet'));
      await connection.run(
        `create view ${table} as select * from read_parquet([${from}], hive_partitioning = ${table === 'activations'})`,
      );
    }
    const { shards, missing } = manifest;
    const sum = (of: (shard: ShardRecord) => number) => shards.reduce((n, shard) => n + of(shard), 0);
    return new SweepData(
      path,
      tables,
      shards.length,
      missing.length,
      sum(({ from, to }) => to - from),
      sum(({ tokens }) => tokens),
      sum(({ rows }) => rows),
      sum(({ bytes }) => bytes),
      instance,
      connection,
    );
  } catch (error) {
    connection.closeSync();
    instance.closeSync();
    throw error instanceof OptionError
      ? error
      : new OptionError(`${path} cannot be read: ${(error as Error).message}. loupe sweep verify ${path} says more.`, {
          cause: error,
        });
  }
}

/** As SQL writes it. */
const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
