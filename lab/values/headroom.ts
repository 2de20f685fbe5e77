// How large values become, stage by stage, beside what 16 bits hold: f16 ends at 65504, and bf16 has eight bits of a number.

import type { Activation } from './activation.js';
import { Shown } from './shown.js';

/** The largest number of f16. */
export const F16_MOST = 65504;
/** From here on f16 rounds to infinity. */
const F16_OVER = 65520;

/** One stage. */
export interface HeadroomRow {
  /** Its name. */
  readonly stage: string;
  /** The largest |value|, without what attention masks; NaN where there is no number. */
  readonly maxAbs: number;
  /** Of 65504. */
  readonly ofF16: number;
  /** How far two neighbours of bf16 are apart at that size. */
  readonly bf16Spacing: number;
  /** Whether f16 holds every value; false also where one is NaN or ±∞ already. */
  readonly fitsF16: boolean;
}

/** The largest |value| by stage beside the ends of f16 and the spacing of bf16. `run.headroom()` and `model.headroom(prompt)` make one. */
export class Headroom extends Shown {
  constructor(
    /** In the plan's order. */
    readonly rows: readonly HeadroomRow[],
    /** How many tokens were read. */
    readonly tokens: number,
    /** Model, adapter, plan and edited shaders. */
    readonly provenance: Readonly<Record<string, string>> = {},
  ) {
    super();
  }

  /** Of activations, each once. */
  static of(
    activations: readonly Activation[],
    tokens: number,
    provenance: Readonly<Record<string, string>> = {},
  ): Headroom {
    const rows = activations.map(one => {
      const { maxAbs, nans, infinite } = one.stats();
      return rowOf(one.name, maxAbs, maxAbs < F16_OVER && nans + infinite === 0);
    });
    return new Headroom(rows, tokens, provenance);
  }

  /** Of both: stage by stage the larger value; its provenance is the later one's. */
  and(other: Headroom): Headroom {
    const rows = new Map(this.rows.map(row => [row.stage, row]));
    for (const { stage, maxAbs, fitsF16 } of other.rows) {
      const before = rows.get(stage);
      const most = !before || Number.isNaN(before.maxAbs) || maxAbs > before.maxAbs ? maxAbs : before.maxAbs;
      rows.set(stage, rowOf(stage, most, fitsF16 && (before?.fitsF16 ?? true)));
    }
    return new Headroom([...rows.values()], this.tokens + other.tokens, other.provenance);
  }

  /** Stages that could not be f16. */
  get beyond(): readonly HeadroomRow[] {
    return this.rows.filter(({ fitsF16 }) => !fitsF16);
  }

  /** The stage with the largest value. */
  get largest(): HeadroomRow {
    return this.rows.reduce((a, b) => (b.maxAbs > a.maxAbs || Number.isNaN(a.maxAbs) ? b : a));
  }
}

const rowOf = (stage: string, maxAbs: number, fitsF16: boolean): HeadroomRow => ({
  stage,
  maxAbs,
  ofF16: maxAbs / F16_MOST,
  bf16Spacing: maxAbs > 0 ? 2 ** (Math.floor(Math.log2(maxAbs)) - 7) : maxAbs,
  fitsF16,
});
