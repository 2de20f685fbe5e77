// An async iterator over tokens that gives back what it holds when nobody goes on with it: when it is stopped between two tokens, when
// it is collected, and, until someone goes on after all, at the end of the cell.

import { setMaxListeners } from 'node:events';
import { Interrupted } from '../../engine/errors.js';
import { Shown } from '../values/shown.js';
import { interruptSources } from '../host/interrupt.js';

interface State {
  readonly inner: AsyncGenerator<unknown, void, void>;
  readonly stop: AbortController;
  /** Aborted when it is over, which takes its listeners away. */
  readonly over: AbortController;
  readonly watched: Set<AbortSignal>;
  /** Gives memory back that the next token brings again. */
  readonly rest: () => void;
  /** Tokens that came. */
  given: number;
  /** Tokens that are waited for. */
  waiting: number;
}

/** More than these between two tokens at once give their memory back, those first that stand longest. */
const MOST_HELD = 4;
const KEY = Symbol.for('gemma-loupe.generations');
/** Those that have begun and are not over, the one that went on last at the end. */
const begun = ((globalThis as Record<symbol, unknown>)[KEY] ??= new Set()) as Set<State>;

/** Not before the iterator is gone: so it must not be reached from its state. */
const dropped = new FinalizationRegistry<State>(state => end(state));

/** What comes one after the other: loop over it. It gives back what it holds when it is over, left or dropped. */
export class Generation<T> extends Shown implements AsyncGenerator<T, void, void> {
  readonly #state: State;
  readonly #inner: AsyncGenerator<T, void, void>;

  /**
   * @param begin the iterator itself; it ends by the signal
   * @param rest see State
   */
  constructor(begin: (signal: AbortSignal) => AsyncGenerator<T, void, void>, rest: () => void = () => {}) {
    super();
    const stop = new AbortController();
    this.#inner = begin(stop.signal);
    this.#state = {
      inner: this.#inner,
      stop,
      over: new AbortController(),
      watched: new Set(),
      rest,
      given: 0,
      waiting: 0,
    };
    dropped.register(this, this.#state, this.#state);
  }

  /** The next token, or that there is none. */
  next(): Promise<IteratorResult<T, void>> {
    const state = this.#state;
    const { aborted, reason } = state.stop.signal;
    if (aborted && state.waiting === 0) return Promise.reject(reason);
    if (!state.over.signal.aborted) {
      watch(state);
      begun.delete(state);
      begun.add(state);
      [...begun].filter(between).slice(0, -MOST_HELD).forEach(rest);
    }
    return this.#waitFor(this.#inner.next());
  }

  /** Ends it, and gives back what it holds. */
  return(): Promise<IteratorResult<T, void>> {
    return this.#waitFor(this.#inner.return()).finally(() => finish(this.#state));
  }

  /** Ends it with an error. */
  throw(error: unknown): Promise<IteratorResult<T, void>> {
    return this.#waitFor(this.#inner.throw(error)).finally(() => finish(this.#state));
  }

  /** How far it is. */
  override toString(): string {
    const { over, given } = this.#state;
    const made = `${given} ${given === 1 ? 'token' : 'tokens'}`;
    if (over.signal.aborted) return `A generation that is over, after ${made}.`;
    return `A generation, ${given === 0 ? 'not begun' : `${made} so far`}: loop over it with for await.`;
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** As `return`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #waitFor(result: Promise<IteratorResult<T, void>>): Promise<IteratorResult<T, void>> {
    const state = this.#state;
    state.waiting += 1;
    try {
      const got = await result;
      if (got.done) finish(state);
      else state.given += 1;
      return got;
    } catch (error) {
      finish(state);
      throw error;
    } finally {
      state.waiting -= 1;
    }
  }
}

const between = (state: State) => state.waiting === 0;
const rest = (state: State) => state.rest();

/** Those between two tokens give their memory back. @returns how many there are */
export function restGenerations(): number {
  const idle = [...begun].filter(between);
  idle.forEach(rest);
  return idle.length;
}

/** Whoever asked for a token and is stopped takes the generation along. */
function watch(state: State): void {
  for (const source of interruptSources()) {
    if (state.watched.has(source)) continue;
    state.watched.add(source);
    setMaxListeners(0, source); // one each
    const stopped = () => end(state, source.reason);
    if (source.aborted) stopped();
    else source.addEventListener('abort', stopped, { once: true, signal: state.over.signal });
  }
}

function end(state: State, reason: unknown = new Interrupted('The generation')): void {
  state.stop.abort(reason);
  // What it holds is given back in its own finally; a token that is on its way ends by the signal.
  state.inner.return().catch(() => {});
  finish(state);
}

function finish(state: State): void {
  begun.delete(state);
  state.over.abort();
  dropped.unregister(state);
}

/** The options with a signal that either ends. */
export function stoppedBy<T extends { readonly signal?: AbortSignal }>(options: T, stop: AbortSignal): T {
  const { signal } = options;
  return { ...options, signal: signal === undefined ? stop : AbortSignal.any([signal, stop]) };
}

/** Checks at once, while what was given is as it was given, and tells with the first token what is wrong with it. */
export function toldLater<T>(check: () => T): () => T {
  try {
    const checked = check();
    return () => checked;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
