// How RoPE's keys are read: what is refused and by what name, and what is passed over with a word. That the numbers are transformers' is
// asked in rope-frequencies.test.ts.

import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../engine/errors.js';
import { configFromJson } from '../../engine/weights/detect.js';

const TYPES = { 1: 'gemma', 2: 'gemma2', 3: 'gemma3_text' } as const;
const read = (family: 1 | 2 | 3, keys: object, notices: string[] = []) =>
  configFromJson({ model_type: TYPES[family], num_hidden_layers: 6, head_dim: 8, ...keys }, 'c.json', {}, notices).rope;
const TURNS = 'Gemma turns whole heads, so the other part is not known';
const BESIDE = 'a Gemma 3 has rope_parameters for full_attention and for sliding_attention, and nothing beside these';
const MEND = 'Mend the file if it is wrong; else this model cannot be run here.';
const KNOWS = 'and Loupe knows default, linear, proportional, dynamic, yarn, llama3, longrope';
const STRANGE = 'which Loupe does not know, so the model might be computed wrong.';
const linear = { rope_type: 'linear', factor: 8 };

test.each<[1 | 2 | 3, object, string]>([
  [1, { partial_rotary_factor: 0.5 }, `partial_rotary_factor = 0.5: ${TURNS}. ${MEND}`],
  [1, { rope_scaling: { x: 1, y: 2 } }, `rope_scaling.x = 1, ${STRANGE}`],
  [2, { rope_parameters: { x: 1 } }, `rope_parameters.x = 1, ${STRANGE}`],
  [1, { rope_scaling: {}, rope_parameters: { x: 1 } }, `rope_parameters.x = 1, ${STRANGE}`],
  [1, { rope_scaling: { partial_rotary_factor: 0.5 } }, `rope_scaling.partial_rotary_factor = 0.5: ${TURNS}. ${MEND}`],
  [1, { rope_scaling: { rope_type: ['linear'], factor: 8 } }, `rope_scaling.rope_type = ["linear"], ${KNOWS}.`],
  [2, { rope_scaling: { type: 'x' } }, `rope_scaling.rope_type = "x", ${KNOWS}.`],
  [
    2,
    { rope_parameters: { full_attention: {} } },
    'rope_parameters.full_attention, and a Gemma 2 has one RoPE for all layers.',
  ],
  [1, { rope_parameters: { sliding_attention: {} } }, 'rope_parameters.sliding_attention, and a Gemma 1 has one'],
  [1, { rope_scaling: { rope_type: 'linear', factor: null } }, 'rope_scaling.factor = null, and a number is needed.'],
  [1, { rope_scaling: { rope_type: 'dynamic', factor: null } }, 'rope_scaling.factor = null, and a number is needed.'],
  [1, { rope_scaling: { ...linear, beta_fast: 32 } }, `rope_scaling.beta_fast = 32, ${STRANGE}`],
  [3, { rope_scaling: { factor: 8 } }, `rope_scaling.factor = 8, ${STRANGE}`],
  [3, { rope_scaling: { ...linear, x: 1 } }, `rope_scaling.x = 1, ${STRANGE}`],
  [3, { rope_parameters: { full_attention: { x: 1 } } }, `rope_parameters.full_attention.x = 1, ${STRANGE}`],
  [3, { rope_parameters: { full_attention: {} }, rope_scaling: { x: 1 } }, `rope_parameters.full_attention.x = 1, `],
  [3, { rope_parameters: {}, rope_scaling: { x: 1 } }, `rope_scaling.x = 1, ${STRANGE}`],
  [3, { rope_parameters: { sliding_attention: { x: 1 } } }, `rope_parameters.sliding_attention.x = 1, ${STRANGE}`],
  [3, { rope_parameters: { sliding_attention: 7 } }, 'rope_parameters.sliding_attention = 7, and an object is needed.'],
  [3, { rope_parameters: { rope_type: 'yarn' } }, `rope_parameters.rope_type = "yarn": ${BESIDE}. ${MEND}`],
  [3, { rope_parameters: { factor: 8 } }, `rope_parameters.factor = 8: ${BESIDE}.`],
  [3, { rope_parameters: { rope_theta: 1e4 } }, `rope_parameters.rope_theta = 10000: ${BESIDE}.`],
  [3, { rope_parameters: { rope_type: 'default', x: 1 } }, `rope_parameters.x = 1: ${BESIDE}.`],
  ...([1, 'ab', { every: 1 }, [1, '2'], ['1', '2'], [1, null]] as const).map((list): [3, object, string] => [
    3,
    { rope_scaling: { rope_type: 'longrope', short_factor: list, long_factor: [1, 1, 1, 1] } },
    `rope_scaling.short_factor = ${JSON.stringify(list)}, and a list of numbers is needed.`,
  ]),
  [
    3,
    { rope_scaling: { rope_type: 'longrope', short_factor: [1, 1, 1, 1] } },
    "no list of numbers under 'rope_scaling.long_factor'. Mend the file.",
  ],
])('a Gemma %i with %j is refused', (family, keys, message) => {
  expect(() => read(family, keys)).toThrow(ConfigError);
  expect(() => read(family, keys)).toThrow(`c.json has ${message}`);
});

