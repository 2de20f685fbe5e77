// The keys of a configuration, each read by name. What was read is understood; what is on the list below means nothing for the text
// model; whatever else stands in the file is refused by name, because a key that is passed over may be a model that is computed wrong.

import { ConfigError } from '../errors.js';

export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value as a message shows it. */
export function shownValue(value: unknown): string {
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : jsonText(value);
  return text === undefined ? String(value) : text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A name as a message shows it between its quotes. */
export const shownName = (value: unknown): string =>
  typeof value === 'string' ? value : (value ?? null) === null ? 'nothing' : shownValue(value);

/** JSON of a value; of one that is nested too deep for that, its kind. */
function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return Array.isArray(value) ? '[…]' : '{…}';
  }
}

/** One object of a configuration. Remembers which keys were asked for. */
export class ConfigKeys {
  readonly #read = new Set<string>();

  /**
   * @param where path of the file, for messages
   * @param prefix what stands before the keys in messages, `text_config.` or `gemma3.`
   * @param defaults values of keys that the file may leave out
   */
  constructor(
    readonly values: Json,
    readonly where: string,
    readonly prefix = '',
    readonly defaults: Json = {},
  ) {}

  /** The value as it stands: undefined where the file has no such key, null where it says null. */
  raw(key: string): unknown {
    this.#read.add(key);
    return Object.hasOwn(this.values, key) ? this.values[key] : undefined;
  }

  /** The value or its default; null where the file says null. */
  value(key: string): unknown {
    const own = this.raw(key);
    return own === undefined && Object.hasOwn(this.defaults, key) ? this.defaults[key] : own;
  }

  /** Whether the file says something under the key that is not null. */
  says(key: string): boolean {
    return (this.raw(key) ?? null) !== null;
  }

  number(key: string): number {
    const value = this.value(key);
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw value === undefined ? this.bad(`has no number under '${this.prefix}${key}'`) : this.wrong(key, 'a number');
  }

  /** Null where the file says that there is none, or says nothing and there is no default. */
  optionalNumber(key: string): number | null {
    return (this.value(key) ?? null) === null ? null : this.number(key);
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.value(key) ?? otherwise;
    if (typeof value === 'boolean') return value;
    throw this.wrong(key, 'true or false');
  }

  /** An object's keys; null where there is none. */
  object(key: string): Json | null {
    const value = this.value(key) ?? null;
    if (value === null || isObject(value)) return value;
    throw this.wrong(key, 'an object');
  }

  /** One id or several; what is negative stands for none. */
  ids(key: string): number[] {
    const value = this.value(key) ?? [];
    const ids: unknown[] = Array.isArray(value) ? value : [value];
    if (ids.every((id): id is number => Number.isInteger(id))) return ids.filter(id => id >= 0);
    throw this.wrong(key, 'a token id or a list of them');
  }

  /** Refuses any value but null and those given, with the reason. */
  only(key: string, allowed: readonly unknown[], reason: string): void {
    const value = this.raw(key) ?? null;
    if (value === null || allowed.some(one => jsonText(one) === jsonText(value))) return;
    throw new ConfigError(
      `${this.where} has ${this.prefix}${key} = ${shownValue(value)}: ${reason}. Mend the file if it is wrong; else this model cannot be run here.`,
    );
  }

