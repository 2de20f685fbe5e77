// linear a token at a time, on a GPU: y [T,OUT] = x [T,IN] · weightᵀ [OUT,IN], each token as if it were alone. A workgroup a tile of 16 rows; eight
// lanes take a block of 32 columns, two rows each, and the next eight the next, so that the workgroup reads the tile from end to end. Nothing is
// assumed of subgroups. IN % 4 = 0.
// Assembled with a format (formats/), a store (stores/), a place for its results (results/) and what it is given (givens/). With LAST the first token is
// first_row (logits).

const LANES: u32 = 8;
override WG: u32 = 64;  // a power of two from 8
override IN: u32;
override OUT: u32;
override LAST: bool = false;
override EACH: bool = false;                                       // there are several tokens

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;

var<workgroup> partial: array<vec2f, WG>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = group.y * groups.x + group.x;
  let lane = local % LANES;
  let t = select(0u, group.z, EACH);
  let row = (select(0u, chunk.first_row, LAST) + t) * (IN / 4);
  prepare(tile == 0, local);
  var a = vec4f();
  var b = vec4f();
  for (var k = local / LANES * 32; k < IN; k += WG / LANES * 32) {
    let s = block(tile, (k / 128 * TEXELS) * LANES + lane, (k / 32) % 4);
    for (var j = 0u; j < 8; j++) {
      let q = input(row, k / 4 + j);
      a = fma(low(s, j), q, a);
      b = fma(high(s, j), q, b);
    }
  }
  partial[local] = vec2f(dot(a, vec4f(1)), dot(b, vec4f(1)));
  for (var half = WG / 2; half >= LANES; half /= 2) {
    workgroupBarrier();
    if (local < half) { partial[local] += partial[local + half]; }
  }
  if (local < LANES) { put(t, tile, lane, partial[local].x, partial[local].y); }
}
