// The GGUF reader: every type of value, and what is said of a file that cannot be right. The bytes are written here as the format says.

import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LoupeError, ModelFileError, OptionError } from '../../engine/errors.js';
import { type Gguf, openGguf } from '../../engine/weights/gguf.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeGguf } from '../fixtures/gguf.js';
import { ggufOf, text, u32, u64 } from '../fixtures/gguf-bytes.js';
import { openHandles } from '../fixtures/handles.js';

const folder = freshFolder();
const path = join(folder, 'case.gguf');

async function opened(bytes: Uint8Array): Promise<Gguf> {
  writeFileSync(path, bytes);
  const file = await openGguf(path);
  await file.close();
  return file;
}

const entry = (key: string, type: number, value: Buffer) => Buffer.concat([text(key), u32(type), value]);
const list = (key: string, type: number, ...values: Buffer[]) =>
  entry(key, 9, Buffer.concat([u32(type), u64(values.length), ...values]));
const bytes = (array: ArrayBufferView) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
/** @param shape the fastest axis first, as the format has it */
const tensor = (name: string, shape: number[], type = 0, offset = 0) =>
  Buffer.concat([text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset)]);
/** The header, zeros up to a multiple of `alignment`, the data. */
function withData(entries: Buffer[], tensors: Buffer[], data: ArrayBufferView | number, alignment = 32): Buffer {
  const header = ggufOf(entries, tensors);
  const gap = Buffer.alloc((alignment - (header.length % alignment)) % alignment);
  return Buffer.concat([header, gap, typeof data === 'number' ? Buffer.alloc(data) : bytes(data)]);
}

/** Type number, bytes, what they mean. */
const SCALARS: [string, number, Buffer, unknown][] = [
  ['u8', 0, Buffer.of(200), 200],
  ['i8', 1, Buffer.of(200), -56],
  ['u16', 2, Buffer.of(1, 200), 51201],
  ['i16', 3, Buffer.of(1, 200), -14335],
  ['u32', 4, Buffer.of(1, 0, 0, 200), 3355443201],
  ['i32', 5, Buffer.of(1, 0, 0, 200), -939524095],
  ['f32', 6, bytes(Float32Array.of(0.1)), Math.fround(0.1)],
  ['true', 7, Buffer.of(1), true],
  ['false', 7, Buffer.of(0), false],
  ['u64', 10, u64(2 ** 40 + 1), 2 ** 40 + 1],
  ['i64', 11, bytes(BigInt64Array.of(-5n)), -5],
  ['f64', 12, bytes(Float64Array.of(0.1)), 0.1],
  ['text', 8, text('\ufeffü'), '\ufeffü'],
];

describe('values', () => {
  test.each(SCALARS)('%s alone and in a list', async (key, type, value, expected) => {
    const five = [value, value, value, value, value];
    const { metadata } = await opened(
      ggufOf([entry(key, type, value), list('list', type, ...five), list('none', type), entry('end', 0, Buffer.of(7))]),
    );
    expect([...metadata]).toEqual([
      [key, expected],
      ['list', Array(5).fill(expected)],
      ['none', []],
      ['end', 7],
    ]);
  });

  test('the last value may be a short one at the end of the file', async () => {
    expect((await opened(ggufOf([list('l', 8, text(''), text('a'))]))).metadata.get('l')).toEqual(['', 'a']);
    expect((await opened(ggufOf([list('l', 0, Buffer.of(1), Buffer.of(2))]))).metadata.get('l')).toEqual([1, 2]);
  });
});

