// Rotary position embedding, rotate-half form: (a, b) = (x[i], x[i + D/2]) turns by the angle of position and pair.
// The angles' cosines and sines are a table, because f32 sine of a large angle is not exact on every GPU.
// Assembled with where tokens stand (sequences/).

override WG: u32 = 64;
override D: u32;
override HEADS: u32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<f32>;            // [T,HEADS,D]
@group(0) @binding(2) var<storage, read> turns: array<vec2f>;      // [positions,D/2] (cos, sin)
@group(0) @binding(3) var<storage, read_write> y: array<f32>;      // [T,HEADS,D]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let pairs = D / 2;
  let t = at.y;
  if (at.x >= HEADS * pairs || t >= chunk.tokens) { return; }
  let head = at.x / pairs;
  let i = at.x % pairs;
  let turn = turns[position_of(chunk.start + t) * pairs + i];
  let base = (t * HEADS + head) * D + i;
  let a = x[base];
  let b = x[base + pairs];
  y[base] = a * turn.x - b * turn.y;
  y[base + pairs] = b * turn.x + a * turn.y;
}
