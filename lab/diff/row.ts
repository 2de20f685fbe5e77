// What a diff says of one stage.

import type { Spread } from './locate.js';
import type { Metrics } from './metrics.js';

/**
 * `source`: wrong on right inputs. `carrier`: wrong, but only because its inputs are. `masked`: wrong alone, yet it does not show. `cache`: as far off as the cache's precision explains
 * (tolerance.ts), and no farther; it passes.
 */
export type Verdict = 'ok' | 'source' | 'carrier' | 'masked' | 'cache';

export interface DiffRow {
  readonly stage: string;
  readonly shape: readonly number[];
  readonly accumulated: Metrics;
  readonly local: Metrics | null;
  /** Accumulated error out over the largest accumulated error in. */
  readonly gain: number | null;
  readonly verdict: Verdict;
  readonly pass: boolean;
  /** Where the error sits, along each dimension; of a stage that fails. */
  readonly where: readonly Spread[];
}
