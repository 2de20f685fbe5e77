// An axis: where a value stands in pixels, and which values are named.

export interface Axis {
  readonly type?: 'category' | 'linear' | 'log';
  readonly title?: { readonly text: string };
  readonly autorange?: boolean | 'reversed';
  readonly range?: readonly [number, number];
  readonly rangemode?: string;
  readonly tickvals?: readonly (number | string)[];
  readonly ticktext?: readonly string[];
  readonly tickformat?: string;
  /** Of a logarithmic axis: powers as 10⁻³, not 0.001 or 1m; of one with small numbers: 2e−6, not 2µ. */
  readonly exponentformat?: 'power' | 'e';
  readonly dtick?: number;
  readonly tickangle?: number;
  readonly tickfont?: { readonly size?: number };
  readonly showticklabels?: boolean;
  readonly showgrid?: boolean;
  readonly zeroline?: boolean;
  readonly gridcolor?: string;
  readonly domain?: readonly [number, number];
  readonly anchor?: string;
  readonly scaleanchor?: string;
  readonly side?: string;
}

export interface Tick {
  readonly at: number;
  readonly text: string;
  /** Between two powers of ten: a digit, written smaller. */
  readonly minor?: boolean;
}

export interface Scale {
  readonly kind: 'category' | 'linear' | 'log';
  readonly start: number;
  readonly end: number;
  /** Pixels of a value, or of a category by its name. */
  at(value: unknown): number;
  /** Pixels between neighbours, or of one unit. */
  readonly step: number;
  readonly ticks: readonly Tick[];
  readonly low: number;
  readonly high: number;
}

export interface Extent {
  readonly categories: readonly string[];
  readonly low: number;
  readonly high: number;
}

/**
 * @param start pixel of the axis' first value where nothing is reversed
 * @param extent what the traces have
 */
export function scaleOf(axis: Axis, extent: Extent, start: number, end: number): Scale {
  const kind = axis.type ?? (extent.categories.length > 0 ? 'category' : 'linear');
  const { categories } = extent;
  const places = new Map(categories.map((name, i) => [name, i]));
  let [low, high] = [extent.low, extent.high];
  if (axis.range)
    [low, high] = axis.range; // of a logarithmic axis: powers of ten, as plotly has it
  else if (kind === 'log') [low, high] = [Math.log10(low), Math.log10(high)];
  // As plotly has it; of large numbers one is less than what tells them apart.
  if (low === high) [low, high] = [low - Math.max(1, 1e-6 * Math.abs(low)), high + Math.max(1, 1e-6 * Math.abs(high))];
  const [from, to] = axis.autorange === 'reversed' ? [end, start] : [start, end];
  const step = (to - from) / (high - low);
  const place = (value: unknown): number => {
    if (kind === 'category') return typeof value === 'number' ? value : (places.get(String(value)) ?? Number.NaN);
    return kind === 'log' ? Math.log10(Number(value)) : Number(value);
  };
  const at = (value: unknown) => from + (place(value) - low) * step;
  const length = Math.abs(end - start);
  const vertical = end < start || axis.side === 'vertical';
  const [least, most] = [Math.min(low, high), Math.max(low, high)];
  const named = ticksOf(axis, kind, categories, least, most, length, vertical);
  const seen = named.filter(({ value }) => place(value) >= least - 1e-9 && place(value) <= most + 1e-9);
  return {
    kind,
    start,
    end,
    at,
    step: Math.abs(step),
    low,
    high,
    ticks: seen.map(({ value, text, minor }) => ({ at: at(value), text, ...(minor && { minor }) })),
  };
}

interface Named {
  readonly value: number | string;
  readonly text: string;
  readonly minor?: boolean;
}

