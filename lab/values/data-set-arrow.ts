// A data set as an Arrow IPC file, a record batch at a time, and as a table in memory.

import {
  Field,
  Float32,
  Int32,
  List,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  Table,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import type { Rows, RowWriter } from './data-set.js';
import type { Writing } from './write-file.js';

const list = <T extends Int32 | Float32>(type: T) => new List(new Field('item', type, false));

const FIELDS = [
  new Field('prompt', new Int32(), false),
  new Field('token', new Int32(), false),
  new Field('id', new Int32(), false),
  new Field('text', new Utf8(), false),
  new Field('stage', new Utf8(), false),
  new Field('dims', new Utf8(), false),
  new Field('shape', list(new Int32()), false),
  new Field('values', list(new Float32()), false),
];

const schemaWith = (metadata: Readonly<Record<string, string>>): Schema =>
  new Schema(FIELDS, new Map(Object.entries(metadata)));

function batchOf(schema: Schema, rows: Rows): RecordBatch {
  const length = rows.prompt.length;
  const ints = (values: readonly number[]) =>
    makeData({ type: new Int32(), data: Int32Array.from(values), length: values.length, nullCount: 0 });
  const texts = (values: readonly string[]) => vectorFromArray([...values], new Utf8()).data[0];
  const offsets = (lists: readonly ArrayLike<number>[]) => {
    const out = new Int32Array(length + 1);
    for (let i = 0; i < length; i++) out[i + 1] = out[i] + lists[i].length;
    return out;
  };
  const valueOffsets = offsets(rows.values);
  const values = new Float32Array(valueOffsets[length]);
  for (let i = 0; i < length; i++) values.set(rows.values[i], valueOffsets[i]);
  const floats = makeData({ type: new Float32(), data: values, length: values.length, nullCount: 0 });
  const children = [
    ints(rows.prompt),
    ints(rows.token),
    ints(rows.id),
    texts(rows.text),
    texts(rows.stage),
    texts(rows.dims),
    makeData({
      type: list(new Int32()),
      length,
      nullCount: 0,
      valueOffsets: offsets(rows.shape),
      child: ints(rows.shape.flat()),
    }),
    makeData({ type: list(new Float32()), length, nullCount: 0, valueOffsets, child: floats }),
  ];
  return new RecordBatch(schema, makeData({ type: new Struct(FIELDS), length, nullCount: 0, children }));
}

export function tableOf(rows: Rows, metadata: Readonly<Record<string, string>>): Table {
  const schema = schemaWith(metadata);
  return new Table(schema, [batchOf(schema, rows)]);
}

export function arrowRows(file: Writing, metadata: Readonly<Record<string, string>>): RowWriter {
  const schema = schemaWith(metadata);
  const writer = new RecordBatchFileWriter({ autoDestroy: false });
  writer.reset(undefined, schema);
  // The library's writer puts its bytes into a queue: they are taken out as they come.
  const bytes = writer[Symbol.asyncIterator]();
  let failed: unknown;
  const written = (async () => {
    for (let next = await bytes.next(); !next.done; next = await bytes.next()) file.write(next.value as Uint8Array);
  })().catch(error => {
    failed = error;
  });
  return {
    async write(rows) {
      writer.write(batchOf(schema, rows));
      await new Promise(setImmediate);
      if (failed) throw failed;
    },
    async finish() {
      writer.finish();
      writer.close();
      await written;
      if (failed) throw failed;
    },
  };
}
