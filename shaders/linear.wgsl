// linear [T,OUT] = x [T,IN] · weightᵀ [OUT,IN] on a GPU: a workgroup 64 rows and 64 tokens, 32 columns at a time through workgroup memory, four rows
// and four tokens a lane in registers. Nothing is assumed of subgroups. IN % 4 = 0.
// Assembled with a format (formats/), a store (stores/) and a place for its results (results/). With LAST only rows first_row … T−1 of x are used (logits).

const LANES: u32 = 8;
const SIDE: u32 = 64;   // rows, and tokens, of a workgroup
override IN: u32;
override OUT: u32;
override LAST: bool = false;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;          // [T,IN]

var<workgroup> weights: array<f32, 32 * SIDE>;  // [column][row]
var<workgroup> inputs: array<f32, 32 * SIDE>;   // [column][token]

/** Four inputs of the row of x that begins at `row`; none past its end. */
fn input(row: u32, i: u32) -> vec4f {
  if (IN % 128 == 0) { return x[row + i]; }
  return select(vec4f(), x[row + min(i, IN / 4 - 1)], vec4<bool>(i < IN / 4));
}

fn store(rows: u32, t: u32, tile: u32, lane: u32, sums: vec4f) {
  if (t >= rows || tile * 2 * LANES >= OUT) { return; }
  put(t, tile, lane, sums.x, sums.z);
  put(t, tile, lane + 1, sums.y, sums.w);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let first = select(0u, chunk.first_row, LAST);
  let rows = chunk.tokens - first;
  // What this lane loads: quad j of the block for lane `lane` of one of four tiles, and for two tokens.
  let lane = local % LANES;
  let j = local / LANES % 8;
  let part = local / 64;
  let tiles = (OUT + 15) / 16;
  let tile = min(group.x * 4 + part, tiles - 1);
  // What it computes: two neighbours of a tile with the rows eight below them, and four tokens.
  let mine = local % 16 / 4;
  let l = local % 4 * 2;
  let r = mine * 2 * LANES + l;
  let t = local / 16 * 4;
  var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
  let token = local / 8;
  let x0 = (first + min(group.y * SIDE + token, rows - 1)) * (IN / 4);
  let x1 = (first + min(group.y * SIDE + token + 32, rows - 1)) * (IN / 4);
  let at = 4 * j * SIDE + part * 16 + lane;
  let to = 4 * (local % 8) * SIDE + token;
  for (var k = 0u; k < IN; k += 32) {
    let s = block(tile, (k / 128 * TEXELS) * LANES + lane, (k / 32) % 4);
    let v = low(s, j);
    let w = high(s, j);
    weights[at] = v.x; weights[at + SIDE] = v.y; weights[at + 2 * SIDE] = v.z; weights[at + 3 * SIDE] = v.w;
    weights[at + LANES] = w.x; weights[at + LANES + SIDE] = w.y; weights[at + LANES + 2 * SIDE] = w.z; weights[at + LANES + 3 * SIDE] = w.w;
    let p = input(x0, k / 4 + local % 8);
    let q = input(x1, k / 4 + local % 8);
    inputs[to] = p.x; inputs[to + SIDE] = p.y; inputs[to + 2 * SIDE] = p.z; inputs[to + 3 * SIDE] = p.w;
    inputs[to + 32] = q.x; inputs[to + 32 + SIDE] = q.y; inputs[to + 32 + 2 * SIDE] = q.z; inputs[to + 32 + 3 * SIDE] = q.w;
    workgroupBarrier();
    for (var c = 0u; c < 32 * SIDE; c += SIDE) {
      let w4 = vec4f(weights[c + r], weights[c + r + 1], weights[c + r + LANES], weights[c + r + LANES + 1]);
      s0 = fma(w4, vec4f(inputs[c + t]), s0);
      s1 = fma(w4, vec4f(inputs[c + t + 1]), s1);
      s2 = fma(w4, vec4f(inputs[c + t + 2]), s2);
      s3 = fma(w4, vec4f(inputs[c + t + 3]), s3);
    }
    workgroupBarrier();
  }
  store(rows, group.y * SIDE + t, group.x * 4 + mine, l, s0);
  store(rows, group.y * SIDE + t + 1, group.x * 4 + mine, l, s1);
  store(rows, group.y * SIDE + t + 2, group.x * 4 + mine, l, s2);
  store(rows, group.y * SIDE + t + 3, group.x * 4 + mine, l, s3);
}
