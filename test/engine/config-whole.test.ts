// Whole configurations: what a file that says nothing gives (transformers 5.23's defaults), and what a GGUF's few keys give (llama.cpp's).

import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../engine/errors.js';
import { configFromGguf, configFromJson } from '../../engine/weights/detect.js';

const rope = (sliding: number, full: number) => ({
  sliding: { base: sliding, factor: 1 },
  full: { base: full, factor: 1 },
});
const kinds = (layers: number, every: number) =>
  Array.from({ length: layers }, (_, i) => ((i + 1) % every === 0 ? 'full' : 'sliding'));

const COMMON = { headDim: 256, rmsEps: 1e-6, queryScale: 1 / 16, tiedHead: true, bosId: 2, eosIds: [1] };
const GEMMA1 = {
  ...{ ...COMMON, family: 1, layers: 28, hidden: 3072, heads: 16, kvHeads: 16, feedForward: 24576, vocab: 256000 },
  ...{ contextLength: 8192, attnSoftcap: null, finalSoftcap: null, embedScale: Math.sqrt(3072), slidingWindow: null },
  ...{ layerKinds: kinds(28, 1), rope: rope(1e4, 1e4), qkNorm: false, postNorms: false },
};
const SECOND = { ...COMMON, layers: 26, hidden: 2304, heads: 8, kvHeads: 4, feedForward: 9216, embedScale: 48 };
const GEMMA2 = {
  ...{ ...SECOND, family: 2, vocab: 256000, contextLength: 8192, attnSoftcap: 50, finalSoftcap: 30 },
  ...{ slidingWindow: 4096, layerKinds: kinds(26, 2), rope: rope(1e4, 1e4), qkNorm: false, postNorms: true },
};
const GEMMA3 = {
  ...{ ...SECOND, family: 3, vocab: 262208, contextLength: 131072, attnSoftcap: null, finalSoftcap: null },
  ...{ slidingWindow: 4096, layerKinds: kinds(26, 6), rope: rope(1e4, 1e6), qkNorm: true, postNorms: true },
};

describe('a config.json that says no more than its type', () => {
  test.each([
    ['gemma', GEMMA1],
    ['gemma2', GEMMA2],
    ['gemma3_text', GEMMA3],
    ['gemma3', GEMMA3],
  ])('%s', (model_type, expected) => {
    const notices: string[] = [];
    expect(configFromJson({ model_type }, 'c', {}, notices)).toEqual(expected);
    expect(notices).toEqual([]);
  });

  test.each<[unknown, RegExp]>([
    ...([null, [], 'gemma', 7, undefined] as const).map((json): [unknown, RegExp] => [
      json,
      /^c is not a JSON object\. Fetch it again\.$/,
    ]),
    [{}, /^c describes a model of type 'nothing', and Loupe runs Gemma: gemma, gemma2, gemma3_text, gemma3\.$/],
    [{ model_type: 3 }, /^c describes a model of type '3', and/],
    [{ model_type: null }, /^c describes a model of type 'nothing', and/],
  ])('%j is refused', (json, message) => {
    expect(() => configFromJson(json, 'c')).toThrow(ConfigError);
    expect(() => configFromJson(json, 'c')).toThrow(message);
  });
});

