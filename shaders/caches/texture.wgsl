// Key/value caches in textures, which lavapipe reads in half the time: the part of attend_broadcast.wgsl that reads them. A row of texels is a
// slot, four dimensions a texel, head after head; slots from HEIGHT on lie to the right of those before.

const HEIGHT: u32 = 8192;

@group(0) @binding(2) var k: texture_storage_2d<rgba32uint, read>;  // [RING,K,D]
@group(0) @binding(3) var v: texture_storage_2d<rgba32uint, read>;  // [RING,K,D]

fn texel(slot: u32, head: u32, i: u32) -> vec2u {
  return vec2u((slot / HEIGHT * K + head) * (D / 4) + i, slot % HEIGHT);
}

/** Four dimensions of a slot's key. */
fn key(slot: u32, head: u32, i: u32) -> vec4f { return bitcast<vec4f>(textureLoad(k, texel(slot, head, i))); }

/** Four dimensions of a slot's value. */
fn val(slot: u32, head: u32, i: u32) -> vec4f { return bitcast<vec4f>(textureLoad(v, texel(slot, head, i))); }
