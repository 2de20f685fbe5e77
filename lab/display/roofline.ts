// The roofline: what every step reaches, over the operations that it does for a byte it moves, under the two ceilings that were measured. In text, a
// table by operation and the steps that take longest.

import type { Roofline, StepReached } from '../bench/roofline.js';
import type { Bundle, Figure } from '../values/shown.js';
import { svg } from './chart.js';
import { label, visible } from '../values/html.js';
import { bytesText, countText } from '../values/numbers.js';
import { type Placed, placed } from './placing.js';
import { textTable } from './table.js';
import { CONFIG, GREY, PAGE, titled } from './page.js';

/** By what a step does, in the Okabe–Ito palette; what multiplies by weights is blue and green, attention purple. */
const COLOURS: Readonly<Record<string, string>> = {
  head: '#56b4e9',
  linear: '#0072b2',
  products: '#009e73',
  gated: '#d55e00',
  attention: '#cc79a7',
  heads: '#e69f00',
  scores: '#cc79a7',
  softmax: '#e69f00',
  mix: '#d55e00',
};
const OTHER = '#999999';
const colourOf = (operation: string) => COLOURS[operation] ?? OTHER;

const WIDTH = 848;
const HEIGHT = 460;
const AREA = { left: 70, top: 82, right: WIDTH - 24, bottom: HEIGHT - 52 };
/** Where along the slope its name stands: left of most steps. */
const WHERE_NAMED = 0.3;
const GRID = 'rgba(127,135,145,0.22)';
const CEILING = '#7f8791';
/** Steps in the text, of what may be two hundred. */
const MOST_STEPS = 10;

export function rooflineBundle(roofline: Roofline): Bundle {
  const drawing = draw(roofline);
  return {
    'application/vnd.plotly.v1+json': figure(roofline, drawing),
    'image/svg+xml': picture(roofline, drawing),
    'text/plain': rooflineText(roofline, MOST_STEPS),
  };
}

const COLUMNS = ['µs', 'time', 'read', 'written', 'ops', 'GB/s', 'GFLOP/s', 'reached'];

/** Within 80 columns. @param most steps that are listed */
export function rooflineText(roofline: Roofline, most: number): string {
  const { ceilings, operations, steps, extent } = roofline;
  const cells = (s: Roofline['operations'][number] | StepReached) => [
    s.us.toFixed(s.us < 99.5 ? 1 : 0),
    `${(100 * s.share).toFixed(s.share < 0.0995 ? 1 : 0)} %`,
    bytesText(s.bytesRead),
    bytesText(s.bytesWritten),
    countText(s.operations),
    rate(s.bytesPerSecond / 1e9),
    rate(s.operationsPerSecond / 1e9),
    `${(100 * s.reached).toFixed(s.reached < 0.0995 ? 1 : 0)} % ${s.bound === 'bandwidth' ? 'b' : 'a'}`,
  ];
  const right = (title: string) => ({ title, right: true });
  const groups = textTable(
    [{ title: 'operation' }, right('n'), ...COLUMNS.map(right)],
    operations.map(one => ({ cells: [one.operation, String(one.steps), ...cells(one)] })),
    { narrow: true },
  );
  const some = steps.slice(0, most);
  const each = textTable(
    [right('#'), { title: 'step' }, ...COLUMNS.filter((_, i) => i !== 4).map(right)],
    some.map(one => ({
      cells: [String(one.index), shortened(one.step), ...cells(one).filter((_, i) => i !== 4)],
    })),
    { narrow: true },
  );
  const total = steps.reduce((n, { us }) => n + us, 0);
  const left = steps.length - some.length;
  return [
    visible(titleOf(roofline)),
    `${visible(roofline.adapter)}`,
    `ceilings measured here: ${bandwidthText(ceilings)} (b), ${arithmeticText(ceilings)} (a)`,
    `${steps.length} steps, ${(total / 1000).toFixed(1)} ms for ${extent.tokens === 1 ? 'the token' : 'the chunk'}, medians of ${ceilings.rounds}; reached: of the lower ceiling`,
    ...(roofline.edited.length > 0 ? [`edited shaders: ${visible(roofline.edited.join(', '))}`] : []),
    '',
    groups,
    '',
    each,
    ...(left > 0 ? [`… and ${left} steps more, each shorter: in .steps, or loupe bench --stages --json`] : []),
  ].join('\n');
}

