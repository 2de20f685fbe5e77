// Two diffs with one reference, before a change and after it: the stages whose errors are others now.

import type { Diff } from '../diff/diff.js';
import type { DiffRow } from '../diff/row.js';

/** A stage whose error is another than before. */
export interface ChangedRow {
  /** Its name. */
  readonly stage: string;
  /** As it was. */
  readonly before: DiffRow;
  /** As it is. */
  readonly after: DiffRow;
}

/** In the plan's order; NaN is itself. */
export function changedRows(before: Diff, after: Diff): ChangedRow[] {
  const earlier = new Map(before.rows.map(row => [row.stage, row]));
  return after.rows.flatMap(row => {
    const was = earlier.get(row.stage);
    return was && !same(was, row) ? [{ stage: row.stage, before: was, after: row }] : [];
  });
}

const same = (a: DiffRow, b: DiffRow): boolean =>
  a.verdict === b.verdict &&
  Object.is(a.accumulated.relL2, b.accumulated.relL2) &&
  Object.is(a.local?.relL2, b.local?.relL2);
