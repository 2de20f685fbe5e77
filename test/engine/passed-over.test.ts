// Keys of a config.json that transformers 5.23 passes over because newer ones say the same: where they say something else, somebody meant them. What is computed
// is what transformers computes; that the old key does nothing is told.

import { expect, test } from 'vitest';
import { configFromJson } from '../../engine/weights/detect.js';

const S = 'sliding_attention';
const F = 'full_attention';
const NEW = {
  model_type: 'gemma3_text',
  num_hidden_layers: 6,
  layer_types: [S, S, S, S, S, F],
  rope_parameters: {
    full_attention: { rope_type: 'default', rope_theta: 1e6 },
    sliding_attention: { rope_type: 'default', rope_theta: 1e4 },
  },
};
const noticed = (keys: object) => {
  const notices: string[] = [];
  const config = configFromJson(keys as never, 'c', {}, notices);
  return { config, notices };
};
const ROPE = (key: string, said: number, where: string, read: number) =>
  `${key} is ${said} and is passed over, as in transformers 5: ${where} says ${read}, and that is what counts.`;
const LAYERS = (key: string, said: number) =>
  `${key} is ${said} and is passed over, as in transformers 5: layer_types lists other layers, and that is what counts.`;

test.each<[object, string[]]>([
  [{ rope_theta: 5000 }, [ROPE('rope_theta', 5000, 'rope_parameters.full_attention', 1e6)]],
  [{ rope_local_base_freq: 5000 }, [ROPE('rope_local_base_freq', 5000, 'rope_parameters.sliding_attention', 1e4)]],
  [{ sliding_window_pattern: 3 }, [LAYERS('sliding_window_pattern', 3)]],
  [{ _sliding_window_pattern: 2 }, [LAYERS('_sliding_window_pattern', 2)]],
  [{ rope_theta: 1e6, rope_local_base_freq: 1e4, sliding_window_pattern: 6, _sliding_window_pattern: 6 }, []],
  [{ rope_theta: null, sliding_window_pattern: null }, []],
])('Gemma 3 with %j', (more, told) => {
  const { config, notices } = noticed({ ...NEW, ...more });
  expect(notices).toEqual(told);
  expect(config).toEqual(noticed(NEW).config);
});

test.each<[object, string[]]>([
  [
    { rope_parameters: { rope_type: 'default', rope_theta: 3e4 }, rope_theta: 1e4 },
    [ROPE('rope_theta', 1e4, 'rope_parameters', 3e4)],
  ],
  [{ rope_parameters: { rope_type: 'default', rope_theta: 3e4 } }, []],
  [{ rope_theta: 3e4 }, []],
])('Gemma 2 with %j', (more, told) => {
  const { config, notices } = noticed({ model_type: 'gemma2', ...more });
  expect(notices).toEqual(told);
  expect(config.rope.full.base).toBe(3e4);
});

test('old keys alone count, and nothing is told', () => {
  const { rope_parameters: _, layer_types: __, ...old } = NEW;
  const { config, notices } = noticed({
    ...old,
    rope_theta: 5000,
    rope_local_base_freq: 300,
    sliding_window_pattern: 3,
  });
  expect([config.rope.full.base, config.rope.sliding.base, config.layerKinds?.[2], notices]).toEqual([
    5000,
    300,
    'full',
    [],
  ]);
});
