// Arrays whose entries do not lie one after the other in the order they are wanted in: cut out of a larger one, padded, transposed.

/** Goes through the indices of a shape, the last dimension fastest. Calls `visit` with where each entry lies, `start` and so many along each dimension on, and its number. */
export function eachPlace(
  shape: readonly number[],
  strides: readonly number[],
  start: number,
  visit: (from: number, to: number) => void,
): void {
  const size = shape.reduce((n, d) => n * d, 1);
  const index = shape.map(() => 0);
  let from = start;
  for (let to = 0; to < size; to++) {
    visit(from, to);
    for (let d = shape.length - 1; d >= 0; d--) {
      from += strides[d];
      if (++index[d] < shape[d]) break;
      from -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
}
