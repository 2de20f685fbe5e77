// What no Gemma has is refused here, before anything is sized by it.

import { type GemmaConfig, LONGEST_CONTEXT, type Rope } from '../config.js';
import { ConfigError } from '../errors.js';

/** Shaders and PyTorch compute with it in f32: there it must be a normal number, neither infinite nor 0. */
const inF32 = (value: number): boolean => Number.isFinite(Math.fround(value)) && Math.fround(value) >= 2 ** -126;

/** Checked before anything is made a layer long. */
export function layerCount(layers: number, where: string): number {
  if (Number.isInteger(layers) && layers >= 1 && layers <= 1000) return layers;
  throw new ConfigError(
    `${where} gives ${layers} layers, and a whole number from 1 to 1000 is expected. Mend the file.`,
  );
}

/** The configuration itself, or a ConfigError. */
export function checked(config: GemmaConfig, where: string): GemmaConfig {
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
  whole('contextLength', LONGEST_CONTEXT);
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
  must(inF32(config.queryScale) && config.queryScale <= 1, `the attention scale is ${config.queryScale}`);
  must(inF32(config.embedScale), `the scale of the embedding is ${config.embedScale}`);
  const { attnSoftcap, finalSoftcap, slidingWindow: window } = config;
  must(attnSoftcap === null || inF32(attnSoftcap), `the soft-cap on attention is ${attnSoftcap}`);
  must(finalSoftcap === null || inF32(finalSoftcap), `the soft-cap on logits is ${finalSoftcap}`);
  must(window === null || (Number.isInteger(window) && window >= 1), `the sliding window is ${window}`);
  must(Number.isInteger(config.bosId) && config.bosId >= 0, `the id of <bos> is ${config.bosId}`);
  for (const rope of [config.rope.full, config.rope.sliding]) checkRope(rope, config.headDim, must);
  return config;
}

function checkRope({ base, factor, scaling }: Rope, dim: number, must: (holds: boolean, what: string) => void): void {
  must(base > 1 && inF32(base) && inF32(factor), `RoPE has base ${base} and factor ${factor}`);
  if (!scaling) return;
  const { kind } = scaling;
  const positive = (key: string, value: number) => must(inF32(value), `RoPE of the type ${kind} has ${key} ${value}`);
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