/** In at most five characters up to 99,999. */
const rate = (giga: number) => giga.toFixed(giga >= 100 ? 0 : giga >= 10 ? 1 : giga >= 0.1 ? 2 : 3);

/** `layers.3.attn.q_norm + q_rope + …` as a column has room for it. */
function shortened(step: string): string {
  const text = step.replace(/^layers\./, '');
  return text.length > 19 ? `${text.slice(0, 18)}…` : text;
}

const bandwidthText = ({ bytesPerSecond, store }: Roofline['ceilings']) =>
  `${(bytesPerSecond / 1e9).toPrecision(3)} GB/s from ${store}s`;
const arithmeticText = ({ operationsPerSecond }: Roofline['ceilings']) =>
  `${(operationsPerSecond / 1e9).toPrecision(3)} GFLOP/s`;

function titleOf({ model, plan, extent: { tokens, context } }: Roofline): string {
  return `${model}, ${plan} plan: ${tokens === 1 ? 'a token' : `${tokens} tokens`} after ${context}`;
}

interface Drawing {
  /** Steps that have arithmetic: others have no place on a logarithmic axis. */
  readonly steps: readonly StepReached[];
  /** Powers of ten: where the axes begin and end. */
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  /** Where the ceilings meet: operations for a byte. */
  readonly ridge: number;
  readonly names: readonly (Placed & { readonly operation: string })[];
  /** Degrees, as the eye reads it. */
  readonly slope: number;
}

const intensity = (s: StepReached) => s.operations / (s.bytesRead + s.bytesWritten);
const radius = (s: StepReached) => 3.5 + 9 * Math.sqrt(s.share);

function draw({ steps: all, operations, ceilings }: Roofline): Drawing {
  const steps = all.filter(s => s.operations > 0 && s.us > 0);
  const ridge = ceilings.operationsPerSecond / ceilings.bytesPerSecond;
  const xs = steps.map(s => Math.log10(intensity(s)));
  const ys = steps.map(s => Math.log10(s.operationsPerSecond));
  const x = [Math.min(...xs, Math.log10(ridge)) - 0.3, Math.max(...xs, Math.log10(ridge)) + 0.5] as const;
  const top = Math.max(...ys, Math.log10(ceilings.operationsPerSecond)) + 0.3;
  const y = [Math.min(...ys, top - 1) - 0.3, top] as const;
  const right = (v: number) => AREA.left + ((v - x[0]) / (x[1] - x[0])) * (AREA.right - AREA.left);
  const down = (v: number) => AREA.bottom - ((v - y[0]) / (y[1] - y[0])) * (AREA.bottom - AREA.top);
  const points = steps.map((s, i) => ({ x: right(xs[i]), y: down(ys[i]), radius: radius(s) }));
  const named = operations.flatMap(({ operation, share }) => {
    const own = steps.flatMap((s, i) => (s.operation === operation ? [i] : []));
    if (own.length === 0) return [];
    return [
      {
        ...points[own[own.length >> 1]],
        operation,
        text: `${operation} ${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`,
      },
    ];
  });
  // Nothing is written on the ceilings either.
  const line = (v: number) =>
    Math.min(Math.log10(ceilings.bytesPerSecond) + v, Math.log10(ceilings.operationsPerSecond));
  const along = Array.from({ length: 120 }, (_, i) => x[0] + ((x[1] - x[0]) * i) / 119);
  const ceiling = along.map(v => ({ x: right(v), y: down(line(v)) })).filter(p => p.y < AREA.bottom);
  // Nor on the name of the slope, which stands above it.
  const middle = ceiling[0].x + WHERE_NAMED * (right(Math.log10(ridge)) - ceiling[0].x);
  const name = ceiling.filter(p => Math.abs(p.x - middle) < 85).map(p => ({ x: p.x - 4, y: p.y - 13, radius: 9 }));
  const slope =
    (Math.atan2((AREA.bottom - AREA.top) / (y[1] - y[0]), (AREA.right - AREA.left) / (x[1] - x[0])) * 180) / Math.PI;
  const names = placed(named, [...points, ...ceiling, ...name], AREA).map((one, i) => ({ ...named[i], ...one }));
  return { steps, x, y, ridge, names, slope };
}

