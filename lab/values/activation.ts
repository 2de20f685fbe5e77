// What a tap brings back: values with named dimensions, cut and summarised by name. Plain data on the CPU; nothing to dispose of.

import type { Table } from 'apache-arrow';
import type { CacheFormat } from '../../engine/cache-format.js';
import { NumberError, OptionError } from '../../engine/errors.js';
import type { AxisName } from '../../engine/plan.js';
import { argmax, combined, combinedWith, formula, REDUCTIONS, type Reduce, reduced, whole } from './arithmetic.js';
import { apart, type Ran } from './apart.js';
import { partsOf, toArrow } from './arrow.js';
import {
  type Cuts,
  checkAxis,
  checkMany,
  completed,
  cutOut,
  type Dim,
  type DimSpec,
  dimText,
  nameBeside,
  isWhole,
  type Range,
  rangeOf,
  said,
  type Values,
} from './dims.js';
import { checkParts } from './parts.js';
import { isRecord } from './record.js';
import { saveActivation } from './save.js';
import { Shown } from './shown.js';
import { Histogram, Outliers } from './spread.js';
import { type Stats, statsOf } from './stats.js';

/** One of the largest values of a row. */
export interface Ranked {
  /** Position in the model along the last dimension. */
  readonly index: number;
  /** What it is. */
  readonly value: number;
}

/** A dimension by name, or several. */
export type Axes = AxisName | readonly AxisName[];

/**
 * What one stage gave: float32 values with named dimensions, such as [token, channel] or [head, query, key], in the units of the model.
 * Indices are positions in the model, in everything that takes or gives one: of what holds heads 2 and 3, `head(2)` is the first, and
 * `get(0, …)` is refused.
 * @example run.at('layers.5.resid').norm('channel').mean('token')
 */
export class Activation extends Shown implements Values {
  /** What each dimension counts, and where in the model its entries are, from the outermost to the innermost. */
  readonly dims: readonly Dim[];
  /** The run that gave it, for the titles of what is made of two; null where there is none, or several. */
  declare readonly ran: Ran | null;

  /** Throws OptionError where there are not as many values as the dimensions say. */
  constructor(
    /** Stage name, with the cuts made since in brackets. */
    readonly name: string,
    dims: readonly DimSpec[],
    /** The values, row by row. */
    readonly data: Float32Array,
    /** Inside a step of the fast plan, and made once more by the stage's own shader from what the step was given: the run did without. */
    readonly recomputed = false,
    /** How the cache keeps what was read from it, where that rounds; else null. */
    readonly kept: CacheFormat | null = null,
    ran: Ran | null = null,
  ) {
    super();
    // No part of the value: two that are equal are equal whoever gave them.
    Object.defineProperty(this, 'ran', { value: ran, enumerable: false });
    checkParts(name, dims, data);
    this.dims = completed(dims);
    const size = dims.reduce((n, dim) => n * dim.size, 1);
    if (size === data.length) return;
    throw new OptionError(`${name} has ${data.length} values for a shape of ${size}. Give as many as the shape has.`);
  }

  /** Size of each dimension. */
  get shape(): number[] {
    return this.dims.map(({ size }) => size);
  }

  /**
   * Cuts by dimension name: an index drops the dimension, a half-open range keeps it. Both are positions in the model, also in what was cut
   * before; negative ones count from the end of what is here. Throws OptionError for what is not here.
   * @example pattern.slice({ head: 0, query: [4, 8] })
   */
  slice(cuts: Cuts): Activation {
    if (!isRecord(cuts))
      throw new OptionError(`A slice is { axis: index or [first, one past the last] }, not ${said(cuts)}.`);
    const axes = this.dims.map(({ name }) => name);
    for (const name of Object.keys(cuts)) checkAxis(this.name, name, axes);
    const given = this.dims.filter(({ name }) => cuts[name] !== undefined);
    if (given.length === 0) return this;
    const ranges = this.dims.map((dim): Range => {
      const cut = cuts[dim.name];
      return cut === undefined
        ? { from: dim.from, to: dim.from + dim.size, drop: false }
        : rangeOf(this.name, dim, cut);
    });
    const out = cutOut(this, ranges);
    const asked = this.dims.findIndex(({ name }) => name === 'query');
    const query = asked >= 0 && ranges[asked].drop ? { query: ranges[asked].from } : {};
    const dims = this.dims.flatMap((dim, i) => {
      const { from, to, drop } = ranges[i];
      const labels = dim.labels?.slice(from - dim.from, to - dim.from);
      return drop ? [] : [{ ...dim, size: to - from, from, labels, ...(dim.name === 'key' && query) }];
    });
    const cutText = this.dims.flatMap(({ name }, i) =>
      cuts[name] === undefined ? [] : [`${name} ${rangeText(ranges[i])}`],
    );
    return new Activation(
      `${whole(this.name)}[${cutText.join(', ')}]`,
      dims,
      out,
      this.recomputed,
      this.kept,
      this.ran,
    );
  }

