// Which Gemma is it? From config.json (both generations of keys) or from GGUF metadata to one GemmaConfig, checked.
// Defaults are those of transformers' configuration classes; files leave out what equals them.

import type { GemmaConfig, LayerKind, Rope } from '../config.js';
import { ConfigError } from '../errors.js';

type Json = Readonly<Record<string, unknown>>;

interface Defaults {
  readonly family: 1 | 2 | 3;
  readonly values: Readonly<Record<string, unknown>>;
}

const GEMMA3: Defaults = {
  family: 3,
  values: {
    vocab_size: 262208,
    hidden_size: 2304,
    intermediate_size: 9216,
    num_hidden_layers: 26,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    max_position_embeddings: 131072,
    rms_norm_eps: 1e-6,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    bos_token_id: 2,
    eos_token_id: 1,
  },
};
const FAMILIES: Readonly<Record<string, Defaults>> = {
  gemma: {
    family: 1,
    values: {
      vocab_size: 256000,
      hidden_size: 3072,
      intermediate_size: 24576,
      num_hidden_layers: 28,
      num_attention_heads: 16,
      num_key_value_heads: 16,
      head_dim: 256,
      max_position_embeddings: 8192,
      rms_norm_eps: 1e-6,
      bos_token_id: 2,
      eos_token_id: 1,
    },
  },
  gemma2: {
    family: 2,
    values: {
      vocab_size: 256000,
      hidden_size: 2304,
      intermediate_size: 9216,
      num_hidden_layers: 26,
      num_attention_heads: 8,
      num_key_value_heads: 4,
      head_dim: 256,
      max_position_embeddings: 8192,
      rms_norm_eps: 1e-6,
      query_pre_attn_scalar: 256,
      sliding_window: 4096,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
      bos_token_id: 2,
      eos_token_id: 1,
    },
  },
  gemma3_text: GEMMA3,
  gemma3: GEMMA3,
};

/**
 * GemmaConfig of a Hugging Face config.json (and generation_config.json, for the tokens that end a turn).
 * @param where path of the file, for messages
 */
export function configFromJson(json: unknown, where: string, generation: unknown = {}): GemmaConfig {
  if (typeof json !== 'object' || json === null)
    throw new ConfigError(`${where} is not a JSON object. Fetch it again.`);
  const outer = json as Json;
  const type = String(outer.model_type);
  const known = Object.hasOwn(FAMILIES, type) ? FAMILIES[type] : undefined; // 'constructor' is none
  if (!known) {
    throw new ConfigError(
      `${where} describes a model of type '${outer.model_type ?? 'nothing'}', and Loupe runs Gemma: ${Object.keys(FAMILIES).join(', ')}.`,
    );
  }
  // A multimodal Gemma 3 keeps the text model's values in text_config, and leaves out those equal to the defaults.
  const own = (type === 'gemma3' ? (outer.text_config ?? {}) : outer) as Json;
  const text: Json = { ...known.values, ...Object.fromEntries(Object.entries(own).filter(([, v]) => v !== null)) };
  const number = (key: string): number => {
    const value = text[key];
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw new ConfigError(`${where} has ${key} = ${JSON.stringify(value)}, and a number is needed. Mend the file.`);
  };
  // Null says that there is none; a key that is left out says the family's default.
  const optional = (key: string): number | null =>
    own[key] !== null && typeof text[key] === 'number' ? (text[key] as number) : null;
  const { family } = known;
  const layers = layerCount(number('num_hidden_layers'), where);
  if (text.use_bidirectional_attention === true) {
    throw new ConfigError(
      `${where} describes a model that reads in both directions (an embedding model), and Loupe runs those that generate.`,
    );
  }
  const layerKinds = kindsOf(text, family, layers, where);
  const ends = [text.eos_token_id, outer.eos_token_id, (generation as Json | null)?.eos_token_id].flat();
  return checked(
    {
      family,
      layers,
      hidden: number('hidden_size'),
      heads: number('num_attention_heads'),
      kvHeads: number('num_key_value_heads'),
      headDim: number('head_dim'),
      feedForward: number('intermediate_size'),
      vocab: number('vocab_size'),
      contextLength: number('max_position_embeddings'),
      rmsEps: number('rms_norm_eps'),
      queryScale: (family === 1 ? number('head_dim') : number('query_pre_attn_scalar')) ** -0.5,
      attnSoftcap: optional('attn_logit_softcapping'),
      finalSoftcap: optional('final_logit_softcapping'),
      embedScale: Math.sqrt(number('hidden_size')),
      layerKinds,
      slidingWindow: layerKinds.includes('sliding') ? number('sliding_window') : null,
      rope: ropesOf(text, family),
      qkNorm: family === 3,
      postNorms: family > 1,
      tiedHead: (own.tie_word_embeddings ?? outer.tie_word_embeddings) !== false,
      bosId: number('bos_token_id'),
      eosIds: [...new Set(ends.filter((id): id is number => typeof id === 'number'))],
    },
    where,
  );
}

