// Which Gemma is it? From a config.json, in both generations of keys, to one GemmaConfig, checked. Defaults are those of transformers'
// configuration classes; files leave out what equals them.

import type { GemmaConfig, LayerKind } from '../config.js';
import { ConfigError } from '../errors.js';
import { checked, layerCount } from './config-check.js';
import { ConfigKeys, isObject, isOfPictures, type Json, meansNothing, shownName, shownValue } from './config-keys.js';
import { defaultKinds } from './layer-kinds.js';
import { refuseQuantised } from './quantised.js';
import { ropesOf } from './rope-config.js';

interface Defaults {
  readonly family: 1 | 2 | 3;
  readonly values: Json;
}

const COMMON = { head_dim: 256, rms_norm_eps: 1e-6, bos_token_id: 2, eos_token_id: 1 };
const SECOND = {
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 26,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  query_pre_attn_scalar: 256,
  sliding_window: 4096,
};
const GEMMA1: Defaults = {
  family: 1,
  values: {
    ...COMMON,
    vocab_size: 256000,
    hidden_size: 3072,
    intermediate_size: 24576,
    num_hidden_layers: 28,
    num_attention_heads: 16,
    num_key_value_heads: 16,
    max_position_embeddings: 8192,
  },
};
const GEMMA2: Defaults = {
  family: 2,
  values: {
    ...COMMON,
    ...SECOND,
    vocab_size: 256000,
    max_position_embeddings: 8192,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
  },
};
const GEMMA3: Defaults = {
  family: 3,
  values: { ...COMMON, ...SECOND, vocab_size: 262208, max_position_embeddings: 131072 },
};
const FAMILIES: ReadonlyMap<unknown, Defaults> = new Map([
  ['gemma', GEMMA1],
  ['gemma2', GEMMA2],
  ['gemma3_text', GEMMA3],
  ['gemma3', GEMMA3],
]);

/**
 * GemmaConfig of a Hugging Face config.json (and generation_config.json, for the tokens that end a turn). Throws ConfigError for a key
 * that is not understood and could change what the model computes.
 * @param where path of the file, for messages
 * @param notices gets a sentence for what the file says and the model does not do
 */
export function configFromJson(
  json: unknown,
  where: string,
  generation: unknown = {},
  notices: string[] = [],
): GemmaConfig {
  if (!isObject(json)) throw new ConfigError(`${where} is not a JSON object. Fetch it again.`);
  const outer = new ConfigKeys(json, where);
  const type = outer.raw('model_type');
  const known = FAMILIES.get(type);
  if (!known) {
    throw new ConfigError(
      `${where} describes a model of type '${shownName(type)}', and Loupe runs Gemma: ${[...FAMILIES.keys()].join(', ')}.`,
    );
  }
  refuseQuantised(json, where);
  // A multimodal Gemma 3 keeps the text model's values in text_config, and leaves out those equal to the defaults.
  const text =
    type === 'gemma3'
      ? new ConfigKeys(outer.object('text_config') ?? {}, where, 'text_config.', known.values)
      : new ConfigKeys(json, where, '', known.values);
  if (type === 'gemma3') {
    text.only('model_type', ['gemma3_text', 'gemma3'], 'the text model of a multimodal Gemma 3 is of type gemma3_text');
    refuseQuantised(text.values, where);
  } else text.raw('model_type');
  const config = gemmaOf(text, known.family, notices, endsOf(text, outer, where, generation, notices));
  text.refuseUnread(meansNothing);
  if (text.values === json) return checked(config, where);
  const tied = text.says('tie_word_embeddings') ? config.tiedHead : outer.flag('tie_word_embeddings', true);
  outer.raw('bos_token_id');
  const given = outer.object('text_config') !== null;
  for (const key of outer.unread()) besideText(key, outer, text, given ? notices : null);
  outer.refuseUnread(key => meansNothing(key) || isOfPictures(key));
  return checked({ ...config, tiedHead: tied }, where);
}

