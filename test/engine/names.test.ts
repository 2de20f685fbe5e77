// Names in files to canonical names; what of a file may be left out, and what is said of the rest.

import { describe, expect, test } from 'vitest';
import { ModelFileError } from '../../engine/errors.js';
import { configFromJson } from '../../engine/weights/detect.js';
import {
  canBeLeftOut,
  checkWeights,
  isOfAdapter,
  leftOutPart,
  missingWeight,
  nameFromGguf,
  nameFromHuggingFace,
  strangeTensor,
} from '../../engine/weights/names.js';

const TINY = { num_hidden_layers: 2, hidden_size: 64, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16 };
const SIZES = { ...TINY, intermediate_size: 32, vocab_size: 10 };
const config = (model_type: string) => configFromJson({ model_type, ...SIZES }, 'config.json');

/** Canonical, Hugging Face, GGUF; of layer 12 to show that the whole number is kept. */
const NAMES: [string, string, string][] = [
  ['embed', 'embed_tokens.weight', 'token_embd.weight'],
  ['norm', 'norm.weight', 'output_norm.weight'],
  ['head', 'lm_head.weight', 'output.weight'],
  ['layers.12.input_norm', 'layers.12.input_layernorm.weight', 'blk.12.attn_norm.weight'],
  ['layers.12.attn.q', 'layers.12.self_attn.q_proj.weight', 'blk.12.attn_q.weight'],
  ['layers.12.attn.k', 'layers.12.self_attn.k_proj.weight', 'blk.12.attn_k.weight'],
  ['layers.12.attn.v', 'layers.12.self_attn.v_proj.weight', 'blk.12.attn_v.weight'],
  ['layers.12.attn.q_norm', 'layers.12.self_attn.q_norm.weight', 'blk.12.attn_q_norm.weight'],
  ['layers.12.attn.k_norm', 'layers.12.self_attn.k_norm.weight', 'blk.12.attn_k_norm.weight'],
  ['layers.12.attn.out', 'layers.12.self_attn.o_proj.weight', 'blk.12.attn_output.weight'],
  ['layers.12.post_attn_norm', 'layers.12.post_attention_layernorm.weight', 'blk.12.post_attention_norm.weight'],
  ['layers.12.pre_mlp_norm', 'layers.12.pre_feedforward_layernorm.weight', 'blk.12.ffn_norm.weight'],
  ['layers.12.post_mlp_norm', 'layers.12.post_feedforward_layernorm.weight', 'blk.12.post_ffw_norm.weight'],
  ['layers.12.mlp.gate', 'layers.12.mlp.gate_proj.weight', 'blk.12.ffn_gate.weight'],
  ['layers.12.mlp.up', 'layers.12.mlp.up_proj.weight', 'blk.12.ffn_up.weight'],
  ['layers.12.mlp.down', 'layers.12.mlp.down_proj.weight', 'blk.12.ffn_down.weight'],
];

describe.each(NAMES)('%s', (canonical, huggingFace, gguf) => {
  test('has its names, whatever stands before them', () => {
    for (const prefix of ['', 'model.', 'language_model.', 'language_model.model.', 'model.language_model.']) {
      expect(nameFromHuggingFace(prefix + huggingFace, 3), prefix).toBe(canonical);
    }
    expect(nameFromGguf(gguf)).toBe(canonical);
  });
  test('is not what has something before or behind the name, or a word for its layer', () => {
    for (const [name, read] of [
      [huggingFace, (text: string) => nameFromHuggingFace(text, 3)],
      [gguf, nameFromGguf],
    ] as const) {
      for (const other of [`x${name}`, `x.${name}`, `${name}s`, name.replace('12', 'x'), name.replace('12', '')]) {
        if (other !== name) expect(read(other), other).toBeNull();
      }
    }
  });
});

test('after attention means before the MLP in a Gemma 1', () => {
  const name = 'model.layers.12.post_attention_layernorm.weight';
  expect([1, 2, 3].map(family => nameFromHuggingFace(name, family as 1 | 2 | 3))).toEqual([
    'layers.12.pre_mlp_norm',
    'layers.12.post_attn_norm',
    'layers.12.post_attn_norm',
  ]);
});

