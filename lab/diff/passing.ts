// The limits that a row would just have passed, as one would type them.

import type { Metrics } from './metrics.js';

/** The smallest limits, of two digits, that a stage passes; null where none would do, as with NaN, and of a stage alone where it was not run alone. */
export interface Passing {
  /** In the run. */
  readonly accumulated: number | null;
  /** Alone. */
  readonly local: number | null;
}

/** A span is held against the limit of the run alone as well: its errors add up as they do there. */
export function passingOf({
  accumulated,
  local,
  from,
}: {
  readonly accumulated: Metrics;
  readonly local: Metrics | null;
  readonly from?: readonly string[];
}): Passing {
  const [run, alone] = [accumulated.relL2, local?.relL2 ?? 0];
  return from === undefined
    ? { accumulated: roundedUp(run), local: local && roundedUp(alone) }
    : { accumulated: roundedUp(Math.max(run, alone)), local: null };
}

/** To two digits, and never below. */
function roundedUp(value: number): number | null {
  if (!Number.isFinite(value)) return null;
  if (value === 0) return 0;
  const near = Number(value.toPrecision(2));
  if (near >= value) return near;
  const step = 10 ** (Math.floor(Math.log10(near)) - 1);
  return Number((near + step).toPrecision(2));
}
