// Arrow of other programs, and of Loupe: which columns are arrays, and every way in which rows may not be those of whole stages.

import { gunzipSync } from 'node:zlib';
import {
  type DataType,
  Dictionary,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  Schema,
  Table,
  tableFromIPC,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { Activation } from '../../lab/values/activation.js';
import { toArrow, traceToIpc } from '../../lab/values/arrow.js';
import { arrowArrays } from '../../lab/values/arrays/arrow-rows.js';

const bad = (what: string) => new Error(what);
const own = (bytes: ArrayLike<number>) => Uint8Array.from(bytes);
const floats = (...values: readonly number[]) => Float32Array.from(values);

describe('Arrow', () => {
  type Columns = Readonly<Record<string, Vector>>;
  const listOf = <T extends DataType>(type: T) => new List(new Field('item', type, true));
  const read = (columns: Columns, metadata?: Readonly<Record<string, string>>) => {
    const table = new Table(columns as never);
    const schema = new Schema(table.schema.fields, new Map(Object.entries(metadata ?? {})));
    return arrowArrays(tableToIPC(new Table(schema, table.batches), 'file'), bad);
  };
  const found = (columns: Columns) =>
    [...read(columns).arrays].map(([name, { dtype, shape, values }]) => [name, dtype, shape, [...values()]]);
  const text = (...values: (string | null)[]) => vectorFromArray(values, new Utf8());
  const lists = (values: readonly unknown[], type: DataType = new Float32()) =>
    vectorFromArray(values as never[], listOf(type) as never) as unknown as Vector;
  const shapes = (...values: (readonly (number | null)[] | null)[]) => lists(values, new Int32());

  test('a row an array, by any of its names, with a column of shapes', () => {
    for (const name of ['name', 'stage', 'tensor'])
      for (const values of ['values', 'data'])
        expect(
          found({
            [name]: text('a', 'b', 'c'),
            shape: shapes([1, 2], [], [0, 3]),
            [values]: lists([[1, 2.5], [3], []]),
          }),
        ).toEqual([
          ['a', 'F32', [1, 2], [1, 2.5]],
          ['b', 'F32', [], [3]],
          ['c', 'F32', [0, 3], []],
        ]);
    const ids = { name: text('ids'), shape: shapes([2]), values: lists([[2n, 300n]], new Int64()) };
    expect(found(ids)).toEqual([['ids', 'I64', [2], [2, 300]]]);
    expect(read(ids).metadata.size).toBe(0);
    const fixed = vectorFromArray(
      [[1, 2]] as never[],
      new FixedSizeList(2, new Field('item', new Float64(), true)) as never,
    );
    expect(found({ name: text('a'), shape: shapes([2]), values: fixed })).toEqual([['a', 'F32', [2], [1, 2]]]);
    const dictionary = vectorFromArray(['a'], new Dictionary(new Utf8(), new Int32()));
    expect(found({ name: dictionary as never, shape: shapes([1]), values: lists([[1]]) })).toEqual([
      ['a', 'F32', [1], [1]],
    ]);
  });

  const LONG = 'n'.repeat(90);
  const CUT = 'n'.repeat(80);
  test.each<[string, Columns, string]>([
    [
      'a name twice',
      { name: text(LONG, LONG), shape: shapes([1], [1]), values: lists([[1], [1]]) },
      `it has '${CUT}' twice`,
    ],
    ['no name', { name: text('a', null), shape: shapes([1], [1]), values: lists([[1], [1]]) }, 'its row 1 has no name'],
    ['an empty name', { name: text(''), shape: shapes([1]), values: lists([[1]]) }, 'its row 0 has no name'],
    [
      'names that are numbers',
      { name: vectorFromArray([1], new Int32()), shape: shapes([1]), values: lists([[1]]) },
      'its row 0 has no name',
    ],
    [
      'a size below 0',
      { name: text(LONG), shape: shapes([-1]), values: lists([[]]) },
      `the shape of '${CUT}' is no list of whole numbers`,
    ],
    [
      'a size that is a half',
      { name: text('a'), shape: lists([[0.5]]), values: lists([[]]) },
      "the shape of 'a' is no list of whole numbers",
    ],
    [
      'a size that is not there',
      { name: text('a'), shape: shapes([null, 2]), values: lists([[]]) },
      "the shape of 'a' is no list of whole numbers",
    ],
    [
      'no shape in a column of them',
      { name: text('a', 'b'), shape: shapes([1], null), values: lists([[1], [1]]) },
      "the shape of 'b' is no list of whole numbers",
    ],
    [
      'nine dimensions',
      { name: text('a'), shape: shapes([1, 1, 1, 1, 1, 1, 1, 1, 1]), values: lists([[1]]) },
      "the shape of 'a' is no list of whole numbers",
    ],
    [
      'too few values',
      { name: text(LONG), shape: shapes([2, 2]), values: lists([[1, 2, 3]]) },
      `'${CUT}' has 3 values for the shape [2,2]`,
    ],
    [
      'no values',
      { name: text('a', 'b'), shape: shapes([1], [1]), values: lists([[1], null]) },
      "'b' has 0 values for the shape [1]",
    ],
    [
      'no column of names',
      { nam: text('a'), values: lists([[1]]) },
      "it has no columns 'name', 'shape' and 'values', a row an array, and is no trace that Loupe wrote",
    ],
    [
      'no column of values',
      { name: text('a') },
      "it has no columns 'name', 'shape' and 'values', a row an array, and is no trace that Loupe wrote",
    ],
    [
      'rows of two lengths',
      { name: text(LONG, LONG), values: lists([[1, 2], [1]]) },
      `the rows of '${CUT}' are not of one length`,
    ],
    [
      'a row that begins late',
      { name: text(LONG), row: vectorFromArray([1], new Int32()), values: lists([[1]]) },
      `the rows of '${CUT}' are not one after the other from 0: a part of it, or it is there twice`,
    ],
  ])('refuses %s', (_, columns, what) => expect(() => read(columns)).toThrow(new Error(what)));

  test('eight dimensions are the most', () => {
    expect(found({ name: text('a'), shape: shapes([1, 1, 1, 1, 1, 1, 1, 1]), values: lists([[5]]) })[0][3]).toEqual([
      5,
    ]);
  });

  test('values that are missing, or no numbers, are told when they are read', () => {
    const lacks = read({ name: text(LONG), shape: shapes([2]), values: lists([[1, null]]) });
    expect(() => lacks.arrays.get(LONG)!.values()).toThrow(new Error(`'${CUT}' lacks values that its shape has`));
    expect(found({ name: text('a'), shape: shapes([2]), values: lists([[Number.NaN, 1]]) })[0][3]).toEqual([
      Number.NaN,
      1,
    ]);
    for (const columns of [
      { name: text(LONG), shape: shapes([1]), values: lists([['1']], new Utf8()) },
      { name: text(LONG), values: lists([['1']], new Utf8()) },
      { name: text(LONG), values: text('1') },
      { name: text(LONG), shape: shapes([1]), values: text('1') },
      { name: text(LONG), shape: shapes([1]), values: vectorFromArray([1], new Float32()) },
    ] as Columns[])
      expect(() => read(columns)).toThrow(/^its column of values is .+, and lists of numbers are read$/);
  });

  test('a row for each row of an array, with the sizes that `dims` says where they fit', () => {
    const rows = { stage: text('a', 'b', 'a'), values: lists([[1, 2], [9], [3, 4]]) };
    expect(found(rows)).toEqual([
      ['a', 'F32', [2, 2], [1, 2, 3, 4]],
      ['b', 'F32', [1, 1], [9]],
    ]);
    const row = vectorFromArray([0, 0, 1], new Int32());
    expect(found({ ...rows, row })).toEqual(found(rows));
    const sized = (dims: string) => found({ ...rows, dims: text(dims, 'dim=1', dims) }).map(([, , shape]) => shape);
    expect(sized('head=2,token=1,dim=2')).toEqual([[2, 1, 2], [1]]);
    expect(sized('token=4')).toEqual([[4], [1]]);
    expect(sized('token=5,dim=2')).toEqual([[2, 2], [1]]);
    expect(sized('')).toEqual([[2, 2], [1]]);
  });

  test('compressed, as pyarrow and pandas write feather when nothing is said', () => {
    const lz4 = gunzipSync(
      Buffer.from(
        'H4sIAAAAAAACA+1UvU4CQRD+9jiOi27MFRQUJBKiD2BCYefR2RgTGlvOcAkmYEhQ64sVpQ/gA/Ao9wgWvgt+uzucsAHU3klmZ2bn2/nbvesPBrd3F8CKdKmABIaOoBGhjpgaSYW0QSvmGsoK1Mif5JHYKWMQrJvU27LHkDB2RH7JJs/5HOgRN3HYWrKBhciHp3xqTsTkyO4qvB+IXSfPx9ksp3wjrnTYwMTu7IxtetHkhu3FhEphem/anA3bbSKzUPVdNT5m09zpobXN/MbK1WNIoyUT1DYaaqGNUeKbNHcSO0+H+ZA8TekNVT6X4xj76VRkR2RbZOrhUg8/9Pxr+1zkwvMvvPNLz7/0/JD7UR7Ot4M/+uP1bLo3rWH6SrNYp8KmIn6aRT69z0c/nK/SJNv+E6pdxaqK4Fd1BAf9xVV1Eyv7Vl0+zZuP7GtI3Jvhrfe4nm2892sZzExkuVXL//e57/scspi+/dd9AdNPGynyBAAA',
        'base64',
      ),
    ); // pyarrow's IpcWriteOptions(compression='lz4')
    expect(() => arrowArrays(lz4, bad)).toThrow(
      /^it is compressed, and what is not is read: compression='uncompressed' in pandas, None in pyarrow$/,
    );
  });

  test('bytes that are no Arrow: what the library says of them, cut off, and not what it trips over', () => {
    const told = /^it (cannot be read as Arrow \(.{1,100}\)|is cut short or damaged|has no columns .*)$/;
    expect(() => arrowArrays(own([1, 2, 3]), bad)).toThrow(told);
    expect(() => arrowArrays(new Uint8Array([...Buffer.from('ARROW1\0\0'), ...Array(64).fill(255)]), bad)).toThrow(
      told,
    );
  });

  describe('of Loupe’s own', () => {
    const pattern = new Activation(
      'layers.0.attn.pattern',
      [
        { name: 'head', size: 2 },
        { name: 'query', size: 3 },
        { name: 'key', size: 3 },
      ],
      Float32Array.from({ length: 18 }, (_, i) => i),
    );
    const last = new Activation(
      'logits',
      [
        { name: 'token', size: 1, from: 2, of: 3 },
        { name: 'vocab', size: 2 },
      ],
      floats(7, 8),
    );
    const own = { loupe_trace: '1', ids: '[2,3,4]' };
    const saved = traceToIpc([pattern, last], own);
    const changed = (
      change: (columns: Record<string, Vector>) => void,
      metadata: Readonly<Record<string, string>> = own,
    ) => {
      const table = tableFromIPC(saved);
      const columns = Object.fromEntries(table.schema.fields.map(({ name }) => [name, table.getChild(name)!]));
      change(columns);
      return () => read(columns, metadata);
    };
    const set = (columns: Record<string, Vector>, name: string, row: number, value: unknown) => {
      const values = [...columns[name]];
      values[row] = value;
      columns[name] = vectorFromArray(values as never, columns[name].type);
    };

    test('whole stages, and the last token’s', () => {
      const { arrays } = arrowArrays(saved, bad);
      expect([...arrays].map(([name, { dtype, shape, values }]) => [name, dtype, shape, [...values()]])).toEqual([
        ['layers.0.attn.pattern', 'F32', [2, 3, 3], [...pattern.data]],
        ['logits', 'F32', [1, 2], [7, 8]],
      ]);
      const unknown = traceToIpc([pattern, last], { loupe_trace: '1' });
      expect(arrowArrays(unknown, bad).arrays.size).toBe(2);
      expect(arrowArrays(traceToIpc([last], { loupe_trace: '1', ids: 'none' }), bad).arrays.size).toBe(1);
    });

    test.each<[string, number, unknown, string]>([
      [
        'row',
        4,
        5,
        "the rows of 'layers.0.attn.pattern' are not one after the other: some are missing, in another order, or there twice",
      ],
      ['head', 4, 0, "row 4 of 'layers.0.attn.pattern' says head 0, where it is 1"],
      ['query', 4, 2, "row 4 of 'layers.0.attn.pattern' says query 2, where it is 1"],
      ['token', 4, 1, "row 4 of 'layers.0.attn.pattern' says token 1, where it is null"],
      ['token', 6, 1, "row 0 of 'logits' says token 1, where it is 2"],
      ['head', 6, 0, "row 0 of 'logits' says head 0, where it is null"],
      ['first', 6, 1, "row 0 of 'logits' says first 1, where it is 0"],
      ['dims', 6, 'token=1:2,vocab=2', "'logits' is a part of its stage, token=1:2,vocab=2"],
      ['dims', 0, 'head=1:2,query=3,key=3', "'layers.0.attn.pattern' is a part of its stage, head=1:2,query=3,key=3"],
      [
        'dims',
        5,
        'head=1,query=3,key=3',
        "the rows of 'layers.0.attn.pattern' are not one after the other: some are missing, in another order, or there twice",
      ],
    ])('%s of row %i is %j', (name, row, value, said) => {
      expect(changed(columns => set(columns, name, row, value))).toThrow(new Error(said));
    });

    test('its last rows left out', () => {
      const less = (rows: number) =>
        changed(columns => {
          for (const [name, column] of Object.entries(columns)) columns[name] = column.slice(0, rows);
        });
      expect(less(4)).toThrow(
        new Error("it has 4 of the 6 rows of 'layers.0.attn.pattern', and a part is not compared"),
      );
      expect(less(6)().arrays.size).toBe(1); // the other stage is not there at all
    });

    test.each(['row', 'dims', 'first', 'token', 'head', 'query'])('without the column %s', name => {
      expect(changed(columns => delete columns[name])).toThrow(
        new Error(`it lacks the column '${name}' that a trace of Loupe has`),
      );
    });

    test('a slice is other rows, which nobody compares; what is not ours has no such columns', () => {
      const odd = (columns: Record<string, Vector>) => set(columns, 'row', 0, 9);
      expect(changed(odd, { ...own, slice: '{}' })().arrays.size).toBe(2);
      expect(changed(odd, { slice: '{}' })().arrays.size).toBe(2);
      expect(changed(odd, {})).toThrow(/not one after the other from 0/);
      expect(changed(columns => delete columns.first, {})).toThrow(/'logits' are not one after the other from 0/);
    });

    test('the last two of fourteen tokens, and a row behind them', () => {
      const ends = new Activation(
        'layers.0.resid',
        [
          { name: 'token', size: 2, from: 12, of: 14 },
          { name: 'dim', size: 2 },
        ],
        floats(1, 2, 3, 4),
      );
      const ids = JSON.stringify(Array.from({ length: 14 }, (_, i) => i));
      const whole = traceToIpc([ends], { loupe_trace: '1', ids });
      const [[, { shape, values }]] = arrowArrays(whole, bad).arrays;
      expect([shape, [...values()]]).toEqual([
        [2, 2],
        [1, 2, 3, 4],
      ]);
      const { fields } = tableFromIPC(whole).schema;
      const rows = (which: readonly number[], columns: Readonly<Record<string, readonly unknown[]>> = {}) =>
        Object.fromEntries(
          fields.map(({ name, type }) => {
            const column = tableFromIPC(whole).getChild(name)!;
            return [name, vectorFromArray((columns[name] ?? which.map(row => column.get(row))) as never, type)];
          }),
        ) as Columns;
      const metadata = { loupe_trace: '1', ids };
      expect(() => read(rows([0, 1, 1], { row: [0, 1, 2], token: [12, 13, 12] }), metadata)).toThrow(
        new Error(
          "the rows of 'layers.0.resid' are not one after the other: some are missing, in another order, or there twice",
        ),
      );
      expect(() => read(rows([0, 1], { token: [12, 14] }), metadata)).toThrow(
        new Error("row 1 of 'layers.0.resid' says token 14, where it is 13"),
      );
    });

    test('one activation', () => {
      const [[name, { dtype, shape, values }], ...more] = arrowArrays(tableToIPC(toArrow(pattern), 'file'), bad).arrays;
      expect([name, dtype, shape, values(), more]).toEqual([pattern.name, 'F32', [2, 3, 3], pattern.data, []]);
      expect(() => read({ values: text('x') }, { loupe: '99' })).toThrow(
        new Error("its metadata 'loupe' names no activation"),
      );
    });

    test('a column twice, a file cut short, and what the library says itself', () => {
      const long = 'x'.repeat(90);
      const bytes = tableToIPC(
        new Table({ name: text('a'), [`${long}1`]: text('a'), [`${long}2`]: text('b') } as never),
        'file',
      );
      const twice = Buffer.from(bytes);
      for (let at = twice.indexOf(`${long}2`); at >= 0; at = twice.indexOf(`${long}2`)) twice.write(`${long}1`, at);
      expect(() => arrowArrays(twice, bad)).toThrow(new Error(`it has the column '${'x'.repeat(80)}' twice`));
      expect(() => arrowArrays(saved.subarray(0, 40), bad)).toThrow(new Error('it is cut short or damaged'));
      expect(() => arrowArrays(saved.subarray(0, saved.length >> 1), bad)).toThrow(
        /^it (is cut short or damaged|cannot be read as Arrow \(.{1,100}\))$/,
      );
    });
  });
});
