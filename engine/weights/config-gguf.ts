// Which Gemma is it? From the metadata of a GGUF to one GemmaConfig, checked. What the file says is used; what it leaves out (the pattern
// of layers, the local RoPE base, the attention scale) is what llama.cpp takes too; what Loupe does not know is refused by name.

import type { GemmaConfig, LayerKind, Rope } from '../config.js';
import { ConfigError } from '../errors.js';
import { placeOf } from '../tokenizer/gguf-vocabulary.js';
import { checked, layerCount } from './config-check.js';
import { ConfigKeys, shownName, shownValue } from './config-keys.js';
import { defaultKinds } from './layer-kinds.js';

const FAMILIES: ReadonlyMap<unknown, 1 | 2 | 3> = new Map([
  ['gemma', 1],
  ['gemma2', 2],
  ['gemma3', 3],
]);

/** Kinds of GGUF that hold no model of their own. */
const OTHER_FILES: Readonly<Record<string, string>> = {
  adapter: 'a LoRA adapter, which must be merged into its model first (llama-export-lora)',
  mmproj: 'the vision part of a model (mmproj). Give the file of the text model',
  imatrix: 'an importance matrix, not a model',
  vocab: 'a vocabulary without a model',
};

/** @param notices gets a sentence for what is taken though the file does not say it */
export function configFromGguf(
  metadata: ReadonlyMap<string, unknown>,
  vocab: number,
  where: string,
  tiedHead: boolean,
  notices: string[] = [],
): GemmaConfig {
  const kind = metadata.get('general.type');
  if (typeof kind === 'string' && Object.hasOwn(OTHER_FILES, kind)) {
    throw new ConfigError(`${where} holds ${OTHER_FILES[kind]}.`);
  }
  const architecture = metadata.get('general.architecture');
  const family = FAMILIES.get(architecture);
  if (!family) {
    throw new ConfigError(
      `${where} ${(architecture ?? null) === null ? 'does not say of what architecture its model is (general.architecture)' : `holds a model of architecture '${shownName(architecture)}'`}, and Loupe runs ${[...FAMILIES.keys()].join(', ')}.`,
    );
  }
  const prefix = `${architecture}.`;
  const own = [...metadata].filter(([key]) => key.startsWith(prefix));
  const keys = new ConfigKeys(
    Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value])),
    where,
    prefix,
  );
  // Some writers give a list with a value a layer; Gemma's are all the same.
  const same = (key: string, otherwise?: number): number => {
    const value = keys.raw(key);
    if (value === undefined && otherwise !== undefined) return otherwise;
    if (!Array.isArray(value)) return keys.number(key);
    if (typeof value[0] === 'number' && value.every(one => one === value[0])) return value[0];
    throw keys.wrong(key, 'the same number for every layer');
  };
  const foreign = [...FAMILIES.keys()].find(one => one !== architecture && metadata.has(`${one}.block_count`));
  if (foreign !== undefined && !keys.says('block_count')) {
    throw new ConfigError(
      `${where} says that it is of architecture '${architecture}', and its keys are of '${foreign}'. Convert the model again.`,
    );
  }
  /** What the file leaves out and llama.cpp asks for, or takes otherwise: as in every Gemma, which is said. */
  const known = (key: string, value: number): number => {
    const said = keys.optionalNumber(key);
    if (said === null) notices.push(`The file does not say ${prefix}${key}: ${value}, as in every Gemma ${family}.`);
    return said ?? value;
  };
  const layers = layerCount(keys.number('block_count'), where);
  const hidden = keys.number('embedding_length');
  const heads = same('attention.head_count');
  const headDim = keys.optionalNumber('attention.key_length') ?? keys.optionalNumber('attention.value_length') ?? 256;
  const contextLength = keys.number('context_length');
  const window = family === 1 ? null : windowOf(keys, family);
  const layerKinds = kindsOf(keys, family, layers);
  // The 27B models scale by their hidden size per head instead of by the head size, as llama.cpp does too.
  const is27B = (family === 2 && layers === 46) || (family === 3 && layers === 62);
  const cap = (key: string, otherwise: number | null) => {
    const value = keys.optionalNumber(key) ?? otherwise;
    return value === 0 && family !== 2 ? null : value;
  };
  const config: GemmaConfig = {
    family,
    layers,
    hidden,
    heads,
    kvHeads: same('attention.head_count_kv', heads),
    headDim,
    feedForward: same('feed_forward_length'),
    vocab,
    contextLength,
    rmsEps: known('attention.layer_norm_rms_epsilon', 1e-6),
    queryScale: keys.optionalNumber('attention.scale') ?? (is27B ? Math.floor(hidden / heads) : headDim) ** -0.5,
    attnSoftcap: cap('attn_logit_softcapping', family === 2 ? 50 : null),
    finalSoftcap: cap('final_logit_softcapping', family === 2 ? 30 : null),
    embedScale: keys.optionalNumber('embedding_scale') ?? Math.sqrt(hidden),
    layerKinds,
    slidingWindow: layerKinds.includes('sliding') ? window : null,
    rope: ropesOf(keys, family, contextLength, notices),
    qkNorm: family === 3,
    postNorms: family > 1,
    tiedHead,
    bosId: idOf(metadata, 'tokenizer.ggml.bos_token_id', where) ?? placeOf(metadata, '<bos>') ?? 2,
    eosIds: endsOf(metadata, where),
  };
  const size = `the heads are ${headDim} wide, and Loupe has one width for keys, values and positions`;
  for (const key of ['value_length', 'key_length_swa', 'value_length_swa'])
    keys.only(`attention.${key}`, [headDim], size);
  for (const key of ['dimension_count', 'dimension_count_swa']) keys.only(`rope.${key}`, [headDim], size);
  keys.only('attention.causal', [true], 'Loupe runs models that read forwards');
  keys.only('attention.shared_kv_layers', [0], 'every layer must have keys and values of its own');
  keys.only('use_parallel_residual', [false], 'Gemma has its parts one after the other');
  keys.only('expert_count', [0], 'Gemma 1, 2 and 3 have no experts');
  const said = keys.optionalNumber('vocab_size');
  if (said !== null && said !== vocab) {
    notices.push(`The file says vocab_size ${said}, and its embedding has ${vocab} rows: these are what counts.`);
  }
  keys.refuseUnread(key => /^(vision|mm|audio)\./.test(key) || key === 'tensor_data_layout');
  return checked(config, where, 'gguf');
}

