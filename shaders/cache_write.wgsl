// Puts the keys or values of this chunk into the cache: position p goes to slot p mod RING. A full layer's ring is as long
// as the context; a sliding layer's holds its window and one chunk. Of several sequences each has a ring. Of one that never
// comes round RING is 2³¹, so that these shaders are the same for every length.
// Assembled with where tokens stand (sequences/) and how keys and values are kept (caches/). N % 4 = 0.

override WG: u32 = 64;
override N: u32;                                                   // K·D values a token
override RING: u32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;          // [T,N]
@group(0) @binding(2) var<storage, read_write> cache: array<Quad>; // [slots,N]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let i = at.x;
  let t = at.y;
  if (i >= N / 4 || t >= chunk.tokens) { return; }
  let slot = first_slot(chunk.start + t, RING) + position_of(chunk.start + t) % RING;
  cache[slot * (N / 4) + i] = kept4(x[t * (N / 4) + i]);
}