test('generation_config.json’s ends go before those of config.json, each once; one that is none is that file’s fault', () => {
  // transformers 5.23 on atlas: [2, 300, 301] with 300 in config.json and 1 in generation_config.json goes on past 300.
  const json = { model_type: 'gemma3', eos_token_id: [1, 106], text_config: { eos_token_id: 5 } };
  const ends = (generation: unknown, config: object = json) => {
    const notices: string[] = [];
    return [configFromJson(config, 'a/config.json', generation, notices).eosIds, ...notices];
  };
  const passed = (own: string, theirs: string) =>
    `eos_token_id ${own} of config.json is passed over: generation_config.json has ${theirs}, as in transformers.`;
  expect(ends({ eos_token_id: [106, 9, 9] })).toEqual([[106, 9], passed('5, 1', '106, 9')]);
  expect(ends({ eos_token_id: [106, 1, 5] })).toEqual([[106, 1, 5]]);
  expect(ends({ eos_token_id: 1 }, { model_type: 'gemma', eos_token_id: 300 })).toEqual([[1], passed('300', '1')]);
  expect(ends({ eos_token_id: 8 }, { model_type: 'gemma' })).toEqual([[8]]);
  for (const none of [{}, { eos_token_id: null }, { eos_token_id: [] }, { eos_token_id: [-1] }, { temperature: 1 }]) {
    expect(ends(none)).toEqual([[5, 1, 106]]);
  }
  expect(configFromJson({ model_type: 'gemma' }, 'c', 'no object').eosIds).toEqual([1]);
  expect(() => configFromJson({ model_type: 'gemma' }, 'a/config.json', { eos_token_id: 'x' })).toThrow(
    /^a\/generation_config\.json has eos_token_id = "x"/,
  );
});

test('each key of a config.json goes where it belongs', () => {
  const sizes = { vocab_size: 11, hidden_size: 36, intermediate_size: 13, num_hidden_layers: 2, head_dim: 8 };
  const more = { num_attention_heads: 6, num_key_value_heads: 3, max_position_embeddings: 17, rms_norm_eps: 1e-5 };
  const rest = { bos_token_id: 4, tie_word_embeddings: false, sliding_window: 5, query_pre_attn_scalar: 64 };
  const all = { model_type: 'gemma3_text', ...sizes, ...more, ...rest, rope_theta: 100, rope_local_base_freq: 10 };
  const expected = {
    ...{ family: 3, vocab: 11, hidden: 36, feedForward: 13, layers: 2, headDim: 8, heads: 6, kvHeads: 3 },
    ...{ contextLength: 17, rmsEps: 1e-5, bosId: 4, tiedHead: false, slidingWindow: 5, queryScale: 1 / 8 },
    ...{ embedScale: 6, rope: rope(10, 100), layerKinds: ['sliding', 'sliding'] },
  };
  expect(configFromJson(all, 'c')).toMatchObject(expected);
  expect(configFromJson({ model_type: 'gemma3', text_config: all }, 'c')).toMatchObject(expected);
  // Of a Gemma 1 the head size scales.
  expect(configFromJson({ model_type: 'gemma', head_dim: 64 }, 'c').queryScale).toBe(1 / 8);
  const nobody = { model_type: 'gemma2', bos_token_id: null, tie_word_embeddings: null };
  expect(configFromJson(nobody, 'c')).toMatchObject({ bosId: 2, tiedHead: true });
});

const gguf = (
  architecture: string,
  more: Record<string, unknown> = {},
  other: Record<string, unknown> = {},
  notices: string[] = [],
) =>
  configFromGguf(
    new Map<string, unknown>([
      ['general.architecture', architecture],
      ...Object.entries({
        ...{ block_count: 6, context_length: 1024, embedding_length: 2304, feed_forward_length: 128 },
        ...{ 'attention.head_count': 8, ...(architecture === 'gemma3' && { 'attention.sliding_window': 512 }) },
        ...more,
      })
        .filter(([, value]) => value !== undefined)
        .map(([key, value]): [string, unknown] => [`${architecture}.${key}`, value]),
      ...Object.entries(other),
    ]),
    512,
    'm.gguf',
    true,
    notices,
  );

