// What a diff says of one stage.

import type { Spread } from './locate.js';
import type { Metrics } from './metrics.js';

/**
 * `source`: wrong on right inputs. `carrier`: wrong, but only because its inputs are. `masked`: wrong alone, yet it does not show. `cache`: as far off as the cache's precision explains
 * (tolerance.ts), and no farther; it passes.
 */
export type Verdict = 'ok' | 'source' | 'carrier' | 'masked' | 'cache';

/** What a diff says of one stage. */
export interface DiffRow {
  /** Its name. */
  readonly stage: string;
  /** Of its output. */
  readonly shape: readonly number[];
  /** On our own activations, as in a run. */
  readonly accumulated: Metrics;
  /** Alone, on the golden’s inputs; null where that was not asked for. */
  readonly local: Metrics | null;
  /** Accumulated error out over the largest accumulated error in. */
  readonly gain: number | null;
  /** What to think of it. */
  readonly verdict: Verdict;
  /** False for a source, a carrier and what is masked. */
  readonly pass: boolean;
  /** Where the error sits, along each dimension; of a stage that fails. */
  readonly where: readonly Spread[];
}
