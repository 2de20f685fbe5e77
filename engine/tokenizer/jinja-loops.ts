// What `loop` has in Jinja beside what the library gives it: depth, cycle and changed.

import type { Argument } from './jinja-arguments.js';
import type { Scope, Value } from './jinja-library.js';
import { LOOP, method } from './jinja-members.js';
import { alike } from './jinja-order.js';
import { runtime } from './jinja-values.js';

export class Loops {
  /** What `changed` was asked last, by the loop's scope. */
  readonly #asked = new WeakMap<Scope, readonly Value[]>();
  readonly #scopes = new WeakMap<object, Scope>();

  /** Completes the `loop` of a pass. Loops that call themselves are refused elsewhere, so that the depth is 1. */
  complete(scope: Scope): void {
    const loop = scope.lookupVariable('loop');
    if (!(loop.value instanceof Map) || loop.value.has('depth')) return;
    this.#scopes.set(loop, scope);
    Object.assign(loop, { type: LOOP });
    const methods = { cycle: method(loop, 'cycle'), changed: method(loop, 'changed') };
    const more = { depth: runtime(1), depth0: runtime(0), ...methods };
    for (const [name, value] of Object.entries(more)) loop.value.set(name, value);
  }

  /** `loop.cycle(…)` and `loop.changed(…)`; null for other calls. */
  called(object: Value, name: string, args: () => readonly Argument[]): Value | null {
    const scope = this.#scopes.get(object);
    if (!scope || (name !== 'cycle' && name !== 'changed')) return null;
    const given = args();
    if (given.some(([key]) => key !== null)) throw new Error(`${name} takes no names`);
    const values = given.map(([, value]) => value);
    if (name === 'cycle') {
      if (values.length === 0) throw new Error('cycle takes a value at least');
      const at = (object.value as Map<string, Value>).get('index0')!.value as number;
      return values[at % values.length];
    }
    const before = this.#asked.get(scope);
    this.#asked.set(scope, values);
    const same = before?.length === values.length && before.every((value, i) => alike(value, values[i], () => {}));
    return runtime(!same);
  }
}
