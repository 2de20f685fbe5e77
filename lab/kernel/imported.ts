// Modules of both kinds as the other kind sees them.

/** A module as an import line sees it. */
export interface Imported {
  readonly namespace: unknown;
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
  const more =
    isObject(whole) &&
    Object.keys(names).every(name => name === 'default' || name in whole) &&
    Object.keys(whole).some(name => !(name in names));
  const merged = more ? Object.assign(Object.create(null), whole, names, { default: pick('default') }) : names;
  return { namespace: merged, pick };
}

/** Of a file beside the notebook: its exports, or what stands for them. */
export function importedFrom(exports: unknown): Imported {
  const namespace = namespaceOf(exports) as Record<string, unknown>;
  return { namespace, pick: name => namespace[name] };
}

export function namespaceOf(exports: unknown): unknown {
  if (isObject(exports) && exports.__esModule === true) return exports;
  return Object.assign(Object.create(null), isObject(exports) ? exports : {}, { default: exports });
}

/** What `require` gives for an import line that became one. */
export function asCommonJs({ namespace, pick }: Imported): unknown {
  return new Proxy(Object.create(null), {
    get: (_, name) =>
      name === '__esModule' ? true : typeof name === 'string' ? pick(name) : Reflect.get(namespace as object, name),
    has: (_, name) => name === '__esModule' || name in (namespace as object),
    ownKeys: () => Reflect.ownKeys(namespace as object).filter(name => typeof name === 'string'),
    getOwnPropertyDescriptor: (_, name) =>
      name in (namespace as object)
        ? { value: pick(String(name)), enumerable: true, configurable: true, writable: true }
        : undefined,
  });
}
