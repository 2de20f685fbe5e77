// Every stage against a golden, twice: `accumulated` with our own activations as inputs, `local` with the golden's. A stage that
// fails although its inputs are right is a source; one that only passes on what it was given is a carrier.

import type { Table } from 'apache-arrow';
import { GoldenError } from '../../engine/errors.js';
import type { Shaders } from '../../engine/kernel.js';
import type { PlanKind } from '../../engine/fuse.js';
import type { Model } from '../../engine/model.js';
import type { Stage } from '../../engine/plan.js';
import { printable } from '../../engine/printable.js';
import { givesOf, readsOf, type Step } from '../../engine/step.js';
import type { OptionNames } from '../values/arguments.js';
import { diffToArrow } from '../values/arrow.js';
import { type Bundle, DISPLAY, INSPECT, plain } from '../values/shown.js';
import { diffBundle, diffText } from '../display/diff.js';
import type { Golden } from '../values/golden.js';
import { Names } from '../values/select.js';
import { inputsOf, runStage } from '../session/stage.js';
import { type Leftover, NOTHING_LEFT, otherNameOf } from './leftover.js';
import { largest, locate, type Spread } from './locate.js';
import { compare, type Metrics } from './metrics.js';
import { ACCUMULATED_LIMIT, CACHE_LIMITS, LOCAL_LIMIT } from './tolerance.js';

/**
 * `source`: wrong on right inputs. `carrier`: wrong, but only because its inputs are. `masked`: wrong alone, yet it does not show. `cache`: as far off as the cache's precision explains
 * (tolerance.ts), and no farther; it passes.
 */
export type Verdict = 'ok' | 'source' | 'carrier' | 'masked' | 'cache';

export interface DiffRow {
  readonly stage: string;
  readonly shape: readonly number[];
  readonly accumulated: Metrics;
  readonly local: Metrics | null;
  /** Accumulated error out over the largest accumulated error in. */
  readonly gain: number | null;
  readonly verdict: Verdict;
  readonly pass: boolean;
  /** Where the error sits, along each dimension; of a stage that fails. */
  readonly where: readonly Spread[];
}

export interface DiffLimits {
  /** Relative L2; see tolerance.ts for where the defaults come from. */
  readonly accumulated?: number;
  readonly local?: number;
}

export interface DiffOptions extends DiffLimits {
  /** Run every stage alone on the golden's inputs as well; default true. */
  readonly alone?: boolean;
  /** Most bytes of our own activations to hold at once; more take several runs. */
  readonly budget?: number;
  readonly signal?: AbortSignal;
  /** The shaders to compare; by default those in force once the edits asked for so far are. */
  readonly shaders?: Shaders;
  /** `exact`, the default: every stage. `fast`: what the steps of the fast plan leave, in its run and each step alone. */
  readonly plan?: PlanKind;
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
  onProgress: true,
};

export class Diff {
  readonly pass: boolean;

  constructor(
    /** In the plan's order. */
    readonly rows: readonly DiffRow[],
    readonly golden: string,
    readonly limits: Required<DiffLimits>,
    readonly provenance: Readonly<Record<string, string>>,
    /** What the golden has beside the stages of this model. */
    readonly leftover: Leftover = NOTHING_LEFT,
    /** Where it fails: that the golden was made from other weights, or that it cannot be told; see other-weights.ts. */
    readonly weights: string | null = null,
  ) {
    this.pass = rows.every(row => row.pass);
  }

  /** The first failing stage in the plan's order: a source if there is one. */
  get first(): DiffRow | null {
    return this.rows.find(({ verdict }) => verdict === 'source') ?? this.rows.find(({ pass }) => !pass) ?? null;
  }

  /** The row of one stage, by any of its names. Throws StageError, with the nearest, for a name of none. */
  at(stage: string): DiffRow {
    const found = this.rows.find(row => row.stage === stage);
    if (found) return found;
    const name = new Names(this.rows.map(row => row.stage)).one(stage);
    return this.rows.find(row => row.stage === name)!;
  }

