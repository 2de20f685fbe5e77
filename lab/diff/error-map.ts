// One stage of a diff, value by value: ours, theirs and how far they are apart, and what stands around the worst place.

import type { Plan, Stage } from '../../engine/plan.js';
import { windowOfPairs } from '../../engine/plan.js';
import { OptionError } from '../../engine/errors.js';
import { Activation } from '../values/activation.js';
import type { DimSpec } from '../values/dims.js';
import { Shown } from '../values/shown.js';
import { MASK_LIMIT } from '../values/stats.js';
import type { DiffRow } from './row.js';

/** Both values of a stage. */
export interface Both {
  readonly ours: Float32Array;
  readonly theirs: Float32Array;
  /** In float64, from theirs; null where nobody computed it. */
  readonly exact: Float64Array | null;
}

/** Values of a map that a diff has at hand, about half a megabyte of each side: of wrong stages it is drawn without being asked for. */
export const AT_HAND = 1 << 17;

/** `layers.3.resid`, or how many. */
export const namesText = (names: readonly string[]): string =>
  names.length === 1 ? names[0] : `${names.length} stages`;

/** Where a diff gets the values of its stages again. */
export interface Sides {
  readonly plan: Plan;
  readonly tokens: number;
  /** Texts of the tokens, where they are known. */
  readonly labels?: readonly string[];
  readonly kvHeads?: number;
  /**
   * Of stages in the plan's order: what is run is run once for all of them.
   * @param alone what our stage makes of their inputs, else what it was in the run
   */
  both(stages: readonly Stage[], alone: boolean): Promise<Both[]>;
}

/** A value at a place. */
export interface ValuesAt {
  /** One index a dimension, in the model. */
  readonly place: readonly number[];
  /** Ours there. */
  readonly ours: number;
  /** The other. */
  readonly theirs: number;
  /** In float64, from the same inputs; null in the run, and where the weights could not be read again. */
  readonly exact: number | null;
}

/** How to look at a stage. */
export interface ErrorMapOptions {
  /** What it makes of the right inputs; by default of what is wrong alone, and `false` is what it was in the run. */
  readonly alone?: boolean;
}

/** Neighbours on either side of the worst place. */
const BESIDE = 2;

/** Where a stage is wrong, value by value. `diff.map(stage)` makes one. */
export class ErrorMap extends Shown {
  constructor(
    /** What the diff says of it. */
    readonly row: DiffRow,
    /** Ours, with its dimensions. */
    readonly ours: Activation,
    /** What it is compared with. */
    readonly theirs: Activation,
    /** In float64 from the same inputs, value by value; null in the run, and where nobody computed it. */
    readonly exact: Float64Array | null,
    /** Whether ours was made of their inputs, or in our run. */
    readonly alone: boolean,
    /** Relative L2 within which it is right. */
    readonly limit: number,
    /** Key/value heads of the model, where they are known. */
    readonly kvHeads: number | null,
    /** Tokens that a query sees; null where it sees all. */
    readonly window: number | null,
    /** `PyTorch’s`, or `theirs`. */
    readonly whose: string,
  ) {
    super();
  }

  /** |ours − theirs| over the root mean square of theirs, value by value; NaN where both are masked, infinite where one is, or is no number. */
  get relative(): Float32Array {
    const [a, b] = [this.ours.data, this.theirs.data];
    let [sum, n] = [0, 0];
    for (const value of b) {
      if (!Number.isFinite(value) || value <= MASK_LIMIT) continue;
      sum += value * value;
      n += 1;
    }
    const rms = sum > 0 ? Math.sqrt(sum / n) : 1;
    return a.map((x, i) => {
      const y = b[i];
      const masks = Number(x <= MASK_LIMIT) + Number(y <= MASK_LIMIT);
      if (masks === 2) return Number.NaN;
      if (masks === 1) return Number.POSITIVE_INFINITY;
      if (x === y) return 0;
      return Number.isFinite(x) && Number.isFinite(y) ? Math.abs(x - y) / rms : Number.POSITIVE_INFINITY;
    });
  }

  /** Index of the worst place in the data. */
  get worst(): number {
    return this.relative.reduce((best, error, i, all) => (error > (all[best] || 0) ? i : best), 0);
  }

