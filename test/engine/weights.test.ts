// Model files: what is read bit by bit as the reference reads it, and what is refused before it does harm.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LoupeError } from '../../engine/errors.js';
import { BLOCKS } from '../../engine/weights/dequantise.js';
import { openGguf } from '../../engine/weights/gguf.js';
import { openModelFiles } from '../../engine/weights/open.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import { checkFormats } from '../../lab/parity/formats.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeGguf } from '../fixtures/gguf.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();

describe('GGUF formats', async () => {
  const rows = await checkFormats();
  test.each(rows)('$format is bit-equal to the Python package gguf', ({ values, different }) => {
    expect(different).toBe(0);
    expect(values).toBeGreaterThan(20);
  });
  test('are all there', () => {
    expect(rows.map(({ format }) => format)).toEqual(Object.keys(BLOCKS).filter(format => format !== 'F32'));
  });
});

test('f32, f16 and bf16 safetensors give their values; rows can be read alone', async () => {
  const path = join(folder, 'a.safetensors');
  await writeSafetensors(path, [{ name: 'x', shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) }], { note: 'hi' });
  const file = await openSafetensors(path);
  expect([...(await file.readF32('x', 1, 1))]).toEqual([3, 4]);
  expect(file.metadata.get('note')).toBe('hi');
  await file.close();
  const header = Buffer.from(
    JSON.stringify({
      h: { dtype: 'F16', shape: [3], data_offsets: [0, 6] },
      b: { dtype: 'BF16', shape: [2], data_offsets: [6, 10] },
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const halves = Buffer.from(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x3f80, 0xc0a0).buffer);
  writeFileSync(path, Buffer.concat([length, header, halves]));
  const mixed = await openSafetensors(path);
  expect([...(await mixed.readF32('h'))]).toEqual([1, -2, 2 ** -24]);
  expect([...(await mixed.readF32('b'))]).toEqual([1, -5]);
  await mixed.close();
});

function broken(header: object | string, data = 16): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, 'broken.safetensors');
  writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(data)]));
  return path;
}
const tensor = (dtype: string, shape: unknown, offsets: unknown) => ({ t: { dtype, shape, data_offsets: offsets } });

