// What a product with a vector is given: a row that another dispatch wrote.

@group(0) @binding(1) var<storage, read> x: array<vec4f>;          // [T,IN]

/** What is there before the first input is read: all of it. */
fn prepare(first: bool, local: u32) {}

/** Four inputs of the row of x that begins at `row`; none past its end. */
fn input(row: u32, i: u32) -> vec4f {
  if (IN % 128 == 0) { return x[row + i]; }
  return select(vec4f(), x[row + min(i, IN / 4 - 1)], vec4<bool>(i < IN / 4));
}