  /** Keys of the file that nobody asked for and that do not say null. */
  unread(): string[] {
    return Object.keys(this.values).filter(key => !this.#read.has(key) && this.values[key] !== null);
  }

  refuseUnread(known: (key: string) => boolean): void {
    const key = this.unread().find(one => !known(one));
    if (key === undefined) return;
    throw new ConfigError(
      `${this.where} has ${this.prefix}${key} = ${shownValue(this.values[key])}, which Loupe does not know, so the model might be computed wrong. ` +
        'If it means nothing for the text model, take it out of the file; else this model cannot be run here.',
    );
  }

  bad(what: string): ConfigError {
    return new ConfigError(`${this.where} ${what}. Mend the file.`);
  }

  wrong(key: string, wanted: string): ConfigError {
    return this.bad(`has ${this.prefix}${key} = ${shownValue(this.value(key))}, and ${wanted} is needed`);
  }
}

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Keys of a config.json that change nothing that the text model computes, by the reason why. */
const MEANINGLESS: ReadonlySet<string> = new Set([
  // who made the file, and with what
  ...words(`_name_or_path _model_name_or_path name_or_path _commit_hash architectures transformers_version model_name base_model license tags
    library_name unsloth_fixed unsloth_version transformers.js_config _unsloth_version`),
  // how the weights are kept and computed by others; Loupe computes in f32
  ...words(`dtype torch_dtype use_bfloat16 torchscript attn_implementation _attn_implementation _attn_implementation_internal
    _attn_implementation_autoset experts_implementation _experts_implementation _experts_implementation_internal
    _flash_attn_2_enabled use_flash_attn use_flash_attn_2 use_flash_attention use_flash_attention_2 use_sdpa attn_impl gradient_checkpointing chunk_size_feed_forward pretraining_tp
    use_cache use_return_dict return_dict output_attentions _output_attentions output_hidden_states output_past tf_legacy_loss`),
  // training
  ...words(`initializer_range initializer_factor attention_dropout attention_probs_dropout_prob hidden_dropout hidden_dropout_prob
    resid_pdrop embd_pdrop attn_pdrop dropout classifier_dropout classifier_dropout_prob layerdrop layer_norm_eps_training`),
  // heads of other tasks, and the names of their labels
  ...words(`id2label label2id num_labels problem_type finetuning_task task_specific_params tie_last_hidden_states
    tie_encoder_decoder is_decoder cross_attention_hidden_size`),
  // the tokenizer, which has files of its own
  ...words('tokenizer_class prefix pad_token_id sep_token_id unk_token_id mask_token_id decoder_start_token_id'),
  // pictures, which the text model of a multimodal one is saved with
  ...words(`boi_token_index eoi_token_index image_token_index boi_token_id eoi_token_id image_token_id mm_tokens_per_image
    image_seq_length`),
  // judged before (quantised.ts): here they can only be empty
  ...words('quantization_config quantization compression_config'),
  // sampling, which is generation_config.json's
  ...words(`max_length max_new_tokens min_length min_new_tokens early_stopping max_time stop_strings do_sample num_beams use_mtp
    cache_implementation cache_config max_cache_len temperature top_k top_p min_p top_h typical_p epsilon_cutoff eta_cutoff
    repetition_penalty encoder_repetition_penalty length_penalty no_repeat_ngram_size bad_words_ids renormalize_logits
    forced_bos_token_id forced_eos_token_id remove_invalid_values exponential_decay_length_penalty suppress_tokens
    begin_suppress_tokens sequence_bias token_healing guidance_scale watermarking_config num_return_sequences output_scores
    output_logits return_dict_in_generate encoder_no_repeat_ngram_size is_assistant num_assistant_tokens
    num_assistant_tokens_schedule assistant_confidence_threshold prompt_lookup_num_tokens max_matching_ngram_size
    assistant_early_exit assistant_lookbehind target_lookbehind assistant_ensemble_weight speculation_type compile_config
    disable_compile continuous_batching_config low_memory penalty_alpha dola_layers diversity_penalty num_beam_groups constraints
    force_words_ids prefill_chunk_size _from_model_config generation_config`),
]);

/** Keys of a multimodal config.json that concern its pictures alone. */
const PICTURES: ReadonlySet<string> = new Set(
  words('vision_config processor_class vision_feature_layer vision_feature_select_strategy'),
);

export const meansNothing = (key: string): boolean => MEANINGLESS.has(key);
export const isOfPictures = (key: string): boolean => PICTURES.has(key);
