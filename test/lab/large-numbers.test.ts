// Numbers of a configuration that are larger, or smaller, than what a shader counts in: understood as PyTorch does, or refused as the configuration's.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError } from '../../engine/errors.js';
import { open } from '../../lab/session/open.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();
const IDS = Array.from({ length: 24 }, (_, i) => (i * 37) % 1000);

async function logits(config: object, plan: 'exact' | 'fast', chunks?: number[]): Promise<Float32Array> {
  const path = await writeTiny(join(folder, JSON.stringify(config).replace(/\W/g, '-')), { config });
  using model = await open(path, { quiet: true, another: true });
  return (await model.run(IDS, { plan, chunks })).logits.values.data;
}

test.each([2 ** 31, 2 ** 32 - 24, 2 ** 32 - 1, 2 ** 32, 2 ** 53 + 2])(
  'a sliding window of %d tokens hides none',
  async sliding_window => {
    for (const plan of ['exact', 'fast'] as const) {
      const wide = await logits({ sliding_window: 256 }, plan);
      expect(await logits({ sliding_window }, plan)).toEqual(wide);
      expect(await logits({ sliding_window }, plan, [3, 1, 20])).toEqual(
        await logits({ sliding_window: 256 }, plan, [3, 1, 20]),
      );
      expect(await logits({ sliding_window: 8 }, plan)).not.toEqual(wide);
    }
  },
);

const GEMMA2 = {
  ...{ model_type: 'gemma2', architectures: ['Gemma2ForCausalLM'], rope_local_base_freq: undefined },
  ...{ attn_logit_softcapping: null, final_logit_softcapping: null },
};
const capped = (values: Float32Array, cap: number) => values.map(x => cap * Math.tanh(x / cap));
const farthest = (a: Float32Array, b: Float32Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i])));

test.each([1, 30, 1e4, 1e6, 1e8, 1e30])('a soft-cap of %d caps as float64 does, and a large one hardly', async cap => {
  const tap = 'layers.0.attn.scores';
  const read = async (more: object, plan: 'exact' | 'fast') => {
    const path = await writeTiny(join(folder, JSON.stringify(more).replace(/\W/g, '-')), {
      config: { ...GEMMA2, ...more },
      tensors: shapes => {
        for (const i of [0, 1])
          for (const norm of ['q_norm', 'k_norm']) shapes.delete(`model.layers.${i}.self_attn.${norm}.weight`);
      },
    });
    using model = await open(path, { quiet: true, another: true });
    const run = await model.run(IDS, { plan, tap, logits: 'all' });
    return { logits: run.logits.values.data, scores: run.at(tap).data.filter(x => x > -1e38) };
  };
  const [none, large] = [await read({}, 'exact'), Math.max(...(await read({}, 'exact')).logits.map(Math.abs))];
  for (const plan of ['exact', 'fast'] as const) {
    expect(
      farthest((await read({ final_logit_softcapping: cap }, plan)).logits, capped(none.logits, cap)),
    ).toBeLessThan(2e-6 * large);
    const { scores, logits } = await read({ attn_logit_softcapping: cap }, plan);
    expect(farthest(scores, capped(none.scores, cap))).toBeLessThan(2e-6 * Math.max(...none.scores.map(Math.abs)));
    if (cap >= 1e4) expect(farthest(logits, none.logits)).toBeLessThan(2e-6 * large);
  }
});

test.each([
  [{ final_logit_softcapping: 1e39 }, /the soft-cap on logits is 1e\+39/],
  [{ final_logit_softcapping: 1e-46 }, /the soft-cap on logits is 1e-46/],
  [{ query_pre_attn_scalar: 1e80 }, /the attention scale is 1e-40/],
  [{ rope_theta: 1e39 }, /RoPE has base 1e\+39/],
  [{ rope_scaling: { rope_type: 'linear', factor: 1e-60 } }, /factor 1e-60/],
])('what f32 cannot hold is refused as the configuration’s: %j', async (config, says) => {
  const path = await writeTiny(join(folder, JSON.stringify(config).replace(/\W/g, '-')), { config });
  const opening = open(path, { quiet: true, another: true });
  await expect(opening).rejects.toThrow(ConfigError);
  await expect(opening).rejects.toThrow(says);
});