describe('a GGUF that says no more than it must', () => {
  const few = { ...COMMON, layers: 6, hidden: 2304, heads: 8, kvHeads: 8, feedForward: 128, vocab: 512 };
  const rest = { contextLength: 1024, embedScale: 48 };
  test.each<[string, object]>([
    [
      'gemma',
      {
        ...{ ...few, ...rest, family: 1, attnSoftcap: null, finalSoftcap: null, slidingWindow: null },
        ...{ layerKinds: kinds(6, 1), rope: rope(1e4, 1e4), qkNorm: false, postNorms: false },
      },
    ],
    [
      'gemma2',
      {
        ...{ ...few, ...rest, family: 2, attnSoftcap: 50, finalSoftcap: 30, slidingWindow: 4096 },
        ...{ layerKinds: kinds(6, 2), rope: rope(1e4, 1e4), qkNorm: false, postNorms: true },
      },
    ],
    [
      'gemma3',
      {
        ...{ ...few, ...rest, family: 3, attnSoftcap: null, finalSoftcap: null, slidingWindow: 512 },
        ...{ layerKinds: kinds(6, 6), rope: rope(1e4, 1e6), qkNorm: true, postNorms: true },
      },
    ],
  ])('%s', (architecture, expected) => {
    expect(gguf(architecture)).toEqual(expected);
  });

  test('its own numbers where it has them', () => {
    expect(gguf('gemma2', { 'attention.sliding_window': 7 }).slidingWindow).toBe(7);
    expect(gguf('gemma3', { 'attention.value_length': 64 }).headDim).toBe(64);
    expect(gguf('gemma3', { 'attention.layer_norm_rms_epsilon': 1e-5 }).rmsEps).toBe(1e-5);
    expect(gguf('gemma3', { 'attention.head_count_kv': [2, 2] }).kvHeads).toBe(2);
    expect(gguf('gemma3', {}, { 'tokenizer.ggml.bos_token_id': 0 }).bosId).toBe(0);
    expect(gguf('gemma3', {}, { 'tokenizer.ggml.bos_token_id': -1 }).bosId).toBe(2);
    expect(gguf('gemma3', {}, { 'tokenizer.ggml.eos_token_ids': [0] }).eosIds).toEqual([1, 0]);
    expect(gguf('gemma3', { 'rope.scaling.factor': 0 }).rope.full.factor).toBe(1);
    expect(gguf('gemma2', { 'rope.freq_base_swa': 5 }).rope.sliding.base).toBe(5);
    expect(gguf('gemma2', { 'rope.freq_base': 9, 'rope.global.freq_base': 9 }).rope).toEqual(rope(9, 9));
    const all = { 'attention.sliding_window_pattern': 1, 'attention.sliding_window': 8 };
    expect(gguf('gemma3', all).slidingWindow).toBeNull();
  });

  test('ids that stand for none, and keys of another architecture beside its own', () => {
    const tokens = { 'tokenizer.ggml.tokens': ['<pad>', '<eos>', 'a', '<bos>'] };
    expect(gguf('gemma3', {}, tokens)).toMatchObject({ bosId: 3, eosIds: [1] });
    for (const none of [2 ** 32 - 1, -1, 2 ** 32])
      expect(gguf('gemma3', {}, { ...tokens, 'tokenizer.ggml.bos_token_id': none }).bosId).toBe(3);
    expect(gguf('gemma3', {}, { ...tokens, 'tokenizer.ggml.bos_token_id': 2 ** 32 - 2 }).bosId).toBe(2 ** 32 - 2);
    expect(gguf('gemma3', {}, { 'tokenizer.ggml.eos_token_ids': [5, 2 ** 32 - 1, 2 ** 32 - 2] }).eosIds).toEqual([
      1,
      5,
      2 ** 32 - 2,
    ]);
    expect(gguf('gemma2', {}, { 'gemma3.block_count': 5 }).layers).toBe(6);
    expect(() => gguf('gemma2', { block_count: undefined })).toThrow(/^(?!.*its keys are of).*block_count/);
  });

  test('the 27B models scale by their hidden size a head, the others by the head', () => {
    const wide = { embedding_length: 2320, 'attention.head_count_kv': 4 };
    const scale = (architecture: string, layers: number) =>
      gguf(architecture, { ...wide, block_count: layers }).queryScale;
    expect([scale('gemma2', 46), scale('gemma3', 62)]).toEqual([290 ** -0.5, 290 ** -0.5]);
    expect([scale('gemma', 46), scale('gemma2', 62), scale('gemma3', 46)]).toEqual([1 / 16, 1 / 16, 1 / 16]);
  });

  test('a factor that a Gemma 3 of pictures leaves out is 8, in a long one alone', () => {
    const pictures = { 'mm.tokens_per_image': 256 };
    expect(gguf('gemma3', { ...pictures, context_length: 131072 }).rope.full.factor).toBe(8);
    expect(gguf('gemma3', { ...pictures, context_length: 131071 }).rope.full.factor).toBe(1);
    expect(gguf('gemma3', { context_length: 131072 }).rope.full.factor).toBe(1);
    expect(gguf('gemma3', { ...pictures, context_length: 131072, 'rope.scaling.factor': 4 }).rope.full.factor).toBe(4);
    expect(gguf('gemma2', { ...pictures, context_length: 131072 }).rope.full.factor).toBe(1);
    const notices: string[] = [];
    gguf('gemma3', { ...pictures, context_length: 131072, 'rope.scaling.factor': 4 }, {}, notices);
    const stretched = () => notices.filter(notice => notice.includes('stretched'));
    expect(stretched()).toEqual([]);
    gguf('gemma3', { ...pictures, context_length: 131072 }, {}, notices);
    expect(stretched()).toEqual([
      'The file does not say how positions are stretched: 8×, as in every Gemma 3 that reads pictures.',
    ]);
  });

  test('what llama.cpp asks for, or would take from other models, is said', () => {
    const said = (architecture: string, more: Record<string, unknown> = {}) => {
      const notices: string[] = [];
      const { rmsEps, rope } = gguf(architecture, more, {}, notices);
      return [rmsEps, rope.full.base, notices];
    };
    const eps = (architecture: string, n: number) =>
      `The file does not say ${architecture}.attention.layer_norm_rms_epsilon: 0.000001, as in every Gemma ${n}.`;
    const base = 'The file does not say gemma3.rope.freq_base: 1000000, as in every Gemma 3.';
    expect(said('gemma3')).toEqual([1e-6, 1e6, [eps('gemma3', 3), base]]);
    expect(said('gemma2')).toEqual([1e-6, 1e4, [eps('gemma2', 2)]]);
    expect(said('gemma3', { 'attention.layer_norm_rms_epsilon': 1e-5, 'rope.global.freq_base': 5e5 })).toEqual([
      1e-5,
      5e5,
      [],
    ]);
  });

  test('YaRN with the lengths and ranges it leaves out, by either name', () => {
    const yarn = (more: object = {}) =>
      gguf('gemma3', { 'rope.scaling.type': 'yarn', 'rope.scaling.factor': 4, ...more }).rope.full.scaling;
    const left = { kind: 'yarn', factor: 4, original: 1024, betaFast: 32, betaSlow: 1, truncates: true };
    expect(yarn()).toEqual({ ...left, attention: 1 + 0.1 * Math.log(4) });
    expect(yarn({ 'rope.scaling.beta_fast': 9, 'rope.scaling.beta_slow': 3 })).toMatchObject({
      betaFast: 9,
      betaSlow: 3,
    });
    expect(yarn({ 'rope.scaling.original_context_length': 0 })).toMatchObject({ original: 1024 });
    expect(yarn({ 'rope.scaling.factor': 1 })).toMatchObject({ factor: 1, attention: 1 });
  });
});

