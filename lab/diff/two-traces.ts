// Two saved traces without a model: each stage in the run alone. Which stages there are, in which order and what reads what, their names say.

import { TraceError } from '../../engine/errors.js';
import { count, type Stage } from '../../engine/plan.js';
import { tokensText } from '../values/numbers.js';
import type { Trace } from '../values/trace.js';
import type { DiffLimits } from './diff.js';
import type { Sides } from './error-map.js';
import type { Leftover } from './leftover.js';
import { type Match, matchNames } from './match.js';
import { outlineOf } from './outline.js';
import { refereeRows, type TheirValue } from './referee.js';
import type { DiffRow } from './row.js';

export interface BetweenTraces {
  readonly limits: Required<DiffLimits>;
  readonly signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/** Stages of `b` against those of `a`, which is what is right. Throws TraceError where they share no stage, are of other tokens, or of another model. */
export async function traceRows(
  a: Trace,
  b: Trace,
  { limits, signal, onProgress }: BetweenTraces,
): Promise<{ readonly rows: DiffRow[]; readonly leftover: Leftover; readonly sides: Sides }> {
  const ids = sameTokens(a, b);
  const plan = outlineOf([...a.arrays.keys(), ...b.arrays.keys()]);
  const [right, theirs] = [await stagesOf(a), await stagesOf(b)];
  const why = new Map<string, string>();
  const values: TheirValue[] = [];
  for (const stage of plan.stages) {
    const [one, other] = [right.byStage.get(stage.name), theirs.byStage.get(stage.name)];
    if (!one && !other) continue;
    if (!one || !other) {
      why.set((one ?? other)!.theirs, `${one ? b.name : a.name} has no '${stage.name}'.`);
      continue;
    }
    const [shape, wanted] = [shapeOf(b, other), shapeOf(a, one)];
    if (one.before !== other.before) {
      why.set(other.theirs, `the two have '${stage.name}' in different forms, which a model would settle.`);
    } else if (shape.join() === wanted.join() && shape.length === stage.axes.length) {
      const whole = shape[rowsOf(stage)] === ids.length;
      const layout = stage.axes.map(({ name }) => name).join(',');
      values.push({ stage, shape, whole, name: other.theirs, layout, dtype: b.arrays.get(other.theirs)!.dtype });
    } else if (isOfRows(stage, shape, wanted)) {
      // One row is the last token's; of several that are fewer nobody knows whose they are.
      const axis = rowsOf(stage);
      const [fewer, more, rows] = shape[axis] < wanted[axis] ? [b, a, shape[axis]] : [a, b, wanted[axis]];
      if (axis !== 0 || rows !== 1)
        throw new TraceError(
          `'${fewer.name}' has '${stage.name}' of ${tokensText(rows)} and '${more.name}' of ${Math.max(shape[axis], wanted[axis])}, and does not say which they are. Save that stage whole${axis === 0 ? ', or of the last token alone' : ''}.`,
        );
      const layout = stage.axes.map(({ name }) => name).join(',');
      values.push({
        stage,
        shape: [1, ...shape.slice(1)],
        whole: false,
        name: other.theirs,
        layout,
        dtype: b.arrays.get(other.theirs)!.dtype,
      });
    } else if (count(shape) === count(wanted)) {
      const both = `[${wanted}] in ${a.name} and [${shape}] in ${b.name}`;
      why.set(other.theirs, `'${stage.name}' is ${both}, and without a model only what is laid out alike is compared.`);
    } else {
      throw new TraceError(
        `'${a.name}' has '${one.theirs}' in the shape [${wanted}], and '${b.name}' has '${other.theirs}' in [${shape}], so they are of different models. Give two of one model.`,
      );
    }
  }
  if (values.length === 0)
    throw new TraceError(
      `'${a.name}' and '${b.name}' have no stage in common that could be compared${
        [...why.values()]
          .slice(0, 1)
          .map(text => `: ${text}`)
          .join('') || '.'
      } Give traces of the same stages, or the model: --model M, in a cell { model }.`,
    );
  for (const { theirs: name, why: near } of [...right.others, ...theirs.others]) why.set(name, near);
  const ofTheirs = async (stage: string) => lastOf(stage, await read(b, theirs.byStage.get(stage)!));
  const ofOurs = async (stage: string) => lastOf(stage, await read(a, right.byStage.get(stage)!));
  const sides: Sides = {
    plan,
    tokens: ids.length,
    both: looked =>
      Promise.all(
        looked.map(async ({ name }) => ({ ours: await ofOurs(name), theirs: await ofTheirs(name), exact: null })),
      ),
  };
  const rows = await refereeRows({
    plan,
    values,
    tokens: ids.length,
    theirs: ofTheirs,
    ours: ofOurs,
    alone: null,
    limits,
    signal,
    onProgress,
  });
  const otherNames = new Map([...right.twice, ...theirs.twice]);
  const unusedNames = [...a.unusedNames(right.byStage.keys()), ...b.unusedNames(theirs.byStage.keys())];
  return { rows, sides, leftover: { notCompared: [...why.keys()], otherNames, why, unusedNames } };

  /** The rows that both have: all, or the last. */
  function lastOf(stage: string, data: Float32Array): Float32Array {
    return data.subarray(data.length - count(values.find(value => value.stage.name === stage)!.shape));
  }

  /** Arrays by stage. Throws TraceError for two names of a stage with different values. */
  async function stagesOf(trace: Trace) {
    const { matched, others } = matchNames(plan, [...trace.arrays.keys()], trace.names, false);
    const byStage = new Map<string, Match>();
    const twice = new Map<string, string>();
    for (const match of matched) {
      const [{ name }] = match.stages;
      const before = byStage.get(name);
      if (!before) byStage.set(name, match);
      else if (await isSame(trace, before, match)) twice.set(match.theirs, name);
      else throw twoOfOne(trace.name, before.theirs, match.theirs, name);
    }
    return { byStage, others, twice };
  }
}

async function read(trace: Trace, { theirs, factor }: Match): Promise<Float32Array> {
  const data = await trace.read(theirs);
  return factor === 1 ? data : data.map(value => value * factor);
}

async function isSame(trace: Trace, a: Match, b: Match): Promise<boolean> {
  if (a.before !== b.before) return true; // in two forms, of which the first is compared
  const [one, other] = [await read(trace, a), await read(trace, b)];
  return one.length === other.length && one.every((x, i) => Object.is(x, other[i]) || x === other[i]);
}

/** Two arrays of one stage, with different values. */
export const twoOfOne = (trace: string, a: string, b: string, stage: string): TraceError =>
  new TraceError(
    `'${trace}' has '${a}' and '${b}', two names of the stage '${stage}', with different values. Take out the one that is wrong, or give a map of names.`,
  );

/** Whether two shapes of a stage differ by their number of tokens alone. */
const isOfRows = (stage: Stage, a: readonly number[], b: readonly number[]): boolean => {
  const axis = rowsOf(stage);
  return a.length === stage.axes.length && a.length === b.length && a.every((size, i) => size === b[i] || i === axis);
};

const rowsOf = ({ axes }: Stage): number => axes.findIndex(({ name }) => name === 'token' || name === 'query');

/** The ids of both. Throws TraceError where they differ: every stage would, and no model says which of them alone does. */
function sameTokens(a: Trace, b: Trace): readonly number[] {
  const [one, other] = [idsOf(a), idsOf(b)];
  checkLengths(one.length, other.length);
  const at = one.findIndex((id, i) => id !== other[i]);
  if (at < 0) return one;
  throw new TraceError(
    `'${b.name}' is of other tokens than '${a.name}': ${other[at]} at place ${at}, where that has ${one[at]}. Give two of the same tokens, or the model, which tells what comes of the tokens from what is wrong: --model M, in a cell { model }.`,
  );
}

/** Throws TraceError for runs of different lengths. */
export function checkLengths(a: number, b: number): void {
  if (a === b) return;
  throw new TraceError(
    `The runs are of ${a} and ${b} tokens, and those of one length are compared. Give prompts of one length.`,
  );
}

/** Throws TraceError where they are not known. */
export function idsOf({ name, ids }: Trace): readonly number[] {
  if (ids !== null) return ids;
  throw new TraceError(
    `'${name}' does not say of which tokens it is: it has no 'input_ids' or 'ids'. Give them: trace(path, { ids: [2, 818] }), in a terminal --ids 2,818.`,
  );
}

/** Without a batch of one in front. */
function shapeOf(trace: Trace, { theirs, stages }: Match): readonly number[] {
  const { shape } = trace.arrays.get(theirs)!;
  return shape.length > stages[0].axes.length && shape[0] === 1 ? shape.slice(1) : shape;
}
