// Activations as apache-arrow Tables and back. One row of the table is one row of the last dimension; the leading dimensions are
// columns of indices, so that DuckDB, Polars or pandas can filter by head or token without knowing Loupe.

import {
  type Data,
  Field,
  FixedSizeList,
  Float32,
  Int32,
  makeData,
  makeVector,
  Schema,
  Table,
  tableFromIPC,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { GoldenError, OptionError } from '../../engine/errors.js';
import { parseJson } from '../../engine/json.js';
import { type DimSpec, isWhole, rowIndex, rowNumber, said, type Values } from './dims.js';
import { attempt } from './plain.js';
import { isRecord } from './record.js';

const KEY = 'loupe';
/** Dimensions that rows are of, in a trace. */
export const LEADING = ['token', 'head', 'query'] as const;

/** Throws OptionError for what is no activation: of a stage that was not tapped there is none. */
function checkValues(who: string, given: unknown): void {
  const { name, dims, data } = isRecord(given) ? given : {};
  if (typeof name === 'string' && Array.isArray(dims) && data instanceof Float32Array) return;
  throw new OptionError(
    `${who} takes an activation, not ${said(given)}. Take one from a run: run.at('layers.0.resid').`,
  );
}

/**
 * A table of one activation: columns stage, one index a leading dimension, and `values`, a list of the last dimension. Indices are positions
 * in the model; where the list begins is in the metadata `loupe`, with all dimensions.
 */
export function toArrow(activation: Values): Table {
  checkValues('toArrow', activation);
  const { name, dims, data } = activation;
  const width = dims.length > 0 ? dims[dims.length - 1].size : 1;
  const rows = dims.slice(0, -1).reduce((n, dim) => n * dim.size, 1);
  const columns: Record<string, ReturnType<typeof makeVector> | ReturnType<typeof vectorFromArray>> = {
    stage: vectorFromArray(Array<string>(rows).fill(name), new Utf8()),
  };
  let repeat = rows;
  for (const dim of dims.slice(0, -1)) {
    repeat /= dim.size;
    const every = repeat;
    columns[dim.name] = vectorFromArray(
      Array.from({ length: rows }, (_, i) => dim.from + (Math.floor(i / every) % dim.size)),
      new Int32(),
    );
    if (dim.labels) {
      const { labels } = dim;
      columns[`${dim.name}_text`] = vectorFromArray(
        Array.from({ length: rows }, (_, i) => labels[Math.floor(i / every) % dim.size]),
        new Utf8(),
      );
    }
  }
  const child = makeData({ type: new Float32(), data, length: data.length, nullCount: 0 });
  const list = new FixedSizeList(width, new Field('item', new Float32(), false));
  columns.values = makeVector(makeData({ type: list, child: child as Data<Float32>, length: rows, nullCount: 0 }));
  const table = new Table(columns as never);
  const metadata = new Map([[KEY, JSON.stringify({ name, dims })]]);
  return new Table(new Schema(table.schema.fields, metadata), table.batches);
}

/** The parts of the activation that `toArrow` made a table of. Throws GoldenError, or what `bad` makes of a clause, for other tables. */
export function partsOf(
  table: Table,
  bad: (what: string) => Error = what =>
    new GoldenError(`This Arrow table was not made from an activation: ${what}. Use a table of toArrow().`),
): { name: string; dims: DimSpec[]; data: Float32Array } {
  const note = table?.schema?.metadata?.get?.(KEY);
  if (typeof note !== 'string') throw bad("it has no metadata 'loupe'");
  const { name, dims } = readNote(note, bad);
  // The values of a file are padded to whole words of 8 bytes: how many count, the column says.
  const parts = table
    .getChild('values')
    ?.data.map(({ children }) => children?.[0])
    .map(child => (child?.values instanceof Float32Array ? child.values.subarray(0, child.length) : null));
  if (!parts?.every((part): part is Float32Array => part !== null)) {
    throw bad("it has no column 'values' of lists of 32-bit floats");
  }
  const size = dims.reduce((n, dim) => n * dim.size, 1);
  const length = parts.reduce((n, part) => n + part.length, 0);
  if (size !== length) throw bad(`it has ${length} values for the shape [${dims.map(dim => dim.size)}]`);
  const data = new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return { name, dims, data };
}

/** Name and dimensions of the activation, as `toArrow` wrote them down. */
function readNote(note: string, bad: (what: string) => Error): { name: string; dims: DimSpec[] } {
  let value: unknown;
  try {
    value = parseJson(note);
  } catch {} // the same complaint below
  const { name, dims } = (value ?? {}) as { name?: unknown; dims?: unknown };
  if (typeof name !== 'string' || !Array.isArray(dims)) throw bad("its metadata 'loupe' names no activation");
  for (const dim of dims) {
    const { name: axis, size, labels, from = 0, of = 0 } = (dim ?? {}) as Record<string, unknown>;
    const places = [from, of].every(n => Number.isSafeInteger(n) && (n as number) >= 0);
    const texts =
      labels === undefined ||
      (Array.isArray(labels) && labels.length === size && labels.every(text => typeof text === 'string'));
    if (typeof axis !== 'string' || !Number.isSafeInteger(size) || (size as number) < 0 || !texts || !places) {
      throw bad("its metadata 'loupe' has a dimension without a name, a size or a text for each entry as labels");
    }
  }
  return { name, dims: dims as DimSpec[] };
}

/**
 * Bytes of an Arrow IPC file of several activations, one row a (stage, row): values are lists of the row's own length. `token`, `head` and
 * `query` are positions in the model, null where a stage has no such dimension; `row` is the row's number in the activation uncut, and
 * `first` the position of the first of the values; `dims` says which part of a stage is here, `head=2:4,query=7,key=7`.
 */
export function traceToIpc(activations: readonly Values[], provenance: Readonly<Record<string, string>>): Uint8Array {
  const given: unknown = activations;
  if (!Array.isArray(given))
    throw new OptionError(`traceToIpc takes a list of activations, not ${said(given)}. Take them from a run.`);
  for (const activation of activations) checkValues('traceToIpc', activation);
  const of: unknown = provenance;
  if (
    !isRecord(of) ||
    Array.isArray(of) ||
    attempt(() => Object.values(of).every(text => typeof text === 'string')) !== true
  )
    throw new OptionError(`traceToIpc takes where its numbers come from as { key: text }, not ${said(of)}.`);
  const stages: string[] = [];
  const rows: number[] = [];
  const firsts: number[] = [];
  const shapes: string[] = [];
  const values: Float32Array[] = [];
  const places = LEADING.map((): (number | null)[] => []);
  for (const { name, dims, data } of activations) {
    const lead = dims.slice(0, -1);
    const last = dims.at(-1);
    const width = last?.size ?? 1;
    const shape = dims.map(d => `${d.name}=${isWhole(d) ? d.size : `${d.from}:${d.from + d.size}`}`).join(',');
    for (let row = 0; row * width < data.length; row++) {
      const index = rowIndex(lead, row);
      stages.push(name);
      rows.push(rowNumber(lead, row));
      firsts.push(last?.from ?? 0);
      shapes.push(shape);
      values.push(data.subarray(row * width, (row + 1) * width));
      for (const [i, axis] of LEADING.entries()) {
        places[i].push(index[lead.findIndex(dim => dim.name === axis)] ?? null);
      }
    }
  }
  const table = new Table({
    stage: vectorFromArray(stages, new Utf8()),
    row: vectorFromArray(rows, new Int32()),
    ...Object.fromEntries(LEADING.map((axis, i) => [axis, vectorFromArray(places[i], new Int32())])),
    first: vectorFromArray(firsts, new Int32()),
    dims: vectorFromArray(shapes, new Utf8()),
    values: vectorFromArray(values.map(v => [...v])),
  });
  const schema = new Schema(table.schema.fields, new Map(Object.entries(provenance)));
  return tableToIPC(new Table(schema, table.batches), 'file');
}

export { tableFromIPC, tableToIPC };
