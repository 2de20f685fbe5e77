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

test.each([2 ** 31 - 1, 2 ** 31, 2 ** 32 - 24, 2 ** 32 - 1, 2 ** 32, 1e12, 2 ** 53 + 2])(
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
