// A diff as an apache-arrow Table.

import { Bool, Float64, Schema, Table, Utf8, vectorFromArray } from 'apache-arrow';
import { locationText } from './locate.js';
import type { DiffRow } from './row.js';

/** A table of a diff, one row a stage in the plan's order; what was not measured is null. */
export function diffToArrow(rows: readonly DiffRow[], metadata: Readonly<Record<string, string>>): Table {
  const number = (of: (row: DiffRow) => number | null | undefined) =>
    vectorFromArray(
      rows.map(row => of(row) ?? null),
      new Float64(),
    );
  const text = (of: (row: DiffRow) => string) => vectorFromArray(rows.map(of), new Utf8());
  const table = new Table({
    stage: text(({ stage }) => stage),
    shape: text(({ shape }) => shape.join('×')),
    verdict: text(({ verdict }) => verdict),
    pass: vectorFromArray(
      rows.map(({ pass }) => pass),
      new Bool(),
    ),
    alone: number(({ local }) => local?.relL2),
    in_the_run: number(({ accumulated }) => accumulated.relL2),
    max_abs: number(({ accumulated }) => accumulated.maxAbs),
    cosine: number(({ accumulated }) => accumulated.cosine),
    gain: number(({ gain }) => gain),
    passes_alone_at: number(({ passing }) => passing.local),
    passes_in_the_run_at: number(({ passing }) => passing.accumulated),
    where: text(({ where }) => (where.length > 0 ? locationText(where) : '')),
    rounding_explains: number(({ derived }) => derived),
    ...(rows.some(({ oracle }) => oracle) && {
      nearer: text(({ oracle }) => oracle?.nearer ?? ''),
      ours_ulp: number(({ oracle }) => oracle?.ours),
      theirs_ulp: number(({ oracle }) => oracle?.theirs),
      exact_at_worst: number(({ oracle }) => oracle?.exactAtWorst),
    }),
    ...(rows.some(({ theirs }) => theirs) && {
      theirs: text(({ theirs }) => theirs?.name ?? ''),
      from: text(({ from }) => from?.join(' and ') ?? ''),
      format: text(({ format }) => format ?? ''),
    }),
  } as never);
  return new Table(new Schema(table.schema.fields, new Map(Object.entries(metadata))), table.batches);
}