function ticksOf(
  axis: Axis,
  kind: Scale['kind'],
  categories: readonly string[],
  low: number,
  high: number,
  length: number,
  vertical: boolean,
): Named[] {
  const { tickvals, ticktext } = axis;
  if (tickvals)
    return tickvals.map((value, i) => ({
      value,
      text: ticktext?.[i] ?? numberText(Number(value), axis.tickformat, 0),
    }));
  const size = axis.tickfont?.size ?? 12;
  if (kind === 'category') {
    // As plotly thins them out: a line of text each.
    const by = Math.max(1, Math.ceil(((high - low) * Math.round(1.2 * size)) / Math.max(1, length) - 1e-9));
    return categories.flatMap((text, value) => (value % by === 0 ? [{ value, text }] : []));
  }
  const most = Math.min(9, Math.max(4, length / (vertical ? 40 : 80))) + 1;
  if (kind === 'log') return logTicks(axis, low, high, most);
  const step = niceStep((high - low) / most);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // One power of ten for all of an axis.
  const power = Math.floor(Math.log10(Math.max(Math.abs(low), Math.abs(high))) + 0.01);
  const far = axis.exponentformat === 'e' && (power < -3 || power >= 15);
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const value = Number(((first + i) * step).toPrecision(12));
    const text =
      far && value !== 0
        ? `${numberText(value / 10 ** power, undefined, step / 10 ** power)}e${power < 0 ? '−' : '+'}${Math.abs(power)}`
        : '';
    return { value, text: text || numberText(value, axis.tickformat, step) };
  });
}

/**
 * As plotly names a logarithmic axis: every so many powers of ten; where they are few, digits between them; within one power, as a linear axis.
 * @param low the least power of ten, of any fraction
 */
function logTicks(axis: Axis, low: number, high: number, most: number): Named[] {
  const rough = (high - low) / most;
  if (axis.dtick === undefined && rough <= 0.7 && high - low < 1) {
    const step = niceStep((10 ** high - 10 ** low) / (1.5 * most));
    const first = Math.ceil(10 ** low / step - 1e-9);
    const last = Math.floor(10 ** high / step + 1e-9);
    return Array.from({ length: last - first + 1 }, (_, i) => {
      const value = Number(((first + i) * step).toPrecision(12));
      return { value, text: numberText(value, axis.tickformat, step) };
    });
  }
  const digits = axis.dtick !== undefined || rough > 0.7 ? [1] : rough > 0.3 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const by = axis.dtick ?? (digits.length === 1 ? Math.ceil(rough) : 1);
  const ticks: Named[] = [];
  for (let power = by * Math.floor(low / by); power <= high; power += by)
    for (const digit of digits) {
      const value = Number(`${digit}e${power}`);
      const whole = axis.exponentformat === 'power' ? powerText(power) : numberText(value, axis.tickformat, 0);
      ticks.push(digit === 1 ? { value, text: whole } : { value, text: String(digit), minor: true });
    }
  return ticks;
}

function niceStep(rough: number): number {
  const base = 10 ** Math.floor(Math.log10(rough));
  return base * [1, 2, 5, 10].find(by => by * base >= rough * (1 - 1e-9))!;
}

/** As plotly writes it: percent, k and M from ten thousand on, a real minus. */
export function numberText(value: number, format: string | undefined, step: number): string {
  if (format === '~%') return `${Number((100 * value).toPrecision(6))}%`.replace('-', '−');
  const fixed = /^,\.(\d)f$/.exec(format ?? '');
  if (fixed) {
    const digits = Number(fixed[1]);
    const shown = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return value.toLocaleString('en-US', shown).replace('-', '−');
  }
  if (format === '.0%') return `${Math.round(100 * value)}%`.replace('-', '−');
  // Noughts that nobody would count, before the first digit or after the last.
  const unreadable = step > 0 ? step < 1e-12 && Math.abs(value) < 1e-4 : Math.abs(value) < 1e-4;
  if (value !== 0 && (unreadable || Math.abs(value) >= 1e15))
    return Number(value.toPrecision(6)).toExponential().replace('+', '').replaceAll('-', '−');
  const digits = step > 0 ? Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) : 3;
  const size = Math.max(Math.abs(value), step);
  const [by, unit] = size >= 1e9 ? [1e9, 'B'] : size >= 1e6 ? [1e6, 'M'] : size >= 1e4 ? [1e3, 'k'] : [1, ''];
  const text =
    by === 1
      ? Number(value.toFixed(Math.min(12, digits))).toString()
      : `${Number((value / by).toPrecision(6))}${value === 0 ? '' : unit}`;
  return text.replace('-', '−');
}

const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';
export function powerText(power: number): string {
  if (power === 0 || power === 1) return String(10 ** power);
  return `10${power < 0 ? '⁻' : ''}${[...String(Math.abs(power))].map(c => SUPERSCRIPT[Number(c)]).join('')}`;
}
