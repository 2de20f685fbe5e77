// Colours of errors: logarithmic, over six decades at most, with one of its own for what is masked or no number on one side.

import { sci } from '../values/numbers.js';
import { barTitle, CIVIDIS, scaleThrough } from './chart.js';

/** Decades that are told apart. */
const DECADES = 6;
const BROKEN = '#d55e00';

export interface ErrorScale {
  /** Where errors stand on the scale; NaN stays a hole. */
  of(errors: Float32Array): Float32Array;
  /** What a trace says of it. */
  readonly colours: Readonly<Record<string, unknown>>;
  /** What a picture must say of it. */
  readonly notes: readonly string[];
}

/** @param limit relative L2 within which a stage is right: errors below a hundredth of it are all one */
export function errorScale(errors: Float32Array, limit: number): ErrorScale {
  let [most, isBroken] = [0, false];
  for (const error of errors) {
    if (error === Number.POSITIVE_INFINITY) isBroken = true;
    else if (error > most) most = error;
  }
  const floor = Math.floor(Math.log10(limit / 100));
  const high = Math.max(floor + 2, most > 0 ? Math.ceil(Math.log10(most)) : floor + 2);
  const low = Math.max(floor, high - DECADES);
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const end = isBroken ? high + 1 : high;
  const share = (high - low) / (end - low);
  const colorscale: [number, string][] = [
    ...scaleThrough(CIVIDIS).map(([at, colour]): [number, string] => [at * share, colour]),
    ...(isBroken
      ? ([
          [share, BROKEN],
          [1, BROKEN],
        ] as [number, string][])
      : []),
  ];
  return {
    of: values =>
      values.map(error =>
        Number.isNaN(error) ? error : error === Number.POSITIVE_INFINITY ? end : Math.max(low, Math.log10(error)),
      ),
    colours: {
      zmin: low,
      zmax: end,
      colorscale,
      colorbar: {
        thickness: 12,
        title: barTitle('error'),
        tickvals: isBroken ? [...ticks, high + 0.7] : ticks,
        ticktext: [...ticks.map((n, i) => `${i === 0 ? '≤' : ''}${sci(Number(`1e${n}`))}`), ...(isBroken ? ['∞'] : [])],
      },
    },
    notes: isBroken ? ['∞: masked, or no number, on one side alone'] : [],
  };
}
