// What a diff says of one stage.

import type { LayerKind } from '../../engine/config.js';
import type { Spread } from './locate.js';
import type { Metrics } from './metrics.js';
import type { Nearer } from './nearer.js';
import type { Passing } from './passing.js';

/**
 * `source`: wrong on right inputs. `carrier`: wrong, but only because its inputs are. `masked`: wrong alone, yet it does not show. `cache`: as far off as the cache's precision explains
 * (tolerance.ts), and no farther; it passes. `noise`: as far off as the rounding of another engine's format explains, by size and by shape (noise.ts); it passes.
 */
export type Verdict = 'ok' | 'source' | 'carrier' | 'masked' | 'cache' | 'noise';

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
  /** The smallest limits that it passes, to two digits. */
  readonly passing: Passing;
  /**
   * Relative L2 that rounding explains of the stage alone, from its operation, the length of its sums and what the adapter was measured to do (derived.ts): a remark, and no
   * limit. Never more than the limit alone that stands by default. Null where something else rounds, or several stages are computed in one.
   */
  readonly derived: number | null;
  /** Where the error sits, along each dimension; of a stage that fails. */
  readonly where: readonly Spread[];
  /** What attention sees in the stage's layer, of a model that has layers of both kinds. */
  readonly layerKind?: LayerKind;
  /** Who is nearer to float64 of the golden’s own inputs; of a stage that is wrong alone, and of others where it was asked for. */
  readonly oracle?: Nearer;
  /** Where stages between were not dumped: the values that this one was computed from, all of the stages between with it. */
  readonly from?: readonly string[];
  /** Stages whose dumps would narrow that down. */
  readonly between?: readonly string[];
  /** What explains a difference that is noise: `BF16`, `Q8_0` …. */
  readonly format?: string;
  /** What would explain a source, if that engine rounds: of few values nobody can tell. `{ rounds }` says it. */
  readonly mayRound?: string;
  /** What another program calls the value, and the order of its dimensions. */
  readonly theirs?: {
    /** Their name. */
    readonly name: string;
    /** `head,token,dim`, from the outermost. */
    readonly layout: string;
  };
}

/** `layers.4.resid`, or, where stages between were not dumped, `from layers.3.resid to layers.4.resid`. */
export const placeOf = ({ stage, from }: Pick<DiffRow, 'stage' | 'from'>): string =>
  from === undefined ? stage : `from ${from.join(' and ')} to ${stage}`;
