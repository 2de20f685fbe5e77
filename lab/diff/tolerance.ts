// How far a stage may be from PyTorch, and why. Limits are relative L2 errors.
//
// Both sides are f32, so two right implementations differ by rounding alone. Measured with `loupe diff --json` over the four goldens
// of atlas (SwiftShader and lavapipe) and the 270M (lavapipe), 939 stages: the largest local error is 4.7e-7, in mlp.down; the
// largest accumulated one 1.7e-6. The limits are ten times that. A wrong constant, a missing +1 or a shifted position gives 1e-2
// and more.

import type { CacheFormat } from '../../engine/cache-format.js';

/** A stage on the golden's own inputs. */
export const LOCAL_LIMIT = 5e-6;

/** A stage on our inputs: the errors of all stages before it are in it. */
export const ACCUMULATED_LIMIT = 2e-5;

/**
 * What a cache that rounds explains beyond that, where no limit is given. f16 moves a value by at most 2⁻¹¹ of itself, and what reads a cache reads keys and values: alone
 * 2⁻¹⁰. Measured over the same goldens, 939 stages and both plans: at most 4.1e-4 alone, in attn.mix, where 2⁻¹⁰ is 9.8e-4; and 5.6e-4 in the run, where
 * errors of many layers come together and four times that is allowed. A wrong constant is still far beyond.
 */
export const CACHE_LIMITS: Readonly<
  Record<CacheFormat, { readonly local: number; readonly accumulated: number } | null>
> = {
  f32: null,
  f16: { local: 2 ** -10, accumulated: 2 ** -8 },
};
