// Files of arrays that other programs wrote, byte by byte as NumPy, safetensors and Arrow have them; and every way in which they may be broken.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Float64, List, Field, Int32, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { expect, test } from 'vitest';
import { LoupeError, TraceError } from '../../engine/errors.js';
import { openArrays } from '../../lab/values/arrays/open.js';
import { type Member, npy, safetensorsOf, zip } from '../fixtures/array-files.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
let made = 0;
function file(bytes: Uint8Array, name: string): string {
  const path = join(folder, `${made++}-${name}`);
  writeFileSync(path, bytes);
  return path;
}
const floats = (values: readonly number[]) => Buffer.from(Float32Array.from(values).buffer);
const opened = (members: readonly Member[]) => openArrays(file(zip(members), 'a.npz'));

test('.npy: types, byte orders, orders of dimensions, versions', async () => {
  const read = async (bytes: Buffer) => {
    const path = file(bytes, 'x.npy');
    const arrays = await openArrays(path);
    const [[name, info]] = arrays.arrays;
    return { info, values: [...(await arrays.readF32(name))] };
  };
  const plain = npy('<f4', [2, 3], floats([1, 2, 3, 4, 5, 6]));
  expect(await read(plain)).toEqual({ info: { dtype: 'F32', shape: [2, 3] }, values: [1, 2, 3, 4, 5, 6] });
  const doubles = Buffer.from(Float64Array.from([0.1, -2]).buffer);
  expect((await read(npy('<f8', [2], doubles))).values).toEqual([Math.fround(0.1), -2]);
  expect((await read(npy('<f2', [2], Buffer.from([0x00, 0x3c, 0x00, 0xc0])))).values).toEqual([1, -2]);
  expect((await read(npy('<V2', [2], Buffer.from([0x80, 0x3f, 0x00, 0xc0])))).values).toEqual([1, -2]); // ml_dtypes.bfloat16
  expect((await read(npy('>f4', [2], Buffer.from([0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0])))).values).toEqual([1, -2]);
  // [[1, 2, 3], [4, 5, 6]] with the first dimension innermost
  const fortran = npy('<f4', [2, 3], floats([1, 4, 2, 5, 3, 6]), { fortran: true });
  expect((await read(fortran)).values).toEqual([1, 2, 3, 4, 5, 6]);
  const deep = npy('<f4', [2, 2, 2], floats([0, 4, 2, 6, 1, 5, 3, 7]), { fortran: true });
  expect((await read(deep)).values).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (const version of [2, 3]) expect((await read(npy('<f4', [1], floats([7]), { version }))).values).toEqual([7]);
  expect((await read(npy('<f4', [], floats([7])))).info.shape).toEqual([]);
  const ids = await openArrays(
    file(npy('<i8', [3], Buffer.from(BigInt64Array.from([2n, 300n, -1n]).buffer)), 'ids.npy'),
  );
  expect(await ids.readWhole([...ids.arrays.keys()][0])).toEqual([2, 300, -1]);
  await expect(ids.readF32([...ids.arrays.keys()][0])).rejects.toThrow(/is I64, and activations are read as F64, F32/);
});

test('.npz: stored and deflated members, numbers of 64 bits, values when asked for', async () => {
  const one = npy('<f4', [2, 2], floats([1, 2, 3, 4]));
  const large = npy('<f4', [100, 100], floats(Array.from({ length: 10_000 }, (_, i) => i)));
  const members: Member[] = [
    { name: 'l_out-0.npy', data: one },
    { name: 'l_out-1.npy', data: large, deflate: true },
  ];
  for (const wide of [false, true]) {
    const arrays = await openArrays(file(zip(members, { wide }), 'a.npz'));
    expect([...arrays.arrays]).toEqual([
      ['l_out-0', { dtype: 'F32', shape: [2, 2] }],
      ['l_out-1', { dtype: 'F32', shape: [100, 100] }],
    ]);
    expect([...(await arrays.readF32('l_out-0'))]).toEqual([1, 2, 3, 4]);
    expect((await arrays.readF32('l_out-1'))[9999]).toBe(9999);
  }
});