test.each<[string, Record<string, unknown>, Record<string, unknown>, RegExp]>([
  [
    'gemma3',
    { 'attention.sliding_window': undefined },
    {},
    /^m\.gguf has no number under 'gemma3\.attention\.sliding_window'/,
  ],
  [
    'gemma3',
    { 'attention.head_count_kv': [] },
    {},
    /head_count_kv = \[\], and the same number for every layer is needed/,
  ],
  [
    'gemma3',
    { 'attention.head_count': ['8', '8'] },
    {},
    /head_count = \["8","8"\], and the same number for every layer/,
  ],
  ['gemma3', { 'attention.head_count': [true, true] }, {}, /head_count = \[true,true\], and the same number/],
  ['gemma3', { feed_forward_length: undefined }, {}, /has no number under 'gemma3\.feed_forward_length'/],
  ['gemma2', { attn_logit_softcapping: 0 }, {}, /the soft-cap on attention is 0/],
  ['gemma2', { final_logit_softcapping: 0 }, {}, /the soft-cap on logits is 0/],
  [
    'gemma3',
    { 'attention.key_length': 16, 'attention.value_length': 32 },
    {},
    /value_length = 32: the heads are 16 wide, and Loupe has one width for keys, values and positions/,
  ],
  ['gemma3', { 'attention.key_length_swa': 8 }, {}, /key_length_swa = 8: the heads are 256 wide/],
  ['gemma3', { 'attention.value_length_swa': 8 }, {}, /value_length_swa = 8: the heads are 256 wide/],
  ['gemma3', { 'rope.dimension_count_swa': 8 }, {}, /rope\.dimension_count_swa = 8: the heads/],
  ['gemma3', { 'attention.causal': false }, {}, /: Loupe runs models that read forwards/],
  ['gemma3', { 'attention.shared_kv_layers': 1 }, {}, /: every layer must have keys and values of its own/],
  [
    'gemma3',
    { use_parallel_residual: true },
    {},
    /use_parallel_residual = true: Gemma has its parts one after the other/,
  ],
  ['gemma3', { expert_count: 2 }, {}, /: Gemma 1, 2 and 3 have no experts/],
  ['gemma3', { 'rope.scaling.attn_factor': 2 }, {}, /: Loupe does not scale cosines and sines by it/],
  ['gemma3', { 'rope.scaling.yarn_attn_factor': 2 }, {}, /yarn_attn_factor = 2: Loupe does not scale cosines/],
  ['gemma3', { 'rope.scaling.yarn_log_multiplier': 2 }, {}, /: Loupe does not know what it does in a Gemma/],
  [
    'gemma3',
    { 'rope.scaling.extrapolation_factor': 0 },
    {},
    /extrapolation_factor = 0: Loupe mixes stretched and plain/,
  ],
  [
    'gemma3',
    { 'rope.scaling.type': 'yarn', 'rope.scaling.factor': 0.5 },
    {},
    /rope\.scaling\.factor = 0\.5, and a factor of 1 or more/,
  ],
  ['gemma3', { 'attention.sliding_window_pattern': -1 }, {}, /pattern = -1, and a whole number or a list is needed/],
  ['gemma3', { 'attention.sliding_window_pattern': 1.5 }, {}, /pattern = 1\.5, and a whole number or a list/],
  [
    'gemma3',
    { 'attention.sliding_window_pattern': [1, 1, 1, 1, 1, 2] },
    {},
    /and a list of true \(sliding\) and false \(full\) for the 6 layers is needed/,
  ],
  ['gemma', { 'attention.sliding_window_pattern': 2 }, {}, /sliding_window_pattern = 2, which Loupe does not know/],
  [
    'gemma2',
    { 'rope.freq_base': 9, 'rope.global.freq_base': 8 },
    {},
    /global\.freq_base = 8: gemma2\.rope\.freq_base is 9, and only one can be meant/,
  ],
  ['gemma', { 'rope.freq_base_swa': 5 }, {}, /freq_base_swa = 5, which Loupe does not know/],
  ['gemma3', { visions: 1 }, {}, /gemma3\.visions = 1, which Loupe does not know/],
  ['gemma3', { 'x.vision.y': 1 }, {}, /x\.vision\.y = 1, which Loupe does not know/],
  [
    'gemma3',
    {},
    { 'tokenizer.ggml.bos_token_id': 1.5 },
    /^m\.gguf has tokenizer\.ggml\.bos_token_id = 1\.5, and a token id is needed\. Convert the model again\.$/,
  ],
  [
    'gemma3',
    {},
    { 'tokenizer.ggml.eos_token_ids': [1, -1] },
    /^m\.gguf has tokenizer\.ggml\.eos_token_ids = \[1,-1\], and a list of token ids is needed\. Convert the model again\.$/,
  ],
  ['gemma3', {}, { 'tokenizer.ggml.eos_token_ids': [0.5] }, /eos_token_ids = \[0\.5\]/],
  ['gemma3', {}, { 'general.type': 'imatrix' }, /^m\.gguf holds an importance matrix, not a model\.$/],
  ['gemma3', {}, { 'general.type': 'vocab' }, /^m\.gguf holds a vocabulary without a model\.$/],
  ['mamba', {}, {}, /^m\.gguf holds a model of architecture 'mamba', and Loupe runs gemma, gemma2, gemma3\.$/],
])('a GGUF of %s with %j %j is refused', (architecture, more, other, message) => {
  expect(() => gguf(architecture, more, other)).toThrow(ConfigError);
  expect(() => gguf(architecture, more, other)).toThrow(message);
});