describe('tensors', () => {
  test('have their shapes rows first, and rows can be read alone', async () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    writeFileSync(path, withData([], [tensor('w', [3, 2])], data));
    const file = await openGguf(path);
    expect(file.path).toBe(path);
    expect(file.tensors.get('w')).toEqual({ name: 'w', shape: [2, 3], format: 'F32', bytes: 24, offset: 96 });
    expect([...(await file.readF32('w'))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(await file.readF32('w', 1, 1))]).toEqual([4, 5, 6]);
    expect([...(await file.readF32('w', 1))]).toEqual([4, 5, 6]);
    expect([...(await file.readF32('w', 0, 1))]).toEqual([1, 2, 3]);
    expect([...(await file.readF32('w', 2))]).toEqual([]);
    for (const [start, count, message] of [
      [0, 3, /^Rows 0 to 3 of 'w' \[2,3\] do not exist\.$/],
      [1, 2, /^Rows 1 to 3/],
      [-1, 1, /^Rows -1 to 0/],
      [2, -1, /^Rows 2 to 1/],
    ] as const) {
      const refused = expect(file.readF32('w', start, count)).rejects;
      await refused.toThrow(OptionError);
      await refused.toThrow(message);
    }
    await expect(file.readF32('v')).rejects.toThrow(/case\.gguf has no tensor 'v'\. It has 1 others\.$/);
    await expect(file.readF32('v')).rejects.toThrow(ModelFileError);
    await file.close();
  });

  test('are stored in blocks, one behind the other', async () => {
    const data = Buffer.concat([
      Buffer.of(0x00, 0x3c),
      Buffer.alloc(32, 3),
      Buffer.alloc(30),
      bytes(Float32Array.of(7)),
    ]);
    const both = [tensor('q', [32], 8), tensor('f', [1], 0, 64)];
    writeFileSync(path, withData([], both, data));
    const file = await openGguf(path);
    expect([file.tensors.get('q')?.format, file.tensors.get('q')?.bytes]).toEqual(['Q8_0', 34]);
    expect([...(await file.readF32('q'))]).toEqual(Array(32).fill(3));
    expect([...(await file.readF32('f'))]).toEqual([7]);
    await file.close();
    // In any order in the header.
    const turned = [tensor('f', [1], 0, 64), tensor('q', [32], 8)];
    expect([...(await opened(withData([], turned, 68))).tensors.keys()]).toEqual(['f', 'q']);
  });

  test.each([
    ['none said', [], 32],
    ['64', [entry('general.alignment', 4, u32(64))], 64],
    ['8', [entry('general.alignment', 4, u32(8))], 8],
    ['1', [entry('general.alignment', 4, u32(1))], 1],
    ['2²⁰', [entry('general.alignment', 4, u32(1 << 20))], 1 << 20],
  ])('begin at a multiple of the alignment: %s', async (_, entries, alignment) => {
    writeFileSync(path, withData(entries, [tensor('w', [2])], Float32Array.of(8, 9), alignment));
    const file = await openGguf(path);
    expect([...(await file.readF32('w'))]).toEqual([8, 9]);
    await file.close();
  });

  test('of four axes', async () => {
    const file = await opened(withData([], [tensor('w', [2, 3, 1, 1])], 24));
    expect(file.tensors.get('w')?.shape).toEqual([1, 1, 3, 2]);
  });

  test('of pictures may be stored in any way, and end anywhere', async () => {
    const parts = [tensor('v.a', [4], 99), tensor('mm.b', [256], 16, 1e6)];
    const file = await opened(withData([], parts, 0));
    expect([...file.tensors.values()].map(({ format, bytes: size }) => [format, size])).toEqual([
      ['type 99', 0],
      ['IQ2_XXS', 0],
    ]);
  });

  /** ggml.h's numbers. */
  test.each([
    ...[
      [9, 'Q8_1'],
      [15, 'Q8_K'],
      [16, 'IQ2_XXS'],
      [17, 'IQ2_XS'],
      [18, 'IQ3_XXS'],
      [19, 'IQ1_S'],
      [21, 'IQ3_S'],
    ],
    ...[
      [22, 'IQ2_S'],
      [24, 'I8'],
      [25, 'I16'],
      [26, 'I32'],
      [27, 'I64'],
      [28, 'F64'],
      [29, 'IQ1_M'],
      [34, 'TQ1_0'],
    ],
    [35, 'TQ2_0'],
  ] as [number, string][])('of type %i are %s, which is named and refused', async (type, name) => {
    await expect(opened(withData([], [tensor('w', [256], type)], 1000))).rejects.toThrow(
      new RegExp(
        `^Tensor 'w' in .*case\\.gguf is ${name}, which cannot be read; F32, F16, .*MXFP4 can\\. Quantise the model to one of these\\.$`,
      ),
    );
  });
  test.each([
    ...[
      [0, 'F32', 1024],
      [1, 'F16', 512],
      [2, 'Q4_0', 144],
      [3, 'Q4_1', 160],
      [6, 'Q5_0', 176],
      [7, 'Q5_1', 192],
    ],
    ...[
      [8, 'Q8_0', 272],
      [10, 'Q2_K', 84],
      [11, 'Q3_K', 110],
      [12, 'Q4_K', 144],
      [13, 'Q5_K', 176],
      [14, 'Q6_K', 210],
    ],
    ...[
      [20, 'IQ4_NL', 144],
      [23, 'IQ4_XS', 136],
      [30, 'BF16', 512],
      [39, 'MXFP4', 136],
    ],
  ] as [number, string, number][])('of type %i are %s: 256 values in %i bytes', async (type, format, size) => {
    const file = await opened(withData([], [tensor('w', [256], type)], size));
    expect(file.tensors.get('w')).toMatchObject({ format, bytes: size });
    await expect(opened(withData([], [tensor('w', [256], type)], size - 1))).rejects.toThrow(/it is truncated/);
  });
});

