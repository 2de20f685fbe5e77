// The safetensors reader against the reference parser, whose verdict on each odd file golden/safetensors_cases.py wrote down; and its bounds.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ModelFileError } from '../../engine/errors.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { freshFolder } from '../fixtures/folder.js';

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

function file(header: Buffer | string, data: Uint8Array | number): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  const bytes = typeof data === 'number' ? Uint8Array.from({ length: data }, (_, i) => i) : data;
  return Buffer.concat([length, Buffer.from(header), bytes]);
}

function bytesOf({ raw, header, latin1, data = 0 }: Case): Buffer {
  if (raw !== undefined) return Buffer.from(raw, 'latin1');
  return file(header ?? Buffer.from(latin1!, 'latin1'), data);
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
  await expect(ours(file(header as string, data))).rejects.toThrow(message);
});

test('a dtype that cannot be read stops its tensor, not the file', async () => {
  const parts =
    '"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]},"b":{"dtype":"F16","shape":[1],"data_offsets":[1,3]}';
  writeFileSync(path, file(`{${parts}}`, Uint8Array.of(0x12, 0, 0x3c)));
  const opened = await openSafetensors(path);
  expect([...(await opened.readF32('b'))]).toEqual([1]);
  await expect(opened.readF32('a')).rejects.toThrow(/Tensor 'a' in .* is F4; F32, F16 and BF16 can be read/);
  expect([...(await opened.readBytes('a'))]).toEqual([0x12]);
  await opened.close();
});

describe('headers that would cost more than they weigh are refused by a bound', () => {
  const many = (n: number, one: (i: number) => string) => Array.from({ length: n }, (_, i) => one(i)).join();
  test.each([
    [
      'tensors',
      () => `{${many(1_500_000, i => `"t${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)}}`,
      /more than 100000 tensors/,
    ],
    [
      'a tensor that comes again and again',
      () => `{${many(200_000, () => '"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}')}}`,
      /more than 100000 tensors/,
    ],
    [
      'keys of metadata',
      () => `{"__metadata__":{${many(3_000_000, i => `"${i}":""`)}}}`,
      /more than 100000 keys of __metadata__/,
    ],
    [
      'dimensions',
      () => `{"t":{"dtype":"U8","shape":[${'1,'.repeat(40_000_000)}0],"data_offsets":[0,0]}}`,
      /more than 1000000 dimensions/,
    ],
    [
      '100,000,001 bytes',
      () => `{${' '.repeat(99_999_999)}}`,
      /claims 100000001 bytes, and the format has at most 100000000/,
    ],
  ])('%s', async (_, header, message) => {
    const bytes = file(header(), 0);
    const began = performance.now();
    await expect(ours(bytes)).rejects.toThrow(message);
    expect(performance.now() - began).toBeLessThan(10_000); // it is tenths of a second; 30 without the bounds
  });
});
