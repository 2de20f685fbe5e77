// y = SOFTCAP · tanh(y / SOFTCAP) in place, on the logits of Gemma 2. NaN stays NaN, as PyTorch has it.

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

/** SOFTCAP · tanh(x / SOFTCAP). Of a small argument by its series: the error of tanh is one of 1 there, and the cap multiplies it. */
fn capped(x: f32) -> f32 {
  let u = clamp(x / SOFTCAP, -15.0, 15.0);                          // tanh of a large number is NaN on some GPUs
  let q = u * u;
  let series = u * fma(q, fma(q, fma(q, fma(q, 62.0 / 2835.0, -17.0 / 315.0), 2.0 / 15.0), -1.0 / 3.0), 1.0);
  let nan = (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;          // clamp would make a number of it
  return select(SOFTCAP * select(tanh(u), series, q < 0.0625), x, nan);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= N || at.y >= chunk.tokens - chunk.first_row) { return; }
  let i = at.y * N + at.x;
  y[i] = capped(y[i]);
}
