// What DuckDB read, as an Arrow table.

import type { DuckDBResultReader } from '@duckdb/node-api';
import {
  Bool,
  type DataType,
  Field,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  Schema,
  Table,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { OptionError } from '../../engine/errors.js';

const TYPES: Readonly<Record<string, () => DataType>> = {
  BOOLEAN: () => new Bool(),
  INTEGER: () => new Int32(),
  BIGINT: () => new Int64(),
  // A sum of whole numbers is one of 128 bits.
  HUGEINT: () => new Float64(),
  FLOAT: () => new Float32(),
  DOUBLE: () => new Float64(),
  VARCHAR: () => new Utf8(),
};

/** Throws OptionError for a column of another type. */
export function arrowOf(reader: DuckDBResultReader): Table {
  const names = reader.deduplicatedColumnNames();
  const types = reader.columnTypes().map((type, i) => typeOf(names[i], String(type)));
  const columns = reader.getColumnsJS();
  const vectors = names.map((name, i) => {
    const values = columns[i] ?? [];
    const given =
      types[i] instanceof Float64 ? values.map(value => (typeof value === 'bigint' ? Number(value) : value)) : values;
    return [name, vectorFromArray(given as never[], types[i])] as const;
  });
  if (columns.length === 0) return new Table(new Schema(names.map((name, i) => new Field(name, types[i], true))));
  return new Table(Object.fromEntries(vectors));
}

function typeOf(name: string, type: string): DataType {
  const list = /^(\w+)\[\d*\]$/.exec(type);
  if (list) return new List(new Field('item', typeOf(name, list[1]), true));
  const made = TYPES[type];
  if (made) return made();
  throw new OptionError(
    `Column '${name}' is ${type}, which becomes no Arrow column here. Cast it: ${name}::varchar, ::double or ::integer.`,
  );
}
