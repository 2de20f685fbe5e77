// Real files to begin with: atlas's, the committed vocabularies and templates, and small ones of our own writing.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Table, tableFromArrays, vectorFromArray } from 'apache-arrow';
import { packageRoot } from '../../engine/files.js';
import { BLOCKS } from '../../engine/weights/dequantise.js';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import { Activation } from '../../lab/values/activation.js';
import { toArrow } from '../../lab/values/arrow.js';
import type { Entry, GgufForm, Tensor } from './mutate-gguf.js';

const root = packageRoot();
export const atlas = (name: string): Buffer => readFileSync(join(root, 'golden', 'atlas', name));

const lines = (name: string): Record<string, unknown>[] =>
  readFileSync(join(root, 'golden', name), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>);

/** The committed vocabularies of one kind. */
export const vocabularies = (file: 'model' | 'json'): Buffer[] =>
  lines('vocabularies.jsonl')
    .filter(one => one.file === file)
    .map(({ data }) => Buffer.from(String(data), 'base64'));

/** Prompts in every form of page and compression, by pyarrow (parquet/make.py). */
export function parquet(): Buffer[] {
  const folder = join(root, 'test', 'fuzz', 'parquet');
  const names = readdirSync(folder).filter(name => name.endsWith('.parquet'));
  return names.sort().map(name => readFileSync(join(folder, name)));
}

export const templates = (): string[] => [...new Set(lines('chat.jsonl').map(({ template }) => String(template)))];

/** Bytes of a safetensors file of ours. */
export async function safetensors(
  tensors: Readonly<Record<string, readonly number[]>>,
  metadata: Record<string, string> = {},
): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'loupe-seed-'));
  try {
    const path = join(folder, 'a.safetensors');
    const list = Object.entries(tensors).map(([name, shape]) => ({
      name,
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5),
    }));
    await writeSafetensors(path, list, metadata);
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The smallest Gemma 3 with everything a model has: one layer, 16 wide, 32 pieces. */
export const CONFIG = {
  model_type: 'gemma3_text',
  vocab_size: 32,
  hidden_size: 16,
  intermediate_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 8,
  query_pre_attn_scalar: 8,
  sliding_window: 8,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
  layer_types: ['full_attention'],
  rope_theta: 1000000,
  rope_local_base_freq: 10000,
  rope_scaling: null,
  hidden_activation: 'gelu_pytorch_tanh',
  tie_word_embeddings: true,
  attention_bias: false,
  bos_token_id: 2,
  eos_token_id: [1],
  pad_token_id: 0,
};

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  'model.embed_tokens.weight': [32, 16],
  'model.norm.weight': [16],
  'model.layers.0.input_layernorm.weight': [16],
  'model.layers.0.post_attention_layernorm.weight': [16],
  'model.layers.0.pre_feedforward_layernorm.weight': [16],
  'model.layers.0.post_feedforward_layernorm.weight': [16],
  'model.layers.0.self_attn.q_proj.weight': [16, 16],
  'model.layers.0.self_attn.k_proj.weight': [8, 16],
  'model.layers.0.self_attn.v_proj.weight': [8, 16],
  'model.layers.0.self_attn.o_proj.weight': [16, 16],
  'model.layers.0.self_attn.q_norm.weight': [8],
  'model.layers.0.self_attn.k_norm.weight': [8],
  'model.layers.0.mlp.gate_proj.weight': [16, 16],
  'model.layers.0.mlp.up_proj.weight': [16, 16],
  'model.layers.0.mlp.down_proj.weight': [16, 16],
};

export const weights = (): Promise<Buffer> => safetensors(SHAPES, { format: 'pt' });

const GGUF_NAMES: readonly (readonly [string, string])[] = [
  ['model.embed_tokens', 'token_embd'],
  ['model.norm', 'output_norm'],
  ['model.layers.0.input_layernorm', 'blk.0.attn_norm'],
  ['model.layers.0.post_attention_layernorm', 'blk.0.post_attention_norm'],
  ['model.layers.0.pre_feedforward_layernorm', 'blk.0.ffn_norm'],
  ['model.layers.0.post_feedforward_layernorm', 'blk.0.post_ffw_norm'],
  ['model.layers.0.self_attn.q_proj', 'blk.0.attn_q'],
  ['model.layers.0.self_attn.k_proj', 'blk.0.attn_k'],
  ['model.layers.0.self_attn.v_proj', 'blk.0.attn_v'],
  ['model.layers.0.self_attn.o_proj', 'blk.0.attn_output'],
  ['model.layers.0.self_attn.q_norm', 'blk.0.attn_q_norm'],
  ['model.layers.0.self_attn.k_norm', 'blk.0.attn_k_norm'],
  ['model.layers.0.mlp.gate_proj', 'blk.0.ffn_gate'],
  ['model.layers.0.mlp.up_proj', 'blk.0.ffn_up'],
  ['model.layers.0.mlp.down_proj', 'blk.0.ffn_down'],
];

const number = (key: string, value: number, type = 4): Entry => ({ key, type, value });
const string = (key: string, value: string): Entry => ({ key, type: 8, value });
const array = (key: string, of: number, items: (number | string)[]): Entry => ({ key, type: 9, value: { of, items } });