/** Ids that end a text: generation_config.json's where it gives any, as in transformers; else those of config.json. */
function endsOf(text: ConfigKeys, outer: ConfigKeys, where: string, generation: unknown, notices: string[]): number[] {
  const own = [
    ...new Set([...text.ids('eos_token_id'), ...(text.values === outer.values ? [] : outer.ids('eos_token_id'))]),
  ];
  if (!isObject(generation)) return own;
  const given = [
    ...new Set(new ConfigKeys(generation, where.replace('config.json', 'generation_config.json')).ids('eos_token_id')),
  ];
  if (given.length === 0) return own;
  const passed = own.filter(id => !given.includes(id));
  if (passed.length > 0 && (text.says('eos_token_id') || outer.says('eos_token_id'))) {
    notices.push(
      `eos_token_id ${passed.join(', ')} of config.json is passed over: generation_config.json has ${given.join(', ')}, as in transformers.`,
    );
  }
  return given;
}

/**
 * A key of the text model that stands outside text_config too. transformers passes over it, and so does Loupe, with a word where the two
 * disagree. Where there is no text_config (`notices` is null) nothing can be meant but this one, and transformers would not read it.
 */
function besideText(key: string, outer: ConfigKeys, text: ConfigKeys, notices: string[] | null): void {
  const inner = text.value(key);
  if (meansNothing(key) || isOfPictures(key) || inner === undefined) return;
  const [own, within] = [shownValue(outer.raw(key)), shownValue(inner)];
  if (notices === null) outer.only(key, [inner], `text_config has ${within}, and only one can be meant`);
  else if (own !== within) {
    notices.push(
      `${key} = ${own} stands outside text_config and is passed over: the text model has ${within}, as in transformers.`,
    );
  }
}

function gemmaOf(text: ConfigKeys, family: 1 | 2 | 3, notices: string[], eosIds: number[]): GemmaConfig {
  const { where } = text;
  const number = (key: string) => text.number(key);
  refuseOtherModels(text, family);
  const layers = layerCount(number('num_hidden_layers'), where);
  const layerKinds = kindsOf(text, family, layers, notices);
  const window = family === 1 ? null : text.optionalNumber('sliding_window');
  if (window === null && layerKinds.includes('sliding')) throw text.wrong('sliding_window', 'a number of tokens');
  text.only('sliding_window_size', [window], `the sliding window is ${window}, and only one can be meant`);
  const positions = number('max_position_embeddings');
  const rope = ropesOf(text, family, positions, notices);
  // A dynamic RoPE goes on past the length it begins to stretch at.
  const stretched = [rope.full, rope.sliding].flatMap(({ scaling }) =>
    scaling?.kind === 'dynamic' ? scaling.factor : [],
  );
  return {
    family,
    layers,
    hidden: number('hidden_size'),
    heads: number('num_attention_heads'),
    kvHeads: number('num_key_value_heads'),
    headDim: number('head_dim'),
    feedForward: number('intermediate_size'),
    vocab: number('vocab_size'),
    contextLength: Math.floor(positions * Math.max(1, ...stretched)),
    rmsEps: number('rms_norm_eps'),
    queryScale: (family === 1 ? number('head_dim') : number('query_pre_attn_scalar')) ** -0.5,
    attnSoftcap: attentionCap(text, family, notices),
    finalSoftcap: family === 1 ? null : text.optionalNumber('final_logit_softcapping'),
    embedScale: Math.sqrt(number('hidden_size')),
    layerKinds,
    slidingWindow: layerKinds.includes('sliding') ? window : null,
    rope,
    qkNorm: family === 3,
    postNorms: family > 1,
    tiedHead: text.flag('tie_word_embeddings', true),
    bosId: text.optionalNumber('bos_token_id') ?? 2,
    eosIds,
  };
}

function attentionCap(text: ConfigKeys, family: number, notices: string[]): number | null {
  if (family === 1) return null;
  const cap = text.optionalNumber('attn_logit_softcapping');
  if (family === 2 || cap === null) return cap;
  notices.push(
    `${text.prefix}attn_logit_softcapping is ${cap}, and no cap is put on attention: transformers 5 does not in a Gemma 3.`,
  );
  return null;
}

const TANH = ['gelu_pytorch_tanh', 'gelu_new', 'gelu_fast', 'gelu_python_tanh'];

