// What no Gemma has is refused here, before anything is sized by it.

import { type GemmaConfig, LONGEST_CONTEXT, type Rope } from '../config.js';
import { ConfigError } from '../errors.js';

/** Shaders and PyTorch compute with it in f32: there it must be a normal number, neither infinite nor 0. */
const inF32 = (value: number): boolean => Number.isFinite(Math.fround(value)) && Math.fround(value) >= 2 ** -126;

const NORMAL = 'it must be a number above 0 that f32 holds';

/** Checked before anything is made a layer long. */
export function layerCount(layers: number, where: string): number {
  if (Number.isInteger(layers) && layers >= 1 && layers <= 1000) return layers;
  throw new ConfigError(
    `${where} gives ${layers} layers, and a whole number from 1 to 1000 is expected. Mend the file.`,
  );
}

/** What each size is called in config.json and, behind the architecture, in a GGUF; and the most of it. */
const SIZES = [
  ['hidden', 1 << 17, 'hidden_size', 'embedding_length'],
  ['heads', 1024, 'num_attention_heads', 'attention.head_count'],
  ['kvHeads', 1024, 'num_key_value_heads', 'attention.head_count_kv'],
  ['headDim', 4096, 'head_dim', 'attention.key_length'],
  ['feedForward', 1 << 20, 'intermediate_size', 'feed_forward_length'],
  ['vocab', 1 << 22, 'vocab_size', 'vocab_size'],
  ['contextLength', LONGEST_CONTEXT, 'max_position_embeddings', 'context_length'],
] as const;

/** The configuration itself, or a ConfigError, in the words of the file that it is of. */
export function checked(config: GemmaConfig, where: string, format: 'json' | 'gguf' = 'json'): GemmaConfig {
  for (const [key, most, json, gguf] of SIZES) {
    const value = config[key];
    if (Number.isInteger(value) && value >= 1 && value <= most) continue;
    throw new ConfigError(
      `${where} gives ${format === 'json' ? json : gguf} = ${value}, and a whole number from 1 to ${most} is expected. Mend the file.`,
    );
  }
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
  must(config.rmsEps > 0 && config.rmsEps < 1, `rms_norm_eps is ${config.rmsEps}, and it must lie between 0 and 1`);
  must(
    inF32(config.queryScale) && config.queryScale <= 1,
    `the attention scale is ${config.queryScale}, and it must be above 0 and at most 1`,
  );
  must(inF32(config.embedScale), `the scale of the embedding is ${config.embedScale}, and ${NORMAL}`);
  const { attnSoftcap, finalSoftcap, slidingWindow: window } = config;
  must(attnSoftcap === null || inF32(attnSoftcap), `the soft-cap on attention is ${attnSoftcap}, and ${NORMAL}`);
  must(finalSoftcap === null || inF32(finalSoftcap), `the soft-cap on logits is ${finalSoftcap}, and ${NORMAL}`);
  must(
    window === null || (Number.isInteger(window) && window >= 1),
    `the sliding window is ${window}, and it must be a whole number from 1`,
  );
  must(
    Number.isInteger(config.bosId) && config.bosId >= 0,
    `the id of <bos> is ${config.bosId}, and it must be a whole number from 0`,
  );
  for (const rope of [config.rope.full, config.rope.sliding]) checkRope(rope, config.headDim, must);
  return config;
}

function checkRope({ base, factor, scaling }: Rope, dim: number, must: (holds: boolean, what: string) => void): void {
  must(
    base > 1 && inF32(base) && inF32(factor),
    `RoPE has base ${base} and factor ${factor}, and the base must be above 1, the factor above 0`,
  );
  if (!scaling) return;
  const { kind } = scaling;
  const positive = (key: string, value: number) =>
    must(inF32(value), `RoPE of the type ${kind} has ${key} ${value}, and ${NORMAL}`);
  positive('original length', scaling.original);
  if (scaling.kind !== 'longrope') positive('factor', scaling.factor);
  switch (scaling.kind) {
    case 'yarn':
      positive('beta_fast', scaling.betaFast);
      positive('beta_slow', scaling.betaSlow);
      positive('attention_factor', scaling.attention);
      break;
    case 'llama3':
      positive('low_freq_factor', scaling.lowFactor);
      must(
        scaling.highFactor > scaling.lowFactor,
        `RoPE of the type llama3 has high_freq_factor ${scaling.highFactor}, which must be above low_freq_factor ${scaling.lowFactor}`,
      );
      break;
    case 'longrope':
      positive('attention_factor', scaling.attention);
      for (const [key, list] of Object.entries({ short_factor: scaling.short, long_factor: scaling.long })) {
        must(
          list.length === dim / 2 && list.every(inF32),
          `RoPE of the type longrope has a ${key} of ${list.length}, and needs ${dim / 2} positive numbers`,
        );
      }
  }
}