const version = (n: number) => {
  const file = ggufOf([]);
  file.writeUInt32LE(n, 4);
  return file;
};
const head = (tensors: number | bigint, keys: number | bigint, rest: number) =>
  Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors), u64(keys), Buffer.alloc(rest)]);

describe('a file that cannot be right is refused in words', () => {
  test.each<[string, Buffer, RegExp]>([
    ['version 1', version(1), /: it says version 1, and 2 and 3 are known\./],
    ['version 4', version(4), /: it says version 4, and 2 and 3 are known\./],
    ['more tensors than bytes', head(3, 0, 40), /: it claims 3 tensors in 64 bytes\./],
    ['more keys than bytes', head(0, 5, 40), /: it claims 5 metadata keys in 64 bytes\./],
    ['100,001 tensors', head(100_001, 0, 2_500_000), /: it claims 100001 tensors in 2500024 bytes\./],
    ['100,001 keys', head(0, 100_001, 1_400_000), /: it claims 100001 metadata keys in 1400024 bytes\./],
    ['2⁶⁴ − 1 tensors', head(2n ** 64n - 1n, 0, 0), /: it claims a size of 18446744073709552000\./],
    ['2⁵³ keys', head(0, 2n ** 53n, 0), /: it claims a size of 9007199254740992\./],
    ['2⁵³ − 1 keys', head(0, 2n ** 53n - 1n, 0), /: it claims 9007199254740991 metadata keys in 24 bytes\./],
    [
      'its end in the header',
      ggufOf([entry('a', 4, u32(1))]).subarray(0, -1),
      /: it ends at byte 40, in the middle of its header\./,
    ],
    [
      'a key twice',
      ggufOf([entry('a', 0, Buffer.of(1)), entry('a', 0, Buffer.of(2))]),
      /: the metadata key 'a' comes twice\./,
    ],
    ['a type that is none', ggufOf([entry('a', 13, u64(1))]), /: the metadata key 'a' has the unknown type 13\./],
    ['a list of a type that is none', ggufOf([list('a', 13)]), /: the array 'a' holds values of the unknown type 13\./],
    ['a list of lists', ggufOf([list('a', 9)]), /: the array 'a' holds arrays\./],
    [
      'a list past the end',
      ggufOf([entry('a', 9, Buffer.concat([u32(4), u64(30), u64(0)]))]),
      /: it claims 30 values in the array 'a' in 57 bytes\./,
    ],
    [
      'a list of texts past the end',
      ggufOf([entry('a', 9, Buffer.concat([u32(8), u64(9), u64(0)]))]),
      /: it claims 9 values in the array 'a' in 57 bytes\./,
    ],
    ['a text past the end', ggufOf([entry('a', 8, u64(1000))]), /: a string claims 1000 bytes past its end\./],
    [
      'a text past the end by one',
      ggufOf([entry('a', 8, Buffer.concat([u64(2), Buffer.of(1)]))]),
      /: a string claims 2 bytes past its end\./,
    ],
    ['a text in a list past the end', ggufOf([list('a', 8, u64(1000))]), /: a string claims 1000 bytes past its end\./],
    ['a long key', ggufOf([entry('k'.repeat(90), 13, u64(1))]), /the metadata key 'k{80}…' has/],
    ['a key of 80', ggufOf([entry('k'.repeat(80), 13, u64(1))]), /the metadata key 'k{80}' has/],
    ['a tensor without axes', withData([], [tensor('w', [])], 8), /: tensor 'w' has 0 dimensions\./],
    ['a tensor of five axes', withData([], [tensor('w', [1, 1, 1, 1, 1])], 8), /: tensor 'w' has 5 dimensions\./],
    ['a tensor of nothing', withData([], [tensor('w', [4, 0])], 8), /: tensor 'w' has the shape \[0,4\]\./],
    [
      'a tensor without bound',
      withData([], [tensor('w', [2 ** 30, 2 ** 30])], 8),
      /tensor 'w' has the shape \[1073741824,1073741824\]\./,
    ],
    [
      'a tensor of a type that is none',
      withData([], [tensor('w', [4], 99)], 16),
      /: tensor 'w' has the unknown type 99\./,
    ],
    [
      'half a block',
      withData([], [tensor('w', [33, 2], 8)], 99),
      /: tensor 'w' has rows of 33 values, which Q8_0's blocks of 32 do not fill\./,
    ],
    [
      'a tensor past the end',
      withData([], [tensor('w', [4])], 15),
      /: tensor 'w' ends at byte 80, but the file has 79: it is truncated or its header lies\./,
    ],
    [
      'an offset past the end',
      withData([], [tensor('w', [4], 0, 32)], 16),
      /: tensor 'w' ends at byte 112, but the file has 80/,
    ],
    ['a tensor twice', withData([], [tensor('w', [4]), tensor('w', [4], 0, 32)], 64), /: the tensor 'w' comes twice\./],
    [
      'tensors that overlap',
      withData([], [tensor('b', [4], 0, 12), tensor('a', [4])], 64),
      /: the tensors 'a' and 'b' overlap\./,
    ],
    [
      'an alignment of 7',
      withData([entry('general.alignment', 4, u32(7))], [], 99),
      /: its alignment is 7, and a power of two from 1 to 1048576 is expected\./,
    ],
    [
      'a larger one than there is',
      withData([entry('general.alignment', 4, u32((1 << 20) + 1))], [], 99),
      /: its alignment is 1048577, and/,
    ],
    // llama.cpp refuses these too; every tensor was read from another place.
    ...[0, 3, 24, 33, 1 << 21].map((n): [string, Buffer, RegExp] => [
      `an alignment of ${n}`,
      withData([entry('general.alignment', 4, u32(n))], [tensor('w', [4])], 99),
      new RegExp(`: its alignment is ${n}, and a power of two`),
    ]),
    [
      'half an alignment',
      withData([entry('general.alignment', 6, bytes(Float32Array.of(32.5)))], [], 99),
      /: its alignment is 32\.5, and/,
    ],
    [
      'an alignment in words',
      withData([entry('general.alignment', 8, text('32'))], [], 99),
      /: its alignment is "32", and a power of two/,
    ],
    // As llama.cpp has it: 'tensor has offset 64, expected 32'. What is between would be read by nobody, so the type or a shape is wrong.
    [
      'a gap between tensors',
      withData([], [tensor('a', [4]), tensor('b', [4], 0, 64)], 80),
      /: tensor 'b' lies 48 bytes behind the end of 'a' \(F32, \[4\]\), where 16 are expected: the type or the shape of one of them is wrong\./,
    ],
    [
      'one that claims a smaller type',
      withData([], [tensor('a', [64], 2), tensor('b', [4], 0, 96)], 112),
      /: tensor 'b' lies 60 bytes behind the end of 'a' \(Q4_0, \[64\]\), where 28 are expected/,
    ],
    [
      'tensors that are not aligned',
      withData([], [tensor('a', [4]), tensor('b', [4], 0, 16)], 32),
      /: tensor 'b' lies 0 bytes behind the end of 'a' \(F32, \[4\]\), where 16 are expected/,
    ],
    [
      'a gap before the first',
      withData([], [tensor('a', [4], 0, 32)], 48),
      /: tensor 'a' lies 32 bytes behind the header, where 0 are expected/,
    ],
  ])('%s', async (_, file, message) => {
    const found = (await opened(file).catch(error => error)) as Error;
    expect(found).toBeInstanceOf(ModelFileError);
    expect(found.message).toMatch(message);
    expect(found.message).toMatch(/case\.gguf is not a sound GGUF file: .*\. Fetch or convert it again\.$/);
  });

  test.each([
    ['', /: it does not begin with 'GGUF'\. Give a \.gguf model\.$/],
    ['GGUF', /is not a GGUF file/],
    ['GGUF and twenty bytes.', /is not a GGUF file/],
    ['GGML, as it was called before', /is not a GGUF file/],
  ])('%j is no GGUF', async (content, message) => {
    await expect(opened(Buffer.from(content))).rejects.toThrow(message);
    await expect(opened(Buffer.from(content))).rejects.toThrow(ModelFileError);
  });

  test.each([0x02000000, 0x03000000])('one for machines of the other byte order, version %i', async number => {
    await expect(opened(version(number))).rejects.toThrow(
      /case\.gguf is a big-endian GGUF, for machines that count bytes the other way, and Loupe reads little-endian ones\. Take the little-endian file, or turn it: gguf-convert-endian FILE little$/,
    );
  });

  test('versions 2 and 3, empty, are none', async () => {
    for (const n of [2, 3]) expect((await opened(version(n))).tensors.size).toBe(0);
  });
});

