// embed [T,H]: the embedding row of each token id, times SCALE (√H).
// The matrix may be split over bindings; this one holds rows ROW0 … ROW0+ROWS−1 and writes only the tokens it has.

override WG: u32 = 64;
override H: u32;
override SCALE: f32;
override ROW0: u32 = 0;
override ROWS: u32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> ids: array<u32>;          // [T]
@group(0) @binding(2) var<storage, read> weight: array<f32>;       // [ROWS,H]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;      // [T,H]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let h = at.x;
  let t = at.y;
  if (h >= H || t >= chunk.tokens) { return; }
  let id = ids[t];
  if (id < ROW0 || id - ROW0 >= ROWS) { return; }
  y[t * H + h] = SCALE * weight[(id - ROW0) * H + h];
}
