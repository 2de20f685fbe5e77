// Arrays of other programs to the byte: every type and order of bytes, every bound of .npy met exactly and missed by one, and which form a file has. What is right,
// numpy 2 says of the same bytes. ZIP: zip-bytes.test.ts; Arrow: arrow-bytes.test.ts.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DataType,
  Field,
  Float32,
  Float64,
  Int32,
  List,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { isReal, isWholeType, swapped, toF32, toWhole } from '../../lab/values/arrays/numbers.js';
import { inOrder, MOST_HEADER, readNpyHeader } from '../../lab/values/arrays/npy.js';
import { openArrays } from '../../lab/values/arrays/open.js';
import { npy, zip } from '../fixtures/array-files.js';
import { freshFolder } from '../fixtures/folder.js';

const bad = (what: string) => new Error(what);
const folder = freshFolder();
let made = 0;
function file(bytes: Uint8Array, name: string): string {
  const path = join(folder, `${made++}-${name}`);
  writeFileSync(path, bytes);
  return path;
}
const own = (bytes: ArrayLike<number>) => Uint8Array.from(bytes);
const floats = (...values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe('numbers', () => {
  // numpy.frombuffer(bytes, dtype).tolist()
  test.each([
    ['I64', [255, 255, 255, 255, 255, 255, 255, 255, 2, 1, 0, 0, 0, 0, 0, 0], [-1, 258]],
    ['U64', [255, 255, 255, 255, 255, 255, 255, 255, 2, 1, 0, 0, 0, 0, 0, 0], [Number.NaN, 258]],
    ['I64', [0, 0, 0, 0, 0, 0, 32, 0, 255, 255, 255, 255, 255, 255, 31, 0], [Number.NaN, 2 ** 53 - 1]],
    ['I32', [254, 255, 255, 255, 1, 2, 3, 4], [-2, 67305985]],
    ['U32', [254, 255, 255, 255], [4294967294]],
    ['I16', [254, 255, 1, 2], [-2, 513]],
    ['U16', [254, 255], [65534]],
    ['I8', [254, 7], [-2, 7]],
    ['U8', [254, 7], [254, 7]],
    ['BOOL', [0, 1, 2], [0, 1, 1]], // numpy: what is not 0 is true
  ])('%s as whole numbers', (dtype, bytes, values) => expect(toWhole(own(bytes), dtype)).toEqual(values));

  test('as f32, from where the bytes begin', () => {
    const part = (...bytes: number[]) => new Uint8Array(own([9, 9, 9, 9, 9, 9, 9, 9, ...bytes]).buffer, 8);
    expect([...toF32(part(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0), 'F32')]).toEqual([1, -2]);
    expect([...toF32(part(0, 0, 0, 0, 0, 0, 0xf0, 0x3f), 'F64')]).toEqual([1]);
    expect([...toF32(part(0, 0x3c, 0, 0xc0), 'F16')]).toEqual([1, -2]);
    expect([...toF32(part(0x80, 0x3f, 0, 0xc0), 'BF16')]).toEqual([1, -2]);
  });

  test('which types are real, which whole, and neither', () => {
    const types = ['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'I64', 'U8', 'BOOL', 'C64', 'xF32', 'xI8', 'BOOLS', 'f16'];
    expect(types.filter(isReal)).toEqual(['F64', 'F32', 'F16', 'BF16', 'F8_E4M3']);
    expect(types.filter(isWholeType)).toEqual(['I64', 'U8', 'BOOL']);
  });

  test('bytes the other way round', () => {
    expect([...swapped(own([1, 2, 3, 4]), 1)]).toEqual([1, 2, 3, 4]);
    expect([...swapped(own([1, 2, 3, 4]), 2)]).toEqual([2, 1, 4, 3]);
    expect([...swapped(own([1, 2, 3, 4]), 4)]).toEqual([4, 3, 2, 1]);
  });
});

describe('.npy', () => {
  const headed = (header: string, data: Uint8Array = own([]), version = 1) => {
    const bytes = npy('<f4', [], data, { version });
    const from = version === 1 ? 10 : 12;
    const start = bytes.subarray(0, from);
    if (version === 1) start.writeUInt16LE(header.length, 8);
    else start.writeUInt32LE(header.length, 8);
    return Buffer.concat([start, Buffer.from(header, 'latin1'), data]);
  };
  const read = (bytes: Uint8Array, size = bytes.length) => readNpyHeader(bytes, size, bad);
  const dict = (descr: string, shape: string, order = 'False') =>
    `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}}`;

  test.each([
    ["'<f8'", 'F64', 8],
    ["'<f4'", 'F32', 4],
    ["'=f4'", 'F32', 4],
    ["'|f4'", 'F32', 4],
    ["'f4'", 'F32', 4],
    ["'<f2'", 'F16', 2],
    ["'<i8'", 'I64', 8],
    ["'<u8'", 'U64', 8],
    ["'<i4'", 'I32', 4],
    ["'<u4'", 'U32', 4],
    ["'<i2'", 'I16', 2],
    ["'<u2'", 'U16', 2],
    ["'|i1'", 'I8', 1],
    ["'|u1'", 'U8', 1],
    ["'|b1'", 'BOOL', 1],
    ["'|V2'", 'BF16', 2],
  ])('%s is %s', (descr, dtype, each) => {
    const bytes = headed(dict(descr, '(1, 3)'), new Uint8Array(3 * each));
    expect(read(bytes)).toEqual({
      dtype,
      shape: [1, 3],
      bytes: 3 * each,
      start: bytes.length - 3 * each,
      fortran: false,
      bigEndian: false,
    });
  });

  test.each([
    ['()', [], 1],
    ['( )', [], 1],
    ['(0, 5)', [0, 5], 0],
    ['(2L,)', [2], 2], // Python 2
    ['(2 , )', [2], 2],
    [`(${'1, '.repeat(32)})`, Array(32).fill(1), 1],
  ])('the shape %s', (shape, dims, values) => {
    const { shape: found, bytes } = read(headed(dict("'>f4'", shape, 'True'), new Uint8Array(values * 4)));
    expect([found, bytes]).toEqual([dims, values * 4]);
  });

  test('blanks, and the order of the keys, are as Python takes them', () => {
    const odd = "{'shape' :\t(2,), 'fortran_order'  : True , 'descr' :  '>f4' , }\n";
    expect(read(headed(odd, new Uint8Array(8)))).toMatchObject({
      dtype: 'F32',
      shape: [2],
      fortran: true,
      bigEndian: true,
    });
  });

  test('versions 2 and 3 have a longer length', () => {
    for (const version of [2, 3])
      expect(read(headed(dict("'<f4'", '(1,)'), new Uint8Array(4), version))).toMatchObject({ shape: [1], bytes: 4 });
  });

  const good = headed(dict("'<f4'", '(1,)'), floats(7));
  const changed = (at: number, byte: number) => {
    const bytes = Buffer.from(good);
    bytes[at] = byte;
    return bytes;
  };
  const wide = headed(dict("'<f4'", '(1,)'), floats(7), 2);
  test.each([
    ['its first byte', changed(0, 0x92), /^it does not begin as a \.npy does, with \\x93NUMPY$/],
    ['its sixth', changed(5, 0x58), /^it does not begin as a \.npy does/],
    ['nine bytes', good.subarray(0, 9), /^it does not begin as a \.npy does/],
    ['no byte', good.subarray(0, 0), /^it does not begin as a \.npy does/],
    ['version 0', changed(6, 0), /^it is of version 0\.0, and 1 to 3 are read$/],
    ['version 4', changed(6, 4), /^it is of version 4\.0/],
    ['11 bytes of version 2', wide.subarray(0, 11), /^it ends in its header$/],
    ['all but a byte of the header', good.subarray(0, good.length - 5), /^it ends in its header$/],
    [
      'a header over the bound',
      headed(' '.repeat(MOST_HEADER + 1), own([]), 2),
      /^its header claims 65537 bytes, and at most 65536 are read$/,
    ],
    [
      'no descr',
      headed("{'fortran_order': False, 'shape': ()}"),
      /^its header lacks 'descr', 'fortran_order' or 'shape'$/,
    ],
    ['no order', headed("{'descr': '<f4', 'shape': ()}"), /^its header lacks/],
    ['no shape', headed("{'descr': '<f4', 'fortran_order': False}"), /^its header lacks/],
    ['an order that is none', headed(dict("'<f4'", '(1,)', 'Falsehood'), floats(1)), /^its header lacks/],
    ['records', headed(dict("[('a', '<f4')]", '(1,)'), floats(1)), /^it is of records, and plain numbers are read$/],
    [
      'objects',
      headed(dict("'|O'", '(1,)'), floats(1)),
      /^it holds Python objects, and numbers are read; numpy makes them of it with astype\('float32'\)$/,
    ],
    ['33 dimensions', headed(dict("'<f4'", `(${'1, '.repeat(33)})`), floats(1)), /^its shape is \(1, 1,/],
    ['blanks in a number', headed(dict("'<f4'", '(2 3,)'), new Uint8Array(24)), /^its shape is \(2 3,\)$/],
    ['a number in brackets', headed(dict("'<f4'", '(1)'), floats(1)), /^its shape is \(1\)$/],
    [
      'a size that no number is',
      headed(dict("'<f4'", '(9007199254740993,)'), floats(1)),
      /^its shape is \(9007199254740993,\)$/,
    ],
    [
      'a product that no number is',
      headed(dict("'<f4'", '(9007199254740991, 3)'), floats(1)),
      /takes \d+ bytes, and there are 4$/,
    ],
    [
      'a value too few',
      headed(dict("'<f4'", '(2,)'), floats(1)),
      /^its shape \(2\) of F32 takes 8 bytes, and there are 4$/,
    ],
    [
      'a byte too many',
      headed(dict("'<f4'", '(1,)'), own([0, 0, 0, 0, 0])),
      /^its shape \(1\) of F32 takes 4 bytes, and there are 5$/,
    ],
  ])('refuses %s', (_, bytes, what) => expect(() => read(bytes)).toThrow(what));

  test('meets its bounds: a header of the most bytes, one that ends the file, a size less than its header', () => {
    const text = dict("'<f4'", '(0,)');
    expect(read(headed(text.padEnd(MOST_HEADER), own([]), 2)).shape).toEqual([0]);
    expect(() => readNpyHeader(good, 4, bad)).toThrow(/takes 4 bytes, and there are 0$/);
    expect(() => read(headed(dict("'<f4'", `(${'x'.repeat(9)})`)))).toThrow(/lacks/);
    expect(() => read(headed(dict("'<f4'", `(${'1 1,'.repeat(99)})`)))).toThrow(/^its shape is \(.{80}\)$/);
  });

  test('a type that is not read keeps its name, though an object has a member that is called so', () => {
    for (const name of ['c8', 'constructor', 'toString'])
      expect(read(headed(dict(`'<${name}'`, '(3,)'), own([1])))).toMatchObject({ dtype: name, bytes: 0 });
    // NumPy counts bytes: np.longdouble is '<f16', or '<f12' on x86 of 32 bits.
    for (const name of ['f16', 'f12'])
      expect(read(headed(dict(`'<${name}'`, '(3,)'), own([1])))).toMatchObject({ dtype: 'longdouble', bytes: 0 });
  });

  test('the first dimension innermost, in either order of bytes', () => {
    const header = { dtype: 'I16', shape: [2, 3], bytes: 12, start: 0, fortran: true, bigEndian: true };
    const stored = () => own([0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6]);
    expect([...inOrder(header, stored())]).toEqual([1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0]);
    expect([...inOrder({ ...header, fortran: false }, stored())]).toEqual([1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0]);
    expect([...inOrder({ ...header, bigEndian: false }, stored())]).toEqual([0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]);
    expect([...inOrder({ ...header, shape: [6], bigEndian: false }, stored())]).toEqual([...stored()]);
    expect([...inOrder({ ...header, shape: [0, 3] }, own([]))]).toEqual([]);
  });
});

describe('a file of arrays', () => {
  const told = async (bytes: Uint8Array, name: string, what: RegExp) =>
    expect(openArrays(file(bytes, name))).rejects.toThrow(what);

  test('which form it is, its first bytes say', async () => {
    const one = npy('<f4', [1], floats(7));
    const array = await openArrays(file(one, 'Q.NPY'));
    expect([array.form, [...array.arrays.keys()], [...array.metadata]]).toEqual(['npy', [`${made - 1}-Q`], []]);
    const other = await openArrays(file(one, 'x.npy.bin'));
    expect([...other.arrays.keys()]).toEqual([`${made - 1}-x.npy.bin`]);
    const archive = await openArrays(
      file(
        zip([
          { name: 'dir/', data: own([]) },
          { name: 'dir/A.NPY', data: one },
        ]),
        'a.bin',
      ),
    );
    expect([archive.form, [...archive.arrays.keys()]]).toEqual(['npz', ['dir/A']]);
    expect((await openArrays(file(zip([]), 'a.npz'))).arrays.size).toBe(0);
    for (const name of ['a.npz', 'a.npy', 'a.arrow', 'a.FEATHER'])
      await told(own([1, 2, 255]), name, /is not what its name says: it begins with 0102ff\. Save it again\.$/);
    await told(own([]), 'a.npz', /a\.npz is empty\. Save it again\.$/);
    await told(
      own([...Buffer.from('PAR1'), 1, 2]),
      'a.npz',
      /is Parquet, a row a value, which is not read back as a trace\. Save it as \.safetensors or \.arrow\.$/,
    );
    await told(own([1, 2, 3]), 'a.pt.npz', /^(?!.*pickle)/);
    await told(own([1, 2, 255]), 'a.npz.bin', /is no safetensors file|truncated|cannot be read|bytes/);
  });

  test('a pickle is known by its name and by its beginning, and a safetensors header of 0x..80 bytes is none', async () => {
    const PICKLE =
      /is a pickle, which runs code when it is read\. Save the activations with safetensors\.torch\.save_file or numpy\.savez\.$/;
    for (const name of ['a.pt', 'a.PTH', 'a.pkl']) await told(own([1]), name, PICKLE);
    for (const protocol of [2, 5]) await told(own([0x80, protocol, 0x5d, 0x71, 0, 0x2e]), 'a', PICKLE);
    for (const start of [
      [0x80, 1],
      [0x80, 6],
      [0x7f, 3],
    ])
      await told(own([...start, 0x5d, 0x71, 0, 0x2e]), 'a', /^(?!.*pickle)/);
    const header = `{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`.padEnd(0x280);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(0x280n);
    const tensors = await openArrays(file(Buffer.concat([length, Buffer.from(header), floats(3)]), 'a'));
    expect([tensors.form, [...(await tensors.readF32('t'))]]).toEqual(['safetensors', [3]]);
    await told(zip([{ name: 'x/data.pkl', data: own([1]) }]), 'a', PICKLE);
    await told(zip([{ name: 'data.pkl', data: own([1]) }]), 'a', PICKLE);
    await told(
      zip([{ name: 'metadata.pkl', data: own([1]) }]),
      'a',
      /in 'metadata\.pkl', it does not begin as a \.npy does/,
    );
  });

  test('what is asked for and is not there, or is another type', async () => {
    const arrays = await openArrays(
      file(
        zip([
          { name: 'f.npy', data: npy('<f4', [2], floats(1, 2)) },
          { name: 'g.npy', data: npy('<f4', [2], floats(1, 2.5)) },
          { name: 'i.npy', data: npy('|i1', [2], own([255, 2])) },
          { name: 'c.npy', data: npy('<c8', [1], floats(1, 2)) },
        ]),
        'a.npz',
      ),
    );
    await expect(arrays.readF32('x')).rejects.toThrow(/has no array 'x'\. It has 4 others\.$/);
    expect(await arrays.readWhole('f')).toEqual([1, 2]);
    expect(await arrays.readWhole('i')).toEqual([-1, 2]);
    await expect(arrays.readWhole('g')).rejects.toThrow(
      /'g' in .* is F32, with values that are no whole numbers\. Save ids as whole numbers\.$/,
    );
    for (const [name, dtype] of [
      ['i', 'I8'],
      ['c', 'c8'],
    ])
      await expect(arrays.readF32(name)).rejects.toThrow(
        new RegExp(
          `'${name}' in .* is ${dtype}, and activations are read as F64, F32, F16 or BF16\\. Save it as one of them\\.$`,
        ),
      );
    await expect(arrays.readWhole('c')).rejects.toThrow(/is c8, and activations/);
  });

  /** A row an array, as Arrow files of arrays have them. */
  const rowsOf = (type: DataType, arrays: Readonly<Record<string, readonly number[]>>) =>
    new Table({
      name: vectorFromArray(Object.keys(arrays), new Utf8()),
      shape: vectorFromArray(
        Object.values(arrays).map(values => [values.length]),
        new List(new Field('item', new Int32(), true)),
      ),
      values: vectorFromArray(Object.values(arrays), new List(new Field('item', type, true))),
    } as never);

  test('values of each form, and a file that was changed since it was opened', async () => {
    const length = Buffer.alloc(8);
    const header = JSON.stringify({ t: { dtype: 'F32', shape: [2, 1], data_offsets: [0, 8] } });
    length.writeBigUInt64LE(BigInt(header.length));
    const table = rowsOf(new Float32(), { t: [3, 4] });
    const forms = {
      npy: npy('<f4', [2, 1], floats(3, 4)),
      npz: zip([{ name: 't.npy', data: npy('<f4', [2, 1], floats(3, 4)) }]),
      safetensors: Buffer.concat([length, Buffer.from(header), floats(3, 4)]),
      arrow: tableToIPC(table, 'file'),
      stream: tableToIPC(table, 'stream'),
    };
    for (const [form, bytes] of Object.entries(forms)) {
      const path = file(bytes, form);
      const arrays = await openArrays(path);
      const [[name, info]] = arrays.arrays;
      expect([arrays.form, info]).toEqual([
        form === 'stream' ? 'arrow' : form,
        { dtype: 'F32', shape: form === 'arrow' || form === 'stream' ? [2] : [2, 1] },
      ]);
      expect(await arrays.readF32(name)).toEqual(Float32Array.of(3, 4));
      expect(await arrays.readWhole(name)).toEqual([3, 4]);
      writeFileSync(path, Buffer.concat([bytes, Buffer.of(0)]));
      await expect(arrays.readF32(name)).rejects.toThrow(/ is not what it was when it was opened\. Open it again\.$/);
    }
  });

  test('Arrow: whole numbers are ids and no activations, and others no ids', async () => {
    const ids = await openArrays(file(tableToIPC(rowsOf(new Int32(), { i: [5, -6] }), 'file'), 'a'));
    const arrays = await openArrays(file(tableToIPC(rowsOf(new Float64(), { f: [1, 2.5] }), 'file'), 'a'));
    expect(await ids.readWhole('i')).toEqual([5, -6]);
    await expect(ids.readF32('i')).rejects.toThrow(
      /'i' in .* is whole numbers, and activations are read as F64, F32 or F16\.$/,
    );
    await expect(arrays.readWhole('f')).rejects.toThrow(
      /'f' in .* has values that are no whole numbers\. Save ids as whole numbers\.$/,
    );
    await told(Buffer.from('ARROW1 and then nothing'), 'a', /is no sound file of arrays: .*\. Save it again\.$/);
  });

  test('safetensors: types narrower than f16 are no activations', async () => {
    const types = { F64: 8, F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, F4: 0.5 };
    let end = 0;
    const tensors = Object.entries(types).map(([dtype, bytes]) => {
      const [from, to] = [end, end + 2 * bytes];
      end = to;
      return [dtype, { dtype, shape: [2], data_offsets: [from, to] }];
    });
    const header = Buffer.from(JSON.stringify(Object.fromEntries(tensors)));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const arrays = await openArrays(file(Buffer.concat([length, header, new Uint8Array(end)]), 'a'));
    for (const dtype of ['F64', 'F32', 'F16', 'BF16']) expect([...(await arrays.readF32(dtype))]).toEqual([0, 0]);
    for (const dtype of ['F8_E4M3', 'F4'])
      await expect(arrays.readF32(dtype)).rejects.toThrow(new RegExp(`is ${dtype}, and activations are read as F64`));
  });

  test('a header of more than the first 4 kB of a member', async () => {
    const long = npy('<f4', [1], floats(7), { version: 2 });
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }".padEnd(6000);
    const start = long.subarray(0, 12);
    start.writeUInt32LE(header.length, 8);
    const bytes = Buffer.concat([start, Buffer.from(header), floats(7)]);
    const arrays = await openArrays(file(zip([{ name: 'a.npy', data: bytes }]), 'a.npz'));
    expect([...(await arrays.readF32('a'))]).toEqual([7]);
    await told(
      zip([{ name: `${'a'.repeat(90)}.npy`, data: own([1]) }]),
      'a.npz',
      /: in 'a{80}', it does not begin as a \.npy does, with \\x93NUMPY\. Save it again\.$/,
    );
    await told(zip([{ name: 'a.npy', data: new Uint8Array(5000) }]), 'a.npz', /: in 'a\.npy', it does not begin/);
    const name = 'b'.repeat(90);
    const one = { name: `${name}.npy`, data: npy('<f4', [1], floats(7)) };
    await told(
      zip([one, { ...one, name }]),
      'a.npz',
      new RegExp(`: it has '${'b'.repeat(80)}' twice\\. Save it again\\.$`),
    );
  });
});
