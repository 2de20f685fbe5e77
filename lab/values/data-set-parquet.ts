// A data set as a Parquet file, a row group at a time.

import { gzipSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { RowWriter } from './data-set.js';
import type { Writing } from './write-file.js';

const int = (name: string): SchemaElement => ({ name, type: 'INT32', repetition_type: 'REQUIRED' });
const text = (name: string): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: 'REQUIRED',
});
const list = (name: string, type: 'INT32' | 'FLOAT'): SchemaElement[] => [
  { name, converted_type: 'LIST', repetition_type: 'REQUIRED', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type, repetition_type: 'REQUIRED' },
];

const SCHEMA: SchemaElement[] = [
  { name: 'root', num_children: 8 },
  int('prompt'),
  int('token'),
  int('id'),
  text('text'),
  text('stage'),
  text('dims'),
  ...list('shape', 'INT32'),
  ...list('values', 'FLOAT'),
];

export function parquetRows(file: Writing, metadata: Readonly<Record<string, string>>): RowWriter {
  const bytes = new ByteWriter();
  const take = () => {
    file.write(bytes.getBytes());
    bytes.index = 0;
  };
  const parquet = new ParquetWriter({
    writer: bytes,
    schema: SCHEMA,
    codec: 'GZIP',
    compressors: { GZIP: input => gzipSync(input, { level: 1 }) },
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    createdBy: 'gemma-loupe',
  });
  return {
    write({ prompt, token, id, text, stage, dims, shape, values }) {
      parquet.write({
        columnData: [
          { name: 'prompt', data: Int32Array.from(prompt) },
          { name: 'token', data: Int32Array.from(token) },
          { name: 'id', data: Int32Array.from(id) },
          { name: 'text', data: text },
          { name: 'stage', data: stage },
          { name: 'dims', data: dims },
          { name: 'shape', data: [...shape] },
          // The bytes of a value stand apart, which is what makes floats smaller.
          {
            name: 'values',
            data: values.map(list => Array.from(list)),
            encoding: 'BYTE_STREAM_SPLIT',
            statistics: false,
          },
        ],
        rowGroupSize: prompt.length,
      });
      take();
    },
    finish() {
      parquet.finish();
      take();
    },
  };
}
