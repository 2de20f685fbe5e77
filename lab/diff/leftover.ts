// What a golden has beside the stages of the model it is compared with: tensors that no stage is called by, and second names of a stage. Who made
// the golden meant them to be compared, so they are named, and two that say different things of one stage are refused.

import { GoldenError } from '../../engine/errors.js';
import type { Plan } from '../../engine/plan.js';
import type { Golden } from '../values/golden.js';
import { namesOf } from '../values/select.js';

/** What a golden has beside the stages of the model. */
export interface Leftover {
  /** Tensors of the golden that belong to no stage of the model. */
  readonly notCompared: readonly string[];
  /** Second names, as TransformerLens or Hugging Face have them, with the stage they stand for; their values are the stage's. */
  readonly otherNames: ReadonlyMap<string, string>;
  /** Of arrays of another program: why each belongs to no stage, or which name is near. */
  readonly why?: ReadonlyMap<string, string>;
  /** Of arrays of another program that are longer than their tokens, by their names: how many rows were left out. */
  readonly rowsLeft?: ReadonlyMap<string, number>;
  /** Entries of a map of names, or of layouts, that say something of no array. */
  readonly unusedNames?: readonly string[];
}

export const NOTHING_LEFT: Leftover = { notCompared: [], otherNames: new Map() };

/** Throws GoldenError where two tensors of the golden are of one stage and differ. The golden has every stage of the plan. */
export async function leftoverOf(plan: Plan, golden: Golden): Promise<Leftover> {
  const own = new Set(plan.stages.filter(({ state }) => !state).map(({ name }) => name));
  const notCompared: string[] = [];
  const otherNames = new Map<string, string>();
  for (const [name, { shape }] of golden.stages) {
    if (own.has(name)) continue;
    const stage = stageOf(plan, name);
    if (stage === null) {
      notCompared.push(name);
      continue;
    }
    const there = golden.stages.get(stage)!.shape;
    if (shape.join() !== there.join() || !equal(await golden.read(name), await golden.read(stage))) {
      throw new GoldenError(
        `The golden '${golden.name}' has '${name}' and '${stage}', two names of one stage, with different values. Take out the one that is wrong.`,
      );
    }
    otherNames.set(name, stage);
  }
  return { notCompared, otherNames };
}

/** What the golden calls a stage that it does not have under its own name, or null. */
export function otherNameOf(plan: Plan, golden: Golden, stage: string): string | null {
  for (const name of golden.stages.keys()) if (stageOf(plan, name) === stage) return name;
  return null;
}

/** The stage of a name of others; null for none, and for what would be a pattern. */
function stageOf(plan: Plan, name: string): string | null {
  if (/[*{}]/.test(name)) return null;
  try {
    return namesOf(plan).one(name);
  } catch {
    return null;
  }
}

const equal = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i] || (Number.isNaN(x) && Number.isNaN(b[i])));

/** Arrays that are explained in a text; JSON has all. */
const FEW = 3;

/** Sentences about it, empty where there is nothing left. */
export function leftoverText({ notCompared, otherNames, why, rowsLeft, unusedNames = [] }: Leftover, most = 8): string {
  const some = (names: readonly string[]) =>
    names.slice(0, most).join(', ') + (names.length > most ? ` and ${names.length - most} more` : '');
  const sentences: string[] = [];
  if (notCompared.length > 0 && why) {
    const told = (name: string) => `${name}: ${why.get(name) ?? ''}`.trim();
    const few = notCompared.slice(0, FEW).map(told).join(' ');
    sentences.push(
      `Not compared: ${notCompared.length === 1 ? '1 array' : `${notCompared.length} arrays`}. ${few}${notCompared.length > FEW ? ` And ${notCompared.length - FEW} more.` : ''}`,
    );
  } else if (notCompared.length > 0) {
    const [are, belong] =
      notCompared.length === 1 ? ['1 tensor', 'belongs'] : [`${notCompared.length} tensors`, 'belong'];
    sentences.push(
      `Not compared: ${are} of the golden that ${belong} to no stage of this model: ${some(notCompared)}.`,
    );
  }
  const byRows = new Map<number, string[]>();
  for (const [name, rows] of rowsLeft ?? []) byRows.set(rows, [...(byRows.get(rows) ?? []), name]);
  for (const [rows, names] of byRows) {
    const of = names.length === 1 ? names[0] : `each of ${names.length} arrays`;
    const [are, were] = rows === 1 ? ['1 row', "is no token's and was"] : [`${rows} rows`, "are no token's and were"];
    sentences.push(`${are} of ${of} ${were} not compared: padding, or ids are missing.`);
  }
  if (unusedNames.length > 0) sentences.push(`No array is called as the map of names says: ${some(unusedNames)}.`);
  if (otherNames.size > 0) {
    const pairs = [...otherNames].map(([name, stage]) => `${name} (${stage})`);
    sentences.push(`In the ${why ? 'trace' : 'golden'} twice, with the same values: ${some(pairs)}.`);
  }
  return sentences.join(' ');
}
