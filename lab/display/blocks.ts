// Grids larger than a picture has points: blocks of them, of which the largest magnitude is shown, and where it stands.

export interface Blocks<T extends Float32Array | Float64Array = Float32Array> {
  /** The value of largest magnitude in each block; NaN where a block holds nothing but NaN. */
  readonly z: T;
  readonly rows: number;
  readonly columns: number;
  /** Rows and columns of a block; 1 and 1: nothing is pooled. */
  readonly byRows: number;
  readonly byColumns: number;
  /** Where each value stands in what was given: row × columns + column. */
  readonly at: Int32Array;
}

/** Entries in a block, so that there are at most `most` blocks. */
export const blockSize = (entries: number, most: number): number => Math.max(1, Math.ceil(entries / most));

export function blocksOf<T extends Float32Array | Float64Array>(
  values: T,
  rows: number,
  columns: number,
  byRows: number,
  byColumns: number,
): Blocks<T> {
  const [r, c] = [Math.ceil(rows / byRows), Math.ceil(columns / byColumns)];
  const z = new (values.constructor as new (length: number) => T)(r * c);
  z.fill(Number.NaN);
  const at = new Int32Array(r * c);
  for (let i = 0; i < rows; i++) {
    const block = Math.floor(i / byRows) * c;
    for (let j = 0; j < columns; j++) {
      const value = values[i * columns + j];
      const k = block + Math.floor(j / byColumns);
      if (!(Math.abs(value) <= Math.abs(z[k])) && !Number.isNaN(value)) {
        z[k] = value;
        at[k] = i * columns + j;
      }
    }
  }
  return { z, rows: r, columns: c, byRows, byColumns, at };
}

/** Names of which many are called otherwise than with an s. */
const MANY: Readonly<Record<string, string>> = { query: 'queries', vocab: 'ids' };

/** `3 tokens × 2 channels a cell, the largest |x| of each`, or nothing where nothing is pooled. */
export function poolText(
  { byRows, byColumns }: Pick<Blocks, 'byRows' | 'byColumns'>,
  row: string,
  column: string,
): string {
  if (byRows === 1 && byColumns === 1) return '';
  const count = (n: number, name: string) => `${n} ${n === 1 ? name : (MANY[name] ?? `${name}s`)}`;
  return `a cell is ${count(byRows, row)} × ${count(byColumns, column)}, the largest |x| of them`;
}
