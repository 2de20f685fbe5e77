// Which Gemma is it: both generations of config.json, and GGUF metadata.

import { describe, expect, test } from 'vitest';
import { configFromGguf, configFromJson } from '../../engine/weights/detect.js';

describe('detection', () => {
  const gemma3 = {
    model_type: 'gemma3_text',
    vocab_size: 262144,
    hidden_size: 640,
    intermediate_size: 2048,
    num_hidden_layers: 18,
    num_attention_heads: 4,
    num_key_value_heads: 1,
    head_dim: 256,
    sliding_window: 512,
    max_position_embeddings: 32768,
  };

  test('both generations of a Gemma 3 config.json give the same', () => {
    const old = configFromJson(
      { ...gemma3, rope_theta: 1e6, rope_local_base_freq: 1e4, _sliding_window_pattern: 6 },
      'c',
    );
    const fresh = configFromJson(
      {
        ...gemma3,
        layer_types: Array.from({ length: 18 }, (_, i) => ((i + 1) % 6 ? 'sliding_attention' : 'full_attention')),
        rope_parameters: {
          full_attention: { rope_theta: 1e6, rope_type: 'default' },
          sliding_attention: { rope_theta: 1e4, rope_type: 'default' },
        },
      },
      'c',
    );
    expect(fresh).toEqual(old);
    expect(old.rope).toEqual({ full: { base: 1e6, factor: 1 }, sliding: { base: 1e4, factor: 1 } });
    expect(old.layerKinds.flatMap((k, i) => (k === 'full' ? [i] : []))).toEqual([5, 11, 17]);
    expect(old.queryScale).toBe(1 / 16);
  });

  test('a sparse multimodal Gemma 3 takes the defaults and its linear scaling', () => {
    const c = configFromJson(
      {
        model_type: 'gemma3',
        text_config: { hidden_size: 2560, num_hidden_layers: 34, rope_scaling: { rope_type: 'linear', factor: 8 } },
        vision_config: {},
      },
      'c',
    );
    expect([c.hidden, c.layers, c.heads, c.vocab, c.rope.full.factor, c.rope.sliding.factor]).toEqual([
      2560, 34, 8, 262208, 8, 1,
    ]);
  });

  test('Gemma 1 and 2 are told apart', () => {
    const one = configFromJson({ model_type: 'gemma', hidden_size: 2048, num_hidden_layers: 18 }, 'c');
    const two = configFromJson({ model_type: 'gemma2' }, 'c');
    expect([one.family, one.postNorms, one.qkNorm, one.slidingWindow, one.attnSoftcap]).toEqual([
      1,
      false,
      false,
      null,
      null,
    ]);
    expect([two.family, two.postNorms, two.slidingWindow, two.attnSoftcap, two.finalSoftcap]).toEqual([
      2,
      true,
      4096,
      50,
      30,
    ]);
    expect(two.layerKinds.slice(0, 3)).toEqual(['sliding', 'full', 'sliding']);
  });

  test('GGUF metadata gives what the file does not say: pattern, local base, end of turn', () => {
    const metadata = new Map<string, unknown>(
      Object.entries({
        'general.architecture': 'gemma3',
        'gemma3.block_count': 18,
        'gemma3.context_length': 32768,
        'gemma3.embedding_length': 640,
        'gemma3.feed_forward_length': 2048,
        'gemma3.attention.head_count': 4,
        'gemma3.attention.head_count_kv': 1,
        'gemma3.attention.key_length': 256,
        'gemma3.attention.sliding_window': 512,
        'gemma3.rope.freq_base': 1e6,
        'tokenizer.ggml.tokens': ['a', '<end_of_turn>'],
        'tokenizer.ggml.eos_token_id': 0,
      }),
    );
    const c = configFromGguf(metadata, 262144, 'f', true);
    expect([c.layerKinds[5], c.rope.sliding.base, c.rope.full.base, c.eosIds]).toEqual(['full', 1e4, 1e6, [0, 1]]);
    metadata.set('general.architecture', 'llama');
    expect(() => configFromGguf(metadata, 1, 'f', true)).toThrow(/architecture 'llama', and Loupe runs gemma/);
  });
});
