// Inputs of a product in 8 bits: blocks of 32 columns, each a scale d and whole numbers of ±127: y = round(x / d) · d with d = max |x| / 127. The last
// block of a row may be shorter. A lane a block. A block with ±∞ becomes NaN, which is not finite either.

override N: u32;

const BLOCK: u32 = 32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<f32>;            // [T,N]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;      // [T,N]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let first = at.x * BLOCK;
  let t = at.y;
  if (first >= N || t >= chunk.tokens) { return; }
  let row = t * N;
  let end = min(first + BLOCK, N);
  var most = 0.0;
  for (var i = first; i < end; i++) { most = max(most, abs(x[row + i])); }
  let d = most / 127.0;
  for (var i = first; i < end; i++) {
    let v = x[row + i];
    if (d > 0.0) { y[row + i] = round(v / d) * d; } else { y[row + i] = v; }
  }
}
