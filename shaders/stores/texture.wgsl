// Where a weight lies, for software adapters: a texture, whose loads cost them a fifth of a buffer's. A tile is a row of texels, or
// HEIGHT rows of WIDTH where one is not wide enough.

override WIDTH: u32;
override HEIGHT: u32 = 1;
override TILE0: u32 = 0;  // the weight's first tile

@group(0) @binding(8) var weight: texture_storage_2d<rgba32uint, read>;

/** Texel `at` of a tile. */
fn texel(tile: u32, at: u32) -> vec4u {
  if (HEIGHT == 1u) { return textureLoad(weight, vec2u(at, TILE0 + tile)); }
  return textureLoad(weight, vec2u(at % WIDTH, (TILE0 + tile) * HEIGHT + at / WIDTH));
}