describe('what can be left out', () => {
  test.each([
    ...['vision_tower.x', 'model.vision_tower.x', 'model.vision_model.x', 'model.vision_embed_tokens.weight'],
    ...[
      'model.multi_modal_projector.w',
      'language_model.model.mm_projector.w',
      'model.visual.x',
      'model.audio_tower.x',
    ],
    ...['model.embed_vision.x', 'model.embed_audio.x', 'model.layers.0.self_attn.rotary_emb.inv_freq'],
    ...['rotary_emb.inv_freq', 'model.rotary_emb_local.inv_freq', 'model.embed_tokens.embed_scale', 'score.weight'],
    ...['v_head.summary.bias', 'classifier.weight'],
  ])('of a folder: %s', name => {
    expect(canBeLeftOut(name, 'safetensors')).toBe(true);
  });
  test.each([
    ...['model.vision_towers', 'model.vision_tower', 'model.layers.0.vision_tower.x', 'model.rotary_emb.inv_freqs'],
    ...['model.my_rotary_emb.inv_freq', 'model.embed_tokens.embed_scale.x', 'model.x.embed_tokens.embed_scale'],
    ...['model.x', 'language_model.x', 'base_model.x', 'transformer.x', 'embed_norm.weight', 'tok_embeddings.weight'],
    ...['wte.weight', 'wpe.weight', 'norm.bias', 'layers.0.x', 'blk.0.x', 'blocks.0.x', 'h.0.x', 'lm_head.bias'],
    ...['output.bias', 'final_norm.weight', 'ln_f.weight', 'rotary.x', 'rope.x', 'position.x', 'per_layer_x'],
    ...['altup_x', 'laurel.x', 'lora_A'],
  ])('and not %s', name => {
    expect(canBeLeftOut(name, 'safetensors')).toBe(false);
  });
  test.each([
    ['v.patch_embd.weight', true],
    ['mm.input_projection.weight', true],
    ['a.blk.0.x', true],
    ['blk.0.v.x', false],
    ['vision.x', false],
    ['rope_freqs.weight', false],
    ['score.weight', false],
  ])('of a GGUF: %s is %s', (name, can) => {
    expect(canBeLeftOut(name, 'gguf')).toBe(can);
  });
});

test.each([
  ...['model.layers.0.q_proj.lora_A.weight', 'lora_B', 'blk.0.attn_q.weight.lora_a', 'x.lora.weight', 'x.lora'],
  ...['x.base_layer.weight', 'base_layer.weight', 'x.modules_to_save.default', 'modules_to_save.x', 'base_model.x'],
])('%s is of an adapter', name => {
  expect(isOfAdapter(name)).toBe(true);
});
test.each(['explora_x', 'x.explora_', 'x.loraine', 'x.base_layers.y', 'xbase_layer.y', 'my.base_model.x', 'q_proj'])(
  '%s is not',
  name => {
    expect(isOfAdapter(name)).toBe(false);
  },
);

test.each([
  ['vision_tower.encoder.x', 'vision_tower'],
  ['model.vision_tower.encoder.x', 'vision_tower'],
  ['score.weight', 'score'],
  ['my.model.weight', 'my'],
  ['xmodel.y', 'xmodel'],
  ['model.layers.0.self_attn.rotary_emb.inv_freq', 'rotary_emb.inv_freq'],
  ['language_model.model.layers.11.self_attn.rotary_emb.inv_freq', 'rotary_emb.inv_freq'],
  ['model.embed_tokens.embed_scale', 'embed_tokens.embed_scale'],
])('left out, %s is called %s', (name, part) => {
  expect(leftOutPart(name)).toBe(part);
});

describe('a strange tensor is refused by name, with what to do', () => {
  const BIAS = /, a bias, and Loupe has none, so the model would be computed wrong\. This model cannot be run here\.$/;
  const SCALE =
    /, which a Gemma 3 has no place for, and quantised models have, so .* If this one is quantised, take it as it was before, or a GGUF of it; else this model cannot be run here\.$/;
  const MORE =
    /, a layer more than the 2 of its configuration, so .* Configuration and weights must be of one model\.$/;
  const ROPE =
    /, which changes the frequencies of RoPE, so .* Convert the model again without it, or take one that has none\.$/;
  const PLACE =
    /, which a Gemma 3 has no place for, so .* If it belongs to nothing that the text model computes, take it out of the file; else this model cannot be run here\.$/;
  const LORA =
    /, a part of an adapter \(LoRA\) that is not merged into the weights, so .* Merge it first: peft's merge_and_unload\(\), then save_pretrained\.$/;
  test.each<[string, RegExp]>([
    ['model.layers.0.self_attn.k_scale', SCALE],
    ['blk.0.layer_output_scale.weight', SCALE],
    ['model.layers.0.q_proj.lora_A.weight', LORA],
    ['model.layers.2.x', MORE],
    ['layers.2.x', MORE],
    ['blk.10.x', MORE],
    ['model.layers.1.x', PLACE],
    ['mylayers.2.x', PLACE],
    ['model.layers.2', PLACE],
    ['model.norm.bias', BIAS],
    ['model.norm_bias', BIAS],
    ['model.bias.x', PLACE],
    ['model.norm_bias.x', PLACE],
    ['rope_freqs.weight', ROPE],
    ['rope_factors_long.weight', ROPE],
    ['x.rope_freqs.weight', PLACE],
    ['x.weight_scale', SCALE],
    ['x.zero_point', SCALE],
    ['x.zeropoint', SCALE],
    ['x.Quant', SCALE],
    ['x.absmax', SCALE],
  ])('%s', (name, message) => {
    const error = strangeTensor(name, config('gemma3_text'), 'm.file');
    expect(error).toBeInstanceOf(ModelFileError);
    expect(error.message).toMatch(message);
    expect(error.message.startsWith(`m.file has the tensor '${name}', `)).toBe(true);
  });
});

