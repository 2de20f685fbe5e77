// What the kernel itself runs on, and a cell may take away: `Promise`, `Symbol.iterator`, `process`. After a cell it is as it was. What a cell adds stays, and so
// does another clock, console or timer, as long as it is one. Nothing here asks for anything that a cell could have changed.

const { apply, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const { is } = Object;

/** Of the language: nobody runs on another one. */
const LANGUAGE =
  'Object Function Array Promise Symbol Map Set WeakMap WeakSet WeakRef FinalizationRegistry Proxy Reflect JSON Error TypeError RangeError SyntaxError ReferenceError AggregateError String Number Boolean BigInt RegExp ArrayBuffer SharedArrayBuffer Atomics DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array BigInt64Array BigUint64Array parseInt parseFloat isNaN isFinite globalThis'.split(
    ' ',
  );
/** Which a cell may replace by others of their kind. */
const REPLACEABLE =
  'Date Math Intl console performance Buffer process setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate queueMicrotask structuredClone AbortController AbortSignal Event EventTarget TextEncoder TextDecoder URL WebAssembly'.split(
    ' ',
  );
/** Which every object would have, and every description of a property and every promise's value be read by. */
const NOT_OF_ALL = ['get', 'set', 'value', 'writable', 'enumerable', 'configurable', 'then'];
/** Ways of showing where an error is from, which the kernel looks after itself (stacks.ts). */
const FREE = new Set<PropertyKey>(['prepareStackTrace', 'stackTraceLimit']);

interface Kept {
  readonly owner: object;
  readonly key: PropertyKey;
  readonly name: string;
  /** Null for what is not there, and hides what is. */
  readonly before: PropertyDescriptor | null;
  /** What its getter gives, where a setter can change that. */
  readonly value: unknown;
  readonly strict: boolean;
}

export interface PutBack {
  readonly names: readonly string[];
  /** Which cannot be put back, because it was frozen or made fast. */
  readonly lost: readonly string[];
}

export class Foundations {
  readonly #kept: Kept[] = [];

  /** As they are now. */
  constructor() {
    for (const key of NOT_OF_ALL) this.#keep(Object.prototype, key, `Object.prototype.${key}`, true);
    const seen = new Set<unknown>();
    const global = globalThis as Record<string, unknown>;
    const members = (owner: unknown, name: string, strict: boolean, functions = false) => {
      if ((typeof owner !== 'object' && typeof owner !== 'function') || owner === null || seen.has(owner)) return;
      seen.add(owner);
      for (const key of ownKeys(owner)) {
        const { value } = getOwnPropertyDescriptor(owner, key)!;
        if (FREE.has(key) || (functions && typeof value !== 'function')) continue;
        this.#keep(owner, key, `${name}${typeof key === 'symbol' ? `[${key.description}]` : `.${key}`}`, strict);
      }
    };
    for (const [names, strict] of [
      [LANGUAGE, true],
      [REPLACEABLE, false],
    ] as const) {
      for (const name of names) {
        void global[name]; // some come when they are first asked for
        if (Object.hasOwn(global, name)) this.#keep(globalThis, name, name, strict);
        if (name === 'globalThis') continue;
        members(global[name], name, strict, name === 'process');
        const { prototype } = global[name] as { prototype?: unknown };
        members(prototype, `${name}.prototype`, strict);
      }
    }
    const emitter = getPrototypeOf(getPrototypeOf(process) as object) as object;
    members(emitter, 'EventEmitter.prototype', false, true);
    for (const key of ownKeys(emitter))
      if (!Object.hasOwn(process, key)) this.#keep(process, key, `process.${String(key)}`, false);
    // What has no name of its own.
    const above = (value: object) => getPrototypeOf(value) as object;
    const hidden: [string, object][] = [
      ['the typed arrays', above(Uint8Array)],
      ['the typed arrays’ prototype', above(Uint8Array.prototype)],
      ['iterators of arrays', above([][Symbol.iterator]())],
      ['iterators', above(above([][Symbol.iterator]()))],
      ['iterators of maps', above(new Map()[Symbol.iterator]())],
      ['iterators of sets', above(new Set()[Symbol.iterator]())],
      ['iterators of texts', above(''[Symbol.iterator]())],
      ['generators', above(above((function* () {})()))],
      ['asynchronous generators', above(above((async function* () {})()))],
    ];
    for (const [name, owner] of hidden) members(owner, name, true);
  }

  #keep(owner: object, key: PropertyKey, name: string, strict: boolean): void {
    const before = getOwnPropertyDescriptor(owner, key) ?? null;
    const value = before?.get && before.set && owner === globalThis ? apply(before.get, owner, []) : undefined;
    this.#kept.push({ owner, key, name, before, value, strict });
  }

  /** @param all what is of another kind, and what of the language is another; else what is of another kind alone, as a cell may be running */
  putBack(all: boolean): PutBack {
    const names: string[] = [];
    const lost: string[] = [];
    const kept = this.#kept;
    for (let i = 0; i < kept.length; i++) {
      const { owner, key, name, before, value, strict } = kept[i];
      const now = getOwnPropertyDescriptor(owner, key);
      if (before === null) {
        if (now === undefined || (!(all && strict) && kindOf(now) === 'function')) continue;
        if (deleteProperty(owner, key)) names[names.length] = name;
        else lost[lost.length] = name;
        continue;
      }
      const same = now !== undefined && is(now.value, before.value) && now.get === before.get && now.set === before.set;
      if (same) {
        if (value === undefined || apply(before.get!, owner, []) === value) continue;
        apply(before.set!, owner, [value]);
        names[names.length] = name;
        continue;
      }
      if (now !== undefined && kindOf(now) === kindOf(before) && !(all && strict)) continue;
      if (defineProperty(owner, key, before)) names[names.length] = name;
      else lost[lost.length] = name;
    }
    return { names, lost };
  }
}

const kindOf = (property: PropertyDescriptor): string =>
  property.get !== undefined || property.set !== undefined
    ? 'accessor'
    : property.value === null
      ? 'null'
      : typeof property.value;

/** What a person is told of it; null where nothing was changed. */
export function putBackText({ names, lost }: PutBack): string | null {
  const some = (list: readonly string[]) =>
    list.slice(0, 4).join(', ') + (list.length > 4 ? ` and ${list.length - 4} more` : '');
  if (lost.length > 0)
    return `${some(lost)} ${lost.length > 1 ? 'were' : 'was'} replaced for good, and the kernel runs on it. Restart it: Kernel → Restart.`;
  if (names.length > 0)
    return `${some(names)} ${names.length > 1 ? 'were' : 'was'} changed, and the kernel runs on it: it is again as it was.`;
  return null;
}
