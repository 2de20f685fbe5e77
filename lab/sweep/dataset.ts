// A sweep's data set, asked in SQL: DuckDB over its Parquet files, a view a table. Nothing is copied; what a query does not need is not read.

import { basename, join, resolve } from 'node:path';
import type { DuckDBConnection, DuckDBInstance, DuckDBResultReader } from '@duckdb/node-api';
import type { Table } from 'apache-arrow';
import { OptionError } from '../../engine/errors.js';
import { narrow } from '../../engine/token-ids.js';
import { checkName } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { bytesText } from '../values/numbers.js';
import { Shown } from '../values/shown.js';
import { arrowOf } from './dataset-arrow.js';
import type { Prompt } from '../values/prompt-file.js';
import { namesOf } from './configurations.js';
import type { Manifest } from './manifest.js';
import type { SweepPlan } from './plan.js';
import { isAddress } from './place.js';
import { type ShardRecord, Store } from './store.js';
import { manifestOf } from './verify.js';
import { promptsAt, type WorstRun, WorstRuns } from './worst.js';

/** The tables that there may be. */
const TABLES = ['activations', 'ledger', 'margins', 'summaries', 'logits'];
/** Files that are named one by one; of more, all that lie there are looked at, and those that stand are read. */
const MOST_NAMED = 5000;

/**
 * The data set of a sweep. `dataset()` opens one. Its tables are views for SQL: `ledger`, a row a run; `activations`, a row a (run, token) of each stage that was kept; and `margins`, `summaries` and
 * `logits`, where the plan had them. Dispose of it when it is not needed: `using data = await dataset('sweep')`.
 * @example using data = await dataset('sweep'); await data.query('select stage, min(margin) from margins group by stage')
 */
export class SweepData extends Shown {
  /** Tables that there are. */
  readonly tables: readonly string[];
  /** Shards that stand. */
  readonly shards: number;
  /** Shards of the plan that do not. */
  readonly missing: number;
  /** How many were run, by all configurations. */
  readonly runs: number;
  /** That were read. */
  readonly tokens: number;
  /** Of all tables. */
  readonly rows: number;
  /** Of all files. */
  readonly bytes: number;
  /** What each configuration is called, by what sets it apart from the others: `q8_0, fast`. */
  readonly configurations: readonly string[];
  readonly #plan: SweepPlan;
  #open: { readonly instance: DuckDBInstance; readonly connection: DuckDBConnection } | null;

