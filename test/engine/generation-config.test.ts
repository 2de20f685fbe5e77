// What generation_config.json says of drawing.

import { expect, test } from 'vitest';
import { notDone, samplingOf } from '../../engine/weights/generation-config.js';

test.each<[object, object]>([
  [{}, {}],
  [
    { temperature: 0.7, top_k: 64, top_p: 0.95 },
    { temperature: 0.7, topK: 64, topP: 0.95 },
  ],
  [
    { temperature: 0, top_k: 0, top_p: 1 },
    { temperature: 0, topK: 0, topP: 1 },
  ],
  [{ temperature: null, top_k: null, top_p: null, do_sample: null }, {}],
  [{ do_sample: false, temperature: 0.7 }, { temperature: 0 }],
  [{ do_sample: false }, { temperature: 0 }],
  [{ do_sample: true, temperature: 0.7 }, { temperature: 0.7 }],
  [{ do_sample: true }, {}],
])('%j is used and nothing is said', (json, sampling) => {
  expect(samplingOf(json as Record<string, unknown>)).toStrictEqual({ sampling, notices: [] });
});

test.each<[object, string]>([
  [{ temperature: -0.1 }, 'temperature = -0.1, and a number from 0'],
  [{ temperature: '1' }, 'temperature = "1", and a number from 0'],
  [{ top_k: 1.5 }, 'top_k = 1.5, and a whole number from 0'],
  [{ top_k: -1 }, 'top_k = -1, and a whole number from 0'],
  [{ top_p: 0 }, 'top_p = 0, and a number above 0 and at most 1'],
  [{ top_p: 1.01 }, 'top_p = 1.01, and a number above 0 and at most 1'],
  [{ top_p: 'x'.repeat(90) }, `top_p = "${'x'.repeat(39)}, and a number above 0 and at most 1`],
  [{ do_sample: 'no' }, 'do_sample = "no", and true or false'],
  [{ do_sample: 'x'.repeat(90) }, `do_sample = "${'x'.repeat(39)}, and true or false`],
])('%j is said and not used', (json, what) => {
  const { sampling, notices } = samplingOf(json as Record<string, unknown>);
  expect(sampling).toStrictEqual({});
  expect(notices).toEqual([`generation_config.json has ${what} is expected; it is not used.`]);
});

// transformers 5.23: each changes what generate() writes, or does nothing.
test.each<[object, string]>([
  [{ suppress_tokens: [340] }, 'suppress_tokens = [340]'],
  [{ begin_suppress_tokens: [1] }, 'begin_suppress_tokens = [1]'],
  [{ bad_words_ids: [[1]] }, 'bad_words_ids = [[1]]'],
  [{ force_words_ids: [[1]] }, 'force_words_ids = [[1]]'],
  [{ sequence_bias: [[[1], 2]] }, 'sequence_bias = [[[1],2]]'],
  [{ repetition_penalty: 1.1 }, 'repetition_penalty = 1.1'],
  [{ encoder_repetition_penalty: 0.9 }, 'encoder_repetition_penalty = 0.9'],
  [{ no_repeat_ngram_size: 2 }, 'no_repeat_ngram_size = 2'],
  [{ encoder_no_repeat_ngram_size: 2 }, 'encoder_no_repeat_ngram_size = 2'],
  [{ exponential_decay_length_penalty: [5, 1.1] }, 'exponential_decay_length_penalty = [5,1.1]'],
  [{ guidance_scale: 1.5 }, 'guidance_scale = 1.5'],
  [{ watermarking_config: { bias: 2 } }, 'watermarking_config = {"bias":2}'],
  [{ forced_bos_token_id: 0 }, 'forced_bos_token_id = 0'],
  [{ forced_eos_token_id: 1 }, 'forced_eos_token_id = 1'],
  [{ num_beams: 4 }, 'num_beams = 4'],
  [{ num_beams: '4' }, 'num_beams = "4"'],
  [{ num_beam_groups: 2 }, 'num_beam_groups = 2'],
  [{ penalty_alpha: 0.6 }, 'penalty_alpha = 0.6'],
  [{ dola_layers: 'low' }, 'dola_layers = "low"'],
  [{ token_healing: true }, 'token_healing = true'],
  [{ num_return_sequences: 2 }, 'num_return_sequences = 2'],
  [{ stop_strings: ['x'] }, 'stop_strings = ["x"]'],
  [{ constraints: [1] }, 'constraints = [1]'],
  [{ max_new_tokens: 10 }, 'max_new_tokens = 10'],
  [{ max_length: 20 }, 'max_length = 20'],
  [{ max_time: 2 }, 'max_time = 2'],
  [{ min_new_tokens: 1 }, 'min_new_tokens = 1'],
  [{ min_length: 1 }, 'min_length = 1'],
  [{ min_p: 0.1 }, 'min_p = 0.1'],
  [{ do_sample: true, top_h: 0.4 }, 'top_h = 0.4'],
  [{ typical_p: 0.9 }, 'typical_p = 0.9'],
  [{ epsilon_cutoff: 0.1 }, 'epsilon_cutoff = 0.1'],
  [{ eta_cutoff: 0.1 }, 'eta_cutoff = 0.1'],
  [{ num_beams: 3, max_length: 9, top_k: 5 }, 'num_beams = 3, max_length = 9'],
])('%j is not done, and said', (json, what) => {
  const said = (file: string) => [
    `${file} asks for ${what}, which Loupe does not do: transformers' texts may be others, or end elsewhere.`,
  ];
  expect(notDone(json as Record<string, unknown>, { suppress_tokens: [1] })).toEqual(said('generation_config.json'));
  if ('top_k' in json || 'do_sample' in json) return;
  expect(notDone(null, json as Record<string, unknown>)).toEqual(said('config.json'));
});

test.each<[object]>([
  [{}],
  [{ do_sample: true, temperature: 0.5, top_k: 64, top_p: 0.9, eos_token_id: 1, cache_implementation: 'hybrid' }],
  [{ suppress_tokens: [], bad_words_ids: null, sequence_bias: {}, token_healing: false, stop_strings: null }],
  [{ repetition_penalty: 1, encoder_repetition_penalty: 1, guidance_scale: 1, num_beams: 1, num_return_sequences: 1 }],
  [{ min_new_tokens: 0, min_length: 0, no_repeat_ngram_size: 0, penalty_alpha: 0, num_beam_groups: 1 }],
  [{ do_sample: false, min_p: 0.5, typical_p: 0.5, top_h: 0.5, epsilon_cutoff: 0.5, eta_cutoff: 0.5 }],
  [{ min_p: 0, typical_p: 1, epsilon_cutoff: 0, eta_cutoff: 0 }],
])('%j asks for nothing else', json => {
  expect(notDone(json as Record<string, unknown>, {})).toEqual([]);
});

test('drawing that stands in config.json is said, where there is no generation_config.json to read it from', () => {
  const json = { do_sample: true, temperature: 0.5, top_k: 5, top_p: 0.9, hidden_size: 5 };
  expect(notDone(null, json)[0]).toContain('do_sample = true, temperature = 0.5, top_k = 5, top_p = 0.9, which');
  expect(notDone(null, { do_sample: false, hidden_size: 5 })).toEqual([]);
  expect(notDone({}, json)).toEqual([]);
});
