// What a GGUF says of a model is understood, known to mean nothing, or refused by name: never passed over.

import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../engine/errors.js';
import { configFromGguf, configFromJson } from '../../engine/weights/detect.js';

type Json = Record<string, unknown>;

const GEMMA_3 = {
  model_type: 'gemma3_text',
  num_hidden_layers: 6,
  hidden_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
};

describe('a GGUF', () => {
  const keys = (more: Json = {}, architecture = 'gemma3') =>
    new Map<string, unknown>([
      ['general.architecture', architecture],
      ...Object.entries({
        block_count: 6,
        context_length: 1024,
        embedding_length: 64,
        feed_forward_length: 128,
        'attention.head_count': 4,
        'attention.head_count_kv': 2,
        'attention.key_length': 16,
        'attention.value_length': 16,
        ...(architecture === 'gemma' ? {} : { 'attention.sliding_window': 8 }),
      }).map(([key, value]): [string, unknown] => [`${architecture}.${key}`, value]),
      ...Object.entries(more).map(([key, value]): [string, unknown] => [
        /^(general|tokenizer)\./.test(key) ? key : `${architecture}.${key}`,
        value,
      ]),
    ]);
  const gguf = (more: Json = {}, architecture = 'gemma3', notices: string[] = []) =>
    configFromGguf(keys(more, architecture), 512, 'm.gguf', true, notices);
  const kinds = (more: Json, architecture = 'gemma3') =>
    gguf(more, architecture)
      .layerKinds.map(kind => kind[0])
      .join('');

  test('says which layers slide, by a number or a list', () => {
    expect(kinds({})).toBe('sssssf');
    expect(kinds({}, 'gemma2')).toBe('sfsfsf');
    expect(kinds({ 'attention.sliding_window_pattern': 3 })).toBe('ssfssf');
    expect(kinds({ 'attention.sliding_window_pattern': 1 })).toBe('ffffff');
    expect(kinds({ 'attention.sliding_window_pattern': 0 })).toBe('ssssss');
    expect(kinds({ 'attention.sliding_window_pattern': [true, false, true, true, false, false] })).toBe('sfssff');
    expect(kinds({ 'attention.sliding_window_pattern': [0, 1, 1, 0, 0, 1] }, 'gemma2')).toBe('fssffs');
  });

  test('says its bases, caps and scales', () => {
    const rope = (more: Json, architecture?: string) => gguf(more, architecture).rope;
    expect(rope({ 'rope.freq_base_swa': 2e4 }).sliding).toEqual({ base: 2e4, factor: 1 });
    expect(rope({ 'rope.local.freq_base': 3e4, 'rope.global.freq_base': 5e5 })).toEqual({
      full: { base: 5e5, factor: 1 },
      sliding: { base: 3e4, factor: 1 },
    });
    expect(rope({ 'rope.freq_base': 5e4 }, 'gemma2').sliding.base).toBe(5e4);
    const capped = gguf({ attn_logit_softcapping: 20, final_logit_softcapping: 30, 'attention.scale': 0.125 });
    expect([capped.attnSoftcap, capped.finalSoftcap, capped.queryScale]).toEqual([20, 30, 0.125]);
    expect([gguf().attnSoftcap, gguf({}, 'gemma2').attnSoftcap, gguf({}, 'gemma2').finalSoftcap]).toEqual([
      null,
      50,
      30,
    ]);
    expect(gguf({ final_logit_softcapping: 0 }).finalSoftcap).toBeNull();
    expect(gguf({ embedding_scale: 4 }).embedScale).toBe(4);
    expect(gguf({ 'attention.head_count': [4, 4, 4, 4, 4, 4] }).heads).toBe(4);
  });

  test('says how positions are stretched: of a Gemma 3 the full layers alone', () => {
    const full = (more: Json) => gguf(more).rope.full;
    expect(full({ 'rope.scaling.type': 'linear', 'rope.scaling.factor': 8 })).toEqual({ base: 1e6, factor: 8 });
    expect(full({ 'rope.scaling.factor': 8 })).toEqual({ base: 1e6, factor: 8 }); // llama.cpp's type where none is said
    expect(full({ 'rope.scale_linear': 4 })).toEqual({ base: 1e6, factor: 4 });
    expect(full({ 'rope.scaling.type': 'none', 'rope.scaling.factor': 8 })).toEqual({ base: 1e6, factor: 1 });
    const yarn = { 'rope.scaling.type': 'yarn', 'rope.scaling.factor': 4, 'rope.scaling.original_context_length': 256 };
    const ours = gguf(yarn).rope;
    // The same as config.json's YaRN, whose frequencies are transformers'.
    const theirs = configFromJson(
      {
        ...GEMMA_3,
        rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 256 },
      },
      'config.json',
      {},
      [],
    );
    expect(ours.full).toEqual(theirs.rope.full);
    expect(ours.sliding).toEqual({ base: 1e4, factor: 1 });
    const betas = full({ ...yarn, 'rope.scaling.yarn_beta_fast': 16, 'rope.scaling.yarn_beta_slow': 2 });
    expect(betas.scaling).toMatchObject({ betaFast: 16, betaSlow: 2 });
    expect(gguf({ 'rope.scaling.type': 'linear', 'rope.scaling.factor': 8 }, 'gemma2').rope.sliding.factor).toBe(8);
    const notices: string[] = [];
    const pictures = { 'mm.tokens_per_image': 256, context_length: 131072, 'vision.block_count': 27 };
    expect(gguf(pictures, 'gemma3', notices).rope.full.factor).toBe(8);
    expect(notices.join()).toMatch(/8×, as in every Gemma 3 that reads pictures/);
  });

  test('ends where any of its ends says so', () => {
    const tokens = ['<pad>', '<eos>', '<bos>', '<unk>', 'x', '<end_of_turn>'];
    const ends = (more: Json) => gguf({ 'tokenizer.ggml.tokens': tokens, ...more }).eosIds;
    expect(ends({ 'tokenizer.ggml.eos_token_id': 5 })).toEqual([5, 1]);
    expect(ends({ 'tokenizer.ggml.eos_token_id': 1 })).toEqual([1, 5]);
    expect(ends({ 'tokenizer.ggml.eos_token_id': 5, 'tokenizer.ggml.eos_token_ids': [4, 5] })).toEqual([5, 4, 1]);
    expect(ends({ 'tokenizer.ggml.eot_token_id': 4, 'tokenizer.ggml.eom_token_id': 3 })).toEqual([1, 4, 3, 5]);
    expect(ends({ 'tokenizer.ggml.eos_token_id': 2 ** 32 - 1, 'tokenizer.ggml.eot_token_id': -1 })).toEqual([1, 5]);
    expect(gguf({ 'tokenizer.ggml.tokens': ['a', 'b'], 'tokenizer.ggml.eos_token_id': 0 }).eosIds).toEqual([0]);
  });

  test('may say what means nothing here', () => {
    const nothing = {
      vocab_size: 512,
      'rope.dimension_count': 16,
      'attention.causal': true,
      'rope.scaling.finetuned': true,
    };
    const defaults = { 'rope.scaling.attn_factor': 1, 'rope.scaling.yarn_ext_factor': -1, expert_count: 0 };
    const elsewhere = { 'vision.block_count': 27, 'mm.tokens_per_image': 256, 'general.type': 'model' };
    expect(gguf({ ...nothing, ...defaults, ...elsewhere })).toEqual(gguf());
  });

  test('is told where it says another number of rows than its embedding has', () => {
    const told = (more: Json) => {
      const notices: string[] = [];
      expect(gguf(more, 'gemma3', notices).vocab).toBe(512);
      return notices.filter(notice => notice.includes('vocab_size'));
    };
    expect([told({}), told({ vocab_size: 512 })]).toEqual([[], []]);
    expect(told({ vocab_size: 500 })).toEqual([
      'The file says vocab_size 500, and its embedding has 512 rows: these are what counts.',
    ]);
  });

  test.each<[string, Json, RegExp]>([
    ['a key that nobody knows', { residual_scale: 2 }, /gemma3\.residual_scale = 2, which Loupe does not know/],
    [
      'a RoPE that nobody knows',
      { 'rope.scaling.type': 'yran' },
      /rope\.scaling\.type = "yran", and 'none', 'linear' or 'yarn'/,
    ],
    ['longrope', { 'rope.scaling.type': 'longrope' }, /rope\.scaling\.type = "longrope"/],
    ['a factor on cosines', { 'rope.scaling.attn_factor': 0.5 }, /attn_factor = 0\.5/],
    ['half a YaRN', { 'rope.scaling.yarn_ext_factor': 0.5 }, /yarn_ext_factor = 0\.5/],
    ['a logarithm of YaRN', { 'rope.scaling.yarn_log_multiplier': 0.1 }, /yarn_log_multiplier = 0\.1/],
    ['a part of the heads', { 'rope.dimension_count': 8 }, /rope\.dimension_count = 8: the heads are 16 wide/],
    ['sections', { 'rope.dimension_sections': [4, 4] }, /dimension_sections/],
    ['values of another width', { 'attention.value_length': 32 }, /attention\.value_length = 32/],
    ['local heads of another width', { 'attention.key_length_swa': 8 }, /key_length_swa = 8/],
    [
      'two local bases',
      { 'rope.freq_base_swa': 1, 'rope.local.freq_base': 2 },
      /rope\.local\.freq_base = 2.*only one can be meant/,
    ],
    [
      'heads by layer',
      { 'attention.head_count_kv': [1, 2, 1, 2, 1, 2] },
      /head_count_kv = \[1,2.*same number for every layer/,
    ],
    ['widths by layer', { feed_forward_length: [1, 2, 3, 4, 5, 6] }, /feed_forward_length = /],
    [
      'a short pattern',
      { 'attention.sliding_window_pattern': [true] },
      /sliding_window_pattern = \[true\], and a list/,
    ],
    ['a pattern in words', { 'attention.sliding_window_pattern': 'all' }, /sliding_window_pattern = "all"/],
    ['shared keys', { 'attention.shared_kv_layers': 3 }, /shared_kv_layers = 3/],
    ['reading both ways', { 'attention.causal': false }, /attention\.causal = false/],
    ['experts', { expert_count: 8 }, /expert_count = 8/],
    ['a scale of nothing', { 'attention.scale': 0 }, /attention scale is 0/],
    ['a base in words', { 'rope.freq_base': '1e6' }, /rope\.freq_base = "1e6", and a number/],
    ['an end in words', { 'tokenizer.ggml.eos_token_id': '<eos>' }, /eos_token_id = "<eos>", and a token id/],
    ['ends in words', { 'tokenizer.ggml.eos_token_ids': 'all' }, /eos_token_ids = "all", and a list/],
    [
      'another architecture',
      { 'general.architecture': 'gemma3n' },
      /architecture 'gemma3n', and Loupe runs gemma, gemma2, gemma3/,
    ],
    [
      'none',
      { 'general.architecture': undefined },
      /m\.gguf does not say of what architecture its model is \(general\.architecture\), and Loupe runs/,
    ],
    [
      'one whose keys are of another',
      { 'general.architecture': 'gemma2' },
      /says that it is of architecture 'gemma2', and its keys are of 'gemma3'\. Convert/,
    ],
    ['an architecture called constructor', { 'general.architecture': 'constructor' }, /architecture 'constructor'/],
    ['an adapter', { 'general.type': 'adapter' }, /holds a LoRA adapter/],
    ['a vision part', { 'general.type': 'mmproj' }, /holds the vision part of a model/],
  ])('is refused for %s', (_, more, message) => {
    expect(() => gguf(more)).toThrow(ConfigError);
    expect(() => gguf(more)).toThrow(message);
  });
  test('a Gemma 1 has no windows', () => {
    expect(gguf({}, 'gemma').layerKinds).not.toContain('sliding');
    expect(() => gguf({ 'attention.sliding_window': 8 }, 'gemma')).toThrow(
      /sliding_window = 8, which Loupe does not know/,
    );
  });
});
