// Names in files to canonical names, and the shapes that a configuration promises. The shapes come from the recorded plan, so that
// there is no second list of them.

import type { GemmaConfig } from '../config.js';
import { ModelFileError } from '../errors.js';
import { planOf } from '../gemma.js';
import { short } from './gguf-cursor.js';

const HUGGING_FACE: readonly (readonly [RegExp, string])[] = [
  [/^embed_tokens\.weight$/, 'embed'],
  [/^norm\.weight$/, 'norm'],
  [/^lm_head\.weight$/, 'head'],
  [/^layers\.(\d+)\.input_layernorm\.weight$/, 'layers.$1.input_norm'],
  [/^layers\.(\d+)\.self_attn\.(q|k|v)_proj\.weight$/, 'layers.$1.attn.$2'],
  [/^layers\.(\d+)\.self_attn\.(q|k)_norm\.weight$/, 'layers.$1.attn.$2_norm'],
  [/^layers\.(\d+)\.self_attn\.o_proj\.weight$/, 'layers.$1.attn.out'],
  [/^layers\.(\d+)\.pre_feedforward_layernorm\.weight$/, 'layers.$1.pre_mlp_norm'],
  [/^layers\.(\d+)\.post_feedforward_layernorm\.weight$/, 'layers.$1.post_mlp_norm'],
  [/^layers\.(\d+)\.mlp\.(gate|up|down)_proj\.weight$/, 'layers.$1.mlp.$2'],
];

const GGUF: readonly (readonly [RegExp, string])[] = [
  [/^token_embd\.weight$/, 'embed'],
  [/^output_norm\.weight$/, 'norm'],
  [/^output\.weight$/, 'head'],
  [/^blk\.(\d+)\.attn_norm\.weight$/, 'layers.$1.input_norm'],
  [/^blk\.(\d+)\.attn_(q|k|v)\.weight$/, 'layers.$1.attn.$2'],
  [/^blk\.(\d+)\.attn_(q|k)_norm\.weight$/, 'layers.$1.attn.$2_norm'],
  [/^blk\.(\d+)\.attn_output\.weight$/, 'layers.$1.attn.out'],
  [/^blk\.(\d+)\.post_attention_norm\.weight$/, 'layers.$1.post_attn_norm'],
  [/^blk\.(\d+)\.ffn_norm\.weight$/, 'layers.$1.pre_mlp_norm'],
  [/^blk\.(\d+)\.post_ffw_norm\.weight$/, 'layers.$1.post_mlp_norm'],
  [/^blk\.(\d+)\.ffn_(gate|up|down)\.weight$/, 'layers.$1.mlp.$2'],
];

/** What tools put before the names of the text model. */
const PREFIX = /^(model\.)?(language_model\.)?(model\.)?/;

/** Canonical name of a Hugging Face tensor, or null for what the text model has no place for (vision parts, buffers, strangers). */
export function nameFromHuggingFace(name: string, family: 1 | 2 | 3): string | null {
  const text = name.replace(PREFIX, '');
  // The one name that means two things: after attention in Gemma 2 and 3, before the MLP in Gemma 1.
  const after = /^layers\.(\d+)\.post_attention_layernorm\.weight$/.exec(text);
  if (after) return `layers.${after[1]}.${family === 1 ? 'pre_mlp_norm' : 'post_attn_norm'}`;
  return renamed(text, HUGGING_FACE);
}

/** Canonical name of a GGUF tensor, or null. */
export const nameFromGguf = (name: string): string | null => renamed(name, GGUF);

function renamed(name: string, rules: readonly (readonly [RegExp, string])[]): string | null {
  for (const [pattern, canonical] of rules) if (pattern.test(name)) return name.replace(pattern, canonical);
  return null;
}

// Parts of a multimodal model, and buffers that the configuration says too.
const PICTURES =
  /^(vision_tower|vision_model|vision_embed_tokens|multi_modal_projector|mm_projector|visual|audio_tower|embed_vision|embed_audio)\./;
const BUFFERS = /(^|\.)rotary_emb(_local)?\.inv_freq$|^embed_tokens\.embed_scale$/;
/** What stands beside the model under a name of its own (`score`, `v_head` …) reads what it computes; these would change it. */
const OF_THE_MODEL =
  /^(model|language_model|base_model|transformer|embed|tok|wte|wpe|norm|layer|blk|block|h\.|lm_head|output|final|ln_|rotary|rope|pos|per_layer|altup|laurel|lora)/;
const GGUF_PICTURES = /^(v|mm|a)\./;

/** Whether a tensor that has no canonical name can be left out: it changes nothing that the text model computes. */
export const canBeLeftOut = (name: string, format: 'safetensors' | 'gguf'): boolean => {
  if (format === 'gguf') return GGUF_PICTURES.test(name);
  const bare = name.replace(PREFIX, '');
  return PICTURES.test(bare) || BUFFERS.test(bare) || !OF_THE_MODEL.test(name);
};