test('a list that is longer than what is read at once', async () => {
  const numbers = Float64Array.from({ length: 140_000 }, (_, i) => i + 0.5);
  const words = Array.from({ length: 60_000 }, (_, i) => `piece ${i}`);
  const shorts = Uint16Array.from({ length: 530_001 }, (_, i) => i);
  const { metadata } = await opened(
    ggufOf([
      entry('n', 9, Buffer.concat([u32(12), u64(numbers.length), bytes(numbers)])),
      list('w', 8, ...words.map(text)),
      entry('s', 9, Buffer.concat([u32(2), u64(shorts.length), bytes(shorts)])),
      entry('long', 8, text('x'.repeat(3_000_000))),
      entry('after', 8, text('y')),
    ]),
  );
  const same = (key: string, right: ArrayLike<unknown>) =>
    (metadata.get(key) as unknown[]).length === right.length &&
    (metadata.get(key) as unknown[]).every((value, i) => value === right[i]);
  expect([same('n', numbers), same('w', words), same('s', shorts)]).toEqual([true, true, true]);
  expect((metadata.get('long') as string).length).toBe(3_000_000);
  expect(metadata.get('after')).toBe('y');
});

test.each([
  [
    'a text of 16 MB and a byte',
    entry('a', 8, u64((16 << 20) + 1)),
    /: a string claims 16777217 bytes, and 16777216 are read at most\./,
  ],
  [
    '4,194,305 values',
    entry('a', 9, Buffer.concat([u32(0), u64((1 << 22) + 1)])),
    /: it claims 4194305 values in the array 'a'/,
  ],
])('%s are refused before they are read', async (_, one, message) => {
  writeFileSync(path, ggufOf([one]));
  truncateSync(path, 20_000_000);
  await expect(openGguf(path)).rejects.toThrow(message);
});

