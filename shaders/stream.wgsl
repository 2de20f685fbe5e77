// A yardstick: how fast an adapter reads. All of a store, each texel once, in the order in which products read it: a tile after the other, neighbours
// by neighbouring lanes. What was read is folded into one value a lane, so that no read can be left out.
// Assembled with a store (stores/).

override WG: u32 = 8;
override TEXELS: u32;  // of a tile; a multiple of 8 · WG

@group(0) @binding(0) var<storage, read_write> y: array<vec4u>;  // [tiles,WG]

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = group.x;
  var a = vec4u();
  var b = vec4u();
  for (var t = lane; t < TEXELS; t += 8 * WG) {
    a ^= texel(tile, t);
    b ^= texel(tile, t + WG);
    a ^= texel(tile, t + 2 * WG);
    b ^= texel(tile, t + 3 * WG);
    a ^= texel(tile, t + 4 * WG);
    b ^= texel(tile, t + 5 * WG);
    a ^= texel(tile, t + 6 * WG);
    b ^= texel(tile, t + 7 * WG);
  }
  y[tile * WG + lane] = a ^ b;
}