test.each([
  { tensor_data_layout: 'x' },
  { 'vision.block_count': 1, 'audio.x': 1, 'mm.x': 1 },
  {
    'rope.scaling.attn_factor': 0,
    'rope.scaling.extrapolation_factor': 1,
    use_parallel_residual: false,
    vocab_size: 3,
  },
  { 'attention.shared_kv_layers': 0, 'rope.scaling.yarn_attn_factor': 1, 'rope.scaling.yarn_log_multiplier': 0 },
])('%j means nothing', more => {
  expect(gguf('gemma3', more)).toEqual(gguf('gemma3'));
});

test('a type that is none of a GGUF’s kinds is no hindrance', () => {
  expect(gguf('gemma3', {}, { 'general.type': 'toString' })).toEqual(gguf('gemma3'));
  expect(gguf('gemma3', {}, { 'general.type': 7 })).toEqual(gguf('gemma3'));
  expect(gguf('gemma3', {}, { 'general.type': ['vocab'] })).toEqual(gguf('gemma3'));
});

describe('why a key of a config.json is refused', () => {
  const every = { model_type: 'gemma3_text', num_hidden_layers: 2 };
  const kind = (...layer_types: string[]) => ({ ...every, layer_types });
  test.each<[Record<string, unknown>, RegExp]>([
    [
      { model_type: 'gemma3', text_config: { model_type: 'x' } },
      /: the text model of a multimodal Gemma 3 is of type gemma3_text\./,
    ],
    [{ model_type: 'gemma2', sliding_window_size: 8 }, /: the sliding window is 4096, and only one can be meant\./],
    [{ model_type: 'gemma', hidden_act: 'relu' }, /alone, so this model would be computed wrong/],
    [
      { model_type: 'gemma', hidden_activation: 'relu' },
      /alone, so the activation that it names would be computed wrong/,
    ],
    [{ ...every, is_encoder_decoder: true }, /: Loupe runs decoders\./],
    [{ ...every, add_cross_attention: true }, /: Loupe runs decoders without cross-attention\./],
    [{ ...every, pruned_heads: { 0: [1] } }, /: every layer must have all heads\./],
    [{ ...every, per_layer_config: { 0: {} } }, /: every layer must have the same sizes\./],
    [{ ...every, num_kv_shared_layers: 1 }, /: every layer must have keys and values of its own\./],
    [
      { ...every, auto_map: { AutoTokenizer: 'x', AutoModel: 'y' } },
      /the model brings code of its own, which Loupe does not run/,
    ],
    [{ model_type: 'gemma', final_logit_softcapping: 30 }, /final_logit_softcapping = 30, which Loupe does not know/],
    [
      { model_type: 'gemma', sliding_window_pattern: 2 },
      /sliding_window_pattern = 2: in a Gemma 1 every layer is full/,
    ],
    [
      { model_type: 'gemma2', _sliding_window_pattern: 3 },
      /_sliding_window_pattern = 3: in a Gemma 2 every second layer is full/,
    ],
    [{ ...every, sliding_window_pattern: 0 }, /sliding_window_pattern = 0, and a whole number from 1 is needed/],
    [
      { ...every, _sliding_window_pattern: 3 },
      /^c has _sliding_window_pattern = 3 but no layer_types, without which transformers takes a full layer every 6th\. Give/,
    ],
    [
      { ...every, _sliding_window_pattern: 3, sliding_window_pattern: 4 },
      /takes a full layer every 4th\. Give layer_types\./,
    ],
    [kind('full_attention'), /c lists 1 layer_types, and needs 2, each 'sliding_attention' or 'full_attention'/],
    [kind('full_attention', 'x'), /c lists 2 layer_types, one of them 'x', and needs 2, each/],
  ])('%j', (json, message) => {
    expect(() => configFromJson(json, 'c')).toThrow(ConfigError);
    expect(() => configFromJson(json, 'c')).toThrow(message);
  });

  test.each<[Record<string, unknown>]>([
    [{ mlp_bias: false, per_layer_config: {}, num_kv_shared_layers: 0, pruned_heads: {} }],
    [{ auto_map: { AutoTokenizer: 'x', MyAutoModel: 'y' } }],
    [{ sliding_window_pattern: 6, _sliding_window_pattern: 6 }],
  ])('and %j is not', more => {
    expect(configFromJson({ model_type: 'gemma3_text', ...more }, 'c')).toEqual(GEMMA3);
  });

  test('a Gemma 2 may say its pattern, and a Gemma 3 that every layer is full', () => {
    expect(configFromJson({ model_type: 'gemma2', _sliding_window_pattern: 2 }, 'c')).toEqual(GEMMA2);
    expect(configFromJson({ ...every, sliding_window_pattern: 1 }, 'c').layerKinds).toEqual(['full', 'full']);
    expect(configFromJson(kind('attention', 'sliding_attention'), 'c').layerKinds).toEqual(['full', 'sliding']);
  });

  test('a dynamic RoPE reaches further than the positions by its factor', () => {
    const dynamic = (factor: number) =>
      configFromJson({ model_type: 'gemma', rope_scaling: { rope_type: 'dynamic', factor } }, 'c').contextLength;
    expect([dynamic(4), dynamic(1.5), dynamic(0.5)]).toEqual([32768, 12288, 8192]);
  });

  test('beside text_config its own keys may stand again, with the same values, and those of pictures', () => {
    const text_config = { ...every, model_type: 'gemma3_text', hidden_size: 64 };
    const plain = configFromJson({ model_type: 'gemma3', text_config }, 'c');
    const again = { hidden_size: 64, bos_token_id: 9, use_cache: true, vision_config: {}, head_dim: 256 };
    const inside = { ...text_config, use_cache: true, vision_config: null };
    const notices: string[] = [];
    for (const keys of [
      { text_config, ...again },
      { text_config: inside, use_cache: false, vision_config: {} },
      { text_config: { ...text_config, model_type: 'gemma3' } },
    ]) {
      expect(configFromJson({ model_type: 'gemma3', ...keys }, 'c', {}, notices)).toEqual(plain);
    }
    // Without one they can say what the default is.
    expect(configFromJson({ model_type: 'gemma3', hidden_size: 2304 }, 'c', {}, notices)).toEqual(GEMMA3);
    expect(notices).toEqual([]);
  });
});