test.each([
  ['no JSON', 'not json', /its header is not a JSON object/],
  ['half of JSON', '{"t":{', /its header is not JSON that can be read: it has no string at its end/],
  ['a list', '[1]', /its header is not a JSON object/],
  ['an unknown dtype', tensor('F3', [4], [0, 16]), /the tensor 't' of the dtype "F3", which the format does not have/],
  ['a negative shape', tensor('F32', [-4], [0, 16]), /whose shape has no whole number at character 29, "-4\],/],
  [
    'offsets past the end',
    tensor('F32', [400], [0, 1600]),
    /the tensor 't' with a claim to bytes 0 to 1600, but there are 16/,
  ],
  [
    'a size that does not fit its shape',
    tensor('F32', [3], [0, 16]),
    /the tensor 't' as F32 \[3\], which takes 12 bytes, but it has 16/,
  ],
  ['an absurd shape', tensor('F32', [2 ** 40, 2 ** 40], [0, 16]), /in a shape of more than 2⁶⁴ bits/],
  [
    'an overlap',
    { ...tensor('F32', [4], [0, 16]), u: { dtype: 'F32', shape: [2], data_offsets: [8, 16] } },
    /the tensor 'u' from byte 8, so that it overlaps 't', which ends at 16/,
  ],
])('a safetensors header with %s is refused', async (_, header, message) => {
  await expect(openSafetensors(broken(header))).rejects.toThrow(message);
});

test('a header longer than the file, and a file shorter than a header, are refused', async () => {
  const path = join(folder, 'short.safetensors');
  writeFileSync(path, Buffer.from([255, 255, 255, 255, 255, 255, 0, 0, 1]));
  await expect(openSafetensors(path)).rejects.toThrow(/its header claims 281474976710655 bytes/);
  writeFileSync(path, 'abc');
  await expect(openSafetensors(path)).rejects.toThrow(/it has 3 bytes/);
  await expect(openSafetensors(join(folder, 'none'))).rejects.toThrow(/there is no such file/);
});

test('GGUF metadata and tensors come back; shapes are rows first', async () => {
  const path = writeGguf(join(folder, 'a.gguf'), { 'general.architecture': 'gemma3', n: 7, list: ['a', 'b'] }, [
    { name: 'w', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  ]);
  const file = await openGguf(path);
  expect(file.metadata.get('n')).toBe(7);
  expect(file.metadata.get('list')).toEqual(['a', 'b']);
  expect(file.tensors.get('w')?.shape).toEqual([2, 3]);
  expect([...(await file.readF32('w', 1, 1))]).toEqual([4, 5, 6]);
  await file.close();
});

test('a stored format that cannot be read is named with its tensor', async () => {
  const path = writeGguf(join(folder, 'iq2.gguf'), { 'general.architecture': 'gemma3' }, [
    { name: 'blk.0.attn_q.weight', shape: [1, 256], data: new Float32Array(256) },
  ]);
  const bytes = readFileSync(path);
  const type = bytes.indexOf('blk.0.attn_q.weight') + 19 + 4 + 16;
  expect(bytes.readUInt32LE(type)).toBe(0);
  for (const [number, message] of [
    [
      16,
      /Tensor 'blk\.0\.attn_q\.weight' in .*iq2\.gguf is IQ2_XXS, which cannot be read; F32, .*MXFP4 can\. Quantise/,
    ],
    [99, /tensor 'blk\.0\.attn_q\.weight' has the unknown type 99/],
  ] as const) {
    bytes.writeUInt32LE(number, type);
    writeFileSync(path, bytes);
    await expect(openGguf(path)).rejects.toThrow(message);
  }
});

test('any flipped byte or cut of a GGUF is refused in words or harmless, and never hangs', async () => {
  const good = readFileSync(
    writeGguf(join(folder, 'fuzz.gguf'), { 'general.architecture': 'gemma3', n: 7, list: ['a', 'b'] }, [
      { name: 'w', shape: [2, 3], data: new Float32Array(6) },
    ]),
  );
  const path = join(folder, 'fuzzed.gguf');
  let refused = 0;
  for (let i = 0; i < 400; i++) {
    const bytes = Buffer.from(good);
    if (i % 2) bytes[(i * 7) % Math.min(bytes.length, 260)] ^= 1 << (i % 8);
    writeFileSync(path, i % 2 ? bytes : bytes.subarray(0, (i * 13) % bytes.length));
    try {
      const file = await openGguf(path);
      await file.close();
    } catch (error) {
      expect(error, String(error)).toBeInstanceOf(LoupeError);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(250);
});

describe('a model folder', () => {
  const cases: [string, (at: string) => Promise<unknown> | unknown, RegExp][] = [
    ['that is not there', () => {}, /There is no model at .*missing\. Give a folder with config\.json/],
    ['without config.json', at => mkdirSync(at), /has no config\.json, so it is not a model folder/],
    [
      'of another family',
      at => writeTiny(at, { config: { model_type: 'llama' } }),
      /of type 'llama', and Loupe runs Gemma/,
    ],
    [
      'that lacks a tensor',
      at => writeTiny(at, { tensors: s => s.delete('model.layers.1.mlp.up_proj.weight') }),
      /lacks the weight 'layers\.1\.mlp\.up' \[256,128\]/,
    ],
    [
      'with a wrong shape',
      at => writeTiny(at, { tensors: s => s.set('model.norm.weight', [64]) }),
      /'model\.norm\.weight' in the shape \[64\], but its configuration says \[128\]/,
    ],
    [
      'with heads that do not divide',
      at => writeTiny(at, { config: { num_key_value_heads: 3 } }),
      /4 query heads cannot share 3/,
    ],
    [
      'with absurd counts',
      at => writeTiny(at, { config: { num_hidden_layers: 1e9, layer_types: null } }),
      /gives 1000000000 layers, and a whole number from 1 to 1000/,
    ],
    [
      'with an unknown layer type',
      at => writeTiny(at, { config: { layer_types: ['full_attention', 'odd'] } }),
      /one of them 'odd'/,
    ],
  ];
  test.each(cases)('%s is refused with the cure', async (name, make, message) => {
    const at = join(folder, name === 'that is not there' ? 'missing' : name.replace(/\W+/g, '-'));
    await make(at);
    await expect(openModelFiles(at)).rejects.toThrow(message);
  });

  test('of shards with an index opens like a single file', async () => {
    const at = await writeTiny(join(folder, 'shards'));
    const whole = await openModelFiles(at);
    const { readdirSync, renameSync } = await import('node:fs');
    renameSync(join(at, 'model.safetensors'), join(at, 'model-00001-of-00001.safetensors'));
    expect(readdirSync(at)).toHaveLength(2);
    await expect(openModelFiles(at)).rejects.toThrow(/neither model\.safetensors nor model\.safetensors\.index\.json/);
    const map = Object.fromEntries(
      [...whole.weights.entries.values()].map(e => [e.fileName, 'model-00001-of-00001.safetensors']),
    );
    writeFileSync(join(at, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
    const sharded = await openModelFiles(at);
    expect(sharded.fingerprint).toBe(whole.fingerprint);
    await sharded.close();
    // The same tensor in two shards: which one is meant?
    copyFileSync(join(at, 'model-00001-of-00001.safetensors'), join(at, 'other.safetensors'));
    writeFileSync(
      join(at, 'model.safetensors.index.json'),
      JSON.stringify({ weight_map: { ...map, again: 'other.safetensors' } }),
    );
    await expect(openModelFiles(at)).rejects.toThrow(
      /other\.safetensors has the tensor '.*', which model-00001-of-00001\.safetensors in the same folder has too/,
    );
    writeFileSync(join(at, 'model.safetensors.index.json'), JSON.stringify({ weight_map: { a: 'gone.safetensors' } }));
    await expect(openModelFiles(at)).rejects.toThrow(/names the shard gone\.safetensors, which is not there/);
    await whole.close();
  });
});

describe('what lies beside the weights', () => {
  test('vision tensors are left out with a word; a template and a vocabulary are found', async () => {
    const at = await writeTiny(join(folder, 'beside'), {
      tensors: shapes => shapes.set('model.vision_tower.patch.weight', [4, 4]).set('multi_modal_projector.w', [4]),
    });
    const bare = await openModelFiles(at);
    expect(bare.leftOut).toEqual({ tensors: 2, parts: ['vision_tower', 'multi_modal_projector'] });
    expect([bare.vocabulary, bare.chatTemplate]).toEqual([null, null]);
    await bare.close();
    const found = async () => {
      const files = await openModelFiles(at);
      await files.close();
      return [files.vocabulary?.kind, files.chatTemplate];
    };
    writeFileSync(join(at, 'tokenizer.json'), '{}');
    const named = [
      { name: 'tool', template: 'T' },
      { name: 'default', template: 'D' },
    ];
    writeFileSync(join(at, 'tokenizer_config.json'), JSON.stringify({ chat_template: named }));
    expect(await found()).toEqual(['tokenizer.json', 'D']);
    writeFileSync(join(at, 'tokenizer_config.json'), JSON.stringify({ chat_template: 'C' }));
    writeFileSync(join(at, 'tokenizer.model'), '');
    expect(await found()).toEqual(['sentencepiece', 'C']);
    writeFileSync(join(at, 'chat_template.jinja'), 'J');
    expect(await found()).toEqual(['sentencepiece', 'J']);
    writeFileSync(join(at, 'chat_template.jinja'), '');
    writeFileSync(join(at, 'tokenizer_config.json'), 'not JSON');
    expect(await found()).toEqual(['sentencepiece', '']);
  });
});