function kindsOf(text: Json, family: number, layers: number, where: string): LayerKind[] {
  const types = text.layer_types;
  if (Array.isArray(types)) {
    const names: Readonly<Record<string, LayerKind>> = { sliding_attention: 'sliding', full_attention: 'full' };
    const unknown = types.find(type => typeof type !== 'string' || !Object.hasOwn(names, type));
    if (unknown !== undefined || types.length !== layers) {
      throw new ConfigError(
        `${where} lists ${types.length} layer_types${unknown === undefined ? '' : `, one of them '${unknown}'`}, and needs ${layers}, ` +
          "each 'sliding_attention' or 'full_attention'. Mend the file.",
      );
    }
    return types.map(type => names[type]);
  }
  const pattern = Number(text.sliding_window_pattern ?? text._sliding_window_pattern ?? 6);
  return defaultKinds(family, layers, pattern);
}

/** Gemma 1 has only full layers, Gemma 2 alternates from sliding, Gemma 3 has a full layer every sixth. */
function defaultKinds(family: number, layers: number, pattern = 6): LayerKind[] {
  const every = family === 1 ? 1 : family === 2 ? 2 : pattern;
  return Array.from({ length: layers }, (_, i) => ((i + 1) % every === 0 ? 'full' : 'sliding'));
}

function ropesOf(text: Json, family: number): { sliding: Rope; full: Rope } {
  const globalBase = family === 3 ? 1e6 : 1e4;
  const rope = (parameters: Json | undefined, base: number): Rope => ({
    base: Number(parameters?.rope_theta ?? base),
    factor: parameters?.rope_type === 'linear' || parameters?.type === 'linear' ? Number(parameters.factor ?? 1) : 1,
  });
  const nested = text.rope_parameters as Json | undefined;
  if (nested?.full_attention || nested?.sliding_attention) {
    return {
      full: rope(nested.full_attention as Json, globalBase),
      sliding: rope(nested.sliding_attention as Json, 1e4),
    };
  }
  // The first generation: rope_theta and rope_scaling for full layers, rope_local_base_freq for sliding ones.
  const scaling = (nested ?? (text.rope_scaling as Json | null)) || undefined;
  const full = rope(scaling, Number(text.rope_theta ?? globalBase));
  return { full, sliding: family === 3 ? { base: Number(text.rope_local_base_freq ?? 1e4), factor: 1 } : full };
}