/** A vocabulary of 32 pieces, as llama.cpp's converter writes one. */
const PIECES = [
  '<pad>',
  '<eos>',
  '<bos>',
  '<unk>',
  '<start_of_turn>',
  '<end_of_turn>',
  '▁',
  'a',
  'b',
  'c',
  'ab',
  '▁a',
  '▁ab',
  'abc',
  '\n',
  '  ',
];
const TOKENS = [
  ...PIECES,
  ...Array.from({ length: 16 }, (_, i) => `<0x${i.toString(16).padStart(2, '0').toUpperCase()}>`),
];
const vocabulary = (): Entry[] => [
  string('tokenizer.ggml.model', 'llama'),
  array('tokenizer.ggml.tokens', 8, TOKENS),
  array(
    'tokenizer.ggml.scores',
    6,
    TOKENS.map((_, i) => -i),
  ),
  array(
    'tokenizer.ggml.token_type',
    5,
    TOKENS.map((_, i) => (i < 3 || i === 4 || i === 5 ? 3 : i === 3 ? 2 : i < 16 ? 1 : 6)),
  ),
  number('tokenizer.ggml.bos_token_id', 2),
  number('tokenizer.ggml.eos_token_id', 1),
  number('tokenizer.ggml.unknown_token_id', 3),
  { key: 'tokenizer.ggml.add_space_prefix', type: 7, value: 0 },
  string('tokenizer.chat_template', '{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}'),
];

/** The same as a tokenizer.json, which has all of the bytes or none. */
export const SMALL_TOKENIZER = JSON.stringify({
  added_tokens: ['<pad>', '<eos>', '<bos>', '<unk>'].map((content, id) => ({ id, content, special: true })),
  normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  model: {
    type: 'BPE',
    byte_fallback: true,
    fuse_unk: true,
    unk_token: '<unk>',
    vocab: Object.fromEntries(PIECES.map((piece, id) => [piece, id])),
    merges: [
      ['a', 'b'],
      ['▁', 'a'],
    ],
  },
});

/** A whole model of f32. */
export function ggufModel(): GgufForm {
  const tensors: Tensor[] = [];
  let offset = 0;
  for (const [from, to] of GGUF_NAMES) {
    const shape = SHAPES[`${from}.weight`];
    tensors.push({ name: `${to}.weight`, dims: [...shape].reverse(), type: 0, offset });
    offset += Math.ceil((4 * shape.reduce((a, b) => a * b, 1)) / 32) * 32;
  }
  const entries: Entry[] = [
    string('general.architecture', 'gemma3'),
    number('gemma3.block_count', 1),
    number('gemma3.context_length', 64),
    number('gemma3.embedding_length', 16),
    number('gemma3.feed_forward_length', 16),
    number('gemma3.attention.head_count', 2),
    number('gemma3.attention.head_count_kv', 1),
    number('gemma3.attention.key_length', 8),
    number('gemma3.attention.value_length', 8),
    number('gemma3.attention.layer_norm_rms_epsilon', 1e-6, 6),
    number('gemma3.attention.sliding_window', 8),
    number('gemma3.rope.freq_base', 1e6, 6),
    ...vocabulary(),
  ];
  return { version: 3, entries, tensors, data: Buffer.alloc(offset, Buffer.from(Float32Array.of(0.5).buffer)) };
}

/** ggml's numbers of the formats that are read. */
const FORMATS: Readonly<Record<string, number>> = {
  F32: 0,
  F16: 1,
  BF16: 30,
  Q8_0: 8,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  IQ4_NL: 20,
  IQ4_XS: 23,
  MXFP4: 39,
};

/** A tensor of two blocks in every format that is read, and metadata of every type. */
export function ggufFormats(): GgufForm {
  const tensors: Tensor[] = [];
  let offset = 0;
  for (const [format, { values, bytes }] of Object.entries(BLOCKS)) {
    tensors.push({ name: format, dims: [values, 2], type: FORMATS[format], offset });
    offset += Math.ceil((2 * bytes) / 32) * 32;
  }
  const entries: Entry[] = [
    ...[0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12].map(type => number(`scalar.${type}`, 1, type)),
    ...[0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12].map(type => array(`array.${type}`, type, [1, 0, 1])),
    array('array.8', 8, ['a', '', 'bc']),
    number('general.alignment', 32),
  ];
  return { version: 3, entries, tensors, data: Buffer.alloc(offset, 0x3c) };
}

/** Tables of activations with and without labels. */
export const arrowTables = (): Table[] => {
  const token = { name: 'token', size: 3, labels: ['a', '▁b', 'c'] } as const;
  const head = { name: 'head', size: 2 } as const;
  const dim = { name: 'dim', size: 4 } as const;
  return [[token, dim], [head, token, dim], [dim]].map(dims => {
    const data = new Float32Array(dims.reduce((n, { size }) => n * size, 1)).fill(1.5);
    return toArrow(new Activation('layers.0.resid', dims, data));
  });
};

/** Tables of other columns. */
export const otherTables = (): Table[] => [
  tableFromArrays({}),
  tableFromArrays({ values: Float32Array.of(1, 2) }),
  tableFromArrays({ values: ['a', 'b'] }),
  tableFromArrays({ stage: ['a'], other: Int32Array.of(1) }),
  new Table({ values: vectorFromArray([[1, 2], null, [3]]) }),
  new Table({ values: vectorFromArray([[0.5, 2], [3.5]]) }),
];

export const weightNames: readonly string[] = Object.keys(SHAPES);