describe('weights against the configuration', () => {
  const tiny = config('gemma2');
  const norms = ['input_norm', 'post_attn_norm', 'pre_mlp_norm', 'post_mlp_norm'];
  const entries = (change: (all: Map<string, { shape: number[]; fileName: string }>) => void = () => {}) => {
    const all = new Map<string, { shape: number[]; fileName: string }>();
    const put = (name: string, ...shape: number[]) => all.set(name, { shape, fileName: `file:${name}` });
    put('embed', 10, 64);
    put('norm', 64);
    for (const layer of [0, 1]) {
      for (const norm of norms) put(`layers.${layer}.${norm}`, 64);
      put(`layers.${layer}.attn.q`, 64, 64);
      put(`layers.${layer}.attn.k`, 32, 64);
      put(`layers.${layer}.attn.v`, 32, 64);
      put(`layers.${layer}.attn.out`, 64, 64);
      put(`layers.${layer}.mlp.gate`, 32, 64);
      put(`layers.${layer}.mlp.up`, 32, 64);
      put(`layers.${layer}.mlp.down`, 64, 32);
    }
    change(all);
    return all;
  };
  const check = (change?: Parameters<typeof entries>[0]) => () => checkWeights(tiny, entries(change), 'm.file');

  test('all there, with or without a head: nothing is said', () => {
    expect(check()).not.toThrow();
    expect(check(all => all.set('head', { shape: [10, 64], fileName: 'h' }))).not.toThrow();
    expect(missingWeight(tiny, entries())).toBeNull();
  });
  test('one that lacks', () => {
    const drop = (all: Map<string, unknown>) => void all.delete('layers.1.attn.k');
    expect(check(drop)).toThrow(
      /^m\.file lacks the weight 'layers\.1\.attn\.k' \[32,64\], one of those a Gemma 2 with 2 layers has\. Fetch all of the model, every shard of it\.$/,
    );
    expect(check(drop)).toThrow(ModelFileError);
    expect(missingWeight(tiny, entries(drop))).toBe('layers.1.attn.k');
  });
  test('one that a wrapper of PyTorch renamed', () => {
    const drop = entries(all => void all.delete('layers.1.attn.k'));
    const told = (...strangers: string[]) => {
      try {
        checkWeights(tiny, drop, 'm.file', strangers);
      } catch (error) {
        return /: it has it as '(.*)', the name that a wrapper of PyTorch gives\. Save the model within the wrapper \(model\.module, model\._orig_mod\), or take that off the names\.$/.exec(
          (error as Error).message,
        )?.[1];
      }
    };
    const own = 'model.layers.1.self_attn.k_proj.weight';
    for (const wrap of ['module.', '_module.', '_orig_mod.', '_fsdp_wrapped_module.', 'module._orig_mod.'])
      expect(told('score.weight', wrap + own), wrap).toBe(wrap + own);
    expect(told('module.blk.1.attn_k.weight')).toBe('module.blk.1.attn_k.weight');
    // Another weight of theirs, another wrapper's, and none.
    expect(told('module.model.layers.0.self_attn.k_proj.weight', `wrapped.${own}`, 'x.weight')).toBeUndefined();
    expect(told()).toBeUndefined();
  });
  test('a head of its own that lacks', () => {
    const apart = configFromJson({ model_type: 'gemma2', ...SIZES, tie_word_embeddings: false }, 'config.json');
    expect(() => checkWeights(apart, entries(), 'm.file')).toThrow(
      /^m\.file lacks the weight 'head' \[10,64\], one of those a Gemma 2 with 2 layers has whose head is not the embedding \(lm_head\.weight, in a GGUF output\.weight\)\. Fetch all of the model, every shard of it; or say tie_word_embeddings: true if the two are one\.$/,
    );
    expect(missingWeight(apart, entries())).toBe('head');
  });
  test('one of another shape', () => {
    const turn = (all: Map<string, { shape: number[]; fileName: string }>) =>
      void all.set('layers.0.mlp.up', { shape: [64, 32], fileName: 'up' });
    expect(check(turn)).toThrow(
      /^m\.file has 'up' in the shape \[64,32\], but its configuration says \[32,64\]\. Configuration and weights must be of one model\.$/,
    );
    expect(check(all => void all.set('norm', { shape: [6, 4], fileName: 'n' }))).toThrow(/'n' in the shape \[6,4\]/);
  });
  test('one more', () => {
    expect(check(all => void all.set('layers.0.attn.q_norm', { shape: [16], fileName: 'q_norm' }))).toThrow(
      /^m\.file has the tensor 'q_norm', which a Gemma 2 has no place for/,
    );
  });
});