  toJSON(): unknown {
    const { pass, golden, limits, provenance, rows } = this;
    const told = rows.map(row => ({
      ...row,
      where: row.where.map(spread => ({ axis: spread.axis, largest: largest(spread, 5) })),
    }));
    const { notCompared, otherNames } = this.leftover;
    return {
      pass,
      first: this.first?.stage ?? null,
      golden,
      limits,
      provenance,
      weights: this.weights,
      notCompared,
      otherNames: Object.fromEntries(otherNames),
      rows: told,
    };
  }

  /** As an apache-arrow Table, one row a stage. */
  toArrow(): Table {
    const { golden, provenance } = this;
    const { notCompared } = this.leftover;
    const left: Record<string, string> = notCompared.length > 0 ? { not_compared: JSON.stringify(notCompared) } : {};
    const weights: Record<string, string> = this.weights === null ? {} : { weights: this.weights };
    return diffToArrow(this.rows, { golden, ...provenance, ...left, ...weights });
  }

  [DISPLAY](): Bundle {
    return plain(diffBundle(this));
  }

  [INSPECT](): string {
    return printable(diffText(this));
  }
}

/** Throws GoldenError unless the golden is of a model with these stages and shapes, and its ids are in the vocabulary. */
export function checkGolden(model: Model, golden: Golden): Stage[] {
  const stages = model.plan.stages.filter(({ state }) => !state);
  const T = golden.ids.length;
  if (golden.provenance.has('slice')) {
    throw new GoldenError(
      `'${golden.name}' is a trace of parts of its stages (${golden.provenance.get('slice')!.slice(0, 80)} …), and whole ones are compared. Trace it again without --slice.`,
    );
  }
  const lacks = stages.filter(({ name }) => !golden.stages.has(name));
  const shapes = stages.filter(({ name }) => golden.stages.has(name)).map(stage => shapesOf(golden, stage));
  const odd = shapes.filter(({ found, expected }) => found.join() !== expected.join());
  const again = 'Make one for this model with golden/make_golden.py.';
  for (const stage of stages) {
    if (lacks.includes(stage)) {
      const other = otherNameOf(model.plan, golden, stage.name);
      if (other !== null) {
        throw new GoldenError(
          `The golden '${golden.name}' has no stage '${stage.name}', and has it as '${other}'. Goldens are compared by Loupe's names; call it so.`,
        );
      }
      const first = lacks.length === 1 ? '' : `, the first of ${lacks.length} that it lacks`;
      throw new GoldenError(
        `The golden '${golden.name}' has no stage '${stage.name}'${first}, of ${stages.length} that this model has. ${odd.length === 0 ? 'Those that it has would fit, so it is not whole' : 'Others have other shapes, so it is of another model'}. ${again}`,
      );
    }
    const wrong = odd.find(one => one.stage === stage);
    if (wrong) {
      const why = odd.length === 1 ? '; all others fit, so it was changed' : ', so it is of another model';
      throw new GoldenError(
        `The golden '${golden.name}' has '${stage.name}' in the shape [${wrong.found}], and this model makes [${wrong.expected}]${why}. ${again}`,
      );
    }
  }
  const { logits } = Object.fromEntries(golden.provenance);
  const rows = golden.stages.get('logits')!.shape[0];
  if (logits !== undefined && rows !== (logits === 'last' ? 1 : T)) {
    throw new GoldenError(
      `The golden '${golden.name}' says logits '${logits}' and has ${rows} row${rows === 1 ? '' : 's'} of them for ${T} tokens. ${again}`,
    );
  }
  return stages;
}

/** The shape that a golden has of a stage, and the one that the model makes. */
function shapesOf(golden: Golden, stage: Stage) {
  const found = golden.stages.get(stage.name)!.shape;
  const expected = stage.axes.map(({ size }) => (typeof size === 'number' ? size : golden.ids.length));
  if (stage.name === 'logits' && found[0] === 1) expected[0] = 1;
  return { stage, found, expected };
}

