// resid [T,N] = a + b, value by value.

override WG: u32 = 64;
override N: u32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> a: array<f32>;            // [T,N]
@group(0) @binding(2) var<storage, read> b: array<f32>;            // [T,N]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;      // [T,N]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= N || at.y >= chunk.tokens) { return; }
  let i = at.y * N + at.x;
  y[i] = a[i] + b[i];
}
