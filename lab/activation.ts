// What a tap brings back: values with named dimensions, cut and summarised by name. Plain data on the CPU; nothing to dispose of.

import type { Table } from 'apache-arrow';
import { OptionError } from '../engine/errors.js';
import type { AxisName } from '../engine/plan.js';
import { fromArrow, toArrow } from './arrow.js';
import { activationBundle } from './display/activation.js';
import { type Bundle, DISPLAY, INSPECT, type Shown, shown } from './display/bundle.js';
import { histogramBundle, type Outlier, outliersBundle, outliersOf } from './display/spread.js';

/** A dimension: what it counts, how far, and texts for its entries where tokens have some. */
export interface Dim {
  readonly name: AxisName;
  readonly size: number;
  readonly labels?: readonly string[];
}

export interface Stats {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
  readonly maxAbs: number;
  readonly l2: number;
  readonly nans: number;
  /** Values attention hides (−3.4e38); they are left out of the others. */
  readonly masked: number;
}

/** Values at or below this are masked attention scores. */
export const MASK_LIMIT = -1e30;

export class Activation {
  constructor(
    /** Stage name, with the cuts made since in brackets. */
    readonly name: string,
    readonly dims: readonly Dim[],
    readonly data: Float32Array,
  ) {
    const size = dims.reduce((n, dim) => n * dim.size, 1);
    if (size !== data.length) throw new Error(`${name} has ${data.length} values for a shape of ${size}.`);
  }

  get shape(): number[] {
    return this.dims.map(({ size }) => size);
  }

  /**
   * Cuts by dimension name: an index drops the dimension, a half-open range keeps it. Negative indices count from the end.
   * @example pattern.slice({ head: 0, query: [4, 8] })
   */
  slice(cuts: Partial<Record<AxisName, number | readonly [number, number]>>): Activation {
    for (const name of Object.keys(cuts)) this.#dim(name as AxisName);
    const ranges = this.dims.map(({ name, size }) => {
      const cut = cuts[name];
      if (cut === undefined) return { from: 0, to: size, drop: false };
      const [a, b] = typeof cut === 'number' ? [cut, cut < 0 ? cut + 1 || size : cut + 1] : cut;
      const from = a < 0 ? a + size : a;
      const to = b < 0 ? b + size : b;
      if (from >= 0 && to > from && to <= size) return { from, to, drop: typeof cut === 'number' };
      throw new OptionError(
        `${this.name} has ${size} entries along '${name}', so ${JSON.stringify(cut)} is outside. Take 0 to ${size - 1}.`,
      );
    });
    const strides = this.dims.map((_, i) => this.dims.slice(i + 1).reduce((n, { size }) => n * size, 1));
    const out = new Float32Array(ranges.reduce((n, { from, to }) => n * (to - from), 1));
    let at = 0;
    const copy = (dim: number, base: number): void => {
      if (dim === ranges.length) {
        out[at++] = this.data[base];
        return;
      }
      for (let i = ranges[dim].from; i < ranges[dim].to; i++) copy(dim + 1, base + i * strides[dim]);
    };
    copy(0, 0);
    const dims = this.dims.flatMap((dim, i) => {
      const { from, to, drop } = ranges[i];
      return drop ? [] : [{ name: dim.name, size: to - from, labels: dim.labels?.slice(from, to) }];
    });
    const cutText = this.dims.flatMap(({ name }, i) =>
      cuts[name] === undefined ? [] : [`${name} ${rangeText(ranges[i])}`],
    );
    return new Activation(`${this.name}[${cutText.join(', ')}]`, dims, out);
  }

  /** One head. */
  head(index: number): Activation {
    return this.slice({ head: index });
  }

  /** One token, or one query of an attention pattern. */
  token(index: number): Activation {
    return this.slice({ [this.dims.some(({ name }) => name === 'token') ? 'token' : 'query']: index });
  }

  /** One value. */
  get(...indices: readonly number[]): number {
    return this.data[this.dims.reduce((at, { size }, i) => at * size + indices[i], 0)];
  }

  /** The k largest values along the last dimension of the last row, with their indices: the next-token table of logits. */
  top(k = 10): { index: number; value: number }[] {
    const { size } = this.dims[this.dims.length - 1];
    const row = this.data.subarray(this.data.length - size);
    const order = [...row.keys()].sort((a, b) => row[b] - row[a] || a - b);
    return order.slice(0, k).map(index => ({ index, value: row[index] }));
  }

  stats(): Stats {
    let [min, max, sum, squares, nans, masked] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0, 0];
    for (const value of this.data) {
      if (Number.isNaN(value)) nans += 1;
      else if (value <= MASK_LIMIT) masked += 1;
      else {
        min = Math.min(min, value);
        max = Math.max(max, value);
        sum += value;
        squares += value * value;
      }
    }
    const n = this.data.length - nans - masked;
    const mean = sum / n;
    const std = Math.sqrt(Math.max(0, squares / n - mean * mean));
    return {
      min,
      max,
      mean,
      std,
      maxAbs: Math.max(Math.abs(min), Math.abs(max)),
      l2: Math.sqrt(squares),
      nans,
      masked,
    };
  }

  /** How the values are spread, counts on a logarithmic axis. */
  histogram(): Shown {
    return shown(() => histogramBundle(this), {});
  }

  /** The `many` channels (entries of the last dimension) that stick out most, by root mean square over all rows. */
  outliers(many = 8): Shown & { readonly rows: readonly Outlier[] } {
    const rows = outliersOf(this, many);
    return shown(() => outliersBundle(this, rows), { rows });
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
    return fromArrow(table);
  }

  /** `layers.3.attn.pattern [head 4, query 6, key 6]` */
  toString(): string {
    return `${this.name} [${this.dims.map(({ name, size }) => `${name} ${size}`).join(', ')}]`;
  }

  [DISPLAY](): Bundle {
    return activationBundle(this);
  }

  [INSPECT](): string {
    return activationBundle(this)['text/plain'];
  }

  #dim(name: AxisName): Dim {
    const dim = this.dims.find(d => d.name === name);
    if (dim) return dim;
    throw new OptionError(`${this.name} has no dimension '${name}'; it has ${this.dims.map(d => d.name).join(', ')}.`);
  }
}

const rangeText = ({ from, to, drop }: { from: number; to: number; drop: boolean }) =>
  drop ? `${from}` : `${from}:${to}`;