/** The ceilings as a line: where it enters the picture, the ridge, its end. */
function roof({ x, y, ridge }: Drawing, { bytesPerSecond, operationsPerSecond }: Roofline['ceilings']) {
  const from = Math.max(x[0], y[0] - Math.log10(bytesPerSecond));
  return [
    [from, from + Math.log10(bytesPerSecond)],
    [Math.log10(ridge), Math.log10(operationsPerSecond)],
    [x[1], Math.log10(operationsPerSecond)],
  ];
}

/** 1, 2 and 5 of every power of ten, or the first alone where they would be many. */
function ticks([from, to]: readonly [number, number]): number[] {
  const steps = to - from > 2.4 ? [1] : [1, 2, 5];
  const tens = Array.from({ length: Math.ceil(to) - Math.floor(from) + 1 }, (_, i) => Math.floor(from) + i);
  return tens.flatMap(ten => steps.map(one => ten + Math.log10(one))).filter(v => v >= from && v <= to);
}

const plainNumber = (log: number) => String(Number((10 ** log).toPrecision(2)));
const X_TITLE = 'operations for a byte that is moved';
const Y_TITLE = 'GFLOP/s';
const SUBTITLE =
  'A dot a step, its size the time that it takes; in per cent, what share of the time the steps of a kind take';

function note(s: StepReached): string {
  return `${label(s.step)}<br>step ${s.index}, ${label(s.operation)}: ${s.us.toFixed(1)} µs, ${(100 * s.share).toFixed(1)} % of the time<br>${bytesText(s.bytesRead)} read, ${bytesText(s.bytesWritten)} written, ${countText(s.operations)} operations<br>${(100 * s.ofBandwidth).toFixed(1)} % of the bandwidth, ${(100 * s.ofArithmetic).toFixed(1)} % of the arithmetic`;
}

function figure(roofline: Roofline, drawing: Drawing): Figure {
  const { steps, x, y, names, slope } = drawing;
  const { ceilings, adapter } = roofline;
  const line = roof(drawing, ceilings);
  const along = (i: number) => line[0][i] + WHERE_NAMED * (line[1][i] - line[0][i]);
  const axis = (range: readonly [number, number], title: string, giga: number) => ({
    type: 'log',
    range: range.map(v => v - giga),
    title: { text: title },
    gridcolor: GRID,
    zeroline: false,
    tickvals: ticks([range[0] - giga, range[1] - giga]).map(v => 10 ** v),
    ticktext: ticks([range[0] - giga, range[1] - giga]).map(plainNumber),
  });
  const small = { showarrow: false, font: { size: 12, color: GREY } };
  return {
    data: [
      {
        type: 'scatter',
        mode: 'lines',
        x: line.map(([v]) => 10 ** v),
        y: line.map(([, v]) => 10 ** (v - 9)),
        line: { color: CEILING, width: 2 },
        hoverinfo: 'skip',
      },
      {
        type: 'scatter',
        mode: 'markers',
        x: steps.map(s => Number(intensity(s).toPrecision(4))),
        y: steps.map(s => Number((s.operationsPerSecond / 1e9).toPrecision(4))),
        customdata: steps.map(note),
        marker: {
          color: steps.map(s => colourOf(s.operation)),
          size: steps.map(s => Math.round(2 * radius(s))),
          opacity: 0.8,
          line: { width: 0 },
        },
        hovertemplate: '%{customdata}<extra></extra>',
      },
    ],
    layout: {
      ...PAGE,
      width: WIDTH,
      height: HEIGHT,
      showlegend: false,
      margin: { l: AREA.left, r: WIDTH - AREA.right, t: AREA.top, b: HEIGHT - AREA.bottom },
      title: titled(label(titleOf(roofline)), [label(adapter), SUBTITLE]),
      xaxis: axis(x, X_TITLE, 0),
      yaxis: axis(y, Y_TITLE, 9),
      annotations: [
        {
          ...small,
          text: bandwidthText(ceilings),
          x: along(0),
          y: along(1) - 9,
          textangle: -slope,
          yshift: 12,
          xshift: -8,
        },
        {
          ...small,
          text: arithmeticText(ceilings),
          x: line[2][0],
          y: line[2][1] - 9,
          xanchor: 'right',
          yanchor: 'bottom',
        },
        ...names.map(name => ({
          text: label(name.text),
          font: { size: 12, color: GREY },
          ...onPage(name, drawing),
        })),
      ],
    },
    config: CONFIG,
  };
}

