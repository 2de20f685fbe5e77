// What generation_config.json says of drawing.

import { expect, test } from 'vitest';
import { samplingOf } from '../../engine/weights/generation-config.js';

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
