// One prompt read twice on one adapter: every stage's output, chunk by chunk, must have the same bits. Where it has not, a shader races.

import { createHash } from 'node:crypto';
import type { Stage } from '../../engine/plan.js';
import { givesOf } from '../../engine/step.js';
import type { PlanKind } from '../../engine/fuse.js';
import type { Shaders } from '../../engine/kernel.js';
import { eitherSignal } from '../host/interrupt.js';
import { progressLine } from '../host/progress.js';
import { OurValues } from '../session/ours.js';
import { cut } from '../session/pieces.js';
import { checkPlan } from '../session/request.js';
import type { Run } from '../session/run.js';
import type { Session } from '../session/session.js';
import { OptionError } from '../../engine/errors.js';
import { checkOptions, type OptionNames } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { Shown } from '../values/shown.js';

/** How to read twice. */
export interface TwiceOptions {
  /** Default exact: every stage. `fast`: what its steps leave. */
  readonly plan?: PlanKind;
  /** Sizes of the chunks, which each have a hash; default: all tokens at once. */
  readonly chunks?: readonly number[];
  /** Most bytes of either run to hold at once; more take several pairs of runs. */
  readonly budget?: number;
  /** Stops it; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const OPTIONS: OptionNames<TwiceOptions> = { plan: true, chunks: true, budget: true, signal: true };

/** A stage's output in one chunk, of both runs. */
export interface TwiceRow {
  /** Its name. */
  readonly stage: string;
  /** Which chunk, from 0. */
  readonly chunk: number;
  /** The first 16 hexadecimal digits of SHA-256 over the values' bytes, of the first run and the second. */
  readonly hashes: readonly [string, string];
  /** Where the two part first, an index a dimension of the whole output; null where they are equal. */
  readonly place: readonly number[] | null;
  /** What the first run has there and what the second has. */
  readonly values: readonly [number, number] | null;
}

/** Two runs of one prompt, by the bits of every stage. `session.twice(prompt)` makes one. */
export class Twice extends Shown {
  constructor(
    /** By chunk, and in a chunk in the plan's order: as they were computed. */
    readonly rows: readonly TwiceRow[],
    /** Sizes of the chunks. */
    readonly chunks: readonly number[],
    /** Model, adapter and the shaders that ran. */
    readonly provenance: Readonly<Record<string, string>>,
  ) {
    super();
  }

  /** Whether all bits are equal. */
  get equal(): boolean {
    return this.first === null;
  }

  /** The first, in the order in which they were computed, that is not the same in both runs. */
  get first(): TwiceRow | null {
    return this.rows.find(({ place }) => place !== null) ?? null;
  }

  /** What `loupe diff --twice --json` prints. */
  toJSON(): unknown {
    const { equal, first, chunks, provenance, rows } = this;
    return { equal, first, chunks, provenance, rows };
  }
}

/** Throws what a run of the prompt throws: PromptError for chunks that do not add up, OptionError for what is no option. */
export async function twice(
  session: Session,
  prompt: string | readonly number[],
  given: TwiceOptions = {},
): Promise<Twice> {
  const options = checkOptions('twice', given, OPTIONS);
  if (options.chunks !== undefined && !Array.isArray(options.chunks))
    throw new OptionError(`chunks of twice are the sizes of its chunks, [2, 3], not ${said(options.chunks)}.`);
  session.ready();
  const shaders = await session.model.kernels.inForce(); // of the call, for both: an edit meanwhile is no fault of theirs
  return await readTwice(session, prompt, options, [shaders, shaders]);
}

/** With the shaders of either run. */
export async function readTwice(
  session: Session,
  prompt: string | readonly number[],
  { plan: wanted, chunks, budget, signal: own }: TwiceOptions,
  shaders: readonly [Shaders, Shaders],
): Promise<Twice> {
  const plan = checkPlan(wanted, 'exact');
  const ids = session.encode(prompt);
  const signal = eitherSignal(own);
  const given = new Set(session.model.steps(plan).flatMap(step => givesOf(step)));
  const stages = session.plan.stages.filter(stage => given.has(stage));
  const runs: Run[] = [];
  const both = shaders.map(
    one =>
      new OurValues(
        stages,
        ids.length,
        'all',
        async tap => {
          const run = await session.run(ids, { tap, chunks, logits: 'all', signal, budget, shaders: one, plan });
          runs[0] ??= run;
          return run;
        },
        budget,
      ),
  );
  using progress = progressLine('Comparing', false);
  const sizes = chunks ?? [ids.length];
  const byChunk: TwiceRow[][] = sizes.map(() => []);
  for (const [done, stage] of stages.entries()) {
    const [a, b] = [await both[0].read(stage.name), await both[1].read(stage.name)];
    for (const [chunk, row] of rowsOf(stage, a, b, ids.length, sizes).entries()) byChunk[chunk].push(row);
    progress.count(done + 1, stages.length, 'stages');
  }
  return new Twice(byChunk.flat(), sizes, runs[0].provenance);
}

/** A row a chunk. */
function rowsOf(stage: Stage, a: Float32Array, b: Float32Array, tokens: number, chunks: readonly number[]): TwiceRow[] {
  const whole = { tokens, keys: tokens, rows: tokens };
  // Rows of logits are tokens here: all are wanted.
  const axes = stage.axes.map(axis => (axis.size === 'rows' ? { ...axis, size: 'tokens' as const } : axis));
  let keys = 0;
  return chunks.map((size, chunk): TwiceRow => {
    keys += size;
    const part = { tokens: size, keys, rows: size };
    const [one, other] = [a, b].map(data => cut(data, axes, whole, part));
    const at = firstApart(one, other);
    const shape = axes.map(axis => (typeof axis.size === 'number' ? axis.size : part[axis.size as 'tokens' | 'keys']));
    const place = at < 0 ? null : placeIn(at, shape).map((n, d) => n + (axes[d].size === 'tokens' ? keys - size : 0));
    return {
      ...{ stage: stage.name, chunk, place },
      hashes: [hashOf(one), hashOf(other)],
      values: at < 0 ? null : [one[at], other[at]],
    };
  });
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);
const hashOf = (data: Float32Array): string => createHash('sha256').update(bytesOf(data)).digest('hex').slice(0, 16);

/** Bits, not numbers: NaN is itself, and −0 is not 0. */
function firstApart(a: Float32Array, b: Float32Array): number {
  const [one, other] = [a, b].map(({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length));
  return one.findIndex((bits, i) => bits !== other[i]);
}

function placeIn(index: number, shape: readonly number[]): number[] {
  let rest = index;
  return shape
    .map((_, d) => shape.slice(d + 1).reduce((n, size) => n * size, 1))
    .map(stride => {
      const n = Math.floor(rest / stride);
      rest %= stride;
      return n;
    });
}