/** Keys that make another model of it, unless they say that it is none. */
function refuseOtherModels(text: ConfigKeys, family: number): void {
  const { where } = text;
  if (![undefined, null, false].includes(text.raw('use_bidirectional_attention') as null)) {
    throw new ConfigError(
      `${where} describes a model that reads in both directions (an embedding model), and Loupe runs those that generate.`,
    );
  }
  const biases = 'Loupe has no biases, so the model would be computed wrong';
  text.only('attention_bias', [false], biases);
  text.only('mlp_bias', [false], biases);
  // Gemma 1's "gelu" means the tanh form, as transformers has it; in Gemma 2 and 3 the word means the other one.
  const [reads, other] = family === 1 ? ['hidden_act', 'hidden_activation'] : ['hidden_activation', 'hidden_act'];
  const act = (named: string) =>
    `Loupe computes GELU in its tanh form (${TANH[0]}) alone, so ${named} would be computed wrong`;
  text.only(reads, family === 1 ? [...TANH, 'gelu'] : TANH, act('this model'));
  text.only(other, [...TANH, 'gelu'], act('the activation that it names'));
  text.only('is_encoder_decoder', [false], 'Loupe runs decoders');
  text.only('add_cross_attention', [false], 'Loupe runs decoders without cross-attention');
  text.only('pruned_heads', [{}], 'every layer must have all heads');
  text.only('per_layer_config', [{}], 'every layer must have the same sizes');
  text.only('rope_traditional', [false], 'Gemma turns the halves of a head, and not its neighbours');
  text.only('num_kv_shared_layers', [0], 'every layer must have keys and values of its own');
  const custom = text.raw('auto_map');
  if (isObject(custom) && Object.keys(custom).some(key => /^Auto(Config|Model)/.test(key))) {
    text.only('auto_map', [], 'the model brings code of its own, which Loupe does not run');
  }
}

function kindsOf(text: ConfigKeys, family: number, layers: number, notices: string[]): LayerKind[] {
  const types = text.raw('layer_types') ?? null;
  const [pattern, saved] = ['sliding_window_pattern', '_sliding_window_pattern'].map(key => text.optionalNumber(key));
  if (types !== null) {
    if (!Array.isArray(types)) throw text.wrong('layer_types', 'a list');
    const names: ReadonlyMap<unknown, LayerKind> = new Map([
      ['sliding_attention', 'sliding'],
      ['full_attention', 'full'],
      ['attention', 'full'],
    ]);
    const unknown = types.find(type => !names.has(type));
    if (unknown !== undefined || types.length !== layers) {
      throw text.bad(
        `lists ${types.length} layer_types${unknown === undefined ? '' : `, one of them '${shownName(unknown)}'`}, and needs ${layers}, ` +
          "each 'sliding_attention' or 'full_attention'",
      );
    }
    const kinds = types.map(type => names.get(type)!);
    if (family === 1 && kinds.includes('sliding')) throw text.bad('has sliding layer_types, and a Gemma 1 has none');
    for (const [key, every] of Object.entries({ sliding_window_pattern: pattern, _sliding_window_pattern: saved })) {
      if (every === null || defaultKinds(layers, every).every((kind, i) => kind === kinds[i])) continue;
      notices.push(
        `${text.prefix}${key} is ${every} and is passed over, as in transformers 5: layer_types lists other layers, and that is what counts.`,
      );
    }
    return kinds;
  }
  if (family < 3) {
    const every = family === 1 ? 1 : 2;
    for (const key of ['sliding_window_pattern', '_sliding_window_pattern']) {
      text.only(
        key,
        [every],
        `in a Gemma ${family} ${every === 1 ? 'every layer is full' : 'every second layer is full'} unless layer_types says otherwise`,
      );
    }
    return defaultKinds(layers, every);
  }
  // transformers writes the key with the dash beside layer_types and does not read it.
  if (saved !== null && saved !== (pattern ?? 6)) {
    throw text.bad(
      `has ${text.prefix}_sliding_window_pattern = ${saved} but no layer_types, without which transformers takes a full layer every ${pattern ?? 6}th. Give layer_types`,
    );
  }
  const every = pattern ?? 6;
  if (!(Number.isInteger(every) && every >= 1)) throw text.wrong('sliding_window_pattern', 'a whole number from 1');
  return defaultKinds(layers, every);
}
