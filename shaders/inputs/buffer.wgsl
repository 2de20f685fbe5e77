// What a product with one vector is given, wherever it lies.

@group(0) @binding(1) var<storage, read> x: array<vec4f>;          // [T,IN]

/** Inputs 4i … 4i + 3 of token t. */
fn given(t: u32, i: u32) -> vec4f { return x[t * (IN / 4) + i]; }