/** What a plan computes of a golden's stages, each with the step that leaves it. */
export function compared(model: Model, plan: PlanKind): Map<Stage, Step> {
  const stages = model.plan.stages.filter(({ state }) => !state);
  // By the exact plan too: what runs alone must be what runs in the run, or an edit in it has no source.
  const steps = new Map(model.steps(plan).flatMap(step => givesOf(step).map(stage => [stage, step] as const)));
  return new Map(stages.flatMap(stage => (steps.has(stage) ? [[stage, steps.get(stage)!] as const] : [])));
}

interface Errors {
  readonly here: number;
  readonly alone: number | null;
  /** The largest of the inputs'. */
  readonly incoming: number;
}

function verdictOf({ here, alone, incoming }: Errors, { accumulated, local }: Required<DiffLimits>): Verdict {
  const failsHere = here > accumulated;
  const failsAlone = alone !== null ? alone > local : failsHere && incoming <= accumulated;
  if (failsAlone) return failsHere || incoming === 0 ? 'source' : 'masked';
  return failsHere ? 'carrier' : 'ok';
}

/** Compares our activations of the golden's ids with the golden's, stage by stage. */
export async function diffRows(
  model: Model,
  golden: Golden,
  ours: { read(stage: string): Promise<Float32Array> },
  given: DiffOptions,
): Promise<DiffRow[]> {
  const { accumulated = ACCUMULATED_LIMIT, local = LOCAL_LIMIT, alone = true, signal, shaders } = given;
  const { plan = 'exact', onProgress } = given;
  const rounding = CACHE_LIMITS[model.cache];
  checkGolden(model, golden);
  const stages = compared(model, plan);
  const errors = new Map<string, number>();
  const rows: DiffRow[] = [];
  for (const [stage, step] of stages) {
    signal?.throwIfAborted();
    const expected = await golden.read(stage.name);
    const { shape } = golden.stages.get(stage.name)!;
    const inRun = await ours.read(stage.name);
    // Logits of the last token alone are that token's, also where the largest error is told.
    const last = stage.axes[0].size === 'rows' ? golden.ids.length - shape[0] : 0;
    const placed = (m: Metrics): Metrics => ({ ...m, worst: m.worst.map((n, d) => (d === 0 ? n + last : n)) });
    const both = placed(compare(inRun, expected, shape));
    errors.set(stage.name, both.relL2);
    let own: Metrics | null = null;
    let ownData: Float32Array | null = null;
    if (alone) {
      const inputs = {
        ids: golden.ids,
        rows: golden.stages.get('logits')!.shape[0],
        read: (name: string) => golden.read(name),
      };
      ownData = (await runStage(model, stage, inputs, shaders, step)).data;
      own = placed(compare(ownData, expected, shape));
    }
    const incoming = Math.max(0, ...inputsOf(model, step).map(({ name }) => errors.get(name) ?? 0));
    const errorsOf = { here: both.relL2, alone: own?.relL2 ?? null, incoming };
    const strict = verdictOf(errorsOf, { accumulated, local });
    const rounded = strict === 'ok' || !rounding ? strict : verdictOf(errorsOf, allowed(step));
    const verdict = strict !== 'ok' && rounded === 'ok' ? 'cache' : rounded;
    const gain = incoming > 0 && Number.isFinite(incoming) ? both.relL2 / incoming : null;
    const pass = verdict === 'ok' || verdict === 'cache';
    const shown = verdict === 'carrier' ? inRun : (ownData ?? inRun);
    const axes = stage.axes.map(({ name }) => name);
    const where = pass ? [] : locate(shown, expected, shape, axes);
    rows.push({ stage: stage.name, shape, accumulated: both, local: own, gain, verdict, pass, where });
    onProgress?.(rows.length, stages.size);
  }
  return rows;

  /** With what the cache's rounding explains, where no limit was asked for. */
  function allowed(step: Step): Required<DiffLimits> {
    const reads = step.cached.size > 0 || readsOf(step).some(ref => (ref as Stage).state);
    return {
      accumulated: given.accumulated ?? Math.max(accumulated, rounding!.accumulated),
      local: given.local ?? (reads ? Math.max(local, rounding!.local) : local),
    };
  }
}
