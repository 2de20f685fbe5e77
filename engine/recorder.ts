// What gemma.ts speaks to: one method an operation. Each call checks its shapes, appends a stage to the plan and returns the
// stage's output for the next call. Nothing runs here, and nothing here knows of buffers.

import type { Rope } from './config.js';
import { type Axis, makePlan, type Operation, type Plan, type Ref, type Stage, shapeText, TOKEN_IDS } from './plan.js';

const T: Axis = { letter: 'T', name: 'token', size: 'tokens' };
const fixed = (letter: string, name: Axis['name'], size: number): Axis => ({ letter, name, size });

/** Axes that weights give to the values they make. */
export const axis = {
  hidden: (size: number) => fixed('H', 'channel', size),
  feedForward: (size: number) => fixed('F', 'channel', size),
  heads: (size: number) => fixed('A', 'head', size),
  kvHeads: (size: number) => fixed('K', 'head', size),
  dim: (size: number) => fixed('D', 'dim', size),
  vocab: (size: number) => fixed('V', 'vocab', size),
};

/** Values a token has: the product of the sizes that do not depend on the run. */
export const valuesPerToken = (axes: readonly Axis[]): number =>
  axes.reduce((n, { size }) => n * (typeof size === 'number' ? size : 1), 1);

function fixedSize({ letter, size }: Axis): number {
  if (typeof size !== 'number') throw new Error(`Axis ${letter} depends on the run and cannot shape a weight.`);
  return size;
}

/** What a forward pass is recorded into: each method checks its shapes and appends a stage under `name`. */
export class Recorder {
  readonly #stages: Stage[] = [];
  readonly #scopes: string[] = [];
  /** The token ids of the chunk, [T]. */
  readonly ids = TOKEN_IDS;

  /** Stages recorded by `body` are named `prefix.…`. */
  scope<R>(prefix: string, body: () => R): R {
    this.#scopes.push(prefix);
    try {
      return body();
    } finally {
      this.#scopes.pop();
    }
  }

  /** [T,H] = rows of the weight [V,H] for the ids, × scale. */
  embed(name: string, ids: Ref, [vocab, hidden]: readonly [Axis, Axis], { scale }: { scale: number }): Ref {
    return this.#record(name, { kind: 'embed', scale }, [ids], [T, hidden], { shape: [vocab, hidden].map(fixedSize) });
  }

  /** Same shape as x, normalised over the last axis and multiplied by its gain, [last axis]. */
  rmsNorm(name: string, x: Ref, { eps, weight }: { eps: number; weight?: string }): Ref {
    const shape = [fixedSize(x.axes[x.axes.length - 1])];
    return this.#record(name, { kind: 'rmsNorm', eps }, [x], x.axes, { shape, weight });
  }

  /** [T,…out] = x [T,…in] · weightᵀ [out,in]. */
  linear(name: string, x: Ref, out: readonly Axis[]): Ref {
    return this.#record(name, { kind: 'linear' }, [x], [T, ...out], {
      shape: [valuesPerToken(out), valuesPerToken(x.axes)],
    });
  }

  /** Turns each head of x [T,heads,D] by its position. */
  rope(name: string, x: Ref, rope: Rope): Ref {
    return this.#record(name, { kind: 'rope', ...rope }, [x], x.axes);
  }

  /** Keeps x [T,K,D] for later chunks: every position on full layers, the last `window` on sliding ones. */
  cache(name: string, x: Ref, window: number | null): Ref {
    const slots: Axis = { letter: 'R', name: 'slot', size: 'slots' };
    return this.#record(name, { kind: 'cache', window }, [x], [slots, ...x.axes.slice(1)]);
  }

  /** [A,T,S] = q [T,A,D] · cached keys, scaled, soft-capped, masked. */
  scores(name: string, q: Ref, keys: Ref, o: { scale: number; softcap: number | null; window: number | null }): Ref {
    const axes: Axis[] = [
      { letter: 'A', name: 'head', size: q.axes[1].size },
      { letter: 'T', name: 'query', size: 'tokens' },
      { letter: 'S', name: 'key', size: 'keys' },
    ];
    return this.#record(name, { kind: 'scores', ...o }, [q, keys], axes);
  }

  /** Softmax over the keys; those outside the window are masked in the scores. */
  softmax(name: string, scores: Ref, { window }: { window: number | null }): Ref {
    return this.#record(name, { kind: 'softmax', window }, [scores], scores.axes);
  }

  /** [T,A,D] = pattern [A,T,S] · cached values. */
  mix(name: string, pattern: Ref, values: Ref, { window }: { window: number | null }): Ref {
    return this.#record(name, { kind: 'mix', window }, [pattern, values], [T, pattern.axes[0], values.axes[2]]);
  }

  /** GELU in its tanh form, value by value. */
  geluTanh(name: string, x: Ref): Ref {
    return this.#record(name, { kind: 'geluTanh' }, [x], x.axes);
  }

  /** The product of two values of one shape, value by value. */
  mul(name: string, a: Ref, b: Ref): Ref {
    return this.#record(name, { kind: 'mul' }, [a, b], this.#same(name, a, b));
  }

  /** The sum of two values of one shape. */
  add(name: string, a: Ref, b: Ref): Ref {
    return this.#record(name, { kind: 'add' }, [a, b], this.#same(name, a, b));
  }

  /** Logits [rows,V]: as linear, soft-capped where the model says so; rows is T, or 1 when only the last are wanted. */
  head(name: string, x: Ref, vocab: Axis, { softcap, weight }: { softcap: number | null; weight: string }): Ref {
    const rows: Axis = { letter: 'T', name: 'token', size: 'rows' };
    const shape = [fixedSize(vocab), valuesPerToken(x.axes)];
    return this.#record(name, { kind: 'head', softcap }, [x], [rows, vocab], { shape, weight });
  }

  /** What was recorded, as a plan. */
  finish(): Plan {
    return makePlan(this.#stages);
  }

  #record(
    name: string,
    operation: Operation,
    inputs: readonly Ref[],
    axes: readonly Axis[],
    weight?: { shape: readonly number[]; weight?: string },
  ): Ref {
    const full = [...this.#scopes, name].join('.');
    if (this.#stages.some(s => s.name === full)) throw new Error(`The plan has two stages named '${full}'.`);
    const stage: Stage = {
      name: full,
      operation,
      inputs: inputs.map(({ name, axes, state }) => ({ name, axes, ...(state && { state }) })), // without what is before them: whoever prints or copies a stage comes to an end
      weight: weight ? { name: weight.weight ?? full, shape: weight.shape } : null,
      axes,
      state: operation.kind === 'cache',
    };
    // As JSON its inputs are their names.
    const toJSON = () => ({ ...stage, inputs: inputs.map(({ name }) => name) });
    Object.defineProperty(stage, 'toJSON', { value: toJSON });
    this.#stages.push(stage);
    return stage;
  }

  #same(name: string, a: Ref, b: Ref): readonly Axis[] {
    const [left, right] = [shapeText(a.axes), shapeText(b.axes)];
    if (left !== right) throw new Error(`Stage '${name}' needs two inputs of one shape but got ${left} and ${right}.`);
    return a.axes;
  }
}