/** GemmaConfig of GGUF metadata. The layer pattern, the local RoPE base and the attention scale are not in such a file. */
export function configFromGguf(
  metadata: ReadonlyMap<string, unknown>,
  vocab: number,
  where: string,
  tiedHead: boolean,
): GemmaConfig {
  const architecture = metadata.get('general.architecture');
  const families: Readonly<Record<string, 1 | 2 | 3>> = { gemma: 1, gemma2: 2, gemma3: 3 };
  const family = Object.hasOwn(families, String(architecture)) ? families[String(architecture)] : undefined;
  if (!family) {
    throw new ConfigError(
      `${where} holds a model of architecture '${architecture}', and Loupe runs gemma, gemma2 and gemma3.`,
    );
  }
  const number = (key: string, otherwise?: number): number => {
    const value = metadata.get(`${architecture}.${key}`) ?? otherwise;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw new ConfigError(`${where} has no number under '${architecture}.${key}'. Convert the model again.`);
  };
  const layers = layerCount(number('block_count'), where);
  const hidden = number('embedding_length');
  const heads = number('attention.head_count');
  const headDim = number('attention.key_length', 256);
  const layerKinds = defaultKinds(family, layers);
  const base = number('rope.freq_base', family === 3 ? 1e6 : 1e4);
  const factor = metadata.get(`${architecture}.rope.scaling.type`) === 'linear' ? number('rope.scaling.factor', 1) : 1;
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const endOfTurn = Array.isArray(tokens) ? tokens.indexOf('<end_of_turn>') : -1;
  const eos = Number(metadata.get('tokenizer.ggml.eos_token_id') ?? 1);
  // The 27B models scale by their hidden size per head instead of by the head size, as llama.cpp does too.
  const is27B = (family === 2 && layers === 46) || (family === 3 && layers === 62);
  return checked(
    {
      family,
      layers,
      hidden,
      heads,
      kvHeads: number('attention.head_count_kv', heads),
      headDim,
      feedForward: number('feed_forward_length'),
      vocab,
      contextLength: number('context_length'),
      rmsEps: number('attention.layer_norm_rms_epsilon', 1e-6),
      queryScale: (is27B ? hidden / heads : headDim) ** -0.5,
      attnSoftcap: family === 2 ? number('attn_logit_softcapping', 50) : null,
      finalSoftcap: family === 2 ? number('final_logit_softcapping', 30) : null,
      embedScale: Math.sqrt(hidden),
      layerKinds,
      slidingWindow: family === 1 ? null : number('attention.sliding_window', family === 2 ? 4096 : undefined),
      rope: { full: { base, factor }, sliding: family === 3 ? { base: 1e4, factor: 1 } : { base, factor } },
      qkNorm: family === 3,
      postNorms: family > 1,
      tiedHead,
      bosId: Number(metadata.get('tokenizer.ggml.bos_token_id') ?? 2),
      eosIds: [...new Set([eos, ...(endOfTurn >= 0 ? [endOfTurn] : [])])],
    },
    where,
  );
}

/** Checked before anything is made a layer long. */
function layerCount(layers: number, where: string): number {
  if (Number.isInteger(layers) && layers >= 1 && layers <= 1000) return layers;
  throw new ConfigError(
    `${where} gives ${layers} layers, and a whole number from 1 to 1000 is expected. Mend the file.`,
  );
}

/** Refuses what no Gemma has, before anything is sized by it. */
function checked(config: GemmaConfig, where: string): GemmaConfig {
  const whole = (key: keyof GemmaConfig, most: number) => {
    const value = config[key] as number;
    if (Number.isInteger(value) && value >= 1 && value <= most) return;
    throw new ConfigError(
      `${where} gives ${key} = ${value}, and a whole number from 1 to ${most} is expected. Mend the file.`,
    );
  };
  whole('hidden', 1 << 17);
  whole('heads', 1024);
  whole('kvHeads', 1024);
  whole('headDim', 4096);
  whole('feedForward', 1 << 20);
  whole('vocab', 1 << 22);
  whole('contextLength', 1 << 24);
  const must = (holds: boolean, what: string) => {
    if (!holds) throw new ConfigError(`${where}: ${what}. Mend the file.`);
  };
  must(
    config.heads % config.kvHeads === 0,
    `${config.heads} query heads cannot share ${config.kvHeads} key/value heads`,
  );
  must(
    config.headDim % 4 === 0,
    `the head size ${config.headDim} is no multiple of 4, which the attention shaders need`,
  );
  must(config.rmsEps > 0 && config.rmsEps < 1, `rms_norm_eps is ${config.rmsEps}`);
  must(config.queryScale > 0 && config.queryScale <= 1, `the attention scale is ${config.queryScale}`);
  const { slidingWindow: window } = config;
  must(window === null || (Number.isInteger(window) && window >= 1), `the sliding window is ${window}`);
  for (const { base, factor } of [config.rope.full, config.rope.sliding]) {
    must(base > 1 && Number.isFinite(base) && factor > 0, `RoPE has base ${base} and factor ${factor}`);
  }
  return config;
}
