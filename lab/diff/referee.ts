// Another engine's activations judged, with this model as what is right: each of its values against what our exact stages make of its own inputs, and against our
// run. The numbers and the verdicts are those of a golden; a span stands where stages between were not dumped, and rounding has a word of its own.

import { type Plan, type Stage, windowOfPairs } from '../../engine/plan.js';
import type { DiffLimits } from './diff.js';
import { layerKindsOf } from './layers.js';
import { locate } from './locate.js';
import { compare, type Metrics } from './metrics.js';
import { type Difference, explained, type Rounds, witnessedBy } from './noise.js';
import { unevenness } from './unevenness.js';
import { passingOf } from './passing.js';
import type { DiffRow } from './row.js';
import { inside, type Span, spanTo } from './span.js';
import { verdictOf } from './verdict.js';

/** One of their values. */
export interface TheirValue {
  readonly stage: Stage;
  /** Of what is there of it. */
  readonly shape: readonly number[];
  /** Whether every token's is there. */
  readonly whole: boolean;
  readonly name: string;
  readonly layout: string;
  /** What it is stored in: `F32`, `BF16` …. */
  readonly dtype: string;
}

export interface Court {
  readonly plan: Plan;
  /** In the plan's order. */
  readonly values: readonly TheirValue[];
  readonly tokens: number;
  /** Theirs, of the rows that are there. */
  theirs(stage: string): Promise<Float32Array>;
  /** Ours in the run, of the same rows. */
  ours(stage: string): Promise<Float32Array>;
  /** What our stages make of theirs, of the same rows. */
  alone: ((span: Span) => Promise<Float32Array>) | null;
  /** Ours were recorded, by a program that need not be this model: what they have is right where this model makes something else of equal inputs. */
  readonly recorded?: { readonly sameTokens: boolean };
  /** What rounding explains of a stage alone whose values theirs are; null where there is no model, or no one stage. */
  derived?(stage: Stage, theirs: Float32Array): number | null;
  readonly limits: Required<DiffLimits>;
  /** What they compute in, where that was told. */
  readonly rounds?: Rounds;
  readonly signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/** How much larger a stage may make an error that passed. */
const AMPLIFIED = 10;

/** What read something wrong and is this much farther off in the run than alone, and than rounding was in the run before, carries it, however evenly it rounds. */
const BEYOND = 2;

/** Stages whose difference a format explains, so that the engine is one that rounds. */
const LEAST_ROUNDED = 3;

interface Measured {
  readonly value: TheirValue;
  readonly span: Span;
  readonly accumulated: Metrics;
  readonly local: Metrics | null;
  readonly where: DiffRow['where'];
  /** The same, if the engine rounds. */
  readonly whereBeyondRounding: DiffRow['where'];
  readonly derived: number | null;
  readonly broken: boolean;
  readonly difference: Difference;
}

/** What lies between one of their values and those that it is computed from. */
export function spanOf(plan: Plan, known: ReadonlyMap<string, TheirValue>, { stage, whole }: TheirValue): Span {
  return spanTo(plan, stage, (name, sameTokens) => {
    const given = known.get(name);
    return given !== undefined && (given.whole || (sameTokens && !whole));
  });
}

/** @returns one row a value, in the plan's order */
export async function refereeRows(court: Court): Promise<DiffRow[]> {
  const { plan, values, tokens, limits, signal, onProgress } = court;
  const known = new Map(values.map(value => [value.stage.name, value]));
  const measured: Measured[] = [];
  const errors = new Map<string, number>();
  const kinds = layerKindsOf(plan);
  const kvHeads = kvHeadsOf(values);
  for (const value of values) {
    signal?.throwIfAborted();
    const { stage, shape } = value;
    const span = spanOf(plan, known, value);
    const theirs = await court.theirs(stage.name);
    const inRun = await court.ours(stage.name);
    let own = court.alone ? await court.alone(span) : null;
    const last = value.whole ? 0 : tokens - 1;
    const rows = stage.axes.findIndex(({ size }) => size === 'tokens' || size === 'rows');
    const placed = (m: Metrics): Metrics => ({ ...m, worst: m.worst.map((n, d) => (d === rows ? n + last : n)) });
    const accumulated = placed(compare(inRun, theirs, shape));
    let local = own ? placed(compare(own, theirs, shape)) : null;
    const limit = limitOf(span);
    errors.set(stage.name, accumulated.relL2);
    if (local !== null && local.relL2 <= limit && isOutvoted(span, accumulated)) [own, local] = [null, null];
    const off = (local ?? accumulated).relL2 > limit || accumulated.relL2 > limits.accumulated;
    const right = own ?? inRun;
    const broken = !theirs.every(Number.isFinite);
    const axes = stage.axes.map(({ name }) => name);
    // What is right alone is wrong in the run, and its place is there.
    const alone = own !== null && local!.relL2 > limit;
    const located = (rounds: boolean) =>
      locate(alone ? own! : inRun, theirs, shape, axes, {
        limit: alone ? limit : limits.accumulated,
        kvHeads,
        window: windowOfPairs(stage),
        rounds,
      });
    measured.push({
      value,
      span,
      accumulated,
      local,
      where: off ? located(false) : [],
      whereBeyondRounding: off ? located(true) : [],
      derived: inside(span).length > 0 ? null : (court.derived?.(stage, theirs) ?? null),
      broken,
      difference: differenceOf(
        value,
        span,
        [value, ...span.feeds.flatMap(({ name }) => known.get(name) ?? [])].map(({ dtype }) => dtype),
        local ?? accumulated,
        off ? unevenness(theirs, right, shape, isGained(span)) : null,
        broken,
      ),
    });
    onProgress?.(measured.length, values.length);
  }
  return judged(measured);

  /** Through several stages errors add up as they do in a run. */
  function limitOf(span: Span): number {
    return inside(span).length > 0 ? limits.accumulated : limits.local;
  }

  /** What this model makes of their inputs is what they have, and the recorded run has something else of the same inputs: the model is not what made that. */
  function isOutvoted(span: Span, { relL2 }: Metrics): boolean {
    if (!court.recorded || (span.from.includes('ids') && !court.recorded.sameTokens)) return false;
    const incoming = Math.max(0, ...span.feeds.map(({ name }) => errors.get(name) ?? 0));
    return incoming <= limits.accumulated && relL2 > AMPLIFIED * limits.accumulated;
  }

  function judged(all: readonly Measured[]): DiffRow[] {
    const isBroken = all.some(({ broken }) => broken);
    const { rounds } = court;
    const differences = all.map(({ difference }) => difference);
    const limitAt = (i: number) => limitOf(all[i].span);
    const formatsOf = (told: Rounds | undefined) => explained(differences, limitAt, { isBroken, rounds: told });
    const formats = formatsOf(rounds);
    const isRounding = rounds !== undefined || formats.filter(format => format !== null).length >= LEAST_ROUNDED;
    // Too few to bear witness of what they are rounded to: what would explain them is told, and asked for.
    const witnessed = witnessedBy(differences, limitAt);
    const isAsked = rounds === undefined && !isBroken && witnessed.includes(false);
    const perhaps = isAsked ? formatsOf('Q4_K').map((format, i) => (witnessed[i] ? null : format)) : [];
    const rows: DiffRow[] = [];
    let fault = false;
    let rounded: string | null = null;
    const failed = new Set<string>();
    /** The most that rounding came to in the run where nothing wrong was read. */
    let inRun = 0;
    for (const [i, { value, span, accumulated, local, ...one }] of all.entries()) {
      const { stage, shape } = value;
      const incoming = Math.max(0, ...span.feeds.map(({ name }) => errors.get(name) ?? 0));
      const alone = local?.relL2 ?? null;
      let verdict = verdictOf({ here: accumulated.relL2, alone, incoming }, { ...limits, local: limitOf(span) });
      let format: string | null = null;
      // What is computed from NaN is no fault of the stage.
      const blameless =
        one.broken && span.feeds.some(({ name }) => all.some(m => m.broken && m.value.stage.name === name));
      if (blameless && verdict !== 'ok') verdict = 'carrier';
      else if (one.broken) format = null;
      else if ((verdict === 'source' || verdict === 'masked') && formats[i] !== null && local !== null) {
        verdict = 'noise';
        format = formats[i];
        rounded ??= format;
      } else if (verdict === 'carrier' && !fault && rounded !== null) {
        verdict = 'noise';
        format = rounded;
      }
      if (verdict === 'noise') {
        if (!span.feeds.some(({ name }) => failed.has(name))) inRun = Math.max(inRun, accumulated.relL2);
        else if (accumulated.relL2 > BEYOND * Math.max(inRun, alone ?? 0)) [verdict, format] = ['carrier', null];
      }
      if (verdict === 'source' || verdict === 'carrier') failed.add(stage.name);
      fault ||= verdict === 'source' || verdict === 'masked';
      const pass = verdict === 'ok' || verdict === 'noise';
      const between = inside(span);
      rows.push({
        stage: stage.name,
        shape,
        accumulated,
        local,
        gain: incoming > 0 && Number.isFinite(incoming) ? accumulated.relL2 / incoming : null,
        verdict,
        pass,
        passing: passingOf({ accumulated, local, ...(between.length > 0 && { from: span.from }) }),
        derived: one.derived,
        where: pass ? [] : isRounding ? one.whereBeyondRounding : one.where,
        ...(kinds.has(stage.name) && { layerKind: kinds.get(stage.name) }),
        ...(between.length > 0 && { from: span.from, between }),
        ...(format !== null && { format }),
        ...(verdict === 'source' && perhaps[i] && { mayRound: perhaps[i] }),
        theirs: { name: value.name, layout: value.layout },
      });
    }
    return rows;
  }
}

/** By the shape of keys or values, for a plan that was made of names has no sizes. */
function kvHeadsOf(values: readonly TheirValue[]): number | undefined {
  for (const { stage, shape } of values) {
    const at = stage.axes.findIndex(({ letter }) => letter === 'K');
    if (at >= 0) return shape[at];
  }
  const known = values.flatMap(({ stage }) =>
    stage.inputs.flatMap(({ axes }) => axes.find(({ letter }) => letter === 'K') ?? []),
  );
  return typeof known[0]?.size === 'number' ? known[0].size : undefined;
}

function differenceOf(
  { stage }: TheirValue,
  span: Span,
  stored: readonly string[],
  { relL2 }: Metrics,
  shape: Difference['shape'],
  broken: boolean,
): Difference {
  const products = span.stages.filter(({ operation }) => ['linear', 'head', 'embed'].includes(operation.kind)).length;
  const alone = inside(span).length === 0;
  const group = alone
    ? stage.operation.kind
    : `span to ${stage.name.replace(/^layers\.\d+\./, '')} of ${span.stages.length}`;
  const finite = broken && shape !== null && !Number.isNaN(shape.relL2) ? shape.relL2 : relL2;
  const tells = stage.operation.kind !== 'softmax';
  const wider = products > 0 && (!alone || group === 'linear') ? 'products' : alone ? null : 'spans';
  return { group, wider, products, tells, stored, alone: finite, shape };
}

const isGained = ({ stages }: Span): boolean =>
  stages.length > 1 && stages[stages.length - 1].operation.kind === 'rmsNorm';
