// generation_config.json: how its makers draw a model's answers.

import { type Json, shownValue } from './config-keys.js';
import type { SamplingDefaults } from './source.js';

/** Temperature, top-k and top-p where they stand; a value that is none is said, and left out. `do_sample: false` is temperature 0. */
export function samplingOf(json: Readonly<Record<string, unknown>>): {
  readonly sampling: SamplingDefaults;
  readonly notices: readonly string[];
} {
  const notices: string[] = [];
  const read = (key: string, holds: (value: number) => boolean, range: string): number | undefined => {
    const value = json[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number' && holds(value)) return value;
    notices.push(
      `generation_config.json has ${key} = ${JSON.stringify(value).slice(0, 40)}, and ${range} is expected; it is not used.`,
    );
    return undefined;
  };
  const drawn = read('temperature', t => t >= 0, 'a number from 0');
  const topK = read('top_k', k => Number.isInteger(k) && k >= 0, 'a whole number from 0');
  const topP = read('top_p', p => p > 0 && p <= 1, 'a number above 0 and at most 1');
  const { do_sample: drawing } = json;
  if (drawing !== undefined && drawing !== null && typeof drawing !== 'boolean') {
    notices.push(
      `generation_config.json has do_sample = ${JSON.stringify(drawing).slice(0, 40)}, and true or false is expected; it is not used.`,
    );
  }
  const temperature = drawing === false ? 0 : drawn;
  return {
    sampling: {
      ...(temperature !== undefined && { temperature }),
      ...(topK !== undefined && { topK }),
      ...(topP !== undefined && { topP }),
    },
    notices,
  };
}

const above = (bound: number) => (value: unknown) => typeof value !== 'number' || value > bound;
const not = (one: number) => (value: unknown) => value !== one;
const holds = (value: unknown) => value !== false && !(typeof value === 'object' && Object.keys(value!).length === 0);

/** What transformers does to scores or to the end of a text and Loupe does not, by key; with the values that do something. */
const NOT_DONE: Readonly<Record<string, (value: unknown) => boolean>> = {
  suppress_tokens: holds,
  begin_suppress_tokens: holds,
  bad_words_ids: holds,
  force_words_ids: holds,
  constraints: holds,
  sequence_bias: holds,
  repetition_penalty: not(1),
  encoder_repetition_penalty: not(1),
  no_repeat_ngram_size: above(0),
  encoder_no_repeat_ngram_size: above(0),
  exponential_decay_length_penalty: holds,
  guidance_scale: not(1),
  watermarking_config: holds,
  forced_bos_token_id: () => true,
  forced_eos_token_id: () => true,
  num_beams: above(1),
  num_beam_groups: above(1),
  penalty_alpha: above(0),
  dola_layers: () => true,
  token_healing: holds,
  num_return_sequences: above(1),
  stop_strings: holds,
  max_new_tokens: () => true,
  max_length: () => true,
  max_time: () => true,
  min_new_tokens: above(0),
  min_length: above(0),
};

/** The same of what is drawn, where it is drawn. */
const NOT_DRAWN: Readonly<Record<string, (value: unknown) => boolean>> = {
  min_p: above(0),
  top_h: () => true,
  typical_p: not(1),
  epsilon_cutoff: above(0),
  eta_cutoff: above(0),
};

/** Keys that Loupe reads from generation_config.json alone. */
const READ: Readonly<Record<string, (value: unknown) => boolean>> = {
  do_sample: holds,
  temperature: () => true,
  top_k: () => true,
  top_p: () => true,
};

/**
 * A sentence for what a model's makers ask of generation and Loupe does not do; none where nothing is asked.
 * @param generation generation_config.json, or null where there is none: then transformers looks into config.json, `config`
 */
export function notDone(generation: Json | null, config: Json): string[] {
  const json = generation ?? config;
  const asked = { ...NOT_DONE, ...(json.do_sample !== false && NOT_DRAWN), ...(generation === null && READ) };
  const keys = Object.keys(asked).filter(key => {
    const value = Object.hasOwn(json, key) ? json[key] : null;
    return value !== null && value !== undefined && asked[key](value);
  });
  if (keys.length === 0) return [];
  const file = generation === null ? 'config.json' : 'generation_config.json';
  return [
    `${file} asks for ${keys.map(key => `${key} = ${shownValue(json[key])}`).join(', ')}, which Loupe does not do: transformers' texts may be others, or end elsewhere.`,
  ];
}
