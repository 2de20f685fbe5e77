// Token ids as they are given: a list, an array of numbers, as an array of NumPy is, or a column of Arrow.

/**
 * What the list holds, in a list of its own: `map` of an array of 32 bits would make numbers of the texts that it is given. Ids of 64 bits are
 * numbers where a number holds them. Null for what is no list, as a text, a set or an iterator.
 */
export function listOfIds(given: unknown): unknown[] | null {
  const isList = Array.isArray(given) || (ArrayBuffer.isView(given) && !(given instanceof DataView)) || isColumn(given);
  return isList ? Array.from(given as ArrayLike<unknown>, narrow) : null;
}

/** By what it does: there are as many classes of columns as copies of the package that makes them. A string, a set and a map have not all of it. */
function isColumn(given: unknown): given is ArrayLike<unknown> {
  if (typeof given !== 'object' || given === null) return false;
  try {
    const { length, get, toArray } = given as Record<string, unknown>;
    const does = [get, toArray].every(method => typeof method === 'function');
    return does && Number.isSafeInteger(length) && Symbol.iterator in given;
  } catch {
    return false; // a proxy that does not let itself be looked at
  }
}

/** Whether it is a token id of some vocabulary. */
export const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Whole numbers of 64 bits, as PyTorch's ids are, as a number where one holds them. */
export const narrow = (value: unknown): unknown =>
  typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
