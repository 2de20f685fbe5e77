// embed [T,H]: the embedding row of each token id, times SCALE (√H). A lane four channels. H % 4 = 0.
// Assembled with a format (formats/) and a store (stores/). The matrix may be split; this binding holds rows ROW0 … ROW0+ROWS−1 and writes only the
// tokens it has.

const LANES: u32 = 8;
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
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;    // [T,H]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let i = at.x;
  let t = at.y;
  if (i >= H / 4 || t >= chunk.tokens) { return; }
  let id = ids[t];
  if (id < ROW0 || id - ROW0 >= ROWS) { return; }
  let row = (id - ROW0) % (2 * LANES);
  let s = block((id - ROW0) / (2 * LANES), (i / 32 * TEXELS) * LANES + row % LANES, i / 8 % 4);
  var values: vec4f;
  if (row < LANES) { values = low(s, i % 8); } else { values = high(s, i % 8); }
  y[t * (H / 4) + i] = SCALE * values;
}
