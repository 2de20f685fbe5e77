// `loop` as Jinja has it: it looks at the next item, and counts them, when it is asked.

import type { Argument } from './jinja-arguments.js';
import { lengthOf, once, over } from './jinja-items.js';
import type { Value } from './jinja-library.js';
import { LOOP, method } from './jinja-members.js';
import { alike } from './jinja-order.js';
import { objectOf, runtime, type Spend } from './jinja-values.js';

const NAMES = 'index index0 revindex revindex0 first last length previtem nextitem depth depth0 cycle changed'.split(
  ' ',
);

/** Goes over a value, and is its `loop`. */
export class Loop {
  /** The value of `loop`. Loops that call themselves are refused elsewhere, so that the depth is 1. */
  readonly value: Value;
  #left: Iterator<Value>;
  #length: number | null = null;
  #at = -1;
  #ahead: { readonly item: Value | null } | null = null;
  #current: Value | null = null;
  #before: Value | null = null;
  #asked: readonly Value[] | null = null;

  constructor(
    readonly whole: Value,
    readonly spend: Spend,
  ) {
    this.#left = over('a loop', whole, spend)[Symbol.iterator]();
    const members = new Members(name => this.#member(name));
    this.value = Object.assign(objectOf(members), { type: LOOP });
    for (const name of NAMES) members.set(name, runtime(undefined));
    for (const name of ['cycle', 'changed']) members.set(name, method(this.value, name));
    LOOPS.set(this.value, this);
  }

  /** The next item; null behind the last. */
  next(): Value | null {
    const { item } = this.#peeked();
    this.#ahead = null;
    if (item === null) return null;
    this.#at += 1;
    this.#before = this.#current;
    this.#current = item;
    return item;
  }

  #peeked(): { readonly item: Value | null } {
    if (this.#ahead?.item) return this.#ahead;
    const { done, value } = this.#left.next();
    this.#ahead = { item: done ? null : value };
    return this.#ahead;
  }

  #size(): number {
    if (this.#length !== null) return this.#length;
    const known = lengthOf(this.whole);
    if (known !== null) {
      this.#length = known;
      return known;
    }
    // A generator is gone over to its end, so that nothing is left of it behind the loop.
    const rest: Value[] = [];
    for (let one = this.#left.next(); !one.done; one = this.#left.next()) {
      this.spend(1);
      rest.push(one.value);
    }
    this.#left = rest[Symbol.iterator]();
    this.#length = rest.length + this.#at + 1 + (this.#ahead?.item ? 1 : 0);
    return this.#length;
  }

  #member(name: string): Value | null {
    switch (name) {
      case 'index':
        return runtime(this.#at + 1);
      case 'index0':
        return runtime(this.#at);
      case 'revindex':
        return runtime(this.#size() - this.#at);
      case 'revindex0':
        return runtime(this.#size() - this.#at - 1);
      case 'first':
        return runtime(this.#at === 0);
      case 'last':
        return runtime(this.#peeked().item === null);
      case 'length':
        return runtime(this.#size());
      case 'previtem':
        return (this.#at > 0 ? this.#before : null) ?? runtime(undefined);
      case 'nextitem':
        return this.#peeked().item ?? runtime(undefined);
      case 'depth':
        return runtime(1);
      case 'depth0':
        return runtime(0);
      default:
        return null;
    }
  }

  /** `loop.cycle(…)` and `loop.changed(…)`. */
  call(name: string, args: readonly Argument[]): Value {
    if (args.some(([key]) => key !== null)) throw new Error(`${name} takes no names`);
    const values = args.map(([, value]) => value);
    if (name === 'cycle') {
      if (values.length === 0) throw new Error('cycle takes a value at least');
      return values[this.#at % values.length];
    }
    const before = this.#asked;
    const same = before?.length === values.length && before.every((value, i) => alike(value, values[i], this.spend));
    if (!same) this.#asked = values;
    return runtime(!same);
  }
}

const LOOPS = new WeakMap<object, Loop>();
/** The loop that a value belongs to, where `name` is one of its methods. */
export const loopOf = (value: Value, name: string): Loop | null =>
  name === 'cycle' || name === 'changed' ? (LOOPS.get(value) ?? null) : null;

/** What `loop` has by its names, reckoned when it is asked for. */
class Members extends Map<string, Value> {
  constructor(readonly reckon: (name: string) => Value | null) {
    super();
  }
  override get(name: string): Value | undefined {
    return this.reckon(name) ?? super.get(name);
  }
}

/** What is left of a value where a loop has a condition: each item is asked about when its turn comes. */
export function chosen(whole: Value, spend: Spend, choose: (item: Value) => Value | null): Value {
  const source = over('a loop', whole, spend);
  return once(
    (function* () {
      for (const item of source) {
        spend(1);
        const kept = choose(item);
        if (kept) yield kept;
      }
    })(),
  );
}
