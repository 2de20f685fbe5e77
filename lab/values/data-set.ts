// Activations of many prompts as one data set: a row a (prompt, stage, token), the rest of the stage's dimensions in a list. It is written a piece at a time, so that its length is no
// matter of memory; columns and metadata are the same in Arrow and in Parquet.

import { bytesText } from './numbers.js';
import { type Dim, isWhole, type Values } from './dims.js';
import { Shown } from './shown.js';

/** Rows as columns: entry i of each is of row i. */
export interface Rows {
  /** Place of the prompt, from 0. */
  readonly prompt: number[];
  /** Position of the token in the prompt. */
  readonly token: number[];
  readonly id: number[];
  readonly text: string[];
  readonly stage: string[];
  /** Dimensions of the values, with where in the model they begin and end where that is a part: `head=4,key=7`, `head=2:4,key=7`. */
  readonly dims: string[];
  /** Their sizes: `values` are of this shape, row by row. */
  readonly shape: (readonly number[])[];
  readonly values: Float32Array[];
}

/** What one prompt gave. */
export interface OfPrompt {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  readonly activations: ReadonlyMap<string, Values>;
}

/** Values of a record batch or a row group: 4 MB of them. */
export const VALUES_AT_ONCE = 1 << 20;
/** Rows of one. */
export const ROWS_AT_ONCE = 100_000;

/** A file of a data set while it is written. */
export interface RowWriter {
  write(rows: Rows): void | Promise<void>;
  /** Writes what a file ends with. */
  finish(): void | Promise<void>;
}

export const noRows = (): Rows => ({
  prompt: [],
  token: [],
  id: [],
  text: [],
  stage: [],
  dims: [],
  shape: [],
  values: [],
});

/** Puts the rows of a prompt behind those that there are. @returns values in them */
export function addRows(to: Rows, place: number, { ids, tokens, activations }: OfPrompt): number {
  let values = 0;
  for (const { name, dims, data } of activations.values()) {
    const along = dims.findIndex(dim => dim.name === 'token' || dim.name === 'query');
    const { size: rows, from } = dims[along];
    const rest = dims.filter((_, i) => i !== along);
    const shape = rest.map(({ size }) => size);
    const told = rest.map(partOf).join(',');
    // The token's dimension is the first or the second: before it are `blocks`, behind it `width` values.
    const width = dims.slice(along + 1).reduce((n, { size }) => n * size, 1);
    const blocks = dims.slice(0, along).reduce((n, { size }) => n * size, 1);
    for (let row = 0; row < rows; row++) {
      const list = new Float32Array(blocks * width);
      for (let block = 0; block < blocks; block++) {
        const at = (block * rows + row) * width;
        list.set(data.subarray(at, at + width), block * width);
      }
      to.prompt.push(place);
      to.token.push(from + row);
      to.id.push(ids[from + row]);
      to.text.push(tokens[from + row]);
      to.stage.push(name);
      to.dims.push(told);
      to.shape.push(shape);
      to.values.push(list);
    }
    values += data.length;
  }
  return values;
}

const partOf = (dim: Dim): string => {
  const { name, size, from } = dim;
  return `${name}=${isWhole(dim) ? size : `${from}:${from + size}`}`;
};

/** What was written. */
export class DataSet extends Shown {
  constructor(
    /** Of the file. */
    readonly path: string,
    /** How many were run. */
    readonly prompts: number,
    /** Tokens of all prompts. */
    readonly tokens: number,
    /** Names of what was tapped. */
    readonly stages: readonly string[],
    /** One a prompt, stage and token. */
    readonly rows: number,
    /** Of the file. */
    readonly bytes: number,
  ) {
    super();
  }

  /** What there is, and how it is read. */
  override toString(): string {
    const { prompts, tokens, stages, rows } = this;
    const many = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
    const reader = this.path.endsWith('.parquet') ? 'read_parquet' : 'read_feather';
    return `${this.path}: ${many(prompts, 'prompt')}, ${many(tokens, 'token')}, ${many(stages.length, 'stage')}, ${many(rows, 'row')} (${bytesText(this.bytes)}).\nIn Python: pandas.${reader}(${JSON.stringify(this.path)})`;
  }
}
