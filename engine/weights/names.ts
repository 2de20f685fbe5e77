// Names in files to canonical names, and the shapes that a configuration promises. The shapes come from the recorded plan, so that
// there is no second list of them.

import type { GemmaConfig } from '../config.js';
import { ModelFileError } from '../errors.js';
import { planOf } from '../gemma.js';

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

/** Canonical name of a Hugging Face tensor, or null for what the text model has no use for (vision parts, buffers). */
export function nameFromHuggingFace(name: string, family: 1 | 2 | 3): string | null {
  const text = name.replace(/^(model\.)?(language_model\.)?(model\.)?/, '');
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

/** Throws ModelFileError unless every weight that the plan needs is there in its shape. */
export function checkWeights(
  config: GemmaConfig,
  entries: ReadonlyMap<string, { readonly shape: readonly number[]; readonly fileName: string }>,
  where: string,
): void {
  for (const { weight } of planOf(config).stages) {
    if (!weight) continue;
    const found = entries.get(weight.name);
    if (!found) {
      throw new ModelFileError(
        `${where} lacks the weight '${weight.name}' [${weight.shape}], one of those a Gemma ${config.family} with ${config.layers} layers has. ` +
          'Fetch all of the model, every shard of it.',
      );
    }
    if (found.shape.join() !== weight.shape.join()) {
      throw new ModelFileError(
        `${where} has '${found.fileName}' in the shape [${found.shape}], but its configuration says [${weight.shape}]. ` +
          'Configuration and weights must be of one model.',
      );
    }
  }
}
