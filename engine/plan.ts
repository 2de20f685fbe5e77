// The plan: the ordered list of stages that one forward pass is made of. gemma.ts records it, everything else reads it:
// execution, taps, single stages, diffs, timings, pictures, the docs' stage table. Stage names exist nowhere else.

import type { Rope } from './config.js';
import { StageError } from './errors.js';
import { inWords } from './in-words.js';

/** What an axis counts, as activations name it. */
export type AxisName = 'token' | 'query' | 'key' | 'head' | 'dim' | 'channel' | 'vocab' | 'slot';

/** All of them. */
export const AXIS_NAMES: readonly AxisName[] = ['token', 'query', 'key', 'head', 'dim', 'channel', 'vocab', 'slot'];

/** Sizes that depend on the run: T tokens in the chunk, S keys seen so far, rows of logits wanted, slots of a cache. */
export type RunSize = 'tokens' | 'keys' | 'rows' | 'slots';

/** One axis of an activation: the design's letter (T, S, A, K, D, H, F, V), its name and its size. */
export interface Axis {
  /** T, S, A, K, D, H, F or V. */
  readonly letter: string;
  /** What it counts. */
  readonly name: AxisName;
  /** A number, or what changes from run to run. */
  readonly size: number | RunSize;
}

/** The run-time sizes of one chunk. */
export interface Extent {
  /** T: tokens in the chunk. */
  readonly tokens: number;
  /** S: keys once the chunk is in the cache, i.e. tokens before it + T. */
  readonly keys: number;
  /** Rows of logits: T, or 1 for the last alone. */
  readonly rows: number;
}

/** What a stage computes, with its constants. */
export type Operation =
  | { readonly kind: 'embed'; readonly scale: number }
  | { readonly kind: 'rmsNorm'; readonly eps: number }
  | { readonly kind: 'linear' }
  | ({ readonly kind: 'rope' } & Rope)
  | { readonly kind: 'cache'; readonly window: number | null }
  | {
      readonly kind: 'scores';
      readonly scale: number;
      readonly softcap: number | null;
      readonly window: number | null;
    }
  | { readonly kind: 'softmax'; readonly window: number | null }
  | { readonly kind: 'mix'; readonly window: number | null }
  | { readonly kind: 'geluTanh' }
  | { readonly kind: 'mul' }
  | { readonly kind: 'add' }
  | { readonly kind: 'head'; readonly softcap: number | null };

export type OperationKind = Operation['kind'];

/** A value in the plan: the output of a stage, or the token ids. */
export interface Ref {
  /** As `loupe plan` lists it. */
  readonly name: string;
  /** From the outermost to the innermost. */
  readonly axes: readonly Axis[];
  /** Whether it is a key/value cache. */
  readonly state?: boolean;
}

/** A weight matrix or gain, by its canonical name (weights/source.ts). */
export interface WeightRef {
  /** The stage that uses it, mostly. */
  readonly name: string;
  /** [out, in] of a matrix. */
  readonly shape: readonly number[];
}

/** One value of the forward pass, with what it is made of. */
export interface Stage extends Ref {
  /** What it computes, with its constants. */
  readonly operation: Operation;
  /** What it reads: outputs of other stages, or the token ids. */
  readonly inputs: readonly Ref[];
  /** What it multiplies by; null where it has none. */
  readonly weight: WeightRef | null;
  /** A key/value cache: it outlives the chunk, and is no activation that could be tapped. */
  readonly state: boolean;
}

/** The forward pass as a list of stages. */
export interface Plan {
  /** In the order in which they run, caches among them. */
  readonly stages: readonly Stage[];
  /** By name; throws StageError with the nearest names. */
  stage(name: string): Stage;
}

export const TOKEN_IDS: Ref = { name: 'ids', axes: [{ letter: 'T', name: 'token', size: 'tokens' }] };

/** Concrete shape of a value in a chunk of the given extent. `slots` is needed for caches only. */
export function shapeOf(axes: readonly Axis[], extent: Extent, slots = 0): number[] {
  return axes.map(({ size }) => (size === 'slots' ? slots : typeof size === 'number' ? size : extent[size]));
}

/** `[T,A,D]` with the sizes that are fixed: `[T, A=4, D=32]` reads as `[T,4,32]`. */
export function shapeText(axes: readonly Axis[]): string {
  return `[${axes.map(a => (typeof a.size === 'number' ? a.size : a.letter)).join(',')}]`;
}

/** Values in an activation of the given axes. */
export const count = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

/** The window of a stage that has a value for every pair of a query and a key, null where it has none; undefined of any other stage. */
export const windowOfPairs = ({ operation }: Stage): number | null | undefined =>
  operation.kind === 'scores' || operation.kind === 'softmax' ? operation.window : undefined;

/** Index the recorded stages; nothing may share a name. */
export function makePlan(stages: readonly Stage[]): Plan {
  const byName = new Map(stages.map(stage => [stage.name, inWords(stage, stageText)]));
  const plan: Plan = {
    stages,
    stage(name) {
      const found = byName.get(name);
      if (found) return found;
      throw new StageError(
        `There is no stage named '${name}'. ${nearest(name, [...byName.keys()])} ` +
          "Give a name as `loupe plan` lists it, e.g. 'layers.0.attn.pattern'.",
      );
    },
  };
  return inWords(
    plan,
    () => `A plan of ${stages.length} stages, from ${stages[0]?.name} to ${stages.at(-1)?.name}: stage(name), stages`,
  );
}

const stageText = ({ name, axes, operation, inputs }: Stage): string =>
  `${name} ${shapeText(axes)}: ${operation.kind} of ${inputs.map(input => input.name).join(', ')}`;

/** `The nearest are 'a', 'b' and 'c'.` by edit distance; capitals matter only where nothing else does. */
export function nearest(name: string, names: readonly string[], many = 3): string {
  const ranked = names
    .map(candidate => ({
      candidate,
      distance: editDistance(name.toLowerCase(), candidate.toLowerCase()),
      exact: editDistance(name, candidate),
    }))
    .sort((a, b) => a.distance - b.distance || a.exact - b.exact)
    .slice(0, many)
    .map(({ candidate }) => `'${candidate}'`);
  if (ranked.length === 0) return 'There are no stages.';
  if (ranked.length === 1) return `The nearest is ${ranked[0]}.`;
  return `The nearest are ${ranked.slice(0, -1).join(', ')} and ${ranked.at(-1)}.`;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replace, previous[j] + 1, row[j - 1] + 1));
    }
    previous = row;
  }
  return previous[b.length];
}