function windowOf(keys: ConfigKeys, family: 2 | 3): number {
  if (family === 2) return keys.optionalNumber('attention.sliding_window') ?? 4096;
  return keys.number('attention.sliding_window');
}

/** A number n: every nth layer is full, of 0 none; a list: true for the layers that slide. */
function kindsOf(keys: ConfigKeys, family: 1 | 2 | 3, layers: number): LayerKind[] {
  const key = 'attention.sliding_window_pattern';
  const pattern = family === 1 ? undefined : keys.raw(key);
  if (pattern === undefined) return defaultKinds(layers, family === 1 ? 1 : family === 2 ? 2 : 6);
  if (Array.isArray(pattern)) {
    const slides = pattern.map(one => (one === true || one === 1 ? true : one === false || one === 0 ? false : null));
    if (slides.length !== layers || slides.includes(null)) {
      throw keys.wrong(key, `a list of true (sliding) and false (full) for the ${layers} layers`);
    }
    return slides.map(slide => (slide ? 'sliding' : 'full'));
  }
  const every = keys.number(key);
  if (!(Number.isInteger(every) && every >= 0)) throw keys.wrong(key, 'a whole number or a list');
  return defaultKinds(layers, every);
}

function ropesOf(keys: ConfigKeys, family: 1 | 2 | 3, contextLength: number, notices: string[]): GemmaConfig['rope'] {
  const one = (names: readonly string[], otherwise: number): number => {
    const said = names.filter(name => keys.says(name));
    for (const name of said) {
      keys.only(
        name,
        [keys.number(said[0])],
        `${keys.prefix}${said[0]} is ${keys.number(said[0])}, and only one can be meant`,
      );
    }
    return said.length > 0 ? keys.number(said[0]) : otherwise;
  };
  const names = ['rope.freq_base', 'rope.global.freq_base'];
  const base = one(names, family === 3 ? 1e6 : 1e4);
  if (family === 3 && !names.some(name => keys.says(name)))
    notices.push(`The file does not say ${keys.prefix}rope.freq_base: ${base}, as in every Gemma 3.`);
  const local = family === 1 ? base : one(['rope.freq_base_swa', 'rope.local.freq_base'], family === 3 ? 1e4 : base);
  const full = { ...stretched(keys, family, contextLength, notices), base };
  // Of a Gemma 3 only the full layers are stretched.
  return { full, sliding: family === 3 ? { base: local, factor: 1 } : { ...full, base: local } };
}