/** What a tensor that is left out belongs to, in a word: `vision_tower`; of a buffer its own name, whichever layer it stands in. */
export const leftOutPart = (name: string): string =>
  BUFFERS.test(name.replace(PREFIX, ''))
    ? name.split('.').slice(-2).join('.')
    : name.replace(/^model\./, '').split('.')[0];

/** A part of a LoRA adapter that is not merged into the weights. */
export const isOfAdapter = (name: string): boolean =>
  /(^|\.)lora_|\.lora(_|\.|$)|(^|\.)(base_layer|modules_to_save)\.|^base_model\./.test(name);

/** The refusal of a tensor that would be computed with by whoever made the file, and not by Loupe. */
export function strangeTensor(name: string, { family, layers }: GemmaConfig, where: string): ModelFileError {
  const [, layer] = /(?:^|\.)(?:layers|blk)\.(\d+)\./.exec(name) ?? [];
  const say = (what: string, cure: string) =>
    new ModelFileError(
      `${where} has the tensor '${short(name)}', ${what}, so the model would be computed wrong. ${cure}.`,
    );
  const other =
    'If it belongs to nothing that the text model computes, take it out of the file; else this model cannot be run here';
  if (isOfAdapter(name)) {
    return say(
      'a part of an adapter (LoRA) that is not merged into the weights',
      "Merge it first: peft's merge_and_unload(), then save_pretrained",
    );
  }
  if (layer !== undefined && Number(layer) >= layers) {
    return say(
      `a layer more than the ${layers} of its configuration`,
      'Configuration and weights must be of one model',
    );
  }
  if (/\.bias$|_bias$/.test(name)) return say('a bias, and Loupe has none', 'This model cannot be run here');
  if (/^rope_(freqs|factors)/.test(name)) {
    return say(
      'which changes the frequencies of RoPE',
      'Convert the model again without it, or take one that has none',
    );
  }
  if (/scale|zero_?point|quant|absmax/i.test(name)) {
    return say(
      `which a Gemma ${family} has no place for, and quantised models have`,
      'If this one is quantised, take it as it was before, or a GGUF of it; else this model cannot be run here',
    );
  }
  return say(`which a Gemma ${family} has no place for`, other);
}

/** What wrappers of PyTorch put before every name: DistributedDataParallel, torch.compile, FSDP. */
const WRAPPED = /^(?:_?module\.|_orig_mod\.|_fsdp_wrapped_module\.)+/;

function missing(
  name: string,
  shape: readonly number[],
  { family, layers }: GemmaConfig,
  strangers: readonly string[],
  where: string,
): ModelFileError {
  const lacks = `${where} lacks the weight '${name}' [${shape}], one of those a Gemma ${family} with ${layers} layers has`;
  const named = (other: string) => [nameFromHuggingFace(other, family), nameFromGguf(other)].includes(name);
  const wrapped = strangers.find(other => WRAPPED.test(other) && named(other.replace(WRAPPED, '')));
  if (wrapped !== undefined)
    return new ModelFileError(
      `${lacks}: it has it as '${short(wrapped)}', the name that a wrapper of PyTorch gives. Save the model within the wrapper (model.module, model._orig_mod), or take that off the names.`,
    );
  if (name === 'head')
    return new ModelFileError(
      `${lacks} whose head is not the embedding (lm_head.weight, in a GGUF output.weight). Fetch all of the model, every shard of it; or say tie_word_embeddings: true if the two are one.`,
    );
  return new ModelFileError(`${lacks}. Fetch all of the model, every shard of it.`);
}

/** Throws ModelFileError unless every weight that the plan needs is there in its shape, and no other. @param strangers tensors whose names are none of the plan's */
export function checkWeights(
  config: GemmaConfig,
  entries: ReadonlyMap<string, { readonly shape: readonly number[]; readonly fileName: string }>,
  where: string,
  strangers: readonly string[] = [],
): void {
  const wanted = new Map(planOf(config).stages.flatMap(({ weight }) => (weight ? [[weight.name, weight.shape]] : [])));
  for (const [name, shape] of wanted) {
    const found = entries.get(name);
    if (!found) throw missing(name, shape, config, strangers, where);
    if (found.shape.join() !== shape.join()) {
      throw new ModelFileError(
        `${where} has '${found.fileName}' in the shape [${found.shape}], but its configuration says [${shape}]. ` +
          'Configuration and weights must be of one model.',
      );
    }
  }
  for (const [name, { fileName }] of entries) {
    if (!wanted.has(name) && name !== 'head') throw strangeTensor(fileName, config, where);
  }
}

/** The first weight of the plan that is not there, or null. */
export function missingWeight(config: GemmaConfig, entries: ReadonlyMap<string, unknown>): string | null {
  const missing = planOf(config).stages.find(({ weight }) => weight && !entries.has(weight.name));
  return missing?.weight?.name ?? null;
}
