// How values are spread: all of one activation, the channels of it that stick out, and the norms of a stage from layer to layer.

import { rowIndex, rowNumber, type Values } from './dims.js';
import { Shown } from './shown.js';
import { isMasked } from './stats.js';

/** All values of an activation, counted by their size. */
export class Histogram extends Shown {
  constructor(
    /** What is counted. */
    readonly of: Values,
  ) {
    super();
  }
}

/** A channel that sticks out. */
export interface Outlier {
  /** Position in the model along the last dimension. */
  readonly channel: number;
  /** Root mean square over all rows. */
  readonly rms: number;
  /** That, over the median channel’s. */
  readonly ratio: number;
  /** Its largest |value|. */
  readonly maxAbs: number;
  /** The row where it is largest: its number in the activation uncut. */
  readonly row: number;
  /** The same row as positions in the model, as `get` takes them. */
  readonly at: readonly number[];
}

/** The channels of the last dimension that are largest by root mean square. */
export function outliersOf({ dims, data }: Values, many: number): Outlier[] {
  const { size: channels, from } = dims[dims.length - 1];
  const lead = dims.slice(0, -1);
  const rows = data.length / channels;
  const found = Array.from({ length: channels }, (_, channel) => {
    let [squares, seen, maxAbs, at] = [0, 0, 0, 0];
    for (let row = 0; row < rows; row++) {
      const signed = data[row * channels + channel];
      if (isMasked(signed)) continue;
      const value = Math.abs(signed);
      squares += value * value;
      seen += 1;
      if (value > maxAbs) [maxAbs, at] = [value, row];
    }
    const [row, index] = [rowNumber(lead, at), rowIndex(lead, at)];
    return { channel: from + channel, rms: Math.sqrt(squares / Math.max(1, seen)), maxAbs, row, at: index };
  });
  const ordered = found.map(({ rms }) => rms).sort((a, b) => a - b);
  const median = ordered[Math.floor(ordered.length / 2)];
  return found
    .sort((a, b) => b.rms - a.rms)
    .slice(0, many)
    .map(outlier => ({ ...outlier, ratio: outlier.rms === 0 ? 0 : outlier.rms / median }));
}

/** The channels that stick out. */
export class Outliers extends Shown {
  /** The largest first. */
  readonly rows: readonly Outlier[];

  constructor(
    /** The activation. */
    readonly of: Values,
    many: number,
  ) {
    super();
    this.rows = outliersOf(of, many);
  }
}

/** L2 norms of the last dimension, a line a row (a token, or a head of one), over the layers. */
export class Norms extends Shown {
  /** By activation, then by row. */
  readonly norms: readonly (readonly number[])[];

  constructor(
    /** One activation a layer. */
    readonly of: readonly Values[],
  ) {
    super();
    this.norms = of.map(({ dims, data }) => {
      const width = dims[dims.length - 1].size;
      return Array.from({ length: data.length / width }, (_, row) =>
        norm(data.subarray(row * width, (row + 1) * width)),
      );
    });
  }
}

/** Without what the mask hides. Not by Math.hypot, whose arguments a real vocabulary outnumbers. */
function norm(values: Float32Array): number {
  let squares = 0;
  for (const v of values) if (!isMasked(v)) squares += v * v;
  return Math.sqrt(squares);
}