  /** One head, by its number in the model; the dimension goes. @example run.at('layers.5.attn.pattern').head(2) // [T,S] */
  head(index: number): Activation {
    return this.slice({ head: index ?? Number.NaN });
  }

  /** One token, or one query of an attention pattern, by its position in the sequence. */
  token(index: number): Activation {
    const axis = this.dims.some(({ name }) => name === 'query') ? 'query' : 'token';
    return this.slice({ [axis]: index ?? Number.NaN });
  }

  /**
   * One value, by its position in the model along every dimension. Throws OptionError for a position that is not here.
   * @example run.at('layers.5.resid').get(3, 75) // token 3, channel 75
   */
  get(...indices: readonly number[]): number {
    if (indices.length !== this.dims.length) {
      const names = this.dims.map(({ name }) => name).join(', ');
      throw new OptionError(
        `${this.name} has ${this.dims.length} dimensions (${names}), and get() was given ${indices.length} indices. Give one for each.`,
      );
    }
    return this.data[
      this.dims.reduce((at, dim, i) => {
        const index = indices[i];
        if (Number.isInteger(index) && index >= dim.from && index < dim.from + dim.size)
          return at * dim.size + index - dim.from;
        const { from, size } = dim;
        throw new OptionError(
          `${this.name} has ${size} ${size === 1 ? 'entry' : 'entries'} along '${dim.name}'${from > 0 ? `, ${from} to ${from + size - 1}` : ''}, so ` +
            `${said(index)} is outside. Take ${from} to ${from + size - 1}; slice() also counts from the end.`,
        );
      }, 0)
    ];
  }

  /**
   * The k largest values along the last dimension of the last row, with their indices in the model: the next-token table of logits. Throws
   * OptionError unless k is a whole number from 1 to what there is.
   * @example run.at('layers.5.resid').top(3) // channels of the last token
   */
  top(k?: number): Ranked[] {
    const { size, from } = this.#last('top');
    const many = checkMany(k ?? Math.min(10, size), size, `top() of ${this.name}`);
    const row = this.data.subarray(this.data.length - size);
    const nan = row.findIndex(Number.isNaN);
    if (nan >= 0) {
      throw new NumberError(
        `${this.name} holds NaN at ${from + nan}, so no value of it is the largest. See its stats().`,
      );
    }
    const order = [...row.keys()].sort((a, b) => row[b] - row[a] || a - b);
    return order.slice(0, many).map(i => ({ index: from + i, value: row[i] }));
  }

  /**
   * The difference at every position in the model, of the same shape: `run.at('layers.5.resid').minus(other.at('layers.5.resid'))`. What is taken away may lack dimensions, as a mean
   * does, and is then the same along them; a number is the same everywhere. Throws OptionError for a dimension that is not here, and for other positions of one.
   * @example resid.minus(resid.mean('token')) // [T,H], the mean over the tokens taken away
   */
  minus(other: Activation | number): Activation {
    return this.#with(other, 'The difference', '-', (x, y) => x - y);
  }

  /** The sum at every position, as `minus`. @example resid.plus(other.at('layers.5.resid')) */
  plus(other: Activation | number): Activation {
    return this.#with(other, 'The sum', '+', (x, y) => x + y);
  }

  /** The product at every position, as `minus`. @example pattern.times(0.5) */
  times(other: Activation | number): Activation {
    return this.#with(other, 'The product', '*', (x, y) => x * y);
  }

  /** The quotient at every position, as `minus`; by 0 it is ±∞ or NaN. @example resid.over(resid.norm('channel')) */
  over(other: Activation | number): Activation {
    return this.#with(other, 'The quotient', '/', (x, y) => x / y);
  }

  /**
   * The mean along dimensions by name, which go; by default the last. Summed in float64; NaN where a value is NaN, masked where all are. Throws OptionError for a dimension that is not here.
   * @example run.at('layers.5.attn.pattern').mean('head') // [T,S]
   */
  mean(axes?: Axes): Activation {
    return this.#reduced('mean', axes, REDUCTIONS.mean);
  }

  /** The sum along dimensions, as `mean`. @example pattern.sum('key') // 1 for every head and query */
  sum(axes?: Axes): Activation {
    return this.#reduced('sum', axes, REDUCTIONS.sum);
  }

  /** The standard deviation along dimensions, as `mean`: of all there are, divided by their number. @example resid.std(['token', 'channel']) */
  std(axes?: Axes): Activation {
    return this.#reduced('std', axes, REDUCTIONS.std);
  }

  /** The L2 norm along dimensions, as `mean`. @example run.at('layers.5.resid').norm() // [T] */
  norm(axes?: Axes): Activation {
    return this.#reduced('norm', axes, REDUCTIONS.norm);
  }

  /** The smallest value along dimensions, as `mean`. @example resid.min('token') */
  min(axes?: Axes): Activation {
    return this.#reduced('min', axes, REDUCTIONS.min);
  }

  /** The largest value along dimensions, as `mean`. @example resid.max('token') */
  max(axes?: Axes): Activation {
    return this.#reduced('max', axes, REDUCTIONS.max);
  }

