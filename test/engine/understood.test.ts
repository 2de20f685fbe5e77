// What a config.json says is understood, known to mean nothing, or refused by name: never passed over.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { GemmaConfig } from '../../engine/config.js';
import { ConfigError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { configFromJson } from '../../engine/weights/detect.js';

type Json = Record<string, unknown>;

const SIZES = { num_hidden_layers: 6, hidden_size: 64, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16 };
const FAMILY: Record<number, Json> = {
  1: { model_type: 'gemma', ...SIZES },
  2: { model_type: 'gemma2', ...SIZES },
  3: { model_type: 'gemma3_text', ...SIZES },
};
const read = (json: Json, notices: string[] = []): GemmaConfig => configFromJson(json, 'config.json', {}, notices);

/** Everything that transformers 5.23 and 4.5x write into a config.json of these models, and what tools add, with values that change nothing. */
const HARMLESS: Json = JSON.parse(readFileSync(join(packageRoot(), 'test', 'fixtures', 'harmless-keys.json'), 'utf8'));

describe('keys that mean nothing for the text model are no hindrance', () => {
  test.each([1, 2, 3])('in a Gemma %i', family => {
    const plain = read(FAMILY[family]);
    expect(read({ ...FAMILY[family], ...HARMLESS })).toEqual(plain);
  });
  test('inside and outside text_config', () => {
    const plain = read({ model_type: 'gemma3', text_config: SIZES });
    const pictures = { vision_config: { hidden_size: 3 }, mm_tokens_per_image: 256, image_token_index: 5 };
    const tokens = { boi_token_index: 5, eoi_token_index: 6, boi_token_id: 1, eoi_token_id: 2, image_token_id: 3 };
    const full = { ...HARMLESS, ...SIZES, ...pictures, ...tokens, model_type: 'gemma3' };
    expect(read({ ...full, text_config: { ...SIZES, ...HARMLESS, model_type: 'gemma3_text' } })).toEqual(plain);
  });
  test('a key that says null says nothing', () => {
    const empty = { wholly_unknown: null, quantization_config: null, quantization: {}, rope_scaling: {} };
    for (const family of [1, 2, 3]) expect(read({ ...FAMILY[family], ...empty })).toEqual(read(FAMILY[family]));
  });
});

describe('a config.json is refused by the name of what stands in the way', () => {
  const anywhere: [string, Json, RegExp][] = [
    ['a key that nobody knows', { wholly_unknown: 1 }, /wholly_unknown = 1, which Loupe does not know.*take it out/],
    ['one that is off', { use_qk_norm: false }, /use_qk_norm = false, which Loupe does not know/],
    ['a key called __proto__', JSON.parse('{"__proto__": 1}'), /__proto__ = 1/],
    ['biases', { attention_bias: true }, /attention_bias = true: Loupe has no biases/],
    ['biases in the MLP', { mlp_bias: true }, /mlp_bias = true/],
    [
      'another activation',
      { hidden_act: 'silu', hidden_activation: 'silu' },
      /hidden_act\S* = "silu": Loupe computes GELU/,
    ],
    ['two that disagree', { hidden_act: 'gelu_pytorch_tanh', hidden_activation: 'relu' }, /hidden_activation = "relu"/],
    [
      'two that disagree the other way',
      { hidden_act: 'relu', hidden_activation: 'gelu_pytorch_tanh' },
      /hidden_act = "relu"/,
    ],
    ['reading both ways', { use_bidirectional_attention: true }, /reads in both directions/],
    ['reading both ways in words', { use_bidirectional_attention: 'all' }, /reads in both directions/],
    ['turning a part of the heads', { partial_rotary_factor: 0.5 }, /partial_rotary_factor = 0\.5/],
    ['an encoder', { is_encoder_decoder: true }, /is_encoder_decoder = true/],
    ['cross-attention', { add_cross_attention: true }, /add_cross_attention = true/],
    ['pruned heads', { pruned_heads: { 0: [1] } }, /pruned_heads/],
    ['sizes by layer', { per_layer_config: { 0: { head_dim: 8 } } }, /per_layer_config/],
    ['neighbours turned', { rope_traditional: true }, /rope_traditional = true: Gemma turns the halves/],
    ['shared keys and values', { num_kv_shared_layers: 2 }, /num_kv_shared_layers = 2/],
    ['Gemma 3n’s altup', { altup_num_inputs: 4 }, /altup_num_inputs = 4/],
    ['Gemma 3n’s laurel', { laurel_rank: 64 }, /laurel_rank = 64/],
    ['inputs a layer', { hidden_size_per_layer_input: 256 }, /hidden_size_per_layer_input = 256/],
    ['experts', { num_experts: 8 }, /num_experts = 8/],
    ['code of its own', { auto_map: { AutoModelForCausalLM: 'modeling.X' } }, /auto_map.*code of its own/],
    ['a number in quotes', { num_hidden_layers: '6' }, /num_hidden_layers = "6", and a number is needed/],
    ['true for a number', { num_attention_heads: true }, /num_attention_heads = true, and a number/],
    ['an object for a number', { head_dim: {} }, /head_dim = \{\}, and a number/],
    ['heads by layer', { num_key_value_heads: [2, 2, 2, 2, 2, 2] }, /num_key_value_heads = \[2,2,/],
    ['null for a size', { hidden_size: null }, /hidden_size = null, and a number/],
    ['eps of nothing', { rms_norm_eps: '1e-6' }, /rms_norm_eps = "1e-6"/],
    ['an end in words', { eos_token_id: '<eos>' }, /eos_token_id = "<eos>", and a token id/],
    ['ends that are no ids', { eos_token_id: [1, 1.5] }, /eos_token_id = \[1,1\.5\]/],
    ['a tie in words', { tie_word_embeddings: 'no' }, /tie_word_embeddings = "no", and true or false/],
    ['layers of no kind', { layer_types: Array(6).fill('chunked_attention') }, /one of them 'chunked_attention'/],
    ['layers called constructor', { layer_types: Array(6).fill('constructor') }, /one of them 'constructor'/],
    ['kinds that are no list', { layer_types: 'full_attention' }, /layer_types = "full_attention", and a list/],
    ['RoPE as a word', { rope_scaling: 'yarn' }, /rope_scaling = "yarn", and an object/],
    ['a text model within', { text_config: {} }, /text_config|which Loupe does not know/],
    [
      'GPTQ',
      { quantization_config: { quant_method: 'gptq', bits: 4, group_size: 128 } },
      /quantised with GPTQ \(4 bits in groups of 128\).*GGUF/,
    ],
    ['AWQ', { quantization_config: { quant_method: 'awq', bits: 4 } }, /quantised with AWQ/],
    [
      'bitsandbytes',
      { quantization_config: { quant_method: 'bitsandbytes', load_in_4bit: true } },
      /bitsandbytes \(4 bits\).*dequantize\(\)/,
    ],
    ['FP8', { quantization_config: { quant_method: 'fp8' } }, /quantised with FP8 with scales/],
    [
      'compressed-tensors',
      { quantization_config: { quant_method: 'compressed-tensors', format: 'x' } },
      /compressed-tensors/,
    ],
    ['a method of tomorrow', { quantization_config: { quant_method: 'toString' } }, /quantised with toString/],
    ['MLX', { quantization: { group_size: 64, bits: 4 } }, /quantised with MLX \(4 bits in groups of 64\).*mlx_lm/],
    ['MLX under the other key', { quantization_config: { group_size: 32, bits: 8 } }, /quantised with MLX \(8 bits/],
  ];
  for (const family of [1, 2, 3]) {
    test.each(anywhere)(`Gemma ${family}: %s`, (_, keys, message) => {
      // Not by spreading, which would make __proto__ a prototype of nothing.
      const json = JSON.parse(JSON.stringify(FAMILY[family]).replace(/\}$/, `,${JSON.stringify(keys).slice(1)}`));
      expect(() => read(json)).toThrow(ConfigError);
      expect(() => read(json)).toThrow(message);
    });
  }

  test.each<[string, Json, RegExp]>([
    ['types that are names of every object', { model_type: 'constructor' }, /type 'constructor', and Loupe runs/],
    ['__proto__ as a type', { model_type: '__proto__' }, /type '__proto__'/],
    ['no type', {}, /type 'nothing'/],
    ['a list of types', { model_type: ['gemma'] }, /type '\["gemma"\]'/],
    ['Gemma 3n', { model_type: 'gemma3n' }, /type 'gemma3n', and Loupe runs/],
    ['Gemma 4', { model_type: 'gemma4_text' }, /type 'gemma4_text'/],
    ['PaliGemma', { model_type: 'paligemma' }, /type 'paligemma'/],
    ['RecurrentGemma', { model_type: 'recurrent_gemma' }, /recurrent_gemma/],
  ])('%s', (_, json, message) => {
    expect(() => read(json)).toThrow(message);
  });

  test.each<[string, number, Json, RegExp]>([
    ['a cap of attention', 1, { attn_logit_softcapping: 50 }, /attn_logit_softcapping = 50, which Loupe does not know/],
    ['a window', 1, { sliding_window: 4096 }, /sliding_window = 4096/],
    ['a scale of queries', 1, { query_pre_attn_scalar: 64 }, /query_pre_attn_scalar = 64/],
    ['sliding layers', 1, { layer_types: Array(6).fill('sliding_attention') }, /sliding layer_types/],
    ['GELU by the error function', 2, { hidden_activation: 'gelu' }, /hidden_activation = "gelu"/],
    ['GELU by the error function', 3, { hidden_activation: 'gelu' }, /hidden_activation = "gelu"/],
    ['no window for layers that slide', 2, { sliding_window: null }, /sliding_window = null, and a number of tokens/],
    ['no window for layers that slide', 3, { sliding_window: null }, /sliding_window = null, and a number of tokens/],
    ['two windows', 2, { sliding_window: 8, sliding_window_size: 16 }, /sliding_window_size = 16/],
    ['a cap in words', 2, { attn_logit_softcapping: '50' }, /attn_logit_softcapping = "50", and a number/],
    ['a cap of nothing', 2, { final_logit_softcapping: 0 }, /soft-cap on logits is 0/],
    ['a cap below nothing', 3, { final_logit_softcapping: -30 }, /soft-cap on logits is -30/],
    ['a pattern of its own', 2, { sliding_window_pattern: 6 }, /sliding_window_pattern = 6/],
    ['half a layer', 3, { sliding_window_pattern: 2.5 }, /sliding_window_pattern = 2\.5/],
    [
      'a pattern that nobody reads',
      3,
      { _sliding_window_pattern: 3 },
      /_sliding_window_pattern = 3 but no layer_types/,
    ],
    [
      'a misspelt RoPE',
      3,
      { rope_scaling: { rope_type: 'linaer', factor: 8 } },
      /rope_type = "linaer", and Loupe knows default, linear/,
    ],
    ['mrope', 1, { rope_scaling: { type: 'mrope', mrope_section: [4, 2, 2] } }, /rope_type = "mrope"/],
    ['a RoPE called toString', 3, { rope_scaling: { rope_type: 'toString' } }, /rope_type = "toString"/],
    ['a factor for nothing', 3, { rope_scaling: { factor: 8 } }, /rope_scaling\.factor = 8/],
    ['no factor', 3, { rope_scaling: { rope_type: 'linear' } }, /no number under '\S*factor'/],
    ['no factor for YaRN', 1, { rope_scaling: { rope_type: 'yarn' } }, /no number under '\S*factor'/],
    ['a factor in words', 3, { rope_scaling: { rope_type: 'linear', factor: '8' } }, /factor = "8", and a number/],
    ['a factor of nothing', 3, { rope_scaling: { rope_type: 'linear', factor: 0 } }, /factor 0/],
    ['a key of another type', 3, { rope_scaling: { rope_type: 'linear', factor: 8, beta_fast: 32 } }, /beta_fast = 32/],
    ['sections within the default', 3, { rope_scaling: { rope_type: 'default', mrope_section: [1] } }, /mrope_section/],
    [
      'no bounds for llama3',
      3,
      { rope_scaling: { rope_type: 'llama3', factor: 8 } },
      /no number under '\S*low_freq_factor'/,
    ],
    [
      'bounds the wrong way',
      3,
      { rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 1 } },
      /high_freq_factor 1/,
    ],
    [
      'lists of another length',
      3,
      { rope_scaling: { rope_type: 'longrope', short_factor: [1], long_factor: [1] } },
      /short_factor of 1, and needs 8/,
    ],
    [
      'a part of the heads',
      3,
      { rope_parameters: { full_attention: { rope_type: 'yarn', factor: 2, partial_rotary_factor: 0.5 } } },
      /partial_rotary_factor = 0\.5/,
    ],
    [
      'flat parameters',
      3,
      { rope_parameters: { rope_type: 'yarn', factor: 4 } },
      /rope_parameters\.(rope_type|factor) = .*full_attention and for sliding_attention/,
    ],
    ['a flat base', 3, { rope_parameters: { rope_theta: 5000 } }, /rope_parameters\.rope_theta = 5000/],
    [
      'layers of a third kind',
      3,
      { rope_parameters: { full_attention: {}, chunked_attention: {} } },
      /chunked_attention/,
    ],
    ['one by kind', 2, { rope_parameters: { full_attention: {}, sliding_attention: {} } }, /one RoPE for all layers/],
    ['a list', 3, { rope_parameters: { full_attention: [] } }, /full_attention = \[\], and an object/],
    ['a length in words', 1, { original_max_position_embeddings: '8192' }, /original_max_position_embeddings = "8192"/],
    ['a base of one', 3, { rope_theta: 1 }, /RoPE has base 1/],
  ])('%s in a Gemma %i', (_, family, keys, message) => {
    expect(() => read({ ...FAMILY[family], ...keys })).toThrow(message);
  });

  test.each<[string, Json, RegExp]>([
    [
      'a text model of another kind',
      { text_config: { model_type: 'gemma3n_text' } },
      /text_config\.model_type = "gemma3n_text"/,
    ],
    ['a stranger within', { text_config: { laurel_rank: 3 } }, /text_config\.laurel_rank = 3/],
    ['a stranger outside', { text_config: SIZES, laurel_rank: 3 }, /config\.json has laurel_rank = 3/],
    ['a size that disagrees with the default', { hidden_size: 32 }, /hidden_size = 32: text_config has 2304/],
    ['no object', { text_config: [] }, /text_config = \[\], and an object/],
    ['MLX within', { text_config: { quantization: { group_size: 64, bits: 4 } } }, /quantised with MLX/],
  ])('a multimodal Gemma 3 with %s', (_, keys, message) => {
    expect(() => read({ model_type: 'gemma3', ...keys })).toThrow(message);
  });
});

test('a value that is nested without end is refused like any other', () => {
  const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
  for (const key of [
    'head_dim',
    'wholly_unknown',
    'attention_bias',
    'layer_types',
    'model_type',
    'rope_scaling',
    'eos_token_id',
  ]) {
    expect(() => read({ ...FAMILY[3], [key]: deep }), key).toThrow(ConfigError);
  }
});

/** Of the hub, as they stand there. */
describe('what people have is read', () => {
  const common = {
    attention_bias: false,
    attention_dropout: 0,
    bos_token_id: 2,
    initializer_range: 0.02,
    pad_token_id: 0,
  };
  const saved = { rms_norm_eps: 1e-6, torch_dtype: 'bfloat16', transformers_version: '4.42.0', use_cache: true };
  test.each<[string, Json, object]>([
    [
      'Gemma 1 2B',
      {
        ...common,
        ...saved,
        ...{
          architectures: ['GemmaForCausalLM'],
          eos_token_id: 1,
          head_dim: 256,
          hidden_act: 'gelu',
          hidden_activation: null,
        },
        ...{ hidden_size: 2048, intermediate_size: 16384, max_position_embeddings: 8192, model_type: 'gemma' },
        ...{
          num_attention_heads: 8,
          num_hidden_layers: 18,
          num_key_value_heads: 1,
          rope_scaling: null,
          rope_theta: 10000,
        },
        vocab_size: 256000,
      },
      { family: 1, hidden: 2048, layers: 18, kvHeads: 1 },
    ],
    [
      'Gemma 2 9B',
      {
        ...common,
        ...saved,
        ...{
          _name_or_path: 'google/gemma-2-9b',
          architectures: ['Gemma2ForCausalLM'],
          attn_logit_softcapping: 50,
          eos_token_id: 1,
        },
        ...{
          cache_implementation: 'hybrid',
          final_logit_softcapping: 30,
          head_dim: 256,
          hidden_act: 'gelu_pytorch_tanh',
        },
        ...{
          hidden_activation: 'gelu_pytorch_tanh',
          hidden_size: 3584,
          intermediate_size: 14336,
          model_type: 'gemma2',
        },
        ...{ max_position_embeddings: 8192, num_attention_heads: 16, num_hidden_layers: 42, num_key_value_heads: 8 },
        ...{
          query_pre_attn_scalar: 256,
          rope_theta: 10000,
          sliding_window: 4096,
          sliding_window_size: 4096,
          vocab_size: 256000,
        },
      },
      { family: 2, hidden: 3584, layers: 42, slidingWindow: 4096 },
    ],
    [
      'Gemma 3 1B',
      {
        ...common,
        ...saved,
        ...{
          architectures: ['Gemma3ForCausalLM'],
          attn_logit_softcapping: null,
          final_logit_softcapping: null,
          eos_token_id: [1, 106],
        },
        ...{ cache_implementation: 'hybrid', head_dim: 256, hidden_activation: 'gelu_pytorch_tanh', hidden_size: 1152 },
        ...{
          intermediate_size: 6912,
          max_position_embeddings: 32768,
          model_type: 'gemma3_text',
          num_attention_heads: 4,
        },
        ...{ num_hidden_layers: 26, num_key_value_heads: 1, query_pre_attn_scalar: 256, rope_local_base_freq: 10000 },
        ...{
          rope_scaling: null,
          rope_theta: 1000000,
          sliding_window: 512,
          sliding_window_pattern: 6,
          vocab_size: 262144,
        },
      },
      { family: 3, hidden: 1152, layers: 26, eosIds: [1, 106] },
    ],
    [
      'Gemma 3 4B, as a tool has saved it again',
      {
        ...{
          architectures: ['Gemma3ForConditionalGeneration'],
          boi_token_index: 255999,
          eoi_token_index: 256000,
          eos_token_id: [1, 106],
        },
        ...{
          image_token_index: 262144,
          initializer_range: 0.02,
          mm_tokens_per_image: 256,
          model_type: 'gemma3',
          pad_token_id: 0,
        },
        ...{
          torch_dtype: 'bfloat16',
          transformers_version: '4.50.0',
          unsloth_fixed: true,
          unsloth_version: '2025.3.19',
        },
        ...{
          vision_config: { hidden_size: 1152, model_type: 'siglip_vision_model' },
          bos_token_id: 2,
          hidden_size: 2560,
        },
        text_config: {
          ...{ hidden_size: 2560, intermediate_size: 10240, model_type: 'gemma3_text', num_hidden_layers: 34 },
          ...{ rope_scaling: { factor: 8.0, rope_type: 'linear' }, sliding_window: 1024, torch_dtype: 'bfloat16' },
        },
      },
      {
        family: 3,
        hidden: 2560,
        layers: 34,
        vocab: 262208,
        rope: { full: { base: 1e6, factor: 8 }, sliding: { base: 1e4, factor: 1 } },
      },
    ],
    [
      'Gemma 3 270M, as transformers 5.23 has it of a GGUF',
      {
        ...{ ...common, architectures: ['Gemma3ForCausalLM'], dtype: 'float32', eos_token_id: 1, unk_token_id: 3 },
        ...{ _name_or_path: 'models', _model_name_or_path: 'Gemma 3 270m', model_type: 'gemma3_text', use_cache: true },
        ...{ output_hidden_states: false, output_attentions: false, return_dict: true, is_encoder_decoder: false },
        ...{ chunk_size_feed_forward: 0, id2label: { 0: 'A' }, label2id: { A: 0 }, problem_type: null },
        ...{ vocab_size: 262144, hidden_size: 640, intermediate_size: 2048, num_hidden_layers: 18, head_dim: 256 },
        ...{ num_attention_heads: 4, num_key_value_heads: 1, hidden_activation: 'gelu_pytorch_tanh' },
        ...{ max_position_embeddings: 32768, rms_norm_eps: 9.999999974752427e-7, tie_word_embeddings: true },
        rope_parameters: {
          sliding_attention: { rope_type: 'default', rope_theta: 1e4 },
          full_attention: { rope_type: 'default', rope_theta: 1e6 },
        },
        ...{ query_pre_attn_scalar: 256, sliding_window: 512, _sliding_window_pattern: 6 },
        ...{ final_logit_softcapping: null, attn_logit_softcapping: null, use_bidirectional_attention: false },
        layer_types: Array.from({ length: 18 }, (_, i) => (i % 6 === 5 ? 'full_attention' : 'sliding_attention')),
      },
      { family: 3, hidden: 640, layers: 18, slidingWindow: 512, kvHeads: 1 },
    ],
  ])('%s', (_, json, expected) => {
    const notices: string[] = [];
    expect(read(json, notices)).toMatchObject(expected);
    expect(notices).toEqual([]);
  });
});

describe('what transformers passes over is told', () => {
  test.each<[Json, RegExp]>([
    [{ attn_logit_softcapping: 50 }, /attn_logit_softcapping is 50, and no cap is put on attention: transformers/],
    [{ rope_scaling: { type: 'yarn', factor: 4 } }, /type = "yarn" and no rope_type/],
  ])('%o', (keys, message) => {
    const notices: string[] = [];
    expect(read({ ...FAMILY[3], ...keys }, notices)).toEqual(read(FAMILY[3]));
    expect(notices.join()).toMatch(message);
  });
});

test('what a multimodal config.json has outside text_config, as mlx-vlm writes it, is passed over with a word', () => {
  const plain = { model_type: 'gemma3', text_config: SIZES };
  for (const [keys, message] of [
    [{ hidden_size: 32 }, /^hidden_size = 32 stands outside text_config and is passed over: the text model has 64/],
    [{ vocab_size: 257152, rms_norm_eps: 1e-5 }, /^vocab_size = 257152 .*262208.*rms_norm_eps = 0.00001 .* 0.000001/],
  ] as [Json, RegExp][]) {
    const notices: string[] = [];
    expect(read({ ...plain, ...keys }, notices)).toEqual(read(plain));
    expect(notices.join(' ')).toMatch(message);
  }
  const notices: string[] = [];
  read({ ...plain, hidden_size: 64 }, notices);
  expect(notices).toEqual([]);
});

test('a RoPE that says it is plain is plain, whatever is left beside it of another', () => {
  const left = { rope_type: 'default', factor: 8, original_max_position_embeddings: 8192 };
  const message = /rope_type is default, so factor, original_max_position_embeddings beside it are passed over/;
  const forms: [number, Json][] = [
    ...[1, 2, 3].flatMap((family): [number, Json][] => [
      [family, { rope_scaling: left }],
      [family, { rope_parameters: family < 3 ? left : { full_attention: left } }],
    ]),
    [3, { rope_parameters: { sliding_attention: left } }],
    [3, { rope_parameters: left }],
  ];
  for (const [family, keys] of forms) {
    const notices: string[] = [];
    expect(read({ ...FAMILY[family], ...keys }, notices)).toEqual(read(FAMILY[family]));
    expect(notices.join()).toMatch(message);
  }
  expect(() => read({ ...FAMILY[3], rope_scaling: { ...left, wholly: 1 } })).toThrow(/wholly = 1/);
});

describe('what a config.json says is used', () => {
  test('caps, activations by their other names, patterns, ends from all places', () => {
    expect(read({ ...FAMILY[3], final_logit_softcapping: 30 }).finalSoftcap).toBe(30);
    expect(read({ ...FAMILY[2], attn_logit_softcapping: null }).attnSoftcap).toBeNull();
    expect(read({ ...FAMILY[1], hidden_act: 'gelu', hidden_activation: null }).family).toBe(1);
    expect(read({ ...FAMILY[2], hidden_act: 'gelu', hidden_activation: 'gelu_pytorch_tanh' }).family).toBe(2);
    expect(read({ ...FAMILY[3], sliding_window_pattern: 3 }).layerKinds.join()).toMatch(
      /^(sliding,sliding,full,?){2}$/,
    );
    expect(
      read({ ...FAMILY[3], layer_types: Array(6).fill('full_attention'), sliding_window: null }).slidingWindow,
    ).toBeNull();
    expect(read({ ...FAMILY[2], sliding_window: 8, sliding_window_size: 8 }).slidingWindow).toBe(8);
    const ends = configFromJson(
      { model_type: 'gemma3', eos_token_id: [1, 106], text_config: { ...SIZES, eos_token_id: 1 } },
      'config.json',
      { eos_token_id: [106, 7, -1] },
    );
    expect(ends.eosIds).toEqual([106, 7]);
    expect(read({ model_type: 'gemma3', text_config: SIZES, tie_word_embeddings: false }).tiedHead).toBe(false);
  });
});
