// The largest of many logits, in order, without sorting all of them: a heap of the best so far, whose root is the worst of them.

/** Places of the `many` largest values, the largest first; equal ones in the order of their places. No value may be NaN. */
export function likeliest(values: Float32Array, many: number): Uint32Array<ArrayBuffer> {
  const size = Math.min(many, values.length);
  const heap = new Uint32Array(size);
  /** Whether a comes after b. */
  const after = (a: number, b: number) => values[a] < values[b] || (values[a] === values[b] && a > b);
  const sink = (from: number, end: number) => {
    const place = heap[from];
    for (let i = from; ; ) {
      let child = 2 * i + 1;
      if (child + 1 < end && after(heap[child + 1], heap[child])) child += 1;
      if (child >= end || !after(heap[child], place)) {
        heap[i] = place;
        return;
      }
      heap[i] = heap[child];
      i = child;
    }
  };
  for (let i = 0; i < size; i++) heap[i] = i;
  for (let i = (size >> 1) - 1; i >= 0; i--) sink(i, size);
  let least = size > 0 ? values[heap[0]] : Number.POSITIVE_INFINITY;
  for (let i = size; i < values.length; i++) {
    if (values[i] <= least) continue; // an equal one comes after those that are there
    heap[0] = i;
    sink(0, size);
    least = values[heap[0]];
  }
  // From the worst to the best, each to the end of what is left.
  for (let end = size - 1; end > 0; end--) {
    const worst = heap[0];
    heap[0] = heap[end];
    sink(0, end);
    heap[end] = worst;
  }
  return heap;
}
