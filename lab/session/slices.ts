// Slices and patches as they are asked for, checked before anything runs: every range lies in the stage it is for, every axis exists. What
// the engine gets is positions in the model.

import { OptionError } from '../../engine/errors.js';
import type { Patch } from '../../engine/patches.js';
import { type Axis, type AxisName, nearest, type Plan, type Stage, windowOfPairs } from '../../engine/plan.js';
import type { Slice, Tap } from '../../engine/taps.js';
import { checkKeys, looked } from '../values/arguments.js';
import { type Cut, type Cuts, checkAxis, type Dim, rangeOf, said } from '../values/dims.js';
import { isRecord } from '../values/record.js';
import { PATCH_KEYS, type PatchSpec } from './request.js';
import { select } from '../values/select.js';

/** How far a run goes, or may go. */
export interface Reach {
  /** Tokens of the sequence. */
  readonly tokens: number;
  /** Logits of every token, or of the last read. */
  readonly logits: 'last' | 'all';
  /** The sequence may end before that: nothing can be counted from its end. */
  readonly open?: boolean;
}

/** Taps with their slices, and why stages that were selected have none: logits of tokens that are not computed. */
export interface Planned {
  readonly taps: readonly Tap[];
  readonly absent: ReadonlyMap<string, string>;
}

/**
 * A slice for each of the stages; an axis that a stage has not leaves it whole. Throws OptionError for an axis that none of them has, and
 * for a range that is not in one of them.
 */
export function planTaps(stages: readonly Stage[], slice: Cuts | undefined, reach: Reach): Planned {
  const asked: Entries = entriesOf(slice, 'slice');
  if (asked.length > 0 && stages.length === 0)
    throw new OptionError(`A slice was asked for (${asked[0][0]}), and nothing is tapped. Say which stages: { tap }.`);
  const axes = [...new Set(stages.flatMap(stage => stage.axes.map(({ name }) => name)))];
  for (const [name] of asked) {
    if (axes.includes(name as AxisName)) continue;
    const who = stages.length === 1 ? `'${stages[0].name}'` : `None of the ${stages.length} stages tapped`;
    throw new OptionError(
      `${who} has ${stages.length === 1 ? 'no' : 'a'} dimension '${name}' to slice; there is ${axes.join(', ')}. ${nearest(name, axes, 1)}`,
    );
  }
  checkCuts(asked, 'slice');
  const taps: Tap[] = [];
  const absent = new Map<string, string>();
  for (const stage of stages) {
    const ranges = rangesOf(stage, asked, reach);
    const [rows] = stage.axes;
    const token = ranges[rows.name];
    if (rows.size === 'rows' && reach.logits === 'last' && !reach.open && token && token[1] < reach.tokens) {
      const told = `'${stage.name}' is computed for token ${reach.tokens - 1} alone, and the slice asks for tokens ${token[0]} to ${token[1] - 1}. Run with { logits: 'all' }.`;
      if (stages.length === 1) throw new OptionError(told);
      absent.set(stage.name, told);
      continue;
    }
    taps.push(Object.keys(ranges).length > 0 ? { stage, slice: ranges } : { stage });
  }
  return { taps, absent };
}

/**
 * What patches replace, and by what. Throws OptionError unless every stage has every axis of the slice, the range is in it, and the values
 * are as many along each dimension as are replaced.
 */
export function planPatches(plan: Plan, patch: PatchSpec | readonly PatchSpec[] | undefined, reach: Reach): Patch[] {
  return [patch ?? []].flat().flatMap(spec => {
    if (typeof spec !== 'object' || spec === null || !('stage' in spec))
      throw new OptionError(`A patch is { stage, values, slice }, not ${said(spec)}.`);
    checkKeys('a patch', spec, PATCH_KEYS);
    const asked: Entries = entriesOf(spec.slice, 'slice of a patch');
    return select(plan, spec.stage).map(stage => {
      const axes = stage.axes.map(({ name }) => name);
      for (const [name] of asked) checkAxis(`'${stage.name}'`, name, axes);
      checkCuts(asked, 'slice of a patch');
      const ranges = rangesOf(stage, asked, reach);
      const whole = stage.axes.map(axis => {
        const range = ranges[axis.name];
        const [first, end] = [axis.size === 'rows' && reach.logits === 'last' ? reach.tokens - 1 : 0, reach.tokens];
        if (!range) return [first, typeof axis.size === 'number' ? axis.size : end] as const;
        if (range[0] >= first) return range;
        throw new OptionError(
          `A patch of '${stage.name}' is asked for at token ${range[0]}, and only token ${first} has logits in this run. Run with { logits: 'all' }.`,
        );
      });
      const slice: Slice = Object.fromEntries(stage.axes.map(({ name }, i) => [name, whole[i]]));
      checkSeen(stage, slice);
      const single = asked.flatMap(([name, cut]) => (typeof cut === 'number' ? [name] : []));
      return { stage, slice, ...valuesOf(stage, spec, whole, single) };
    });
  });
}

