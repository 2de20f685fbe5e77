// Arrays in an Arrow IPC file. Three forms: a row an array, with its name, its shape and its values; a row for each row of an array, as `loupe trace` writes;
// and one activation, as `toArrow` and `save` write.

import { DataType, type Table, tableFromIPC, type Vector } from 'apache-arrow';
import { parseJson } from '../../../engine/json.js';
import { partsOf } from '../arrow.js';
import { checkOwnColumns, dimsOf } from './own-columns.js';

/** One array: its shape, and its values when they are asked for. */
export interface ArrowArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  values(): Float32Array | number[];
}

const MOST_DIMENSIONS = 8;

type Bad = (what: string) => Error;

/** Throws what `bad` makes of a clause, for bytes that are no Arrow file and for tables in another form. */
export function arrowArrays(
  bytes: Uint8Array,
  bad: Bad,
): { readonly metadata: ReadonlyMap<string, string>; readonly arrays: Map<string, ArrowArray> } {
  let table: Table;
  try {
    table = tableFromIPC(bytes);
  } catch (error) {
    const { message } = error as Error;
    if (/compressed/.test(message))
      throw bad("it is compressed, and what is not is read: compression='uncompressed' in pandas, None in pyarrow");
    // The library's own sentences are plain errors; of a file that is cut or changed it trips over what is not there.
    const tripped = error instanceof TypeError || error instanceof RangeError;
    throw bad(tripped ? 'it is cut short or damaged' : `it cannot be read as Arrow (${message.slice(0, 100)})`);
  }
  const { metadata, fields } = table.schema;
  const twice = fields.find(({ name }, i) => fields.findIndex(field => field.name === name) < i);
  if (twice) throw bad(`it has the column '${twice.name.slice(0, 80)}' twice`);
  const column = (...names: string[]) => {
    const found = names.find(name => fields.some(field => field.name === name));
    return found === undefined ? null : table.getChild(found);
  };
  if (metadata.has('loupe')) {
    const { name, dims, data } = partsOf(table, bad);
    const one: ArrowArray = { dtype: 'F32', shape: dims.map(({ size }) => size), values: () => data };
    return { metadata, arrays: new Map([[name, one]]) };
  }
  const names = column('name', 'stage', 'tensor');
  const values = column('values', 'data');
  if (!names || !values)
    throw bad("it has no columns 'name', 'shape' and 'values', a row an array, and is no trace that Loupe wrote");
  if (!holdsNumbers(values.type))
    throw bad(`its column of values is ${String(values.type).slice(0, 80)}, and lists of numbers are read`);
  const shapes = column('shape');
  if (shapes) return { metadata, arrays: rowAnArray(names, shapes, values, bad) };
  // Which rows were there, and that none was changed, the columns of our own traces say. Of slices they are other rows, which nobody compares.
  const isOwn = metadata.has('loupe_trace') || metadata.has('slice');
  if (isOwn && !metadata.has('slice')) checkOwnColumns(names, column, tokensOf(metadata), bad);
  return { metadata, arrays: rowARow(names, isOwn ? null : column('row'), column('dims'), values, bad) };
}

function rowAnArray(names: Vector, shapes: Vector, values: Vector, bad: Bad): Map<string, ArrowArray> {
  const arrays = new Map<string, ArrowArray>();
  for (let row = 0; row < names.length; row++) {
    const name = nameOf(names, row, bad);
    if (arrays.has(name)) throw bad(`it has '${name.slice(0, 80)}' twice`);
    const sizes = shapes.get(row) as Iterable<unknown> | null;
    const shape = Array.from(sizes ?? [null], size => (size === null ? Number.NaN : Number(size)));
    if (shape.length > MOST_DIMENSIONS || !shape.every(size => Number.isSafeInteger(size) && size >= 0))
      throw bad(`the shape of '${name.slice(0, 80)}' is no list of whole numbers`);
    const list = values.get(row) as Vector | null;
    const size = shape.reduce((n, d) => n * d, 1);
    if ((list?.length ?? 0) !== size)
      throw bad(`'${name.slice(0, 80)}' has ${list?.length ?? 0} values for the shape [${shape}]`);
    const dtype = /^(Int|Uint)/.test(String(list?.type)) ? 'I64' : 'F32';
    arrays.set(name, { dtype, shape, values: () => numbersOf(values.get(row) as Vector, dtype, name, bad) });
  }
  return arrays;
}

/** Rows of an array come one after the other, and all are as long. */
function rowARow(
  names: Vector,
  numbers: Vector | null,
  dims: Vector | null,
  values: Vector,
  bad: Bad,
): Map<string, ArrowArray> {
  const rows = new Map<string, number[]>();
  for (let row = 0; row < names.length; row++) {
    const name = nameOf(names, row, bad);
    const own = rows.get(name) ?? [];
    if (numbers && Number(numbers.get(row)) !== own.length)
      throw bad(
        `the rows of '${name.slice(0, 80)}' are not one after the other from 0: a part of it, or it is there twice`,
      );
    own.push(row);
    rows.set(name, own);
  }
  const arrays = new Map<string, ArrowArray>();
  for (const [name, own] of rows) {
    const width = lengthOf(values, own[0]);
    if (own.some(row => lengthOf(values, row) !== width))
      throw bad(`the rows of '${name.slice(0, 80)}' are not of one length`);
    const told = dimsOf(String(dims?.get(own[0]) ?? '')).map(({ from, to }) => to - from);
    const fits = told.reduce((n, d) => n * d, 1) === own.length * width && told.length > 0;
    const shape = fits ? told : [own.length, width];
    const read = () => {
      const out = new Float32Array(own.length * width);
      for (const [i, row] of own.entries()) out.set(numbersOf(values.get(row) as Vector, 'F32', name, bad), i * width);
      return out;
    };
    arrays.set(name, { dtype: 'F32', shape, values: read });
  }
  return arrays;
}

function tokensOf(metadata: ReadonlyMap<string, string>): number | null {
  try {
    const ids: unknown = parseJson(metadata.get('ids') ?? '');
    return Array.isArray(ids) ? ids.length : null;
  } catch {
    return null; // told by who reads the ids
  }
}

/** Lists of anything else would be numbers by JavaScript's rules: the text '1' is 1, and 'a' NaN. */
const holdsNumbers = (type: DataType): boolean => {
  if (!DataType.isList(type) && !DataType.isLargeList(type) && !DataType.isFixedSizeList(type)) return false;
  return DataType.isFloat(type.valueType) || DataType.isInt(type.valueType);
};

const lengthOf = (values: Vector, row: number): number => (values.get(row) as Vector | null)?.length ?? 0;

function nameOf(names: Vector, row: number, bad: Bad): string {
  const name: unknown = names.get(row);
  if (typeof name === 'string' && name !== '') return name;
  throw bad(`its row ${row} has no name`);
}

function numbersOf(list: Vector, dtype: string, name: string, bad: Bad): Float32Array | number[] {
  const read = Array.from(list as Iterable<unknown>, value => (value === null ? Number.NaN : Number(value)));
  if (read.some((value, i) => Number.isNaN(value) && list.get(i) === null))
    throw bad(`'${name.slice(0, 80)}' lacks values that its shape has`);
  return dtype === 'F32' ? Float32Array.from(read) : read;
}
