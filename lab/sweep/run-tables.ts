// Tables that have a row a run, or a row a stage or a token of one: the ledger, summaries, margins and the largest logits.

import { compare } from '../diff/metrics.js';
import { ACCUMULATED_LIMIT } from '../diff/tolerance.js';
import type { Run } from '../session/run.js';
import type { Values } from '../values/dims.js';
import { statsOf } from '../values/stats.js';
import { largest, meanBits } from './logits.js';
import { ORIGIN, type Origin } from './origin.js';
import type { Column } from './parquet-columns.js';
import type { Keep } from './plan.js';
import type { Shard } from './shards.js';
import type { ShardFile, Store } from './store.js';
import { RowTable } from './table.js';

const text = (name: string, optional = false): Column => ({ name, type: 'text', optional });
const int = (name: string, optional = false): Column => ({ name, type: 'int', optional });
const real = (name: string, optional = false): Column => ({ name, type: 'real', optional });

/** A row a run. */
const LEDGER: readonly Column[] = [
  int('configuration'),
  ...['model', 'fingerprint'].map(name => text(name)),
  text('quantise', true),
  ...['plan', 'adapter', 'activations', 'cache'].map(name => text(name)),
  int('prompt'),
  int('tokens'),
  // The likeliest token after the prompt; null where logits are no numbers, and `fault` says why.
  int('next', true),
  // Of the prompt's tokens, where it was asked for; null of one alone.
  real('bits', true),
  real('perplexity', true),
  // The stage that is furthest from the first configuration's.
  text('worst', true),
  real('margin', true),
  text('fault', true),
];

/** A row a (run, stage). */
const SUMMARIES: readonly Column[] = [
  ...ORIGIN,
  int('prompt'),
  text('stage'),
  ...['mean', 'std', 'l2', 'max_abs'].map(name => real(name)),
];

/** A row a (run, stage): how far it is from the first configuration's. `margin`: how often the error fits into the limit of a diff; below 1 it fails. */
const MARGINS: readonly Column[] = [
  ...ORIGIN,
  int('prompt'),
  int('tokens'),
  text('stage'),
  ...['rel_l2', 'max_abs', 'cosine', 'margin'].map(name => real(name)),
];

/** A row a (run, token). */
const largestLogits = (k: number): readonly Column[] => [
  ...ORIGIN,
  int('prompt'),
  int('token'),
  int('id'),
  { name: 'ids', type: 'list', of: 'int', length: k },
  { name: 'logits', type: 'list', of: 'f32', length: k },
];

/** Stages that are looked at in a run, beside those whose values are kept. */
export interface LookedAt {
  readonly summaries: readonly string[];
  readonly against: readonly string[];
}

/** The tables of a shard that are not of one stage. */
export class RunTables {
  readonly #ledger: RowTable;
  readonly #summaries: RowTable | null;
  readonly #margins: RowTable | null;
  readonly #logits: RowTable | null;
  readonly #all: RowTable[] = [];

  constructor(
    store: Store,
    { shard, configuration, model, fingerprint, activations, cache }: Shard,
    origin: Origin,
    private readonly keep: Keep,
    private readonly looked: LookedAt,
    metadata: Readonly<Record<string, string>>,
  ) {
    const table = (folder: string, columns: readonly Column[], same: object) => {
      const made = new RowTable(store, `${folder}/${shard}.parquet`, columns, { ...origin, ...same }, metadata);
      this.#all.push(made);
      return made;
    };
    try {
      this.#summaries = looked.summaries.length > 0 ? table('summaries', SUMMARIES, {}) : null;
      this.#margins = looked.against.length > 0 && configuration > 0 ? table('margins', MARGINS, {}) : null;
      this.#logits = keep.top > 0 ? table('logits', largestLogits(keep.top), {}) : null;
      this.#ledger = table('ledger', LEDGER, { model, fingerprint, activations, cache });
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** @param prompt its place @param reference the same prompt by the first configuration */
  add(prompt: number, run: Run, reference: Run | null): void {
    const { ids, fault } = run;
    const logits = run.activations.get('logits');
    const bits = this.keep.loss && !fault ? meanBits(logits!.data, ids) : null;
    this.#ledger.add({
      prompt,
      tokens: ids.length,
      next: fault ? null : run.logits.top(1).rows[0].id,
      bits,
      perplexity: bits === null ? null : 2 ** bits,
      ...this.#held(prompt, run, reference),
      fault: fault?.message ?? null,
    });
    for (const stage of this.looked.summaries) {
      const { mean, std, l2, maxAbs } = statsOf(run.activations.get(stage)!.data);
      this.#summaries!.add({ prompt, stage, mean, std, l2, max_abs: maxAbs });
    }
    if (this.#logits) this.#addLogits(prompt, ids, logits!);
  }

  /** All of its files; they still are aside. The ledger comes last. */
  finish(): ShardFile[] {
    return this.#all.map(table => table.finish());
  }

  async commit(): Promise<void> {
    for (const table of this.#all) await table.commit();
  }

  [Symbol.dispose](): void {
    for (const table of this.#all) table[Symbol.dispose]();
  }

  #held(prompt: number, run: Run, reference: Run | null): { worst: string | null; margin: number | null } {
    let worst: string | null = null;
    let least: number | null = null;
    if (reference === null || this.#margins === null) return { worst, margin: least };
    for (const stage of this.looked.against) {
      const [ours, theirs] = [run, reference].map(({ activations }) => activations.get(stage)!);
      const { relL2, maxAbs, cosine } = compare(ours.data, theirs.data, ours.shape);
      // What is no number is as far as can be, and what is equal has room for any error.
      const margin = Number.isNaN(relL2) ? 0 : ACCUMULATED_LIMIT / relL2;
      this.#margins.add({ prompt, tokens: run.ids.length, stage, rel_l2: relL2, max_abs: maxAbs, cosine, margin });
      if (least === null || margin < least) [worst, least] = [stage, margin];
    }
    return { worst, margin: least };
  }

  #addLogits(prompt: number, ids: readonly number[], { data }: Values): void {
    const { top } = this.keep;
    const vocab = data.length / ids.length;
    for (const [token, id] of ids.entries()) {
      const found = { ids: new Int32Array(top), logits: new Float32Array(top) };
      largest(data.subarray(token * vocab, (token + 1) * vocab), top, found.ids, found.logits);
      this.#logits!.add({ prompt, token, id, ...found });
    }
  }
}
