// Whose fault a stage's error is: its own, or that of what it was given.

import type { DiffLimits } from './diff.js';
import type { Verdict } from './row.js';

export interface Errors {
  /** In the run. */
  readonly here: number;
  /** On the other's inputs; null where that was not run. */
  readonly alone: number | null;
  /** The largest of the inputs'. */
  readonly incoming: number;
}

export function verdictOf({ here, alone, incoming }: Errors, { accumulated, local }: Required<DiffLimits>): Verdict {
  const failsHere = here > accumulated;
  const failsAlone = alone !== null ? alone > local : failsHere && incoming <= accumulated;
  if (failsAlone) return failsHere || incoming === 0 ? 'source' : 'masked';
  return failsHere ? 'carrier' : 'ok';
}
