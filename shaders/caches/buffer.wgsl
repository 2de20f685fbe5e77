// Key/value caches in buffers: the part of attend_broadcast.wgsl that reads them.

@group(0) @binding(2) var<storage, read> k: array<vec4f>;          // [RING,K,D]
@group(0) @binding(3) var<storage, read> v: array<vec4f>;          // [RING,K,D]

/** Four dimensions of a slot's key. */
fn key(slot: u32, head: u32, i: u32) -> vec4f { return k[(slot * K + head) * (D / 4) + i]; }

/** Four dimensions of a slot's value. */
fn val(slot: u32, head: u32, i: u32) -> vec4f { return v[(slot * K + head) * (D / 4) + i]; }
