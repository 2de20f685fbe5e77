// What no query may read: keys after it. Softmax leaves a zero there, which a picture shows as a hole, because it is no weight that happens to be small.

import type { Values } from '../values/dims.js';

/** The values, with NaN where a key comes after its query and nothing stands; as they are where there are no queries and keys. */
export function withoutUnseen({ dims, data }: Values): Float32Array {
  const [query, key] = [dims.findIndex(({ name }) => name === 'query'), dims.findIndex(({ name }) => name === 'key')];
  if (query < 0 || key < 0) return data;
  const strideOf = (axis: number) => dims.slice(axis + 1).reduce((n, { size }) => n * size, 1);
  const [ofQuery, ofKey] = [strideOf(query), strideOf(key)];
  const [q, k] = [dims[query], dims[key]];
  return data.map((value, i) => {
    const after = k.from + (Math.floor(i / ofKey) % k.size) > q.from + (Math.floor(i / ofQuery) % q.size);
    return value === 0 && after ? Number.NaN : value;
  });
}