  /** The values around the worst place, along the last dimension: itself and two on either side. */
  around(): ValuesAt[] {
    const { dims } = this.ours;
    const { worst } = this;
    const size = dims[dims.length - 1].size;
    const at = worst % size;
    const first = Math.max(0, Math.min(at - BESIDE, size - 2 * BESIDE - 1));
    const last = Math.min(size - 1, first + 2 * BESIDE);
    return Array.from({ length: last - first + 1 }, (_, i) => this.at(worst - at + first + i));
  }

  private at(index: number): ValuesAt {
    const place: number[] = [];
    let rest = index;
    for (const { size, from } of [...this.ours.dims].reverse()) {
      place.unshift(from + (rest % size));
      rest = Math.floor(rest / size);
    }
    return { place, ours: this.ours.data[index], theirs: this.theirs.data[index], exact: this.exact?.[index] ?? null };
  }

  /** What a script reads: the stage, the worst place and what stands around it. */
  toJSON(): unknown {
    const { row, ours, alone, limit, window, kvHeads } = this;
    const dims = ours.dims.map(({ name, size, from }) => ({ name, size, from }));
    return {
      stage: row.stage,
      verdict: row.verdict,
      alone,
      limit,
      dims,
      kvHeads,
      window,
      worst: this.at(this.worst).place,
      around: this.around(),
    };
  }
}

/** What a diff knows of a stage. */
export interface Judged {
  readonly row: DiffRow;
  readonly limits: { readonly accumulated: number; readonly local: number };
  readonly whose: string;
}

/** Throws OptionError where a stage was not run alone and that is asked for. */
export async function errorMap(judged: Judged, sides: Sides | null, options: ErrorMapOptions): Promise<ErrorMap> {
  const { row } = judged;
  if (sides === null)
    throw new OptionError(
      `The values that this diff compared are not at hand, so '${row.stage}' has no map. Make the diff again.`,
    );
  const { alone = isAlone(row) } = options;
  if (typeof alone !== 'boolean') throw new OptionError('alone is true or false.');
  if (alone && row.local === null)
    throw new OptionError(
      `'${row.stage}' was not run alone in this diff. Leave alone out, for what it was in the run.`,
    );
  const [both] = await sides.both([sides.plan.stage(row.stage)], alone);
  return mapOf(judged, sides, alone, both);
}

/** The maps of several rows, each as `errorMap` makes it, and one run for all that are shown as they were in the run. @param rows in the plan's order */
export async function errorMaps(
  rows: readonly DiffRow[],
  judged: Omit<Judged, 'row'>,
  sides: Sides,
): Promise<ErrorMap[]> {
  const found = new Map<DiffRow, ErrorMap>();
  for (const alone of [true, false]) {
    const wanted = rows.filter(row => isAlone(row) === alone);
    if (wanted.length === 0) continue;
    const values = await sides.both(
      wanted.map(({ stage }) => sides.plan.stage(stage)),
      alone,
    );
    wanted.forEach((row, i) => {
      found.set(row, mapOf({ ...judged, row }, sides, alone, values[i]));
    });
  }
  return rows.map(row => found.get(row)!);
}

/** What is wrong alone is shown alone. */
const isAlone = ({ local, verdict }: DiffRow): boolean => local !== null && verdict !== 'carrier';

function mapOf({ row, limits, whose }: Judged, sides: Sides, alone: boolean, { ours, theirs, exact }: Both): ErrorMap {
  const stage = sides.plan.stage(row.stage);
  const dims = stage.axes.map((axis, i): DimSpec => {
    const size = row.shape[i];
    const counts = axis.name === 'token' || axis.name === 'query' || axis.name === 'key';
    const from = counts ? sides.tokens - size : 0; // of the last tokens alone
    const labels = counts ? sides.labels?.slice(from) : undefined;
    return { name: axis.name, size, from, ...(counts && { of: sides.tokens }), ...(labels && { labels }) };
  });
  const limit = alone && !row.from ? limits.local : limits.accumulated;
  return new ErrorMap(
    row,
    new Activation(row.stage, dims, ours),
    new Activation(row.stage, dims, theirs),
    exact,
    alone,
    limit,
    sides.kvHeads ?? null,
    windowOfPairs(stage) ?? null,
    whose,
  );
}
