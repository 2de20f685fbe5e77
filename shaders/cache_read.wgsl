// What cache_write.wgsl put into the cache for the tokens of this chunk: y [T,N]. For who looks at keys that a step of the fast plan wrote. N % 4 = 0.

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
@group(0) @binding(1) var<storage, read> cache: array<Quad>;       // [slots,N]
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;    // [T,N]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let i = at.x;
  let t = at.y;
  if (i >= N / 4 || t >= chunk.tokens) { return; }
  y[t * (N / 4) + i] = cached(cache[((chunk.start + t) % RING) * (N / 4) + i]);
}