test('the values of all lists count together', async () => {
  const bytesOf = (key: string, n: number) => entry(key, 9, Buffer.concat([u32(0), u64(n)]));
  writeFileSync(path, ggufOf([Buffer.concat([bytesOf('a', 1000), Buffer.alloc(1000)]), bytesOf('b', (1 << 22) - 999)]));
  truncateSync(path, 20_000_000);
  await expect(openGguf(path)).rejects.toThrow(/: it claims 4193305 values in the array 'b'/);
});

test('any flipped byte or cut is refused in words or harmless, and never hangs', async () => {
  const good = readFileSync(
    writeGguf(join(folder, 'fuzz.gguf'), { 'general.architecture': 'gemma3', n: 7, list: ['a', 'b'] }, [
      { name: 'w', shape: [2, 3], data: new Float32Array(6) },
    ]),
  );
  let refused = 0;
  for (let i = 0; i < 400; i++) {
    const changed = Buffer.from(good);
    if (i % 2) changed[(i * 7) % Math.min(changed.length, 260)] ^= 1 << (i % 8);
    try {
      await opened(i % 2 ? changed : changed.subarray(0, (i * 13) % changed.length));
    } catch (error) {
      expect(error, String(error)).toBeInstanceOf(LoupeError);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(250);
});

test.skipIf(openHandles() === null)('a file is closed when it is refused and when it is closed', async () => {
  const before = openHandles();
  await expect(opened(version(1))).rejects.toThrow();
  expect(openHandles()).toBe(before);
  await opened(version(3));
  expect(openHandles()).toBe(before);
});

describe('a text that is not UTF-8 is refused by its key, as the gguf package refuses it', () => {
  const raw = (...given: number[]) => Buffer.concat([u64(given.length), Buffer.from(given)]);
  const NOT = ' is not UTF-8, and what stood there would be another text. Fetch or convert it again.';
  test.each<[string, Buffer, string]>([
    ['Latin-1', entry('tokenizer.chat_template', 8, raw(0x61, 0xe9, 0x62)), "'tokenizer.chat_template'"],
    ['half of a surrogate pair', entry('a', 8, raw(0xed, 0xa0, 0x80)), "'a'"],
    ['a character of two bytes in three', entry('a', 8, raw(0xe0, 0x80, 0xaf)), "'a'"],
    ['a character cut off', list('tokens', 8, text('é'), raw(0x7a, 0xc3)), "entry 1 of 'tokens'"],
    [
      'of a long list, beyond what is read at once',
      list('tokens', 8, ...Array<Buffer>(3).fill(text('x'.repeat(600_000))), raw(0xff)),
      "entry 3 of 'tokens'",
    ],
    ['a key', Buffer.concat([raw(0x6b, 0xe9), u32(0), Buffer.of(1)]), "entry 0 of 'the names of metadata keys'"],
  ])('%s', async (_, metadata, what) => {
    await expect(opened(ggufOf([metadata]))).rejects.toThrow(
      new ModelFileError(`${path} is not a sound GGUF file: ${what}${NOT}`),
    );
  });

  test('the name of a tensor; and a byte order mark is a character', async () => {
    const named = Buffer.concat([raw(0xff), u32(1), u64(1), u32(0), u64(0)]);
    await expect(opened(ggufOf([], [named]))).rejects.toThrow("entry 0 of 'the names of tensors' is not UTF-8");
    const marked = await opened(ggufOf([entry('a', 8, text('\ufeffé')), list('b', 8, text('\ufeff'))]));
    expect([...marked.metadata]).toEqual([
      ['a', '\ufeffé'],
      ['b', ['\ufeff']],
    ]);
  });
});
