// Every stage against a golden, twice: `accumulated` with our own activations as inputs, `local` with the golden's. A stage that
// fails although its inputs are right is a source; one that only passes on what it was given is a carrier.

import type { Table } from 'apache-arrow';
import type { Accuracy } from '../../engine/accuracy.js';
import type { PlanKind } from '../../engine/fuse.js';
import type { Shaders } from '../../engine/kernel.js';
import { checkOptions, type OptionNames } from '../values/arguments.js';
import { Names, type Selector } from '../values/select.js';
import { PREPARE, Shown } from '../values/shown.js';
import { diffToArrow } from './arrow.js';
import { type Leftover, NOTHING_LEFT } from './leftover.js';
import { AT_HAND, type ErrorMap, type ErrorMapOptions, errorMap, errorMaps, type Sides } from './error-map.js';
import { layersText } from './layers.js';
import { largest, locationText } from './locate.js';
import type { Rounds } from './noise.js';
import { type DiffRow, placeOf } from './row.js';

/** How far off a stage may be. */
export interface DiffLimits {
  /** Relative L2; see tolerance.ts for where the defaults come from. */
  readonly accumulated?: number;
  /** The same of a stage alone, on the golden’s inputs. */
  readonly local?: number;
}

/** How to compare. */
export interface DiffOptions extends DiffLimits {
  /** Run every stage alone on the golden's inputs as well; default true. */
  readonly alone?: boolean;
  /** Most bytes of our own activations to hold at once; more take several runs. */
  readonly budget?: number;
  /** Stops it; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** The shaders to compare; by default those in force once the edits asked for so far are. */
  readonly shaders?: Shaders;
  /** Who is nearer to float64 of the golden's own inputs: by default of stages that are wrong alone; `true` of all, `false` of none. */
  readonly oracle?: boolean;
  /** `exact`, the default: every stage. `fast`: what the steps of the fast plan leave, in its run and each step alone. */
  readonly plan?: PlanKind;
  /** Only these stages; default all. The table then says how many of how many. Of a golden alone. */
  readonly stages?: Selector;
  /** What another engine computes in, where its values are too few to say it, the logits alone for example. Then nothing else explains a difference, and nothing at all does of `F32`. */
  readonly rounds?: Rounds;
  /** Called after every stage that was compared. */
  onProgress?(done: number, total: number): void;
}

export const DIFF_OPTIONS: OptionNames<DiffOptions> = {
  accumulated: true,
  local: true,
  alone: true,
  budget: true,
  signal: true,
  shaders: true,
  plan: true,
  oracle: true,
  stages: true,
  rounds: true,
  onProgress: true,
};

/** Maps that a page has beside the first: with more of them it is slow to open, and a notebook that is kept with its pictures large. */
const MOST_MAPS = 6;
const isSmall = ({ shape }: DiffRow): boolean => shape.reduce((a, b) => a * b, 1) <= AT_HAND;

/** Every stage against a golden, in the run and alone: which is wrong, and which only passes on what it was given. `session.diff(golden)` makes one. */
export class Diff extends Shown {
  /** Whether no stage fails. */
  readonly pass: boolean;
  /** Where the values come from, once more. */
  readonly #sides: Sides | null;
  /** By stage; beside the first those that a page was made with. */
  readonly #maps = new Map<string, ErrorMap>();
  #making: Promise<this> | null = null;

  constructor(
    /** In the plan's order. */
    readonly rows: readonly DiffRow[],
    /** Name of the golden. */
    readonly golden: string,
    /** Relative L2 above which a stage fails, in the run and alone. */
    readonly limits: Required<DiffLimits>,
    /** Model, adapter and the shaders that ran. */
    readonly provenance: Readonly<Record<string, string>>,
    /** What the golden has beside the stages of this model. */
    readonly leftover: Leftover = NOTHING_LEFT,
    /** Where it fails: that the golden was made from other weights, or that it cannot be told; see other-weights.ts. */
    readonly weights: string | null = null,
    /** What it is compared with: PyTorch's golden, another program's trace, or another run. */
    readonly other: 'golden' | 'trace' | 'run' = 'golden',
    /** What the reader has to know of how it was made, in a sentence: that no stage was run alone, for one. */
    readonly note: string | null = null,
    /** How the adapter rounds, as it was measured; null where no model ran. */
    readonly accuracy: Accuracy | null = null,
    sides: Sides | null = null,
  ) {
    super();
    this.#sides = sides;
    this.pass = rows.every(row => row.pass);
  }

  /** The first failing stage in the plan's order: a source if there is one. */
  get first(): DiffRow | null {
    return this.rows.find(({ verdict }) => verdict === 'source') ?? this.rows.find(({ pass }) => !pass) ?? null;
  }

  /** Stages that pass and yet are farther off alone than rounding explains: too little to be a fault by the limits, too much to be nothing. */
  get beyond(): readonly DiffRow[] {
    return this.rows.filter(
      ({ verdict, local, derived }) => verdict === 'ok' && local && derived !== null && local.relL2 > derived,
    );
  }

  /** That the first failing stage is wrong in all sliding layers and in no full one, or the other way round; empty where the kind of a layer does not tell. */
  get layers(): string {
    return layersText(this.rows, this.first);
  }

