// y = CAP · tanh(y / CAP) in place, on the logits of Gemma 2. The argument is clamped because tanh of a large number is NaN on
// some GPUs; NaN stays NaN, as PyTorch has it, where clamp would make a number of it.

override WG: u32 = 64;
override N: u32;                                                   // V
override CAP: f32;

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
  if ((bitcast<u32>(y[i]) & 0x7fffffffu) > 0x7f800000u) { return; }
  y[i] = CAP * tanh(clamp(y[i] / CAP, -15.0, 15.0));
}
