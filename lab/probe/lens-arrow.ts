// A lens as an apache-arrow Table.

import { Float32, Float64, Int32, Table, Utf8, vectorFromArray } from 'apache-arrow';
import type { TopToken } from '../values/next-token.js';

/** What is told of a cell. */
interface Cell {
  readonly stage: string;
  readonly token: number;
  readonly top: readonly TopToken[];
  readonly finalId: number;
  readonly finalText: string;
  readonly finalProbability: number;
  readonly finalRank: number;
}

export function lensToArrow({
  cells,
  tokens,
}: {
  readonly cells: readonly (readonly Cell[])[];
  readonly tokens: readonly string[];
}): Table {
  const rows = cells.flatMap(row =>
    row.flatMap((cell, i) => cell.top.map((one, rank) => ({ cell, one, rank: rank + 1, text: tokens[i] }))),
  );
  const of = <T extends Int32 | Float32 | Float64 | Utf8>(type: T, value: (row: (typeof rows)[number]) => unknown) =>
    vectorFromArray(rows.map(value) as never, type);
  return new Table({
    stage: of(new Utf8(), ({ cell }) => cell.stage),
    token: of(new Int32(), ({ cell }) => cell.token),
    token_text: of(new Utf8(), ({ text }) => text),
    rank: of(new Int32(), ({ rank }) => rank),
    id: of(new Int32(), ({ one }) => one.id),
    text: of(new Utf8(), ({ one }) => one.text),
    logit: of(new Float32(), ({ one }) => one.logit),
    probability: of(new Float64(), ({ one }) => one.probability),
    final_id: of(new Int32(), ({ cell }) => cell.finalId),
    final_text: of(new Utf8(), ({ cell }) => cell.finalText),
    final_probability: of(new Float64(), ({ cell }) => cell.finalProbability),
    final_rank: of(new Int32(), ({ cell }) => cell.finalRank),
  } as never);
}
