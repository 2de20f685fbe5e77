// What no Gemma has: every bound of a configuration, just within and just beyond; and how the keys of a file are read and shown.

import { describe, expect, test } from 'vitest';
import type { GemmaConfig, RopeScaling } from '../../engine/config.js';
import { ConfigError } from '../../engine/errors.js';
import { checked, layerCount } from '../../engine/weights/config-check.js';
import { ConfigKeys, isObject, shownValue } from '../../engine/weights/config-keys.js';
import { configFromJson } from '../../engine/weights/detect.js';

const plain = configFromJson({ model_type: 'gemma3_text', num_hidden_layers: 6 }, 'c');
const check = (change: Partial<GemmaConfig>) => () => checked({ ...plain, ...change }, 'm.json');

describe('sizes', () => {
  test.each<[keyof GemmaConfig, number, string, string]>([
    ['hidden', 131072, 'hidden_size', 'embedding_length'],
    ['heads', 1024, 'num_attention_heads', 'attention.head_count'],
    ['kvHeads', 1024, 'num_key_value_heads', 'attention.head_count_kv'],
    ['headDim', 4096, 'head_dim', 'attention.key_length'],
    ['feedForward', 1048576, 'intermediate_size', 'feed_forward_length'],
    ['vocab', 4194304, 'vocab_size', 'vocab_size'],
    ['contextLength', 16777216, 'max_position_embeddings', 'context_length'],
  ])('%s from 1 to %i', (key, most, json, gguf) => {
    for (const value of [0, -1, 1.5, most + 1, Number.NaN]) {
      expect(check({ [key]: value })).toThrow(ConfigError);
      expect(check({ [key]: value })).toThrow(
        `m.json gives ${json} = ${value}, and a whole number from 1 to ${most} is expected. Mend the file.`,
      );
      expect(() => checked({ ...plain, [key]: value }, 'm.gguf', 'gguf')).toThrow(
        `m.gguf gives ${gguf} = ${value}, and`,
      );
    }
    const within = { heads: 1024, kvHeads: 1, headDim: 4 };
    expect(check({ ...within, [key]: most })).not.toThrow();
    expect(check({ ...within, [key]: key === 'headDim' ? 4 : 1 })).not.toThrow();
  });

  test('layers from 1 to 1000', () => {
    expect([layerCount(1, 'm'), layerCount(1000, 'm')]).toEqual([1, 1000]);
    for (const layers of [0, -1, 1001, 2.5]) {
      expect(() => layerCount(layers, 'm.json')).toThrow(
        `m.json gives ${layers} layers, and a whole number from 1 to 1000 is expected. Mend the file.`,
      );
    }
  });
});

const { full } = plain.rope;
const rope = (change: object) => ({ rope: { sliding: full, full: { ...full, ...change } } });
const scaled = (scaling: RopeScaling) => rope({ scaling });
const yarn = { factor: 2, original: 8, betaFast: 32, betaSlow: 1, truncates: true, attention: 1 };
const llama3 = { kind: 'llama3', factor: 2, original: 8, lowFactor: 1, highFactor: 4 } as const;
const ones = Array<number>(128).fill(1);
const longrope = { kind: 'longrope', original: 8, short: ones, long: ones, attention: 1 } as const;