test('the names of a multimodal one begin with text_config', () => {
  const of = (text_config: object) => configFromJson({ model_type: 'gemma3', text_config }, 'c.json');
  expect(() => of({ rope_scaling: { x: 1 } })).toThrow('c.json has text_config.rope_scaling.x = 1');
  expect(() => of({ rope_parameters: { x: 1 } })).toThrow('c.json has text_config.rope_parameters.x = 1');
});

const YARN = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 };

describe('taken as it stands', () => {
  test.each<[1 | 2 | 3, object, object]>([
    [3, { rope_parameters: { rope_theta: 1e6, rope_type: 'default' } }, {}],
    [3, { rope_parameters: { full_attention: { partial_rotary_factor: 1 } }, partial_rotary_factor: 1 }, {}],
    [
      3,
      { rope_parameters: { full_attention: { rope_type: 'default' }, sliding_attention: { rope_type: 'default' } } },
      {},
    ],
    [3, { rope_scaling: { type: 'default' } }, {}],
    [3, { rope_scaling: { rope_type: 'linear', type: 'yarn', factor: 8 } }, linear],
    [3, { rope_parameters: { full_attention: {} }, rope_scaling: { type: 'linear', factor: 8 } }, linear],
    [3, { rope_parameters: { full_attention: { ...YARN, truncate: true } } }, YARN],
  ])('of a Gemma %i, %j, without a word', (family, keys, full) => {
    const notices: string[] = [];
    expect(read(family, keys, notices)).toEqual(read(family, { rope_parameters: { full_attention: full } }));
    expect(notices).toEqual([]);
  });

  test('YaRN by its own numbers', () => {
    const own = { beta_fast: 16, beta_slow: 2, attention_factor: 1.5, truncate: false };
    const scaling = { kind: 'yarn', factor: 4, original: 64, betaFast: 16, betaSlow: 2, attention: 1.5 };
    const expected = { base: 1e4, factor: 1, scaling: { ...scaling, truncates: false } };
    expect(read(1, { rope_parameters: { ...YARN, ...own } })).toEqual({ full: expected, sliding: expected });
    expect(read(2, { rope_scaling: { ...YARN, ...own, rope_type: undefined, type: 'yarn' } }).full).toEqual(expected);
  });
});

describe('passed over with a word', () => {
  test.each<[1 | 2 | 3, object, object, string]>([
    [
      3,
      { rope_scaling: { type: 'yarn', factor: 4 } },
      {},
      'rope_scaling has type = "yarn" and no rope_type, and transformers 5 reads only that for a Gemma 3: positions are not stretched. ' +
        "If they should be, call the key 'rope_type'.",
    ],
    [
      3,
      { rope_parameters: { full_attention: { ...YARN, truncate: false } } },
      { rope_parameters: { full_attention: YARN } },
      'rope_parameters.full_attention has truncate = false, which transformers 5 does not read for a Gemma 3.',
    ],
    [
      3,
      { rope_parameters: { rope_type: 'default', factor: 8 } },
      {},
      'rope_parameters.rope_type is default, so factor beside it is passed over, as in transformers: positions are not stretched.',
    ],
    [
      1,
      { rope_scaling: { rope_type: 'default', factor: 8, low_freq_factor: 1 } },
      {},
      'rope_scaling.rope_type is default, so factor, low_freq_factor beside it are passed over, as in transformers: positions are not stretched.',
    ],
    [
      1,
      { max_position_embeddings: 128, rope_scaling: { ...YARN, rope_type: 'dynamic' } },
      { max_position_embeddings: 128, rope_scaling: { rope_type: 'dynamic', factor: 4 } },
      'rope_scaling.original_max_position_embeddings is 64, and a dynamic RoPE begins to stretch at max_position_embeddings, 128, in transformers 5.',
    ],
  ])('of a Gemma %i, %j', (family, keys, meant, notice) => {
    const notices: string[] = [];
    expect(read(family, keys, notices)).toEqual(read(family, meant));
    expect(notices).toEqual([notice]);
  });

  test('and a dynamic RoPE that says the same length twice needs none', () => {
    const notices: string[] = [];
    const same = { ...YARN, rope_type: 'dynamic', original_max_position_embeddings: 128 };
    read(2, { max_position_embeddings: 128, rope_scaling: same }, notices);
    expect(notices).toEqual([]);
  });
});