test('safetensors and Arrow: the same arrays', async () => {
  const tensors = await openArrays(
    file(
      safetensorsOf({
        a: ['F64', [2], Buffer.from(Float64Array.from([1, 2]).buffer)],
        input_ids: ['I64', [1, 2], Buffer.from(BigInt64Array.from([2n, 5n]).buffer)],
      }),
      'a.safetensors',
    ),
  );
  expect([...(await tensors.readF32('a'))]).toEqual([1, 2]);
  expect(await tensors.readWhole('input_ids')).toEqual([2, 5]);
  const table = new Table({
    name: vectorFromArray(['a', 'b'], new Utf8()),
    shape: vectorFromArray([[1, 2], [3]], new List(new Field('item', new Int32()))),
    values: vectorFromArray(
      [
        [1, 2],
        [3, 4, 5],
      ],
      new List(new Field('item', new Float64())),
    ),
  });
  for (const form of ['file', 'stream'] as const) {
    const arrow = await openArrays(file(tableToIPC(table as never, form), 'a.arrow'));
    expect(arrow.form).toBe('arrow');
    expect([...arrow.arrays.values()].map(({ shape }) => shape)).toEqual([[1, 2], [3]]);
    expect([...(await arrow.readF32('b'))]).toEqual([3, 4, 5]);
  }
});

test('what is broken is told in one sentence, and nothing else is thrown', async () => {
  const good = npy('<f4', [2, 2], floats([1, 2, 3, 4]));
  const told = async (bytes: Uint8Array, what: RegExp, name = 'a.npz') => {
    const use = async () => {
      const arrays = await openArrays(file(bytes, name));
      for (const one of arrays.arrays.keys()) await arrays.readF32(one);
    };
    await expect(use()).rejects.toThrow(what);
    await expect(use()).rejects.toBeInstanceOf(LoupeError);
  };
  await told(
    npy('<f4', [2, 3], floats([1, 2, 3, 4])),
    /its shape \(2,3\) of F32 takes 24 bytes, and there are 16/,
    'a.npy',
  );
  await told(good.subarray(0, 40), /it ends in its header/, 'a.npy');
  await told(npy('|O', [1], Buffer.alloc(8)), /it holds Python objects/, 'a.npy');
  await told(npy('<c8', [1], Buffer.alloc(8)), /is c8, and activations are read as F64/, 'a.npy');
  const whole = zip([{ name: 'a.npy', data: good }]);
  await told(whole.subarray(0, whole.length - 30), /stands at its end, is missing: it is truncated/);
  await told(
    zip([
      { name: 'a.npy', data: good },
      { name: 'a.npy', data: good },
    ]),
    /it has 'a' twice/,
  );
  await told(zip([{ name: 'a.npy', data: good, crc: 1 }]), /is not what its checksum says/);
  await told(zip([{ name: 'a.npy', data: good, method: 12 }]), /is packed by method 12/);
  await told(zip([{ name: 'a.npy', data: good, flags: 1 }]), /is encrypted/);
  await told(zip([{ name: 'a.npy', data: good, deflate: true, size: 1 << 30 }]), /claims 1073741824 bytes, and has/);
  await told(zip([{ name: 'archive/data.pkl', data: good }]), /is a pickle, which runs code/);
  await told(zip([{ name: 'a.txt', data: Buffer.from('hello') }]), /in 'a\.txt', it does not begin as a \.npy does/);
  await told(Buffer.from('8004950a', 'hex'), /./, 'a.pkl');
  await told(
    Buffer.concat([Buffer.from('ARROW1\0\0'), Buffer.alloc(64)]),
    /it cannot be read as Arrow|it is cut short or damaged|has no columns/,
    'a.arrow',
  );
  await told(Buffer.from('PNG'), /is not what its name says/, 'a.npz');
  await told(Buffer.alloc(0), /./, 'a.safetensors');
});

test('a file that was changed since it was opened is not read', async () => {
  const path = file(npy('<f4', [1], floats([1])), 'x.npy');
  const arrays = await openArrays(path);
  writeFileSync(path, npy('<f4', [2], floats([1, 2])));
  await expect(arrays.readF32([...arrays.arrays.keys()][0])).rejects.toThrow(TraceError);
  expect((await opened([{ name: 'a.npy', data: npy('<f4', [1], floats([3])) }])).form).toBe('npz');
});
