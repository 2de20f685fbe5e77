// The forms in which people have a model: folders of every making, parts, blobs without an ending. Each opens, or is told as what it is.

import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openGguf } from '../../engine/weights/gguf.js';
import { openModelFiles } from '../../engine/weights/open.js';
import { type StoredMatrix, sameMatrix } from '../../engine/weights/same-matrix.js';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import type { ModelFiles } from '../../engine/weights/source.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeGguf } from '../fixtures/gguf.js';
import { TINY_METADATA, tinyTensors, writeTinyParts } from '../fixtures/tiny-gguf.js';
import { formulaValues, TINY_CONFIG, tinyShapes, writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();
let made = 0;
const place = () => join(folder, String(made++));

async function opened(path: string): Promise<ModelFiles> {
  const files = await openModelFiles(path);
  await files.close();
  return files;
}

/** A folder with tensors of any dtype behind the tiny model's own: name → dtype, shape and bytes. */
function withTensors(at: string, more: Record<string, { dtype: string; shape: number[]; bytes: number }>): string {
  const path = join(at, 'model.safetensors');
  const file = readFileSync(path);
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + length).toString());
  let end = file.length - 8 - length;
  for (const [name, { dtype, shape, bytes }] of Object.entries(more)) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  const data = Buffer.alloc(end);
  file.copy(data, 0, 8 + length);
  writeFileSync(path, Buffer.concat([size, json, data]));
  return at;
}

