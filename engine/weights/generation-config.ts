// generation_config.json: how its makers draw a model's answers.

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
