// What is given by name: options, cuts, maps of names. A Map, a Promise, a signal are objects as well, in which nothing stands under a name; read as an object
// they were empty, so that what was asked for was left out without a word.

import { describe, expect, test } from 'vitest';
import { planOf } from '../../engine/gemma.js';
import { configFromJson } from '../../engine/weights/detect.js';
import { plot, bar } from '../../lab/display/own-lines.js';
import { planTaps } from '../../lab/session/slices.js';
import { Activation } from '../../lab/values/activation.js';
import { checkOptions } from '../../lab/values/arguments.js';
import { said } from '../../lab/values/dims.js';
import { prompts } from '../../lab/values/prompt-file.js';
import { trace } from '../../lab/values/trace.js';
import { readNames } from '../../lab/values/trace-names.js';

const config = {
  model_type: 'gemma',
  hidden_activation: 'gelu_pytorch_tanh',
  vocab_size: 64,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
};
const stages = [planOf(configFromJson(config, 'c')).stage('layers.0.attn.pattern')];
const activation = new Activation('logits', [{ name: 'token', size: 2 }], Float32Array.of(1, 2));

const OTHERS: readonly (readonly [string, unknown])[] = [
  ['a Map', new Map([['head', 2]])],
  ['a Set', new Set(['head'])],
  ['a Promise', Promise.resolve({ head: 2 })],
  ['an AbortSignal', new AbortController().signal],
  ['a Date', new Date(0)],
  ['a Float32Array', Float32Array.of(1)],
];

describe.each(OTHERS)('%s', (text, given) => {
  test.each<[string, () => unknown]>([
    ['the options of a run', () => checkOptions('run', given as object, { head: true } as never)],
    ['the options of a picture', () => plot([1, 2], [1, 2], given as never)],
    ['bars by name', () => bar(given as never)],
    ['the options of prompts', () => prompts('p.txt', given as never)],
    ['a map of names', () => readNames(given)],
    ['a slice of a run', () => planTaps(stages, given as never, { tokens: 4, logits: 'all' } as never)],
    ['a slice of an activation', () => activation.slice(given as never)],
  ])('is not taken for %s', (_, use) => {
    expect(use).toThrow(new RegExp(`, not ${text}\\.$|, not ${text}\\. `));
  });

  test('is not taken for the options and the layouts of a trace', async () => {
    await expect(trace('t.npz', given as never)).rejects.toThrow(`, not ${text}.`);
    await expect(trace('t.npz', { layout: given as never })).rejects.toThrow(`, not ${text}.`);
  });
});

test('objects of any making are: without a prototype, of a class, of a module', async () => {
  class Options {
    column = 'text';
  }
  const bare = Object.assign(Object.create(null), { column: 'text' });
  const module = { [Symbol.toStringTag]: 'Module', column: 'text' };
  for (const given of [new Options(), bare, module, Object.freeze({ column: 'text' })])
    expect(checkOptions('prompts', given as object, { column: true } as never)).toEqual({ column: 'text' });
});

test('what is said of an object', () => {
  const odd = { [Symbol.toStringTag]: 'x\n<b>' };
  const thrower = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no');
      },
    },
  );
  expect([{}, odd, thrower, new Map(), new Uint8Array()].map(said)).toEqual([
    'an object',
    'an object',
    'an object',
    'a Map',
    'a Uint8Array',
  ]);
});
