// Modules of both kinds as the other kind sees them.

import { LoupeError } from '../../engine/errors.js';
import { nearest } from '../../engine/plan.js';

/** A module as an import line sees it. */
export interface Imported {
  readonly namespace: unknown;
  has(name: string): boolean;
  /** Undefined where it has none of that name. */
  pick(name: string): unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  (typeof value === 'object' || typeof value === 'function') && value !== null;

/** What an import line takes of a module; of one in CommonJS all that it exports, and its own default where it has one. */
export function imported(namespace: object): Imported {
  const names = namespace as Record<string, unknown>;
  const whole = names.default;
  const isDefault = isObject(whole) && whole.__esModule === true && 'default' in whole;
  const pick = (name: string) => {
    if (name === 'default') return isDefault ? whole.default : whole;
    return name in names || !isObject(whole) ? names[name] : whole[name];
  };
  const has = (name: string) => name in names || (name === 'default' ? false : isObject(whole) && name in whole);
  const more =
    isObject(whole) &&
    Object.keys(names).every(name => name === 'default' || name in whole) &&
    Object.keys(whole).some(name => !(name in names));
  const merged = more ? Object.assign(Object.create(null), whole, names, { default: pick('default') }) : names;
  return { namespace: merged, has, pick };
}

/** Of a file beside the notebook: its exports, or what stands for them. */
export function importedFrom(exports: unknown): Imported {
  const namespace = namespaceOf(exports) as Record<string, unknown>;
  return { namespace, has: name => name in namespace, pick: name => namespace[name] };
}

/** Throws LoupeError where a module has nothing of a name that an import line asks for. */
export function required(specifier: string, { namespace, has }: Imported, names: Iterable<string>): void {
  for (const name of names) {
    if (has(name)) continue;
    const cure =
      name === 'default'
        ? `Import what it exports by name, import { … } from '${specifier}', or all of it, import * as name from '${specifier}'.`
        : nearest(
            name,
            Object.keys(namespace as object).filter(each => each !== 'default'),
            1,
          );
    throw new LoupeError(`The requested module '${specifier}' does not provide an export named '${name}'. ${cure}`);
  }
}

export function namespaceOf(exports: unknown): unknown {
  if (isObject(exports) && exports.__esModule === true) return exports;
  return Object.assign(Object.create(null), isObject(exports) ? exports : {}, { default: exports });
}

/**
 * What `require` gives for an import line that became one.
 * @param names that the line asks for
 */
export function asCommonJs(specifier: string, module: Imported, names: ReadonlySet<string>): unknown {
  const { namespace, pick } = module;
  return new Proxy(Object.create(null), {
    get: (_, name) => {
      if (name === '__esModule') return true;
      if (typeof name !== 'string') return Reflect.get(namespace as object, name);
      // When it is used: TypeScript leaves out what is a type alone.
      if (names.has(name)) required(specifier, module, [name]);
      return pick(name);
    },
    has: (_, name) => name === '__esModule' || name in (namespace as object),
    ownKeys: () => Reflect.ownKeys(namespace as object).filter(name => typeof name === 'string'),
    getOwnPropertyDescriptor: (_, name) =>
      name in (namespace as object)
        ? { value: pick(String(name)), enumerable: true, configurable: true, writable: true }
        : undefined,
  });
}