describe('a tensor that Loupe has no place for is refused by name', () => {
  const F32 = (...shape: number[]) => ({ dtype: 'F32', shape, bytes: 4 * shape.reduce((a, b) => a * b, 1) });
  test.each<[string, RegExp]>([
    ['model.layers.0.self_attn.q_proj.bias', /self_attn\.q_proj\.bias', a bias, and Loupe has none/],
    ['model.layers.1.mlp.down_proj.bias', /down_proj\.bias', a bias/],
    ['lm_head.bias', /lm_head\.bias', a bias/],
    ['model.norm.bias', /model\.norm\.bias', a bias/],
    ['model.layers.0.self_attn.v_norm.weight', /v_norm\.weight', which a Gemma 3 has no place for/],
    ['model.layers.0.layer_scalar', /layer_scalar'/],
    ['model.layers.0.self_attn.sinks', /sinks', which a Gemma 3 has no place for/],
    ['model.layers.0.laurel.linear_left.weight', /laurel\.linear_left\.weight'/],
    ['model.per_layer_projection_norm.weight', /per_layer_projection_norm/],
    ['embed_norm.weight', /embed_norm\.weight'/],
    ['model.layers.2.mlp.up_proj.weight', /layers\.2\.mlp\.up_proj\.weight', a layer more than the 2/],
    ['model.layers.17.whatever', /layers\.17\.whatever', a layer more than the 2/],
    [
      'model.layers.0.self_attn.q_proj.lora_A.weight',
      /lora_A\.weight', a part of an adapter \(LoRA\).*merge_and_unload/,
    ],
    ['model.layers.0.mlp.up_proj.lora_magnitude_vector', /adapter \(LoRA\)/],
    ['base_model.model.model.layers.0.mlp.up_proj.base_layer.weight', /adapter \(LoRA\)/],
    [
      'model.layers.0.mlp.up_proj.weight_scale',
      /quantised with FP8 with scales \(it has 'model\.layers\.0\.mlp\.up_proj\.weight_scale'\)/,
    ],
    ['model.layers.0.mlp.up_proj.weight_scale_inv', /quantised with FP8/],
    ['model.layers.0.mlp.up_proj.qweight', /quantised with AWQ/],
    ['model.layers.0.mlp.up_proj.scales', /quantised with MLX.*mlx_lm/],
    ['model.layers.0.mlp.up_proj.weight.absmax', /quantised with bitsandbytes/],
    ['model.layers.0.mlp.up_proj.weight.quant_state.bitsandbytes__nf4', /bitsandbytes/],
    ['model.layers.0.mlp.up_proj.SCB', /bitsandbytes/],
    ['model.layers.0.mlp.up_proj.weight_packed', /compressed-tensors/],
  ])('%s', async (name, message) => {
    const at = withTensors(await writeTiny(place()), { [name]: F32(4) });
    await expect(openModelFiles(at)).rejects.toThrow(message);
  });

  test('a norm of another family', async () => {
    const at = await writeTiny(place(), { config: { model_type: 'gemma2', rope_local_base_freq: null } });
    await expect(openModelFiles(at)).rejects.toThrow(
      /self_attn\.(q|k)_norm\.weight', which a Gemma 2 has no place for/,
    );
  });

  test('what reads the model and is no part of it is left out with a word, in whatever format', async () => {
    const at = withTensors(await writeTiny(place()), {
      'vision_tower.a.weight': { dtype: 'F8_E8M0', shape: [3], bytes: 3 },
      'model.vision_tower.b.weight_scale': { dtype: 'F8_E4M3', shape: [3], bytes: 3 },
      'multi_modal_projector.c': { dtype: 'F4', shape: [4], bytes: 2 },
      'vision_tower.d': { dtype: 'C64', shape: [1], bytes: 8 },
      'score.weight': F32(2, 128),
      'v_head.summary.bias': F32(1),
      'model.layers.0.self_attn.rotary_emb.inv_freq': F32(16),
    });
    const plain = await opened(await writeTiny(place()));
    const files = await opened(at);
    expect(files.leftOut.tensors).toBe(7);
    expect(files.leftOut.parts).toContain('rotary_emb.inv_freq');
    expect(files.leftOut.parts).not.toContain('layers');
    expect(files.fingerprint).toBe(plain.fingerprint);
  });

  test('a weight that is stored as nothing Loupe reads', async () => {
    const at = await writeTiny(place(), { tensors: s => s.delete('model.layers.0.mlp.up_proj.weight') });
    withTensors(at, { 'model.layers.0.mlp.up_proj.weight': { dtype: 'F8_E4M3', shape: [256, 128], bytes: 256 * 128 } });
    await expect(openModelFiles(at)).rejects.toThrow(
      /up_proj\.weight' in \S+ is F8_E4M3; F32, F16 and BF16 can be read/,
    );
  });
});

describe('a head of its own', () => {
  const head = formulaValues('head', 1000 * 128);
  const embed = formulaValues('model.embed_tokens.weight', 1000 * 128);
  const make = async (data: Float32Array, config: object = {}) => {
    const at = await writeTiny(place(), { config });
    const tensors = [...tinyShapes()].map(([name, shape]) => ({
      name,
      shape,
      data: formulaValues(
        name,
        shape.reduce((a, b) => a * b),
      ),
    }));
    await writeSafetensors(join(at, 'model.safetensors'), [
      ...tensors,
      { name: 'lm_head.weight', shape: [1000, 128], data },
    ]);
    return opened(at);
  };
  test('is used where it differs from the embedding, as transformers does', async () => {
    const differs = await make(head);
    expect(differs.config.tiedHead).toBe(false);
    expect(differs.notices.join()).toMatch(/lm_head\.weight differs from the embedding, so it is used/);
    const last = embed.slice();
    last[last.length - 1] += 1;
    expect((await make(last)).config.tiedHead).toBe(false);
  });
  test('and is the embedding where it does not', async () => {
    const same = await make(embed);
    expect([same.config.tiedHead, same.notices]).toEqual([true, []]);
    expect((await make(embed, { tie_word_embeddings: false })).config.tiedHead).toBe(false);
  });
});

describe('a large head beside a tied embedding', () => {
  const [rows, width] = [100_000, 1024];
  /** Reads of two matrices of 195 MiB in bf16 that are not there, but for the rows in which the second differs. */
  const matrices = (differs: (row: number) => boolean, dtype = 'BF16') => {
    const read: number[] = [];
    const file = (own: boolean) => ({
      readBytes: async (_: string, start = 0, count = rows) => {
        read.push(count);
        const bytes = new Uint8Array(count * width * 2);
        for (let i = 0; own && i < count; i++) if (differs(start + i)) bytes[(i + 1) * width * 2 - 1] = 1;
        return bytes;
      },
      readF32: async (_: string, start = 0, count = rows) => {
        read.push(count);
        return new Float32Array(count).map((_, i) => Number(own && differs(start + i)));
      },
    });
    const one = (own: boolean) => ({
      ...{ name: 'x', shape: [rows, width], bytes: rows * width * 2, dtype: own ? dtype : 'BF16' },
      file: file(own) as unknown as StoredMatrix['file'],
    });
    return { read, pair: [one(false), one(true)] as const };
  };
  const same = (differs: (row: number) => boolean, whole: boolean, dtype?: string) =>
    sameMatrix(...matrices(differs, dtype).pair, whole);

  test('is compared whole before it is computed with: one row that differs is found', async () => {
    for (const dtype of ['BF16', 'F32']) {
      expect(await same(() => false, true, dtype)).toBe(true);
      for (const row of [0, 54_321, rows - 1]) expect(await same(at => at === row, true, dtype)).toBe(false);
    }
  });
  test('and in a sample of rows where it is only described: enough for a head that was trained', async () => {
    const { read, pair } = matrices(() => false);
    expect(await sameMatrix(...pair, false)).toBe(true);
    expect(read.reduce((a, b) => a + b)).toBeLessThan(1000);
    for (const differs of [() => true, (row: number) => row % 20 === 7, (row: number) => row === rows - 1]) {
      expect(await same(differs, false)).toBe(false);
      expect(await same(differs, false, 'F32')).toBe(false);
    }
  });
});

describe('model.safetensors beside an index', () => {
  const both = async (single: (s: Map<string, number[]>) => void) => {
    const at = await writeTiny(place());
    renameSync(join(at, 'model.safetensors'), join(at, 'model-00001-of-00001.safetensors'));
    const names = [...tinyShapes().keys()].map(name => [name, 'model-00001-of-00001.safetensors']);
    writeFileSync(join(at, 'model.safetensors.index.json'), JSON.stringify({ weight_map: Object.fromEntries(names) }));
    const other = await writeTiny(place(), { tensors: single });
    copyFileSync(join(other, 'model.safetensors'), join(at, 'model.safetensors'));
    return at;
  };
  test('is read when it is whole, and that is said', async () => {
    const files = await opened(await both(() => {}));
    expect(files.notices).toEqual([
      'model.safetensors was read, and not the shards of model.safetensors.index.json beside it.',
    ]);
  });
  test('gives way to the shards when it lacks weights or cannot be read', async () => {
    const at = await both(s => s.delete('model.norm.weight'));
    expect((await opened(at)).notices.join()).toMatch(
      /The shards of \S+ were read, and not model\.safetensors beside it: it lacks 'norm'/,
    );
    writeFileSync(join(at, 'model.safetensors'), 'not one');
    expect((await opened(at)).notices.join()).toMatch(/it cannot be read as this model/);
  });
  test('a shard that is given opens all of them', async () => {
    const at = await both(() => {});
    rmSync(join(at, 'model.safetensors'));
    expect((await opened(join(at, 'model-00001-of-00001.safetensors'))).config.layers).toBe(2);
  });
});

describe('a GGUF', async () => {
  const whole = writeGguf(`${place()}.gguf`, TINY_METADATA, tinyTensors());
  const plain = await opened(whole);

  test.each([1, 2, 3])('in three parts opens from part %i', async part => {
    const parts = writeTinyParts(place(), 3);
    const files = await openModelFiles(parts[part - 1]);
    expect(files.fingerprint).toBe(plain.fingerprint);
    expect(files.config).toEqual(plain.config);
    expect(files.notices).toEqual(['Joined from 3 parts.']);
    for (const name of files.weights.entries.keys()) {
      expect((await files.weights.readRows(name, 1, 2)).every(Number.isFinite)).toBe(true);
    }
    await files.close();
  });
  test('whose first part has no tensors opens too', async () => {
    const parts = writeTinyParts(place(), 3, { emptyFirst: true });
    expect((await opened(parts[0])).fingerprint).toBe(plain.fingerprint);
    expect((await opened(parts[2])).fingerprint).toBe(plain.fingerprint);
  });
  test('of which a part is missing says which', async () => {
    const [first, second] = writeTinyParts(place(), 2);
    rmSync(second);
    await expect(openModelFiles(first)).rejects.toThrow(
      /is part 1 of 2; the other is \S+-00002-of-00002\.gguf, and a model needs all/,
    );
    const three = writeTinyParts(place(), 3);
    rmSync(three[0]);
    await expect(openModelFiles(three[2])).rejects.toThrow(/is part 3 of 3; missing is \S+-00001-of-00003\.gguf/);
    rmSync(three[1]);
    await expect(openModelFiles(three[2])).rejects.toThrow(
      /missing are \S+-00001-of-00003\.gguf, \S+-00002-of-00003\.gguf/,
    );
  });
  test('whose parts are mixed up is refused', async () => {
    const [first, second, third] = writeTinyParts(place(), 3);
    copyFileSync(second, third);
    await expect(openModelFiles(first)).rejects.toThrow(/should be part 3 of 3, but says that it is part 2 of 3/);
    const two = writeTinyParts(place(), 2);
    renameSync(two[1], join(folder, 'renamed.gguf'));
    await expect(openModelFiles(join(folder, 'renamed.gguf'))).rejects.toThrow(
      /is part 2 of 2 of a model, and its name does not say so/,
    );
    const again = place();
    const parts = writeTinyParts(again, 2);
    writeGguf(parts[1], { 'split.no': 1, 'split.count': 2 }, tinyTensors().slice(-1));
    await expect(openModelFiles(parts[0])).rejects.toThrow(/should have 28 tensors and have 15/);
    writeGguf(parts[0], { ...TINY_METADATA, 'split.no': 0, 'split.count': 2 }, tinyTensors());
    await expect(openModelFiles(parts[0])).rejects.toThrow(
      /has the tensor '\S+', which \S+-00001-of-00002\.gguf has too/,
    );
  });

  test('is known by its first bytes, whatever it is called', async () => {
    const blob = join(folder, 'sha256-aeda25e63ebd');
    copyFileSync(whole, blob);
    expect((await opened(blob)).format).toBe('gguf');
    const wrong = join(folder, 'wrong.safetensors');
    copyFileSync(whole, wrong);
    expect((await opened(wrong)).format).toBe('gguf');
  });
  test('alone in a folder is the model; two are too many, a vision part is none', async () => {
    const at = place();
    mkdirSync(at);
    copyFileSync(whole, join(at, 'model.gguf'));
    writeFileSync(join(at, 'mmproj-model.gguf'), 'x');
    expect((await opened(at)).fingerprint).toBe(plain.fingerprint);
    copyFileSync(whole, join(at, 'other.gguf'));
    await expect(openModelFiles(at)).rejects.toThrow(/has 2 models: model\.gguf, other\.gguf\. Give the one you want/);
    const parts = place();
    mkdirSync(parts);
    writeTinyParts(join(parts, 'm'), 3);
    expect((await opened(parts)).fingerprint).toBe(plain.fingerprint);
    writeFileSync(join(parts, 'config.json'), JSON.stringify(TINY_CONFIG));
    expect((await opened(parts)).format).toBe('gguf');
    await writeTiny(parts);
    expect((await opened(parts)).format).toBe('safetensors');
  });
  test('for machines of the other byte order is called that', async () => {
    const big = readFileSync(whole);
    big.writeUInt32BE(3, 4);
    const path = join(folder, 'big.gguf');
    writeFileSync(path, big);
    await expect(openGguf(path)).rejects.toThrow(/big-endian GGUF/);
  });
  test.each<[string, RegExp]>([
    ['rope_freqs.weight', /'rope_freqs\.weight', which changes the frequencies of RoPE/],
    ['blk.0.attn_q.bias', /'blk\.0\.attn_q\.bias', a bias/],
    ['blk.0.attn_v_norm.weight', /attn_v_norm\.weight', which a Gemma 3 has no place for/],
    ['blk.0.attn_q.weight.lora_a', /adapter \(LoRA\)/],
    ['blk.2.ffn_up.weight', /blk\.2\.ffn_up\.weight', a layer more than the 2/],
    ['token_embd_norm.weight', /token_embd_norm\.weight'/],
    ['per_layer_model_proj.weight', /per_layer_model_proj/],
    ['output.bias', /'output\.bias', a bias/],
    [
      'blk.0.layer_output_scale.weight',
      /layer_output_scale\.weight', which a Gemma 3 has no place for, and quantised models have/,
    ],
  ])('with %s is refused', async (name, message) => {
    const path = writeGguf(`${place()}.gguf`, TINY_METADATA, [
      ...tinyTensors(),
      { name, shape: [32], data: new Float32Array(32) },
    ]);
    await expect(openModelFiles(path)).rejects.toThrow(message);
  });
  test('with pictures in it opens, in whatever format they are', async () => {
    const path = writeGguf(`${place()}.gguf`, TINY_METADATA, [
      ...tinyTensors(),
      { name: 'v.patch_embd.weight', shape: [32], data: new Float32Array(32) },
    ]);
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(99, bytes.indexOf('v.patch_embd.weight') + 19 + 4 + 8);
    writeFileSync(path, bytes);
    expect((await opened(path)).leftOut).toEqual({ tensors: 1, parts: ['v'] });
  });
});

describe('what is no model is told as what it is', () => {
  test.each<[string, (at: string) => unknown, RegExp]>([
    [
      'weights without config.json',
      at => writeTiny(at).then(() => rmSync(join(at, 'config.json'))),
      /has no config\.json/,
    ],
    [
      'an adapter',
      at => writeFileSync(join(at, 'adapter_config.json'), '{}'),
      /holds a LoRA adapter.*merge_and_unload/,
    ],
    [
      'a model with an adapter beside it',
      at => writeTiny(at).then(() => writeFileSync(join(at, 'adapter_config.json'), '{}')),
      /holds a LoRA adapter \(adapter_config\.json\) beside the model/,
    ],
    [
      "PyTorch's own files",
      at => {
        writeFileSync(join(at, 'config.json'), JSON.stringify(TINY_CONFIG));
        writeFileSync(join(at, 'pytorch_model.bin'), 'x');
      },
      /pytorch_model\.bin cannot be read; save the model with transformers' save_pretrained/,
    ],
    ...(
      [
        [
          'model.fp16.safetensors',
          /It has model\.fp16\.safetensors: call it model\.safetensors if it is the whole model, or give that file/,
        ],
        [
          'pytorch_model.bin.index.json',
          /pytorch_model\.bin\.index\.json cannot be read; save the model with transformers' save_pretrained/,
        ],
        [
          'flax_model.msgpack',
          /flax_model\.msgpack is of another program, and cannot be read\. Fetch model\.safetensors, or save/,
        ],
        ['tf_model.h5', /tf_model\.h5 is of another program/],
        ['weights/', /Perhaps they are in its folder weights: put model\.safetensors beside config\.json\./],
        ['notes.txt', /nor model\.safetensors\.index\.json\. Fetch the weights too\./],
      ] as const
    ).map(([name, message]): [string, (at: string) => void, RegExp] => [
      `weights called ${name}`,
      at => {
        writeFileSync(join(at, 'config.json'), JSON.stringify(TINY_CONFIG));
        if (name.endsWith('/')) mkdirSync(join(at, name));
        else writeFileSync(join(at, name), 'x');
      },
      message,
    ]),
    [
      'shards without their index',
      at => {
        writeFileSync(join(at, 'config.json'), JSON.stringify(TINY_CONFIG));
        for (const n of [1, 2]) writeFileSync(join(at, `model-0000${n}-of-00002.safetensors`), 'x');
      },
      /It has model-00001-of-00002\.safetensors and 1 more without the index that says what is in which; fetch model\.safetensors\.index\.json too/,
    ],
  ])('a folder of %s', async (_, make, message) => {
    const at = place();
    mkdirSync(at);
    await make(at);
    await expect(openModelFiles(at)).rejects.toThrow(message);
  });
  test.each<[string, string | Buffer, RegExp]>([
    ['lfs.gguf', 'version https://git-lfs.github.com/spec/v1\noid sha256:1\n', /is a pointer of Git LFS.*git lfs pull/],
    ['lfs.safetensors', 'version https://git-lfs.github.com/spec/v1\noid sha256:1\n', /is a pointer of Git LFS/],
    ['model.bin', 'PK\u0003\u0004 and more than sixteen', /is a checkpoint of PyTorch/],
    ['old.bin', 'lmgg and more than sixteen bytes', /checkpoint of PyTorch|from before GGUF/],
    ['old.ggml', 'tjgg and more than sixteen bytes', /is a GGML file from before GGUF/],
    ['notes.txt', 'some words about nothing', /is neither a folder nor a \.gguf or \.safetensors file/],
    ['empty.gguf', '', /is not a GGUF file|empty/],
    ['short.gguf', 'GGUF', /is not a GGUF file|ends at byte|4 bytes/],
  ])('%s', async (name, contents, message) => {
    const at = join(folder, name);
    writeFileSync(at, contents);
    await expect(openModelFiles(at)).rejects.toThrow(message);
  });
  test('a lone .safetensors says what is missing beside it', async () => {
    const at = await writeTiny(place());
    const lonely = join(place(), '..', 'alone');
    mkdirSync(lonely);
    cpSync(join(at, 'model.safetensors'), join(lonely, 'm.safetensors'));
    expect(existsSync(join(lonely, 'config.json'))).toBe(false);
    await expect(openModelFiles(join(lonely, 'm.safetensors'))).rejects.toThrow(
      /holds weights alone: config\.json, which says what they are, is not beside it/,
    );
  });
});
