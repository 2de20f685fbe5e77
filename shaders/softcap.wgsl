// y = SOFTCAP · tanh(y / SOFTCAP) in place, on the logits of Gemma 2. NaN stays NaN, as PyTorch has it.
// Assembled with the cap (caps/).

override WG: u32 = 64;
override N: u32;                                                   // V
override SOFTCAP: f32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;      // [T − first_row,N]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= N || at.y >= chunk.tokens - chunk.first_row) { return; }
  let i = at.y * N + at.x;
  y[i] = capped(y[i]);
}