  /** The row of one stage, by any of its names. Throws StageError, with the nearest, for a name of none. */
  at(stage: string): DiffRow {
    const found = this.rows.find(row => row.stage === stage);
    if (found) return found;
    const name = new Names(this.rows.map(row => row.stage)).one(stage);
    return this.rows.find(row => row.stage === name)!;
  }

  /**
   * Where one stage is wrong, value by value: head × query × key, or token × channel, and ours, theirs and float64 around the worst place. Its values are computed again, by the shaders of this diff. Throws
   * StageError for a name of no stage that was compared.
   * @example await (await model.diff(g)).map('layers.3.attn.scores')
   */
  async map(stage: string, options: ErrorMapOptions = {}): Promise<ErrorMap> {
    return await errorMap(
      { row: this.at(stage), ...this.#judged },
      this.#sides,
      checkOptions('map', options, { alone: true }),
    );
  }

  /**
   * The maps of failing stages that pages have beside the table, the first failing stage's first, then in the plan's order: none where nothing fails, where the values are not at hand, and of stages of which there
   * are more of them than a page should wait for.
   * @internal
   */
  get maps(): readonly ErrorMap[] {
    return [this.first, ...this.rows.filter(row => row !== this.first)].flatMap(row =>
      row ? (this.#maps.get(row.stage) ?? []) : [],
    );
  }

  /**
   * Whether stages have maps: whether their values can be had again.
   * @internal
   */
  get hasMaps(): boolean {
    return this.#sides !== null;
  }

  /**
   * Itself, with the map of the first failing stage.
   * @internal
   */
  async withMap(): Promise<this> {
    const { first } = this;
    if (first && isSmall(first) && this.hasMaps) this.#maps.set(first.stage, await this.map(first.stage));
    return this;
  }

  /**
   * Itself, with the maps of failing stages at hand: what is wrong alone first, and as many as a page has room for. A cell that shows the diff, or the plan's picture by it, does this by itself;
   * a script asks for it before it writes a page. Those of what is too large are left out: `diff.map(stage)` makes them.
   * @example report('diff.html', await (await model.diff(g)).withMaps())
   */
  async withMaps(): Promise<this> {
    this.#making ??= this.#made();
    try {
      return await this.#making;
    } catch (error) {
      this.#making = null; // stopped, say: it can be asked for again
      throw error;
    }
  }

  /** @internal */
  [PREPARE](): Promise<unknown> | null {
    return this.#wanted.length > 0 ? this.withMaps() : null;
  }

  get #judged() {
    return { limits: this.limits, whose: this.other === 'golden' ? 'PyTorch’s' : 'theirs' };
  }

  /** The rows whose maps a page should have and has not yet. */
  get #wanted(): readonly DiffRow[] {
    if (!this.hasMaps) return [];
    const failing = this.rows.filter(row => !row.pass && row !== this.first && isSmall(row));
    const carries = ({ verdict }: DiffRow) => verdict === 'carrier';
    const few = [...failing.filter(row => !carries(row)), ...failing.filter(carries)].slice(0, MOST_MAPS);
    return this.rows.filter(row => few.includes(row) && !this.#maps.has(row.stage));
  }

  async #made(): Promise<this> {
    const wanted = this.#wanted;
    if (this.#sides === null || wanted.length === 0) return this;
    for (const map of await errorMaps(wanted, this.#judged, this.#sides)) this.#maps.set(map.row.stage, map);
    return this;
  }

  /** What `loupe diff --json` prints: all rows, the first failing stage, where the golden and the model are from. */
  toJSON(): unknown {
    const { pass, golden, limits, provenance, rows } = this;
    const told = rows.map(row => ({
      ...row,
      where: row.where.map(spread => ({ axis: spread.axis, words: spread.words, largest: largest(spread, 5) })),
      ...(row.where.length > 0 && { inWords: locationText(row.where) }),
    }));
    const { notCompared, otherNames, why, rowsLeft, unusedNames } = this.leftover;
    return {
      pass,
      first: this.first ? placeOf(this.first) : null,
      ...(this.layers && { layers: this.layers }),
      golden,
      other: this.other,
      limits,
      provenance,
      weights: this.weights,
      note: this.note,
      accuracy: this.accuracy,
      notCompared,
      otherNames: Object.fromEntries(otherNames),
      ...(why && { nearest: Object.fromEntries(why) }),
      ...(rowsLeft && { rowsLeft: Object.fromEntries(rowsLeft) }),
      ...(unusedNames && { unusedNames }),
      rows: told,
    };
  }

  /** As an apache-arrow Table, one row a stage. */
  toArrow(): Table {
    const { golden, provenance } = this;
    const { notCompared, rowsLeft, unusedNames = [] } = this.leftover;
    const left: Record<string, string> = {
      ...(notCompared.length > 0 && { not_compared: JSON.stringify(notCompared) }),
      ...(rowsLeft && rowsLeft.size > 0 && { rows_left: JSON.stringify(Object.fromEntries(rowsLeft)) }),
      ...(unusedNames.length > 0 && { unused_names: JSON.stringify(unusedNames) }),
    };
    const weights: Record<string, string> = this.weights === null ? {} : { weights: this.weights };
    const rounding: Record<string, string> = this.accuracy ? { accuracy: JSON.stringify(this.accuracy) } : {};
    return diffToArrow(this.rows, { golden, ...provenance, ...left, ...weights, ...rounding });
  }
}