  /**
   * Where the largest value is along one dimension, by default the last: its position in the model, the first of several that are equal. Throws OptionError for a dimension that is not
   * here, NumberError where a value is NaN or all are masked.
   * @example run.at('logits').argmax() // [T], ids of the likeliest next tokens
   */
  argmax(axis?: AxisName): Activation {
    if (Array.isArray(axis))
      throw new OptionError(`argmax() goes along one dimension, not ${said(axis)}. Give its name.`);
    return this.#reduced('argmax', axis, argmax(this.name, axis ?? this.#last('argmax').name));
  }

  /** Range, mean, spread and norm of all values, in float64; masked ones are left out and counted. */
  stats(): Stats {
    return statsOf(this.data);
  }

  /** How the values are spread, counts on a logarithmic axis. */
  histogram(): Histogram {
    return new Histogram(this);
  }

  /** The `many` channels (entries of the last dimension) that stick out most, by root mean square over all rows; 8 by default. */
  outliers(many?: number): Outliers {
    const { size } = this.#last('outliers');
    return new Outliers(this, checkMany(many ?? Math.min(8, size), size, `outliers() of ${this.name}`));
  }

  /** Nested arrays, as JSON has them. */
  toArray(): unknown {
    const nest = (dims: readonly Dim[], data: Float32Array): unknown => {
      if (dims.length === 0) return data[0];
      if (dims.length === 1) return [...data];
      const step = data.length / dims[0].size;
      return Array.from({ length: dims[0].size }, (_, i) =>
        nest(dims.slice(1), data.subarray(i * step, (i + 1) * step)),
      );
    };
    return nest(this.dims, this.data);
  }

  /** As an apache-arrow Table, one row a row of the last dimension; `fromArrow` reads it back bit by bit. */
  toArrow(): Table {
    return toArrow(this);
  }

  /** The activation that `toArrow` made a table of. Throws GoldenError for other tables. */
  static fromArrow(table: Table): Activation {
    const { name, dims, data } = partsOf(table);
    return new Activation(name, dims, data);
  }

  /**
   * Writes it to a file, by the ending of `path`: `.npy` and `.safetensors` have the values [shape], `.arrow` and `.parquet` the positions in the model too; `fromArrow` reads `.arrow`
   * back. Throws OptionError for another ending, and where it cannot be written; then what was there is there still.
   * @example run.at('layers.5.resid').save('resid.npy') // numpy.load('resid.npy')
   */
  save(path: string): void {
    saveActivation(path, this);
  }

  /** `layers.3.attn.pattern [head 2:4 of 4, query 6, key 6]` */
  override toString(): string {
    const kept = this.kept ? `, as the cache has it in ${this.kept}` : '';
    return `${nameBeside(this.name, this.dims)} [${this.dims.map(dimText).join(', ')}]${this.recomputed ? ', recomputed' : ''}${kept}`;
  }

  #with(other: unknown, what: string, sign: string, of: (x: number, y: number) => number): Activation {
    if (typeof other === 'number') {
      const { dims, data } = combinedWith(this, other, of);
      return new Activation(formula(this.name, sign, String(other)), dims, data, this.recomputed, this.kept, this.ran);
    }
    if (!(other instanceof Activation))
      throw new OptionError(
        `${what} of ${this.name} is with another activation or a number, not ${said(other)}. Give one.`,
      );
    const { dims, data } = combined(this, other, what, of);
    const recomputed = this.recomputed || other.recomputed;
    const told =
      this.ran && other.ran && this.ran !== other.ran ? apart(this.ran, other.ran).map(one => ` (${one})`) : null;
    const title = told
      ? `${whole(this.name)}${told[0]} ${sign} ${whole(other.name)}${told[1]}`
      : formula(this.name, sign, other.name);
    const ran = this.ran === other.ran ? this.ran : null;
    return new Activation(title, dims, data, recomputed, this.kept ?? other.kept, ran);
  }

  #reduced(what: string, axes: Axes | undefined, reduce: Reduce): Activation {
    const { dims, data } = reduced(this, axes, what, reduce);
    const gone = this.dims.filter(({ name }) => !dims.some(dim => dim.name === name));
    const along = gone.map(dim => (isWhole(dim) ? dim.name : `${dim.name} ${dim.from}:${dim.from + dim.size}`));
    return new Activation(
      `${whole(this.name)}.${what}(${along.join(', ')})`,
      dims,
      data,
      this.recomputed,
      this.kept,
      this.ran,
    );
  }

  #last(what: string): Dim {
    const dim = this.dims.at(-1);
    if (dim) return dim;
    throw new OptionError(`${this.name} is one value and has no dimension, so ${what}() has nothing to choose from.`);
  }
}

const rangeText = ({ from, to, drop }: Range) => (drop ? `${from}` : `${from}:${to}`);

/** The activation that `toArrow` made a table of. Throws GoldenError for other tables. */
export const fromArrow = (table: Table): Activation => Activation.fromArrow(table);