test.each<[Partial<GemmaConfig>, string]>([
  [{ heads: 4, kvHeads: 3 }, '4 query heads cannot share 3 key/value heads'],
  [{ headDim: 6 }, 'the head size 6 is no multiple of 4, which the attention shaders need'],
  [{ rmsEps: 0 }, 'rms_norm_eps is 0, and it must lie between 0 and 1'],
  [{ rmsEps: 1 }, 'rms_norm_eps is 1'],
  [{ queryScale: 0 }, 'the attention scale is 0, and it must be above 0 and at most 1'],
  [{ queryScale: 1.01 }, 'the attention scale is 1.01, and it must be above 0 and at most 1'],
  [{ queryScale: Number.NaN }, 'the attention scale is NaN, and it must be above 0 and at most 1'],
  [{ embedScale: 0 }, 'the scale of the embedding is 0, and it must be a number above 0 that f32 holds'],
  [
    { embedScale: Number.POSITIVE_INFINITY },
    'the scale of the embedding is Infinity, and it must be a number above 0 that f32 holds',
  ],
  [{ attnSoftcap: 0 }, 'the soft-cap on attention is 0, and it must be a number above 0 that f32 holds'],
  [{ finalSoftcap: 0 }, 'the soft-cap on logits is 0, and it must be a number above 0 that f32 holds'],
  [{ slidingWindow: 0 }, 'the sliding window is 0, and it must be a whole number from 1'],
  [{ slidingWindow: 1.5 }, 'the sliding window is 1.5, and it must be a whole number from 1'],
  [{ bosId: -1 }, 'the id of <bos> is -1, and it must be a whole number from 0'],
  [{ bosId: 0.5 }, 'the id of <bos> is 0.5'],
  [rope({ base: 1 }), 'RoPE has base 1 and factor 1, and the base must be above 1, the factor above 0'],
  [rope({ base: Number.POSITIVE_INFINITY }), 'RoPE has base Infinity and factor 1'],
  [rope({ factor: 0 }), 'RoPE has base 1000000 and factor 0'],
  [{ rope: { full, sliding: { ...full, base: 0 } } }, 'RoPE has base 0 and factor 1'],
  [scaled({ kind: 'yarn', ...yarn, original: 0 }), 'RoPE of the type yarn has original length 0'],
  [
    scaled({ kind: 'yarn', ...yarn, original: Number.POSITIVE_INFINITY }),
    'RoPE of the type yarn has original length Infinity',
  ],
  [
    scaled({ kind: 'yarn', ...yarn, factor: 0 }),
    'RoPE of the type yarn has factor 0, and it must be a number above 0 that f32 holds',
  ],
  [scaled({ kind: 'yarn', ...yarn, betaFast: 0 }), 'RoPE of the type yarn has beta_fast 0'],
  [scaled({ kind: 'yarn', ...yarn, betaSlow: 0 }), 'RoPE of the type yarn has beta_slow 0'],
  [scaled({ kind: 'yarn', ...yarn, attention: 0 }), 'RoPE of the type yarn has attention_factor 0'],
  [scaled({ kind: 'dynamic', factor: 0, original: 8 }), 'RoPE of the type dynamic has factor 0'],
  [scaled({ ...llama3, lowFactor: 0 }), 'RoPE of the type llama3 has low_freq_factor 0'],
  [
    scaled({ ...llama3, highFactor: 1 }),
    'RoPE of the type llama3 has high_freq_factor 1, which must be above low_freq_factor 1',
  ],
  [scaled({ ...longrope, attention: 0 }), 'RoPE of the type longrope has attention_factor 0'],
  [
    scaled({ ...longrope, short: [1] }),
    'RoPE of the type longrope has a short_factor of 1, and needs 128 positive numbers',
  ],
  [
    scaled({ ...longrope, long: [0, ...ones.slice(1)] }),
    'RoPE of the type longrope has a long_factor of 128, and needs 128',
  ],
  [
    scaled({ ...longrope, long: [1 / 0, ...ones.slice(1)] }),
    'RoPE of the type longrope has a long_factor of 128, and needs',
  ],
])('%j is refused', (change, message) => {
  expect(check(change)).toThrow(ConfigError);
  expect(check(change)).toThrow(`m.json: ${message}`);
  expect(check(change)).toThrow(/\. Mend the file\.$/);
});

test.each<[Partial<GemmaConfig>]>([
  [{ queryScale: 1, rmsEps: 0.5, attnSoftcap: 0.1, finalSoftcap: 0.1, slidingWindow: 1, bosId: 0 }],
  [{ attnSoftcap: null, finalSoftcap: null, slidingWindow: null }],
  [rope({ base: 1.5, factor: 0.5 })],
  [scaled({ kind: 'yarn', ...yarn })],
  [scaled({ kind: 'dynamic', factor: 0.5, original: 1 })],
  [scaled(llama3)],
  [scaled(longrope)],
])('%j is taken as it is', change => {
  expect(check(change)()).toEqual({ ...plain, ...change });
});

test('a value as a message shows it', () => {
  expect([1e21, 5n, Number.NaN, 'a', null, true, undefined, [1, 'b'], { a: 1 }].map(shownValue)).toEqual([
    ...['1e+21', '5', 'NaN', '"a"', 'null', 'true', 'undefined', '[1,"b"]', '{"a":1}'],
  ]);
  expect(shownValue('x'.repeat(58))).toBe(`"${'x'.repeat(58)}"`);
  expect(shownValue('x'.repeat(59))).toBe(`"${'x'.repeat(56)}…`);
  const loop: unknown[] = [];
  loop.push(loop);
  expect([shownValue(loop), shownValue({ loop })]).toEqual(['[…]', '{…}']);
  expect([{}, [], null, 'a', undefined].map(isObject)).toEqual([true, false, false, false, false]);
});

