// mlp.act [T,N]: gelu(x) = x/2 · (1 + tanh(u)), u = √(2/π) · (x + 0.044715 x³), written as x · sigmoid(2u), which is the same
// and does not lose the small tail to cancellation. u is clamped: exp must not overflow.

override WG: u32 = 64;
override N: u32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<f32>;            // [T,N]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;      // [T,N]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= N || at.y >= chunk.tokens) { return; }
  let i = at.y * N + at.x;
  let v = x[i];
  let u = clamp(0.7978845608028654 * (v + 0.044715 * v * v * v), -40.0, 40.0);
  y[i] = v / (1.0 + exp(-2.0 * u));
}
