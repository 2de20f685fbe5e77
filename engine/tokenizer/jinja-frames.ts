// The variables of a block while it runs.

import type { Scope, Value } from './jinja-library.js';
import type { Symbols } from './jinja-symbols.js';
import { runtime } from './jinja-values.js';

/** What the context has by a name: what `render` was given. */
export type Context = (name: string) => Value | undefined;

export class Frame implements Scope {
  readonly #values = new Map<string, Value | undefined>();
  #over = false;

  /** Begins a block. @param around the one that it stands in */
  constructor(
    readonly symbols: Symbols,
    readonly around: Frame | null,
    readonly context: Context,
  ) {
    for (const [name, load] of symbols.loads) {
      if (load === 'parameter' || load === 'undefined') this.#values.set(name, undefined);
      else this.#values.set(name, load === 'resolve' ? context(name) : around!.#find(name).#values.get(name));
    }
  }

  /** Ends it: a macro that is written in it can be called no more. */
  end(): void {
    this.#over = true;
  }
  get over(): boolean {
    return this.#over || (this.around?.over ?? false);
  }

  #find(name: string): Frame {
    for (let frame: Frame | null = this; frame; frame = frame.around) if (frame.#values.has(name)) return frame;
    // As in Jinja, which has not looked at the arguments of a set block's filter.
    throw new Error(`the filter of a set block names '${name}', which no block around it does`);
  }

  lookupVariable(name: string): Value {
    return this.#find(name).#values.get(name) ?? runtime(undefined);
  }

  set(name: string, value: Value): Value {
    this.#values.set(name, value);
    return value;
  }
}
