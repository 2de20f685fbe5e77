// The columns of a trace that Loupe wrote as Arrow, a row for each row of an array: where a row belongs is said by its number, by its place in the
// model and by the dimensions of its stage. They agree, or somebody changed the file.

import type { Vector } from 'apache-arrow';
import { LEADING } from '../arrow.js';

/**
 * Throws what `bad` makes of a clause. A stage is whole, or its last token's.
 * @param names of the arrays, row by row
 * @param tokens how many there are in all, where that is known
 */
export function checkOwnColumns(
  names: Vector,
  column: (name: string) => Vector | null,
  tokens: number | null,
  bad: (what: string) => Error,
): void {
  for (const name of ['row', 'dims', 'first', ...LEADING])
    if (!column(name)) throw bad(`it lacks the column '${name}' that a trace of Loupe has`);
  const [numbers, dims, first] = [column('row')!, column('dims')!, column('first')!];
  const places = LEADING.map(axis => ({ axis, at: column(axis)! }));
  const seen = new Map<string, { rows: number; readonly of: number }>();
  for (let row = 0; row < names.length; row++) {
    const name = String(names.get(row));
    const lead = dimsOf(String(dims.get(row))).slice(0, -1);
    const found = seen.get(name) ?? { rows: 0, of: lead.reduce((n, { from, to }) => n * (to - from), 1) };
    const own = found.rows++;
    seen.set(name, found);
    if (lead.some(({ name: axis, from, to }) => from > 0 && !(axis === 'token' && (tokens ?? to) === to)))
      throw bad(`'${name.slice(0, 80)}' is a part of its stage, ${String(dims.get(row)).slice(0, 80)}`);
    const index = new Map<string, number>();
    let [rest, number, step] = [own, 0, 1];
    for (const { name: axis, from, to } of lead.reverse()) {
      const at = from + (rest % (to - from));
      rest = Math.floor(rest / (to - from));
      index.set(axis, at);
      number += at * step;
      step *= to;
    }
    const wrong = (said: string, value: unknown, wanted: unknown) =>
      bad(`row ${own} of '${name.slice(0, 80)}' says ${said} ${String(value)}, where it is ${String(wanted)}`);
    if (numbers.get(row) !== number || rest > 0)
      throw bad(
        `the rows of '${name.slice(0, 80)}' are not one after the other: some are missing, in another order, or there twice`,
      );
    for (const { axis, at } of places) {
      const wanted = index.get(axis) ?? null;
      if (at.get(row) !== wanted) throw wrong(axis, at.get(row), wanted);
    }
    if (first.get(row) !== 0) throw wrong('first', first.get(row), 0);
  }
  for (const [name, { rows, of }] of seen) {
    if (rows < of) throw bad(`it has ${rows} of the ${of} rows of '${name.slice(0, 80)}', and a part is not compared`);
  }
}

/** The part of a stage that is here, as `traceToIpc` writes it: `token=4:5,channel=128`. */
export function dimsOf(text: string): { name: string; from: number; to: number }[] {
  return [...text.matchAll(/(\w+)=(?:(\d+):)?(\d+)(?=,|$)/g)].map(([, name, from, to]) => ({
    name,
    from: Number(from ?? 0),
    to: Number(to),
  }));
}