  /** @internal */
  constructor(
    /** The folder. */
    readonly path: string,
    /** Names of the columns of each table. */
    readonly columns: ReadonlyMap<string, readonly string[]>,
    { plan, configurations, shards, missing }: Manifest,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
  ) {
    super();
    this.tables = [...columns.keys()];
    const sum = (of: (shard: ShardRecord) => number) => shards.reduce((n, shard) => n + of(shard), 0);
    this.shards = shards.length;
    this.missing = missing.length;
    this.runs = sum(({ from, to }) => to - from);
    this.tokens = sum(({ tokens }) => tokens);
    this.rows = sum(({ rows }) => rows);
    this.bytes = sum(({ bytes }) => bytes);
    this.configurations = namesOf(configurations);
    this.#plan = plan;
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

  /**
   * The runs that are furthest from the first configuration's, of which a row opens to the prompt and to all stages. Throws OptionError where the plan kept nothing `against` it.
   * @param most how many
   * @example await data.worst(10)
   */
  async worst(most = 10): Promise<WorstRuns> {
    if (!Number.isSafeInteger(most) || most < 1)
      throw new OptionError(`worst of a sweep takes how many runs, a whole number from 1, not ${said(most)}.`);
    if (!this.tables.includes('margins'))
      throw new OptionError(
        `${this.path} has no margins, for its plan held no stage against the first configuration. Add "against" to its "keep", and sweep again.`,
      );
    const of = `from ledger where margin is not null order by margin, prompt, configuration limit ${most}`;
    const rows = await this.query(`select prompt, configuration, tokens, worst as stage, margin, perplexity ${of}`);
    const stages = await this.query(
      `select prompt, configuration, stage, margin, rel_l2 from margins semi join (select prompt, configuration ${of}) using (prompt, configuration)`,
    );
    const texts = await promptsAt(this.#plan, new Set(rows.map(({ prompt }) => prompt as number)));
    const runs = rows.map(row => ({
      ...(row as unknown as Pick<WorstRun, 'prompt' | 'configuration' | 'tokens' | 'stage' | 'margin' | 'perplexity'>),
      name: this.configurations[row.configuration as number],
      text: texts.get(row.prompt as number) ?? null,
      stages: stages
        .filter(({ prompt, configuration }) => prompt === row.prompt && configuration === row.configuration)
        .map(({ stage, margin, rel_l2 }) => ({
          stage: stage as string,
          margin: margin as number,
          relL2: rel_l2 as number,
        })),
    }));
    return new WorstRuns(this.path, runs);
  }

  /** A prompt of the plan's file by its place from 0, as the tables have it. Throws OptionError where there is none. */
  async prompt(place: number): Promise<Prompt> {
    const found = (await promptsAt(this.#plan, new Set([place]))).get(place);
    if (found !== undefined) return found;
    throw new OptionError(
      `${this.#plan.prompts} has no prompt ${said(place)} that can be read. Its prompts are counted from 0; bring the file back if it is gone.`,
    );
  }

  async #read(sql: string): Promise<DuckDBResultReader> {
    if (typeof sql !== 'string' || sql.trim() === '')
      throw new OptionError(
        `A query is SQL over ${this.tables.join(', ')}, not ${said(sql)}. Give e.g. 'select * from ledger limit 5'.`,
      );
    if (!this.#open)
      throw new OptionError(`${this.path} was closed. Open it again: dataset(${JSON.stringify(this.path)}).`);
    const { connection } = this.#open;
    try {
      const { count } = await connection.extractStatements(sql);
      if (count > 1)
        throw new OptionError(`A query is one statement, and these are ${count}. Ask one after the other.`);
      return await connection.runAndReadAll(sql);
    } catch (error) {
      if (error instanceof OptionError) throw error;
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
  if (isAddress(path))
    throw new OptionError(
      `dataset() reads a folder, and '${path}' is an address. Copy it: aws s3 sync ${path} DIR, then dataset('DIR').`,
    );
  const folder = resolve(path);
  const store = new Store(folder);
  const manifest = await manifestOf(store);
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const files = manifest.shards.flatMap(({ files }) => files.map(({ path }) => path));
    const tables = TABLES.filter(table => files.some(file => file.startsWith(`${table}/`)));
    // Rows would be missing in silence.
    const there = new Set(await store.place.list(''));
    const gone = files.filter(file => !there.has(file));
    if (gone.length > 0)
      throw new OptionError(
        `${path} lacks ${gone.length} of its ${files.length} files, such as ${gone[0]}. loupe sweep verify ${path} names them; the sweep makes a shard again whose record in _shards is deleted.`,
      );
    const columns = new Map<string, readonly string[]>();
    for (const table of tables) {
      const own = files.filter(file => file.startsWith(`${table}/`));
      await connection.run(`create view ${table} as ${viewOf(folder, table, own)}`);
      const described = await connection.runAndReadAll(`describe ${table}`);
      columns.set(
        table,
        described.getRows().map(([name]) => String(name)),
      );
    }
    return new SweepData(path, columns, manifest, instance, connection);
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

/** The rows of the files that stand, and of no others that lie there: a worker that was killed leaves some. */
export function viewOf(folder: string, table: string, files: readonly string[], most = MOST_NAMED): string {
  const hive = `hive_partitioning = ${table === 'activations'}`;
  if (files.length <= most)
    return `select * from read_parquet([${files.map(file => text(join(folder, file))).join(', ')}], ${hive})`;
  const ids = [...new Set(files.map(file => basename(file)))].map(text).join(', ');
  return `select * exclude (filename) from read_parquet(${text(join(folder, table, '**', '*.parquet'))}, ${hive}, filename = true) where parse_filename(filename) in (${ids})`;
}

/** As SQL writes it. */
const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