function stretched(keys: ConfigKeys, family: number, contextLength: number, notices: string[]): Omit<Rope, 'base'> {
  const type = keys.raw('rope.scaling.type') ?? 'linear';
  const given = keys.optionalNumber('rope.scaling.factor') ?? keys.optionalNumber('rope.scale_linear');
  // Ollama's first files of the 4B and up left out the factor that all of these have; llama.cpp fills it in for them as well.
  const left = given === null && family === 3 && contextLength >= 131072 && keys.says('mm.tokens_per_image');
  if (left)
    notices.push('The file does not say how positions are stretched: 8×, as in every Gemma 3 that reads pictures.');
  const factor = left ? 8 : given || 1;
  keys.only('rope.scaling.attn_factor', [1, 0], 'Loupe does not scale cosines and sines by it');
  keys.only('rope.scaling.yarn_attn_factor', [1], 'Loupe does not scale cosines and sines by it');
  keys.only('rope.scaling.yarn_log_multiplier', [0], 'Loupe does not know what it does in a Gemma');
  for (const key of ['yarn_ext_factor', 'extrapolation_factor']) {
    keys.only(`rope.scaling.${key}`, [1, -1], 'Loupe mixes stretched and plain frequencies wholly');
  }
  keys.raw('rope.scaling.finetuned'); // says how the model was made, not what it computes
  const [original, fast, slow] = [
    keys.optionalNumber('rope.scaling.original_context_length') || contextLength,
    keys.optionalNumber('rope.scaling.yarn_beta_fast') ?? keys.optionalNumber('rope.scaling.beta_fast') ?? 32,
    keys.optionalNumber('rope.scaling.yarn_beta_slow') ?? keys.optionalNumber('rope.scaling.beta_slow') ?? 1,
  ];
  if (type === 'none') return { factor: 1 };
  if (type === 'linear') return { factor };
  if (type !== 'yarn') throw keys.wrong('rope.scaling.type', "'none', 'linear' or 'yarn'");
  if (factor < 1) throw keys.wrong('rope.scaling.factor', 'a factor of 1 or more');
  return {
    factor: 1,
    scaling: {
      kind: 'yarn',
      factor,
      original,
      betaFast: fast,
      betaSlow: slow,
      truncates: true,
      attention: 1 + 0.1 * Math.log(factor),
    },
  };
}

function idOf(metadata: ReadonlyMap<string, unknown>, key: string, where: string): number | null {
  const id = metadata.get(key) ?? null;
  // 2^32 − 1 is what llama.cpp writes for none.
  if (id === null || Number.isInteger(id))
    return id !== null && (id as number) >= 0 && (id as number) < 2 ** 32 - 1 ? (id as number) : null;
  throw new ConfigError(`${where} has ${key} = ${shownValue(id)}, and a token id is needed. Convert the model again.`);
}

/** Whatever the file calls an end, and the two pieces that are ends in every Gemma, by their names. */
function endsOf(metadata: ReadonlyMap<string, unknown>, where: string): number[] {
  const list = metadata.get('tokenizer.ggml.eos_token_ids') ?? [];
  if (!(Array.isArray(list) && list.every(id => Number.isInteger(id) && id >= 0))) {
    throw new ConfigError(
      `${where} has tokenizer.ggml.eos_token_ids = ${shownValue(list)}, and a list of token ids is needed. Convert the model again.`,
    );
  }
  const said = ['eos', 'eot', 'eom'].map(end => idOf(metadata, `tokenizer.ggml.${end}_token_id`, where));
  const named = ['<eos>', '<end_of_turn>'].map(piece => placeOf(metadata, piece));
  // 2^32 − 1 is what llama.cpp writes for none.
  const ids = [said[0] ?? named[0] ?? 1, ...said.slice(1), ...list, ...named].filter(
    id => id !== null && id < 2 ** 32 - 1,
  );
  return [...new Set(ids)] as number[];
}
