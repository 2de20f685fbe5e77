// The roofline: what every step reaches, over the operations that it does for a byte it moves, under the two ceilings that were measured
// (Williams et al., "Roofline", 2009).

import type { OperationKind } from '../../engine/plan.js';
import type { Roofline, StepReached } from '../bench/roofline.js';
import { label } from '../values/html.js';
import { bytesText, countText } from '../values/numbers.js';
import type { Bundle, Figure } from '../values/shown.js';
import { drawn } from './drawn.js';
import { CONFIG, GREY, GRID, legendUnder, PAGE, titled } from './page.js';
import { KINDS, kindOfOperation } from './plan-blocks.js';
import { arithmeticText, bandwidthText, rooflineText, titleOf } from './roofline-text.js';

/** Rules of the fast plan by what most of their work is, as stages are told apart in the plan. */
const RULES: Readonly<Record<string, OperationKind>> = {
  products: 'linear',
  gated: 'linear',
  heads: 'rope',
  attention: 'scores',
  sums: 'rmsNorm',
};
const kindOf = ({ operation }: StepReached) => kindOfOperation(RULES[operation] ?? (operation as OperationKind));

/** Pixels from the top of what is plotted to the bottom. */
const PLOT = 300;
/** Where along the slope its name ends: over the line, left of it. */
const WHERE_NAMED = 0.72;
const CEILING = '#7f8791';
/** Steps in the text, of what may be two hundred. */
const MOST_STEPS = 10;
/** Pixels beside the plot, and across it in the narrowest cell. */
const LEFT = 70;
const RIGHT = 24;
const NARROW = 488 - LEFT - RIGHT;

export function rooflineBundle(roofline: Roofline): Bundle {
  return drawn(figure(roofline), rooflineText(roofline, MOST_STEPS));
}

/** Steps that have arithmetic: others have no place on a logarithmic axis. */
const placeable = ({ steps }: Roofline) => steps.filter(s => s.operations > 0 && s.us > 0);
const intensity = (s: StepReached) => s.operations / (s.bytesRead + s.bytesWritten);
/** Pixels across: of the dot of the longest step, and of one that can still be pointed at. */
const LARGEST = 32;
const SMALLEST = 5;
/** Dots of alike steps lie on one another: a bright edge, on light pages and dark, keeps each one's size to be seen. */
const EDGE = { width: 1, color: 'rgba(255,255,255,0.75)' };

/** Dots whose areas are to each other as the times of their steps, and the share below which a dot would be too small: those are drawn as of that share. */
function dots(steps: readonly StepReached[]) {
  const most = Math.max(...steps.map(({ share }) => share));
  const least = most * (SMALLEST / LARGEST) ** 2;
  const diameter = ({ share }: StepReached) => Number((LARGEST * Math.sqrt(Math.max(share, least) / most)).toFixed(2));
  const raised = steps.some(({ share }) => share < least);
  const shown = `${Number((100 * least).toPrecision(2))} %`;
  return {
    diameter,
    note: `a dot a step, its area its time${raised ? `; a step under ${shown} is drawn as one of ${shown}` : ''}`,
  };
}

type Range = readonly [number, number];

/** Where the axes begin and end: powers of ten, of operations for a byte and of operations in a second. */
function ranges(steps: readonly StepReached[], { bytesPerSecond, operationsPerSecond }: Roofline['ceilings']) {
  const [most, ridge] = [Math.log10(operationsPerSecond), Math.log10(operationsPerSecond / bytesPerSecond)];
  const xs = steps.map(s => Math.log10(intensity(s)));
  const ys = steps.map(s => Math.log10(s.operationsPerSecond));
  const top = Math.max(...ys, most) + 0.3;
  const x: Range = [Math.min(...xs, ridge) - 0.3, Math.max(...xs, ridge) + 0.5];
  const bottom = Math.min(...ys, top - 1);
  // The largest dot is whole where it stands lowest.
  const under = Math.max(0.3, ((top - bottom) * (LARGEST / 2 + 4)) / (PLOT - LARGEST / 2 - 4));
  const y: Range = [bottom - under, top];
  return { x, y, ridge, most };
}

