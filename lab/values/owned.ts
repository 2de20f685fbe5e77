// What is given is copied as it is given: a list or an object that its owner changes afterwards changes nothing that was asked for.

/** Deeper than templates and JSON are read; a thing that goes on for ever is left as it is, and refused by who reads it. */
const DEEPEST = 200;

/** Lists, plain objects and arrays of numbers are copied, all the way down; functions and instances of classes are what they are. */
export const owned = <T>(value: T): T => copied(value, false, new Map(), 0);

/** The same, and nobody can change it. */
export const frozen = <T>(value: T): T => copied(value, true, new Map(), 0);

function copied<T>(value: T, freeze: boolean, made: Map<unknown, unknown>, depth: number): T {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return value;
  if (ArrayBuffer.isView(value) && 'slice' in value) return (value as unknown as Float32Array).slice() as T;
  const earlier = made.get(value);
  if (earlier !== undefined) return earlier as T; // a circle stays one
  const inner = (part: unknown) => copied(part, freeze, made, depth + 1);
  let copy: unknown[] | Record<string, unknown>;
  if (Array.isArray(value)) {
    made.set(value, (copy = []));
    for (const part of value) copy.push(inner(part));
  } else if (isPlain(value)) {
    made.set(value, (copy = {}));
    for (const [name, part] of Object.entries(value)) {
      // Not by assignment, which would change the prototype for the name __proto__.
      Object.defineProperty(copy, name, { value: inner(part), enumerable: true, writable: true, configurable: true });
    }
  } else {
    return value;
  }
  return (freeze ? Object.freeze(copy) : copy) as T;
}

/** Another realm's plain objects are plain too: the prototype is the last. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
