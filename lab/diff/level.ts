// Up to where a difference is rounding, of an engine that rounds: errors along a dimension lie close together where they are rounding, and far above that where something is wrong.

import { STICKS_OUT } from './unevenness.js';

/** Entries that bear witness of rounding, at least, and such a share of all: a few may be small by chance. One that is exact needs no other. */
const WITNESSES = { least: 2, share: 1 / 8 };
/** Rounding of values is below it: four times what bf16 does to them. */
const WRONG = 2 ** -5;

/**
 * @param relative errors along a dimension, relative to what is there; infinite where a value is broken on one side
 * @param limit within it an entry is exact
 * @returns the relative error above which an entry is beyond rounding; null where no gap parts the two
 */
export function levelOf(relative: ArrayLike<number>, limit: number): number | null {
  const sorted = Array.from(relative).sort((a, b) => a - b);
  const least = Math.max(WITNESSES.least, WITNESSES.share * sorted.length);
  for (const [i, error] of sorted.slice(0, -1).entries()) {
    const next = sorted[i + 1];
    if (next > Math.max(WRONG, STICKS_OUT * error) && (error <= limit || i + 1 >= least)) return error;
  }
  return null;
}