/** Throws OptionError for a patch of pairs in which no query may see a key: those stay masked, and nothing would come of it. */
function checkSeen(stage: Stage, { query, key }: Slice): void {
  const window = windowOfPairs(stage);
  if (window === undefined || !query || !key) return;
  const [least, most] = [query[0] - (key[1] - 1), query[1] - 1 - key[0]]; // how far back the keys lie
  if (most >= 0 && (window === null || least < window)) return;
  const text = (what: string, [from, to]: readonly [number, number]) =>
    to - from === 1 ? `${what} ${from}` : `${what} ${from} to ${to - 1}`;
  const why =
    most < 0
      ? 'no query may see a later key'
      : `a query of this stage sees the last ${window} tokens, itself among them, and no key further back`;
  throw new OptionError(
    `A patch of '${stage.name}' at ${text('query', query)} and ${text('key', key)} would change nothing: ${why}. Give keys that the query may see.`,
  );
}

function valuesOf(
  stage: Stage,
  { values }: PatchSpec,
  ranges: readonly (readonly [number, number])[],
  single: readonly string[],
): Pick<Patch, 'values' | 'shape'> {
  if (typeof values === 'number') return { values };
  if (!Array.isArray(values?.dims) || !(values.data instanceof Float32Array))
    throw new OptionError(
      `The values of a patch of '${stage.name}' are a number or an activation, not ${said(values)}. Take them from a tap.`,
    );
  const { data } = values;
  // What was cut by an index has lost the dimension that is one entry wide here.
  const lost = (name: string) => single.includes(name) && !values.dims.some(dim => dim.name === name);
  const axes = stage.axes.filter(({ name }) => !lost(name));
  const wanted = ranges.filter((_, i) => !lost(stage.axes[i].name));
  const { dims, shape: given } = values;
  if (dims.length !== axes.length) {
    throw new OptionError(
      `A patch of '${stage.name}' needs values of ${axes.length} dimensions, and has [${given}]. Take them from a tap of the same stage.`,
    );
  }
  axes.forEach(({ name }, i) => {
    if (dims[i].name !== name) {
      throw new OptionError(
        `A patch of '${stage.name}' has the dimensions ${dims.map(d => d.name).join(', ')}, and the stage has ${stage.axes.map(a => a.name).join(', ')}. Take the values from a tap of such a stage.`,
      );
    }
    const size = wanted[i][1] - wanted[i][0];
    if (given[i] === size) return;
    throw new OptionError(
      `A patch of '${stage.name}' has ${given[i]} entries along '${name}', and ${size} are to be replaced. Slice it: { ${name}: [first, one past the last] }.`,
    );
  });
  const shape = ranges.map(([from, to]) => to - from);
  return { values: data.slice(), shape }; // as they are when the run is asked for
}

type Entries = readonly (readonly [string, unknown])[];
type Asked = readonly (readonly [AxisName, Cut])[];

/** What is asked for along each axis, be it a range or not. */
function entriesOf(slice: unknown, what: string): Entries {
  if (slice === undefined || slice === null) return [];
  if (!isRecord(slice)) throw new OptionError(`A ${what} is { axis: [first, one past the last] }, not ${said(slice)}.`);
  return looked(`The ${what}`, OptionError, () => Object.entries(slice).filter(([, range]) => range !== undefined));
}

/** Throws OptionError for what is neither an index nor a range. */
function checkCuts(asked: Entries, what: string): asserts asked is Asked {
  for (const [name, cut] of asked) {
    if (typeof cut === 'number' || (Array.isArray(cut) && cut.length === 2)) continue;
    throw new OptionError(
      `A ${what} is an index or a range of whole numbers [first, one past the last] along '${name}', not ${said(cut)}.`,
    );
  }
}

/** The part of the slice that a stage has axes for, in positions of the model. */
function rangesOf(stage: Stage, asked: Asked, reach: Reach): Slice {
  const out: Record<string, readonly [number, number]> = {};
  for (const [name, cut] of asked) {
    const axis = stage.axes.find(found => found.name === name);
    if (!axis) continue;
    const dim = dimOf(axis, reach);
    if (reach.open && typeof axis.size !== 'number' && [cut].flat().some(n => n < 0)) {
      throw new OptionError(
        `The slice ${name}: ${said(cut)} of '${stage.name}' counts from an end that a generation does not have yet. Give positions from 0, or [first, Infinity].`,
      );
    }
    const { from, to } = rangeOf(`'${stage.name}'`, dim, cut);
    out[name] = [from, to];
  }
  return out;
}

function dimOf({ name, size }: Axis, { tokens }: Reach): Dim {
  const n = typeof size === 'number' ? size : tokens;
  return { name, size: n, from: 0, of: n };
}
