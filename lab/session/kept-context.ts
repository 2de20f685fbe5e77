// The cache of the last run of a session, held for the next whose prompt begins alike. There is one; who runs with it has it alone, and it is given back when memory is short.

import type { Context } from '../../engine/context.js';
import type { PlanKind } from '../../engine/fuse.js';
import type { Shaders } from '../../engine/kernel.js';
import type { Model } from '../../engine/model.js';
import type { Patch } from '../../engine/patches.js';

/** A prompt, and how it is to be read. */
export interface Beginning {
  readonly ids: readonly number[];
  readonly plan: PlanKind;
  readonly patches: readonly Patch[];
  readonly shaders: Shaders;
  /** Tokens of a chunk without this. */
  readonly chunk: number;
}

/** A context while somebody runs with it. Disposed of at the end, unless it is kept. */
export interface Held extends Disposable {
  readonly context: Context;
  /** Tokens of the prompt that are in it already. */
  readonly reused: number;
  /** All went well: the next may go on from here. */
  keep(): void;
}

export class KeptContext {
  #context: Context | null = null;
  readonly #drop = () => {
    this.#context?.[Symbol.dispose]();
    this.#context = null;
  };

  /** A context that is not kept. */
  without(context: Context): Held {
    return { context, reused: 0, keep: () => {}, [Symbol.dispose]: () => context[Symbol.dispose]() };
  }

  /**
   * The kept context, or one that will be, of the longest length, so that any prompt may follow.
   * @param open makes the context that there is without this
   */
  take(model: Model, length: number, open: () => Context, { ids, plan, patches, shaders, chunk }: Beginning): Held {
    const before = this.#context;
    this.#context = null;
    model.gpu.spare.delete(this.#drop);
    const fits = before !== null && before.model === model && before.plan === plan && before.length === length;
    if (!fits) before?.[Symbol.dispose]();
    const context = fits ? before : model.context({ length, plan });
    // A longer context may have smaller chunks, which would be other bits; and what is no chunk is nothing to go on from.
    const short = ids.length <= context.chunk;
    if (short || context.chunk !== chunk) {
      if (fits && short) this.#hold(context);
      else context[Symbol.dispose]();
      return this.without(open());
    }
    const reused = context.restart(ids, shaders, patches);
    let kept = false;
    return {
      context,
      reused,
      keep: () => {
        kept = true;
      },
      [Symbol.dispose]: () => (kept ? this.#hold(context) : context[Symbol.dispose]()),
    };
  }

  #hold(context: Context): void {
    this.#drop(); // of a run beside this one
    this.#context = context;
    context.model.gpu.spare.add(this.#drop);
  }

  [Symbol.dispose](): void {
    this.#context?.model.gpu.spare.delete(this.#drop);
    this.#drop();
  }
}
