// The safetensors reader against the reference parser, whose verdict on each odd file golden/safetensors_cases.py wrote down; and
// what is said of a file that is refused.

import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ModelFileError, OptionError } from '../../engine/errors.js';
import { f16Value, f16Values, openSafetensors } from '../../engine/weights/safetensors.js';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import { freshFolder } from '../fixtures/folder.js';
import { openHandles } from '../fixtures/handles.js';
import { safetensorsOf } from '../fixtures/safetensors-bytes.js';

interface Case {
  readonly name: string;
  readonly raw?: string;
  readonly header?: string;
  readonly latin1?: string;
  readonly data?: number;
  /** Null: the reference refuses it. A tensor: dtype, shape, first byte. */
  readonly verdict: {
    tensors: Record<string, [string, number[], number | null]>;
    metadata: Record<string, string>;
  } | null;
}

const folder = freshFolder();
const path = join(folder, 'case.safetensors');
const cases = readFileSync(join(import.meta.dirname, '../../golden/safetensors-cases.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as Case);

function bytesOf({ raw, header, latin1, data = 0 }: Case): Buffer {
  if (raw !== undefined) return Buffer.from(raw, 'latin1');
  return safetensorsOf(header ?? Buffer.from(latin1!, 'latin1'), data);
}

async function ours(bytes: Uint8Array): Promise<Case['verdict']> {
  writeFileSync(path, bytes);
  const opened = await openSafetensors(path);
  try {
    const tensors: NonNullable<Case['verdict']>['tensors'] = Object.create(null);
    for (const { name, dtype, shape } of opened.tensors.values()) {
      tensors[name] = [dtype, [...shape], (await opened.readBytes(name))[0] ?? null];
    }
    return { tensors, metadata: Object.fromEntries(opened.metadata) };
  } finally {
    await opened.close();
  }
}

describe('headers that the reference takes', () => {
  test.each(cases.filter(({ verdict }) => verdict !== null))('$name', async one => {
    const found = await ours(bytesOf(one));
    expect(Object.entries(found!.tensors).sort()).toEqual(Object.entries(one.verdict!.tensors).sort());
    expect(found!.metadata).toEqual(one.verdict!.metadata);
  });
});

describe('headers that the reference refuses', () => {
  test.each(cases.filter(({ verdict }) => verdict === null))('$name', async one => {
    await expect(ours(bytesOf(one))).rejects.toThrow(ModelFileError);
  });
});

test('the cases are of both kinds', () => {
  expect(cases.filter(({ verdict }) => verdict !== null).length).toBeGreaterThan(250);
  expect(cases.filter(({ verdict }) => verdict === null).length).toBeGreaterThan(600);
});

test.each([
  [
    'bytes behind the last tensor',
    '{"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    3,
    /places tensors on 1 of the 3 bytes behind it, and the rest belongs to nothing/,
  ],
  [
    'a gap',
    '{"t":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}',
    3,
    /the tensor 't' from byte 2, so that bytes 0 to 2 before it belong to nothing/,
  ],
  ['a number in __metadata__', '{"__metadata__":{"a":1}}', 0, /has a __metadata__ whose 'a' is no string/],
  ['__metadata__ as a list', '{"__metadata__":[]}', 0, /has a __metadata__ that is no map of strings/],
  ['a part twice', '{"t":{"dtype":"U8","dtype":"U8"}}', 0, /the tensor 't' with dtype twice/],
  ['half a byte', '{"t":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}', 1, /of 4 bits, which are no whole bytes/],
  [
    '16.0',
    '{"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1.0]}}',
    1,
    /whose data_offsets has no whole number at character \d+, "1\.0\]\}\}"/,
  ],
  ['no UTF-8', Buffer.from('{"\xff":1}', 'latin1'), 0, /its header is not UTF-8/],
  ['deep nesting', `{"t":${'['.repeat(1e6)}`, 0, /has the tensor 't' with a dtype that is no name/],
  ['deep nesting under an unknown key', `{"t":{"x":${'['.repeat(1e6)}`, 0, /more than 127 brackets within each other/],
] as const)('%s is refused in words', async (_, header, data, message) => {
  await expect(ours(safetensorsOf(header as string, data))).rejects.toThrow(message);
});

test('a dtype that cannot be read stops its tensor, not the file', async () => {
  const parts =
    '"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]},"b":{"dtype":"F16","shape":[1],"data_offsets":[1,3]}';
  writeFileSync(path, safetensorsOf(`{${parts}}`, Uint8Array.of(0x12, 0, 0x3c)));
  const opened = await openSafetensors(path);
  expect([...(await opened.readF32('b'))]).toEqual([1]);
  await expect(opened.readF32('a')).rejects.toThrow(/Tensor 'a' in .* is F4; F32, F16 and BF16 can be read/);
  expect([...(await opened.readBytes('a'))]).toEqual([0x12]);
  await opened.close();
});

test('f32, f16 and bf16 give their values; rows can be read alone', async () => {
  await writeSafetensors(path, [{ name: 'x', shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) }], { note: 'hi' });
  const opened = await openSafetensors(path);
  expect(opened.path).toBe(path);
  expect([...(await opened.readF32('x'))]).toEqual([1, 2, 3, 4, 5, 6]);
  expect([...(await opened.readF32('x', 1, 1))]).toEqual([3, 4]);
  expect([...(await opened.readF32('x', 1))]).toEqual([3, 4, 5, 6]);
  expect([...(await opened.readF32('x', 3))]).toEqual([]);
  expect(opened.metadata.get('note')).toBe('hi');
  for (const [start, count, message] of [
    [0, 4, /^Rows 0 to 4 of 'x' \[3,2\] do not exist\.$/],
    [2, 2, /^Rows 2 to 4 of/],
    [-1, 1, /^Rows -1 to 0 of/],
    [2, -1, /^Rows 2 to 1 of/],
    [Number.NaN, 1, /^Rows NaN to NaN of/],
  ] as const) {
    const refused = expect(opened.readF32('x', start, count)).rejects;
    await refused.toThrow(OptionError);
    await refused.toThrow(message);
  }
  await expect(opened.readF32('y')).rejects.toThrow(/case\.safetensors has no tensor 'y'\. It has 1 others\.$/);
  expect(() => opened.readBytes('y')).toThrow(ModelFileError);
  await opened.close();
});

/** One tensor of halves, as f32. */
async function halves(dtype: string, shape: number[], ...bits: number[]): Promise<number[]> {
  const header = JSON.stringify({ t: { dtype, shape, data_offsets: [0, 2 * bits.length] } });
  writeFileSync(path, safetensorsOf(header, new Uint8Array(Uint16Array.from(bits).buffer)));
  const opened = await openSafetensors(path);
  const values = await opened.readF32('t');
  await opened.close();
  return [...values];
}

test('halves of every kind: normal, subnormal, zeros, infinite, none', async () => {
  const f16: [number, number][] = [
    ...([
      [0x3c00, 1],
      [0xc000, -2],
      [0x0001, 2 ** -24],
      [0x83ff, -1023 * 2 ** -24],
      [0x0400, 2 ** -14],
    ] as const),
    ...([
      [0x7bff, 65504],
      [0x3555, 0.333251953125],
      [0x8000, -0],
      [0x7c00, Number.POSITIVE_INFINITY],
    ] as const),
    ...([
      [0xfc00, Number.NEGATIVE_INFINITY],
      [0x7e00, Number.NaN],
      [0xfc01, Number.NaN],
    ] as const),
  ].map(([bits, value]) => [bits, value]);
  for (const [bits, value] of f16) expect(f16Value(bits), String(bits)).toBe(value);
  expect(await halves('F16', [12], ...f16.map(([bits]) => bits))).toEqual(f16.map(([, value]) => value));
  expect(f16Values().length).toBe(65536);
  expect(await halves('BF16', [4], 0x3f80, 0xc0a0, 0x7f80, 0x7fc0)).toEqual([
    ...[1, -5, Number.POSITIVE_INFINITY, Number.NaN],
  ]);
  expect(await halves('F16', [], 0x3c00)).toEqual([1]); // a scalar is one row
  expect(await halves('F16', [0, 4])).toEqual([]);
  expect(await halves('BF16', [4, 0])).toEqual([]);
});

const t = (...parts: string[]) => `{"t":{${parts.join()}}}`;
const U8 = '"dtype":"U8"';
const ONE = '"shape":[1]';
const BYTE = '"data_offsets":[0,1]';

describe('a header is refused in words that say what and where', () => {
  test.each<[string, string, RegExp]>([
    ['no JSON', 'not json', /is not a JSON object/],
    ['a list', '[1]', /is not a JSON object/],
    ['nothing', '', /is not a JSON object/],
    ['half of JSON', '{"t":{', /is not JSON that can be read: it has no string at its end/],
    ['a tail', '{} {}', /it has something behind its end at character 3, "\{\}"/],
    ['a key that is none', '{1:2}', /it has no string at character 1, "1:2\}"/],
    ['a string without an end', '{"a', /it has a string without an end at character 1, "\\"a"/],
    ['a quote that is escaped', '{"a\\"', /it has a string without an end at character 1/],
    ['an escape that is none', '{"a\\x":1}', /it has a string that is none at character 1, "\\"a\\\\x\\":1\}"/],
    ['half a pair', '{ "\\ud800":1}', /it has half a surrogate pair at character 2/],
    ['no colon', '{"a" 1}', /it has no ':' at character 5, "1\}"/],
    ['no comma', `{"t":{"x":1 "y":2}}`, /it has neither ',' nor '\}' at character 12, "\\"y\\":2\}\}"/],
    ['no comma in a list', '{"t":{"x":[1 2]}}', /it has neither ',' nor '\]' at character 13, "2\]\}\}"/],
    ['a comma too many', '{"t":{"x":[1,]}}', /it has no JSON at character 13, "\]\}\}"/],
    ['another word', '{"t":{"x":tru}}', /it has no JSON at character 10, "tru\}\}"/],
    ['false half', '{"t":{"x":fals}}', /it has no JSON at character 10, "fals\}\}"/],
    ['null half', '{"t":{"x":nul}}', /it has no JSON at character 10, "nul\}\}"/],
    ['a plus', '{"t":{"x": +1}}', /it has no JSON at character 11, "\+1\}\}"/],
    ['a number without bound', '{"t":{"x":1e999}}', /it has a number out of range at character 10, "1e999\}\}"/],
    ['more text than is shown', '{"t":{"x":abcdefghijklmnopqrstuvwxyz}}', /at character 10, "abcdefghijklmnopqrst"\./],
    ['metadata twice', '{"__metadata__":{},"__metadata__":{}}', /its header has __metadata__ twice\./],
    ['metadata of numbers', '{"__metadata__":{"a":1}}', /has a __metadata__ whose 'a' is no string\./],
    ['a number for a tensor', '{"t":1}', /has the tensor 't' that is no object\./],
    ['a list of four', '{"t":["U8",[1],[0,1],1]}', /has the tensor 't' as a list of more than three\./],
    ['a list of two', '{"t":["U8",[1]]}', /has the tensor 't' without data_offsets\./],
    ['nothing in it', '{"t":{}}', /has the tensor 't' without dtype\./],
    ['no shape', t(U8, BYTE), /has the tensor 't' without shape\./],
    ['no offsets', t(U8, ONE), /has the tensor 't' without data_offsets\./],
    ['a shape twice', t(ONE, ONE), /has the tensor 't' with shape twice\./],
    ['offsets twice', t(BYTE, BYTE), /has the tensor 't' with data_offsets twice\./],
    ['three offsets', t(U8, ONE, '"data_offsets":[0,1,1]'), /with 3 data_offsets, where 2 are expected\./],
    ['a number for a dtype', t('"dtype":1'), /has the tensor 't' with a dtype that is no name\./],
    ['no key for a dtype', t('"dtype":{}'), /with a dtype that is no name\./],
    ['a dtype that holds', t('"dtype":{"U8":1}'), /with a dtype that is no name\./],
    ['two dtypes', t('"dtype":{"U8":null,"I8":null}'), /with a dtype that is no name\./],
    ['an unknown dtype', t('"dtype":"F3"'), /the tensor 't' of the dtype "F3", which the format does not have\./],
    ['a number for a shape', t('"shape":1'), /the tensor 't' whose shape is no list\./],
    ['a negative shape', t('"shape":[-4]'), /whose shape has no whole number at character 15, "-4\]\}\}"\./],
    [
      '2⁶⁴',
      t('"shape":[18446744073709551616]'),
      /whose shape has no whole number at character 15, "18446744073709551616"/,
    ],
    ['21 digits', t('"shape":[100000000000000000000]'), /whose shape has no whole number/],
    ['a zero in front', t('"shape":[01]'), /has neither ',' nor '\]' at character 16, "1\]\}\}"|no whole number/],
    ['an exponent', t('"shape":[1e0]'), /whose shape has no whole number at character 15, "1e0\]\}\}"/],
    ['the wrong way round', t(U8, '"shape":[0]', '"data_offsets":[1,0]'), /the tensor 't' from byte 1 to 0\./],
    [
      'past the end',
      t(U8, '"shape":[3]', '"data_offsets":[0,3]'),
      /a claim to bytes 0 to 3, but there are 2 after the header\./,
    ],
    [
      '2⁶⁴ values',
      t(U8, '"shape":[4294967296,4294967296,0]', '"data_offsets":[0,0]'),
      /in a shape of more than 2⁶⁴ bits, \[4294967296,4294967296,0\]\./,
    ],
    ['2⁶⁴ bits', t(U8, '"shape":[2305843009213693952]', '"data_offsets":[0,0]'), /in a shape of more than 2⁶⁴ bits/],
    [
      'too few bytes',
      t('"dtype":"U16"', ONE, BYTE),
      /the tensor 't' as U16 \[1\], which takes 2 bytes, but it has 1\./,
    ],
    ['a long name', `{"${'n'.repeat(90)}":1}`, /the tensor 'n{80}…' that is no object/],
    ['a name of 80', `{"${'n'.repeat(80)}":1}`, /the tensor 'n{80}' that is no object/],
    [
      'a long shape',
      t(U8, `"shape":[${'1,'.repeat(60)}1]`, '"data_offsets":[0,0]'),
      /as U8 \[(1,){40}…\], which takes 1 bytes, but it has 0\./,
    ],
    ['bytes left', '{}', /its header places tensors on 0 of the 2 bytes behind it, and the rest belongs to nothing\./],
    [
      'an overlap of two that begin together',
      '{"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      /the tensor 'b' from byte 0, so that it overlaps 'a', which ends at 1\./,
    ],
  ])('%s', async (_, header, message) => {
    const found = (await ours(safetensorsOf(header, 2)).catch(error => error)) as Error;
    expect(found).toBeInstanceOf(ModelFileError);
    expect(found.message).toMatch(message);
    expect(found.message).toMatch(
      /case\.safetensors is not a sound safetensors file: its header .*\. Fetch or export it again\.$/s,
    );
  });
});

test('the largest numbers and the deepest nesting that the reference takes', async () => {
  const deep = (n: number) => t(U8, '"shape":[2]', '"data_offsets":[0,2]', `"x":${'['.repeat(n)}${']'.repeat(n)}`);
  await ours(safetensorsOf(deep(125), 2));
  await expect(ours(safetensorsOf(deep(126), 2))).rejects.toThrow(/it has more than 127 brackets within each other/);
  // Brackets beside each other are not within each other.
  await ours(safetensorsOf(t(U8, '"shape":[2]', '"data_offsets":[0,2]', `"x":[${'[],'.repeat(200)}{}]`), 2));
  await expect(ours(safetensorsOf(t('"shape":[18446744073709551615]'), 2))).rejects.toThrow(/without dtype/);
});

test('what nobody asks for is stepped over, and each tensor has the bytes it says', async () => {
  const beside = '"x":false,"y":[true,null,-1.5e3,"s",{"z":{}}],"z":0';
  const header = `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2],${beside}},"b":{"dtype":"U8","shape":[3],"data_offsets":[2,5]}}`;
  writeFileSync(path, safetensorsOf(header, 5));
  const opened = await openSafetensors(path);
  expect([...opened.tensors.values()].map(({ bytes }) => bytes)).toEqual([2, 3]);
  expect([...(await opened.readBytes('a')), ...(await opened.readBytes('b'))]).toEqual([0, 1, 2, 3, 4]);
  await opened.close();
});

test('100,001 keys of metadata are more than a model has', async () => {
  const keys = (n: number) => `{"__metadata__":{${Array.from({ length: n }, (_, i) => `"${i}":""`).join()}}}`;
  expect(Object.keys((await ours(safetensorsOf(keys(100_000))))!.metadata).length).toBe(100_000);
  await expect(ours(safetensorsOf(keys(100_001)))).rejects.toThrow(
    /its header lists more than 100000 keys of __metadata__, far more than a model has\. Fetch/,
  );
});

test('a file too short for its header, or for any, is refused', async () => {
  const said = async (bytes: Uint8Array | string) => {
    writeFileSync(path, bytes);
    return ((await openSafetensors(path).catch(error => error)) as Error).message;
  };
  expect(await said('abc')).toMatch(/: it has 3 bytes, and the header's length alone takes 8\. Fetch or export/);
  expect(await said(Buffer.from([255, 255, 255, 255, 255, 255, 0, 0, 1]))).toMatch(
    /: its header claims 281474976710655 bytes, but the file has 9\. Fetch/,
  );
  expect(await said(Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]))).toMatch(/claims 3 bytes, but the file has 10/);
  expect(await said(Buffer.alloc(8))).toMatch(/its header is not a JSON object/);
  expect(await said(safetensorsOf(Buffer.from('{"\xff":1}', 'latin1')))).toMatch(/: its header is not UTF-8\. Fetch/);
  expect(await said(safetensorsOf('\ufeff{}'))).toMatch(/its header is not a JSON object/);
  // Without its header's 100 MB being read.
  const long = Buffer.alloc(8);
  long.writeBigUInt64LE(100_000_001n);
  writeFileSync(path, long);
  truncateSync(path, 100_000_009);
  await expect(openSafetensors(path)).rejects.toThrow(
    /: its header claims 100000001 bytes, and the format has at most 100000000\. Fetch/,
  );
  await expect(openSafetensors(join(folder, 'none'))).rejects.toThrow(/there is no such file/);
});

test.skipIf(openHandles() === null)('a file is closed when it is refused and when it is closed', async () => {
  writeFileSync(path, safetensorsOf('{}', 2));
  const before = openHandles();
  await expect(openSafetensors(path)).rejects.toThrow();
  expect(openHandles()).toBe(before);
  writeFileSync(path, safetensorsOf('{}'));
  await (await openSafetensors(path)).close();
  expect(openHandles()).toBe(before);
});
