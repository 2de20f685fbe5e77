// Columns of a Parquet row group as bytes, each by itself, so that one that several files have is encoded once. Flat ones are hyparquet-writer's; lists that are all of one length are our own:
// their levels are known without looking at the values, which then go from memory to the page as they are.

import type { ColumnChunk, Encoding, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writeColumn } from 'hyparquet-writer/src/column.js';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { zstd } from './zstd.js';

/** A column of a table: whole numbers of 32 bits, texts, f64, or lists of one length. */
export type Column =
  | { readonly name: string; readonly type: 'int' | 'text' | 'real'; readonly optional?: boolean }
  | { readonly name: string; readonly type: 'list'; readonly of: 'int' | 'f32' | 'f16'; readonly length: number };

/** Values of a column, row after row; of lists one after the other, of f16 their bits. */
export type ColumnValues = readonly (number | string | null)[] | Int32Array | Float32Array | Uint16Array;

/** A column chunk whose offsets count from its own first byte. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly chunk: ColumnChunk;
}

const PHYSICAL = { int: 'INT32', real: 'DOUBLE', text: 'BYTE_ARRAY' } as const;

/** What a file says of a column. */
export function schemaOf(column: Column): SchemaElement[] {
  if (column.type !== 'list') return [flat(column)];
  const element: SchemaElement =
    column.of === 'f16'
      ? { name: 'element', type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, logical_type: { type: 'FLOAT16' } }
      : { name: 'element', type: column.of === 'int' ? 'INT32' : 'FLOAT' };
  return [
    {
      name: column.name,
      converted_type: 'LIST',
      logical_type: { type: 'LIST' },
      repetition_type: 'REQUIRED',
      num_children: 1,
    },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { ...element, repetition_type: 'REQUIRED' },
  ];
}

const flat = ({ name, type, optional }: Exclude<Column, { type: 'list' }>): SchemaElement => ({
  name,
  type: PHYSICAL[type],
  ...(type === 'text' && { converted_type: 'UTF8', logical_type: { type: 'STRING' } }),
  repetition_type: optional ? 'OPTIONAL' : 'REQUIRED',
});

/** One chunk of the values of all rows. */
export function encode(column: Column, values: ColumnValues): Encoded {
  return column.type === 'list' ? encodeLists(column, values) : encodeFlat(column, values);
}

function encodeFlat(column: Exclude<Column, { type: 'list' }>, values: ColumnValues): Encoded {
  const writer = new ByteWriter();
  const element = flat(column);
  const definitionLevels = column.optional ? Array.from(values, value => (value === null ? 0 : 1)) : [];
  const { chunk } = writeColumn({
    writer,
    column: {
      columnName: column.name,
      element,
      schemaPath: [{ name: 'root' }, element],
      codec: 'ZSTD',
      compressors: { ZSTD: zstd },
      stats: true,
      pageSize: 0,
      columnIndex: false,
      offsetIndex: false,
    },
    pageData: {
      values: values as number[],
      definitionLevels,
      repetitionLevels: [],
      maxDefinitionLevel: column.optional ? 1 : 0,
    },
  });
  return { bytes: writer.getBytes(), chunk };
}

function encodeLists(column: Extract<Column, { type: 'list' }>, values: ColumnValues): Encoded {
  const { of, length } = column;
  const rows = values.length / length;
  const numbers = values as Int32Array | Float32Array | Uint16Array;
  const stored = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  // The bytes of an f32 stand apart, signs and exponents by themselves: that is what there is to compress. Two of f16 are not worth the readers that do not know it.
  const encoding: Encoding = of === 'f32' ? 'BYTE_STREAM_SPLIT' : 'PLAIN';
  const levels = [leveled(repetitions(rows, length)), leveled(run(rows * length, 1))];
  const page = new Uint8Array(levels[0].length + levels[1].length + stored.length);
  page.set(levels[0]);
  page.set(levels[1], levels[0].length);
  const body = page.subarray(levels[0].length + levels[1].length);
  if (of === 'f32') split(stored, body);
  else body.set(stored);
  const packed = zstd(page);
  const writer = new ByteWriter();
  writePageHeader(writer, {
    type: 'DATA_PAGE',
    uncompressed_page_size: page.length,
    compressed_page_size: packed.length,
    data_page_header: {
      num_values: values.length,
      encoding,
      definition_level_encoding: 'RLE',
      repetition_level_encoding: 'RLE',
    },
  });
  const header = writer.offset;
  writer.appendBytes(packed);
  const element = schemaOf(column)[2];
  return {
    bytes: writer.getBytes(),
    chunk: {
      file_offset: 0n,
      meta_data: {
        type: element.type!,
        encodings: ['RLE', encoding],
        path_in_schema: [column.name, 'list', 'element'],
        codec: 'ZSTD',
        num_values: BigInt(values.length),
        total_uncompressed_size: BigInt(header + page.length),
        total_compressed_size: BigInt(writer.offset),
        data_page_offset: 0n,
      },
    },
  };
}

/** Levels with their length in front, as a page of version 1 has them. */
function leveled(runs: readonly number[]): Uint8Array {
  const out = new Uint8Array(4 + runs.length);
  new DataView(out.buffer).setUint32(0, runs.length, true);
  out.set(runs, 4);
  return out;
}

/** `count` times one level, as RLE has it. */
function run(count: number, level: number): number[] {
  const out: number[] = [];
  let rest = count * 2;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest, level);
  return out;
}

/** 0 where a list begins, 1 within it. */
function repetitions(rows: number, length: number): number[] {
  if (length === 1) return run(rows, 0);
  const one = [...run(1, 0), ...run(length - 1, 1)];
  const out = new Array<number>(rows * one.length);
  for (let row = 0, at = 0; row < rows; row++) for (const byte of one) out[at++] = byte;
  return out;
}

function split(from: Uint8Array, to: Uint8Array): void {
  const n = from.length / 4;
  for (let i = 0, at = 0; i < n; i++, at += 4) {
    to[i] = from[at];
    to[n + i] = from[at + 1];
    to[2 * n + i] = from[at + 2];
    to[3 * n + i] = from[at + 3];
  }
}
