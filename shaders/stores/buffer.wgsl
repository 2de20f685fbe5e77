// Where a weight lies, for GPUs: a buffer, a tile after the other, SIZE texels each.

override SIZE: u32;
override TILE0: u32 = 0;  // the weight's first tile

@group(0) @binding(8) var<storage, read> weight: array<vec4u>;

/** Texel `at` of a tile. */
fn texel(tile: u32, at: u32) -> vec4u { return weight[(TILE0 + tile) * SIZE + at]; }
