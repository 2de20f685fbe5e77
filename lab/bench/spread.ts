// Values of several rounds as one: the median, with the least and the most.

/** Values of several rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1); // one value, or the two
  const median = middle.reduce((a, b) => a + b) / middle.length;
  return { median, least: sorted[0], most: sorted[sorted.length - 1] };
}
