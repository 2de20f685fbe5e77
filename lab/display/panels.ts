// Small pictures side by side, one a head: where each stands, and those that share a key/value head under one colour.

import type { Dim } from '../values/dims.js';

/** Okabe–Ito, for the key/value heads. */
const GROUPS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
/** Pixels of a panel's height, and of what is above it. */
const SIDE = 170;
const ABOVE = 30;

export interface Panels {
  readonly axes: Readonly<Record<string, unknown>>;
  readonly annotations: readonly unknown[];
  /** Of the whole figure. */
  readonly height: number;
  /** Pixels between the margins. */
  readonly plot: number;
}

/** What a panel's trace says of its axes. */
export const panelAxes = (i: number) => ({ xaxis: `x${numberOf(i)}`, yaxis: `y${numberOf(i)}` });
const numberOf = (i: number): string => (i === 0 ? '' : String(i + 1));

/**
 * @param kvOf the key/value head of a head
 * @param top pixels above the first row @param bottom below the last @param extra between it and the bottom margin, for what else there is
 */
export function panels(
  numbers: readonly number[],
  kvOf: (head: number) => number,
  top: number,
  bottom: number,
  extra = 0,
): Panels {
  const across = Math.min(4, numbers.length);
  const down = Math.ceil(numbers.length / across);
  const plot = down * (SIDE + ABOVE) - ABOVE + extra;
  const axes: Record<string, unknown> = {};
  const annotations = numbers.map((number, i) => {
    const [column, row] = [i % across, Math.floor(i / across)];
    const x = [column / across, (column + 1) / across - 0.02];
    const y1 = 1 - (row * (SIDE + ABOVE)) / plot;
    const y = [Math.max(0, y1 - SIDE / plot), y1];
    const n = numberOf(i);
    const quiet = { type: 'category', showgrid: false, zeroline: false, ticks: '' };
    // Positions on the outer edges alone: the panels are small, and the texts are in what is pointed at.
    axes[`xaxis${n}`] = { ...quiet, domain: x, anchor: `y${n}`, showticklabels: false };
    axes[`yaxis${n}`] = { ...quiet, domain: y, anchor: `x${n}`, showticklabels: false, autorange: 'reversed' };
    const kv = kvOf(number);
    return {
      text: `head ${number} <span style="color:${GROUPS[kv % GROUPS.length]}">■ kv ${kv}</span>`,
      showarrow: false,
      xref: 'paper',
      yref: 'paper',
      x: x[0],
      y: y[1],
      xanchor: 'left',
      yanchor: 'bottom',
      font: { size: 11 },
    };
  });
  return { axes, annotations, height: top + plot + bottom, plot };
}

/** What stands down and across, under the last row. @param y where that ends, as a share of the plot */
export function below(query: Dim, key: Dim, y = 0): unknown {
  const span = ({ from, size }: Dim, one: string, many: string) =>
    size === 1 ? `${one} ${from}` : `${many} ${from}–${from + size - 1}`;
  return {
    text: `down: ${span(query, 'query', 'queries')}; across: ${span(key, 'key', 'keys')}`,
    showarrow: false,
    xref: 'paper',
    yref: 'paper',
    x: 0,
    y,
    xanchor: 'left',
    yanchor: 'top',
    yshift: -8,
    font: { size: 11 },
  };
}
