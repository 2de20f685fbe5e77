// What a product with one vector is given, where that is all there is of it: on lavapipe a load of 16 bytes a lane costs a third of a storage buffer's.

@group(0) @binding(1) var<uniform> x: array<vec4f, 4096>;          // [1,IN]

/** Inputs 4i … 4i + 3 of the token. */
fn given(t: u32, i: u32) -> vec4f { return x[i]; }