/** An annotation whose text stands where it was placed, with a line to its point where that is far. */
function onPage(name: Placed, { x, y }: Drawing) {
  const [w, h] = [AREA.right - AREA.left, AREA.bottom - AREA.top];
  return {
    x: x[0] + ((name.x - AREA.left) / w) * (x[1] - x[0]),
    y: y[0] + ((AREA.bottom - name.y) / h) * (y[1] - y[0]) - 9,
    ax: name.left + name.width / 2 - name.x,
    ay: name.middle - name.y,
    showarrow: true,
    arrowhead: 0,
    arrowwidth: 1,
    arrowcolor: name.far ? CEILING : 'rgba(0,0,0,0)',
    standoff: 5,
  };
}

function picture(roofline: Roofline, drawing: Drawing): string {
  const { steps, x, y, names, slope } = drawing;
  const { ceilings, adapter } = roofline;
  const line = roof(drawing, ceilings);
  const along = (i: number) => line[0][i] + WHERE_NAMED * (line[1][i] - line[0][i]);
  const right = (v: number) => AREA.left + ((v - x[0]) / (x[1] - x[0])) * (AREA.right - AREA.left);
  const down = (v: number) => AREA.bottom - ((v - y[0]) / (y[1] - y[0])) * (AREA.bottom - AREA.top);
  const axis = (range: readonly [number, number], name: string, giga: number) => {
    const customValues = ticks([range[0] - giga, range[1] - giga]).map(v => v + giga);
    return {
      type: 'value' as const,
      min: range[0],
      max: range[1],
      name,
      nameLocation: 'middle' as const,
      nameGap: giga ? 44 : 30,
      nameTextStyle: { color: GREY, fontSize: 12 },
      axisLabel: { color: GREY, fontSize: 11, customValues, formatter: (v: number) => plainNumber(v - giga) },
      axisTick: { customValues, lineStyle: { color: GRID } },
      axisLine: { show: true, onZero: false, lineStyle: { color: GRID } },
      splitLine: { show: true, lineStyle: { color: GRID } },
    };
  };
  const text = (content: string, px: number, py: number, more: object = {}) => ({
    type: 'text' as const,
    x: px,
    y: py,
    silent: true,
    style: { text: content, fill: GREY, font: '12px system-ui, sans-serif', verticalAlign: 'middle' as const, ...more },
  });
  const half = [right(along(0)), down(along(1))];
  const turn = (slope * Math.PI) / 180;
  return svg(
    {
      title: {
        text: visible(titleOf(roofline)),
        subtext: `${visible(adapter)}\n${SUBTITLE}`,
        itemGap: 5,
        left: 10,
        top: 6,
        textStyle: { fontSize: 15, color: GREY },
        subtextStyle: { fontSize: 11, lineHeight: 15, color: GREY },
      },
      grid: { left: AREA.left, right: WIDTH - AREA.right, top: AREA.top, bottom: HEIGHT - AREA.bottom },
      xAxis: axis(x, X_TITLE, 0),
      yAxis: axis(y, Y_TITLE, 9),
      series: [
        { type: 'line', data: line, symbol: 'none', lineStyle: { color: CEILING, width: 2 }, silent: true },
        {
          type: 'scatter',
          data: steps.map(s => ({
            value: [Math.log10(intensity(s)), Math.log10(s.operationsPerSecond)],
            symbolSize: 2 * radius(s),
            itemStyle: { color: colourOf(s.operation), opacity: 0.8 },
          })),
        },
      ],
      graphic: [
        {
          ...text(bandwidthText(ceilings), half[0] - 12 * Math.sin(turn), half[1] - 12 * Math.cos(turn), {
            align: 'center',
          }),
          rotation: turn,
        },
        text(arithmeticText(ceilings), AREA.right - 4, down(line[2][1]) - 11, { align: 'right' }),
        ...names.flatMap(name => [
          ...(name.far
            ? [
                {
                  type: 'line' as const,
                  silent: true,
                  shape: {
                    x1: name.x,
                    y1: name.y,
                    x2:
                      name.left +
                      (name.left > name.x ? -2 : name.left + name.width < name.x ? name.width + 2 : name.width / 2),
                    y2: name.middle,
                  },
                  style: { stroke: CEILING, lineWidth: 1, opacity: 0.6 },
                },
              ]
            : []),
          text(visible(name.text), name.left, name.middle),
        ]),
      ],
    },
    WIDTH,
    HEIGHT,
  );
}
