// An activation in pieces along its tokens: cut for chunks that are fed, joined from chunks that were read.

import { type Axis, count, type Extent, type Stage, shapeOf } from '../../engine/plan.js';
import { MASKED } from '../values/stats.js';

/** Rows `start` to `start + tokens` of a value [T,…] or [A,T,S], as a chunk of that extent holds it: keys after the chunk are left out. */
export function cut(data: Float32Array, axes: readonly Axis[], whole: Extent, part: Extent): Float32Array {
  const from = shapeOf(axes, whole);
  const to = shapeOf(axes, part);
  const start = part.keys - part.tokens;
  if (axes[0].size === 'tokens') {
    const row = count(from.slice(1));
    return data.subarray(start * row, (start + part.tokens) * row);
  }
  const [heads, queries, keys] = to;
  const out = new Float32Array(heads * queries * keys);
  for (let head = 0; head < heads; head++) {
    for (let query = 0; query < queries; query++) {
      const at = (head * from[1] + start + query) * from[2];
      out.set(data.subarray(at, at + keys), (head * queries + query) * keys);
    }
  }
  return out;
}

/** The pieces of a stage's output, one after the other along the tokens. Keys that a piece did not have yet are what the mask makes of them. */
export function joined(
  stage: Stage,
  parts: readonly { readonly shape: readonly number[]; readonly data: Float32Array }[],
): { shape: number[]; data: Float32Array } {
  const tokenAxis = stage.axes.findIndex(({ size }) => size === 'tokens' || size === 'rows');
  const shape = [...parts[parts.length - 1].shape];
  shape[tokenAxis] = parts.reduce((n, part) => n + part.shape[tokenAxis], 0);
  if (parts.length === 1) return { shape, data: parts[0].data };
  const data = new Float32Array(count(shape));
  if (tokenAxis === 0) {
    let at = 0;
    for (const part of parts) {
      data.set(part.data, at);
      at += part.data.length;
    }
    return { shape, data };
  }
  if (stage.operation.kind === 'scores') data.fill(MASKED);
  const [heads, queries, keys] = shape;
  let row = 0;
  for (const part of parts) {
    const [, some, seen] = part.shape;
    for (let head = 0; head < heads; head++) {
      for (let q = 0; q < some; q++) {
        const from = (head * some + q) * seen;
        data.set(part.data.subarray(from, from + seen), (head * queries + row + q) * keys);
      }
    }
    row += some;
  }
  return { shape, data };
}
