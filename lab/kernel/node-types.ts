// The language as this Node has it. TypeScript orders its libraries by the year of a standard, Node has what its V8 had: each library of
// a later year is in where what it declares is there.

const has = (owner: unknown, name: string) => owner !== undefined && name in Object(owner);
const globals = globalThis as unknown as Record<string, { prototype?: object }>;

/** Grouping came with Node 21; its shape is settled, so cells have it on Node 20 as well. */
function provideGrouping(): void {
  const define = (owner: object, value: unknown) => {
    if (!has(owner, 'groupBy')) Object.defineProperty(owner, 'groupBy', { value, writable: true, configurable: true });
  };
  const groups = <K, T>(items: Iterable<T>, keyOf: (item: T, index: number) => K): Map<K, T[]> => {
    const out = new Map<K, T[]>();
    let index = 0;
    for (const item of items) {
      const key = keyOf(item, index++);
      const group = out.get(key);
      if (group) group.push(item);
      else out.set(key, [item]);
    }
    return out;
  };
  define(Map, function groupBy<K, T>(items: Iterable<T>, keyOf: (item: T, index: number) => K) {
    return groups(items, keyOf);
  });
  define(Object, function groupBy<T>(items: Iterable<T>, keyOf: (item: T, index: number) => PropertyKey) {
    const keyed = groups(items, (item, index) => {
      const key = keyOf(item, index);
      return typeof key === 'symbol' ? key : String(key);
    });
    return Object.assign(Object.create(null), Object.fromEntries(keyed));
  });
}
provideGrouping();

/** Of each library, one thing that it declares and Node may lack. */
const LATER: readonly (readonly [library: string, there: boolean])[] = [
  ['es2024.object', has(Object, 'groupBy')],
  ['es2024.collection', has(Map, 'groupBy')],
  ['es2024.string', has(String.prototype, 'isWellFormed')],
  ['es2024.regexp', has(RegExp.prototype, 'unicodeSets')],
  ['es2024.sharedmemory', has(Atomics, 'waitAsync')],
  ['es2024.arraybuffer', has(ArrayBuffer.prototype, 'transfer')],
  ['es2024.promise', has(Promise, 'withResolvers')],
  ['esnext.array', has(Array, 'fromAsync')],
  ['esnext.collection', has(Set.prototype, 'union')],
  ['esnext.iterator', has(globals.Iterator, 'from')],
  ['esnext.disposable', has(globals.DisposableStack, 'prototype')],
  ['esnext.promise', has(Promise, 'try')],
  ['esnext.float16', has(globals.Float16Array, 'from')],
  ['esnext.error', has(Error, 'isError')],
];

export const NODE_LIBRARIES = LATER.filter(([, there]) => there).map(([library]) => `lib.${library}.d.ts`);

/** What Node has of a library that it has not whole. */
export const NODE_TYPES = has(ArrayBuffer.prototype, 'transfer')
  ? ''
  : `interface ArrayBuffer {
  readonly maxByteLength: number;
  readonly resizable: boolean;
  resize(newByteLength?: number): void;
}
interface ArrayBufferConstructor { new (byteLength: number, options?: { maxByteLength?: number }): ArrayBuffer; }
`;
