// The ledger: a row a run, which says what was run, how long the prompt is and how it went.

import type { Run } from '../session/run.js';
import type { Column } from './parquet-columns.js';
import type { Shard } from './shards.js';
import type { ShardFile, Store } from './store.js';
import { TableFile } from './table.js';

/** A row of it, without what all rows of a shard have. */
export interface LedgerRow {
  /** Place of the prompt in its file, from 0. */
  readonly prompt: number;
  readonly tokens: number;
  /** The likeliest token after the prompt; null where logits are no numbers. */
  readonly next: number | null;
  /** Mean surprisal of the prompt's tokens, in bits; null where it was not asked for, and of one token alone. */
  readonly bits: number | null;
  readonly perplexity: number | null;
  /** The stage that is furthest from the first configuration's, and by how many times its error fits into the limit. */
  readonly worst: string | null;
  readonly margin: number | null;
  /** Why the logits are no numbers, where they are not. */
  readonly fault: string | null;
}

const COLUMNS: readonly Column[] = [
  { name: 'configuration', type: 'int' },
  { name: 'model', type: 'text' },
  { name: 'fingerprint', type: 'text' },
  { name: 'quantise', type: 'text', optional: true },
  { name: 'plan', type: 'text' },
  { name: 'adapter', type: 'text' },
  { name: 'activations', type: 'text' },
  { name: 'cache', type: 'text' },
  { name: 'prompt', type: 'int' },
  { name: 'tokens', type: 'int' },
  { name: 'next', type: 'int', optional: true },
  { name: 'bits', type: 'real', optional: true },
  { name: 'perplexity', type: 'real', optional: true },
  { name: 'worst', type: 'text', optional: true },
  { name: 'margin', type: 'real', optional: true },
  { name: 'fault', type: 'text', optional: true },
];

/** The ledger of a shard. */
export class Ledger {
  readonly #rows: LedgerRow[] = [];
  readonly #file: TableFile;
  readonly #path: string;

  constructor(
    store: Store,
    private readonly shard: Shard,
    /** That it ran on. */
    private readonly adapter: string,
    metadata: Readonly<Record<string, string>>,
  ) {
    this.#path = `ledger/${shard.shard}.parquet`;
    this.#file = new TableFile(store.place(this.#path), COLUMNS, metadata);
  }

  add(row: LedgerRow): void {
    this.#rows.push(row);
  }

  finish(): ShardFile {
    const rows = this.#rows;
    const { configuration, model, fingerprint, quantise, plan, activations, cache } = this.shard;
    const same = { configuration, model, fingerprint, quantise, plan, adapter: this.adapter, activations, cache };
    const values = Object.fromEntries(
      COLUMNS.map(({ name }) => [
        name,
        rows.map(row => (name in same ? same[name as keyof typeof same] : row[name as keyof LedgerRow])),
      ]),
    );
    this.#file.write(rows.length, values);
    return { path: this.#path, ...this.#file.finish() };
  }

  commit(): void {
    this.#file.commit();
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** What the ledger has of a run by itself. */
export function rowOf(prompt: number, run: Run): LedgerRow {
  const next = run.fault ? null : run.logits.top(1).rows[0].id;
  return {
    prompt,
    tokens: run.ids.length,
    next,
    ...{ bits: null, perplexity: null, worst: null, margin: null },
    fault: run.fault?.message ?? null,
  };
}