describe('the keys of a file', () => {
  const values = JSON.parse(
    '{"n":1,"t":"x","none":null,"list":[3,-1,0],"id":7,"o":{"a":1},"off":false,"inf":1e999,"__proto__":{"hidden":1}}',
  );
  const keys = () => new ConfigKeys(values, 'm.json', 'p.', { n: 5, other: 6, none: 8 });

  test('give the value, else the default, and null where the file says null', () => {
    const all = keys();
    expect([all.raw('n'), all.raw('other'), all.raw('none'), all.raw('toString')]).toEqual([
      1,
      undefined,
      null,
      undefined,
    ]);
    expect([all.value('n'), all.value('other'), all.value('none'), all.value('toString')]).toEqual([
      1,
      6,
      null,
      undefined,
    ]);
    expect([all.says('n'), all.says('none'), all.says('other'), all.says('off')]).toEqual([true, false, false, true]);
    expect([all.number('n'), all.number('other')]).toEqual([1, 6]);
    expect([all.optionalNumber('other'), all.optionalNumber('none'), all.optionalNumber('no')]).toEqual([
      6,
      null,
      null,
    ]);
    expect([all.flag('off', true), all.flag('no', true), all.flag('none', false)]).toEqual([false, true, false]);
    expect([all.object('o'), all.object('none'), all.object('no')]).toEqual([{ a: 1 }, null, null]);
    expect([all.ids('list'), all.ids('id'), all.ids('no'), all.ids('none')]).toEqual([[3, 0], [7], [], []]);
  });

  test.each<[(all: ConfigKeys) => unknown, string]>([
    [all => all.number('no'), "m.json has no number under 'p.no'. Mend the file."],
    [all => all.number('t'), 'm.json has p.t = "x", and a number is needed. Mend the file.'],
    // 1e999 is JSON, and a GGUF may have any float.
    [all => all.number('inf'), 'm.json has p.inf = Infinity, and a number is needed. Mend the file.'],
    [all => all.optionalNumber('t'), 'm.json has p.t = "x", and a number is needed. Mend the file.'],
    [all => all.flag('n', true), 'm.json has p.n = 1, and true or false is needed. Mend the file.'],
    [all => all.object('list'), 'm.json has p.list = [3,-1,0], and an object is needed. Mend the file.'],
    [all => all.ids('t'), 'm.json has p.t = "x", and a token id or a list of them is needed. Mend the file.'],
    [
      all => all.only('n', [2, 3], 'because'),
      'm.json has p.n = 1: because. Mend the file if it is wrong; else this model cannot be run here.',
    ],
    [
      all => all.refuseUnread(() => false),
      'm.json has p.n = 1, which Loupe does not know, so the model might be computed wrong. ' +
        'If it means nothing for the text model, take it out of the file; else this model cannot be run here.',
    ],
  ])('refuse what is none of its kind: %o', (read, message) => {
    expect(() => read(keys())).toThrow(ConfigError);
    expect(() => read(keys())).toThrow(new ConfigError(message));
  });

  test('let the one value through that is meant, null, and nothing', () => {
    const all = keys();
    for (const [key, allowed] of [
      ['n', [2, 1]],
      ['o', [{ a: 1 }]],
      ['none', []],
      ['no', []],
    ] as const) {
      expect(() => all.only(key, allowed, 'because')).not.toThrow();
    }
    expect(() => all.only('other', [], 'a default is not in the file')).not.toThrow();
  });

  test('that nobody asked for and that say something are left', () => {
    const all = keys();
    expect(all.unread()).toEqual(['n', 't', 'list', 'id', 'o', 'off', 'inf', '__proto__']);
    for (const key of ['n', 't', 'list', 'id', 'inf', '__proto__']) all.value(key);
    expect(all.unread()).toEqual(['o', 'off']);
    expect(() => all.refuseUnread(key => key === 'o' || key === 'off')).not.toThrow();
    expect(() => all.refuseUnread(key => key === 'o')).toThrow(/p\.off = false/);
  });
});
