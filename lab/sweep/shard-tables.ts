// The tables of one shard while it is made: a file a stage, and those that have a row a run.

import { OptionError } from '../../engine/errors.js';
import type { Stage } from '../../engine/plan.js';
import type { OfPrompt } from '../values/data-set.js';
import type { Cuts } from '../values/dims.js';
import { widthOf } from './configurations.js';
import { ORIGIN, type Origin } from './origin.js';
import type { Column, Encoded } from './parquet-columns.js';
import { halves, type TokenRows, tokenRows } from './rows.js';
import type { ShardFile, Store } from './store.js';
import { type Columns, TableFile } from './table.js';

/** Values that are held before they are written: of all stages, and of one. 64 MB, and row groups of at most 4 MB unless one run has more. */
const [HELD, HELD_A_STAGE] = [1 << 24, 1 << 20];

/** A row a (run, token) of one stage. */
const perToken = (length: number, of: 'f32' | 'f16'): Column[] => [
  ...ORIGIN,
  { name: 'prompt', type: 'int' },
  { name: 'token', type: 'int' },
  { name: 'id', type: 'int' },
  { name: 'text', type: 'text' },
  { name: 'values', type: 'list', of, length },
];

/** Rows that were not written yet. */
interface Held {
  readonly prompt: number[];
  readonly token: number[];
  readonly id: number[];
  readonly text: string[];
  readonly values: TokenRows[];
}

const noRows = (): Held => ({ prompt: [], token: [], id: [], text: [], values: [] });

/** The files of a shard's stages. */
export class StageTables {
  readonly #files = new Map<string, { readonly file: TableFile; readonly width: number }>();
  #held = new Map<string, Held>();
  #many = 0;
  #most = 0;

  constructor(
    store: Store,
    shard: string,
    stages: readonly Stage[],
    private readonly origin: Origin,
    private readonly asked: { readonly model: string; readonly slice: Cuts | null; readonly values: 'f32' | 'f16' },
    metadata: Readonly<Record<string, string>>,
  ) {
    try {
      for (const stage of stages) {
        const width = widthOf(stage, asked.slice)!;
        // Readers of such folders take names apart at = and / and decode the rest.
        const path = `activations/model=${encodeURIComponent(asked.model)}/stage=${stage.name}/${shard}.parquet`;
        const dims = stage.axes.filter(({ name }) => name !== 'token' && name !== 'query').map(({ name }) => name);
        const own = { ...metadata, stage: stage.name, dims: dims.join(',') };
        const file = new TableFile(store, path, perToken(width, asked.values), own);
        this.#files.set(stage.name, { file, width });
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Puts the rows of a run behind those that there are. */
  add(prompt: number, { ids, tokens, activations }: OfPrompt): void {
    for (const [name, { width }] of this.#files) {
      const rows = tokenRows(activations.get(name)!);
      if (rows.width !== width)
        throw new OptionError(
          `'${name}' has ${rows.width} values a token of prompt ${prompt}, and rows of ${width} were begun. Give keep.slice a part that all prompts have.`,
        );
      let held = this.#held.get(name);
      if (!held) this.#held.set(name, (held = noRows()));
      for (let row = 0, token = rows.from; row < rows.rows; row++, token++) {
        held.prompt.push(prompt);
        held.token.push(token);
        held.id.push(ids[token]);
        held.text.push(tokens[token]);
      }
      held.values.push(rows);
      this.#many += rows.data.length;
      this.#most = Math.max(this.#most, held.prompt.length * width);
    }
    if (this.#many >= HELD || this.#most >= HELD_A_STAGE) this.#flush();
  }

  /** Writes what files end with. They still are aside. */
  finish(): ShardFile[] {
    this.#flush();
    return [...this.#files.values()].map(({ file }) => file.finish());
  }

  async commit(): Promise<void> {
    for (const { file } of this.#files.values()) await file.commit();
  }

  [Symbol.dispose](): void {
    for (const { file } of this.#files.values()) file[Symbol.dispose]();
  }

  #flush(): void {
    // Stages of the same tokens have the same other columns.
    const known = new Map<string, Map<string, Encoded>>();
    for (const [name, { prompt, token, id, text, values }] of this.#held) {
      const rows = prompt.length;
      const which = values.map(({ from, rows }) => `${from} ${rows}`).join();
      const encoded = known.get(which) ?? new Map<string, Encoded>();
      known.set(which, encoded);
      const { file } = this.#files.get(name)!;
      const all = (value: number | string | null) => new Array<typeof value>(rows).fill(value);
      const { configuration, quantise, plan, adapter } = this.origin;
      let first = 0;
      const half = (one: TokenRows) => {
        const bits = halves(one, name, prompt[first]);
        first += one.rows;
        return bits;
      };
      const numbers =
        this.asked.values === 'f16'
          ? joined(values.map(half), n => new Uint16Array(n))
          : joined(
              values.map(({ data }) => data),
              n => new Float32Array(n),
            );
      const origin: Columns =
        encoded.size > 0
          ? {} // they are known
          : { configuration: all(configuration), quantise: all(quantise), plan: all(plan), adapter: all(adapter) };
      file.write(rows, { ...origin, prompt, token, id, text, values: numbers }, encoded);
    }
    this.#held = new Map();
    this.#many = 0;
    this.#most = 0;
  }
}

function joined<T extends Float32Array | Uint16Array>(parts: readonly T[], make: (length: number) => T): T {
  if (parts.length === 1) return parts[0];
  const out = make(parts.reduce((n, { length }) => n + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
