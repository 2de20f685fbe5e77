// What no query may read: keys after it, and in a sliding layer those before its window. Softmax leaves a zero there, which a picture shows as a hole,
// because it is no weight that happens to be small.

import type { Values } from '../values/dims.js';

/** The values, with NaN where a query may not read a key and nothing stands; as they are where there are no queries and keys. */
export function withoutUnseen({ dims, data }: Values): Float32Array {
  const [query, key] = [dims.findIndex(({ name }) => name === 'query'), dims.findIndex(({ name }) => name === 'key')];
  const k = dims[key];
  if (key < 0 || (query < 0 && k.query === undefined)) return data;
  const strideOf = (axis: number) => dims.slice(axis + 1).reduce((n, { size }) => n * size, 1);
  const ofKey = strideOf(key);
  // Where there is one query alone it was cut out, and the keys know it.
  const q = query < 0 ? { from: k.query!, size: 1 } : dims[query];
  const ofQuery = query < 0 ? data.length : strideOf(query);
  const { window = Number.POSITIVE_INFINITY } = k;
  return data.map((value, i) => {
    const behind = q.from + (Math.floor(i / ofQuery) % q.size) - k.from - (Math.floor(i / ofKey) % k.size);
    return value === 0 && (behind < 0 || behind >= window) ? Number.NaN : value;
  });
}