/** 1, 2 and 5 of every power of ten, or the first alone where they would be many. */
function ticks([from, to]: Range): number[] {
  const steps = to - from > 2.4 ? [1] : [1, 2, 5];
  const tens = Array.from({ length: Math.ceil(to) - Math.floor(from) + 1 }, (_, i) => Math.floor(from) + i);
  return tens.flatMap(ten => steps.map(one => ten + Math.log10(one))).filter(v => v >= from && v <= to);
}

const plainNumber = (log: number) => String(Number((10 ** log).toPrecision(2)));

function hoverOf(s: StepReached): string {
  return `${label(s.step)}<br>step ${s.index}, ${label(s.operation)}: ${s.us.toFixed(1)} µs, ${(100 * s.share).toFixed(1)} % of the time<br>${bytesText(s.bytesRead)} read, ${bytesText(s.bytesWritten)} written, ${countText(s.operations)} operations<br>${(100 * s.ofBandwidth).toFixed(1)} % of the bandwidth, ${(100 * s.ofArithmetic).toFixed(1)} % of the arithmetic`;
}

function figure(roofline: Roofline): Figure {
  const { ceilings, adapter } = roofline;
  const steps = placeable(roofline);
  const { x, y, ridge, most } = ranges(steps, ceilings);
  const slope = Math.log10(ceilings.bytesPerSecond);
  const from = Math.max(x[0], y[0] - slope);
  const giga = (log: number) => log - 9;
  const axis = (range: Range, title: string) => ({
    type: 'log',
    range,
    title: { text: title },
    gridcolor: GRID,
    zeroline: false,
    tickvals: ticks(range).map(v => 10 ** v),
    ticktext: ticks(range).map(plainNumber),
  });
  const { diameter, note } = dots(steps);
  const kinds = KINDS.flatMap(kind => {
    const own = steps.filter(step => kindOf(step) === kind);
    const share = own.reduce((sum, step) => sum + step.share, 0);
    return own.length > 0
      ? [{ kind, own, name: `${kind.name} ${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %` }]
      : [];
  });
  const { legend, room } = legendUnder(
    kinds.map(({ name }) => name),
    PLOT,
  );
  const top = 50 + 15 * 3;
  const named = from + WHERE_NAMED * (ridge - from);
  // Left of the slope and above it, where there is room in the narrowest cell; else right of it and below.
  const bandwidth = bandwidthText(ceilings);
  const free = ((named - x[0]) / (x[1] - x[0])) * NARROW + LEFT > 7 * bandwidth.length + 12;
  const besides = free ? { xanchor: 'right', xshift: -6 } : { xanchor: 'left', xshift: 6, yanchor: 'top' };
  return {
    data: [
      {
        type: 'scatter',
        mode: 'lines',
        x: [from, ridge, x[1]].map(v => 10 ** v),
        y: [from + slope, most, most].map(v => 10 ** giga(v)),
        line: { color: CEILING, width: 2 },
        hoverinfo: 'skip',
        showlegend: false,
      },
      ...kinds.map(({ kind, own, name }) => ({
        type: 'scatter',
        mode: 'markers',
        name,
        x: own.map(s => Number(intensity(s).toPrecision(4))),
        y: own.map(s => Number((s.operationsPerSecond / 1e9).toPrecision(4))),
        customdata: own.map(hoverOf),
        marker: { color: kind.colour, size: own.map(diameter), opacity: 1, line: EDGE },
        cliponaxis: false,
        opacity: 0.85,
        hovertemplate: '%{customdata}<extra></extra>',
      })),
    ],
    layout: {
      ...PAGE,
      height: top + PLOT + room,
      showlegend: true,
      legend: { ...legend, itemsizing: 'constant' },
      margin: { l: LEFT, r: RIGHT, t: top, b: room },
      title: titled(label(titleOf(roofline)), [label(adapter), note, 'by what steps do, with their share of the time']),
      xaxis: axis(x, 'operations for a byte that is moved'),
      yaxis: axis([giga(y[0]), giga(y[1])], 'GFLOP/s'),
      annotations: [
        { ...NAME, text: bandwidth, x: named, y: giga(named + slope), ...besides },
        { ...NAME, text: arithmeticText(ceilings), x: x[1], y: giga(most), xanchor: 'right' },
      ],
    },
    config: CONFIG,
  };
}

const NAME = { showarrow: false, font: { size: 12, color: GREY }, yanchor: 'bottom' } as const;
