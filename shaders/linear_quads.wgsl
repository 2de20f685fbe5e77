// linear [T,OUT] = x [T,IN] · weightᵀ [OUT,IN] with weights in f32, on software adapters with subgroups of four: a subgroup eight rows and eight tokens,
// a lane every fourth column of all of them. A load costs as much there as ten products, and each value that is loaded here is in eight. IN % 4 = 0.
// Assembled with a place for its results (results/). With LAST only rows first_row … T−1 of x are used (logits).

enable subgroups;

const LANES: u32 = 8;
override IN: u32;
override OUT: u32;
override LAST: bool = false;
override SIZE: u32;       // texels of a tile
override TILE0: u32 = 0;  // the weight's first tile

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<f32>;            // [T,IN]
@group(0) @binding(8) var<storage, read> weight: array<f32>;       // [tile][quad of columns][row, eight below][lane][column]

/** Four tokens' sums over the four lanes: each lane gets that of token `c`. */
fn sum(a: vec4f, c: u32) -> f32 {
  let s = subgroupAdd(a);
  return select(select(s.x, s.y, c == 1), select(s.z, s.w, c == 3), c >= 2);
}

/** Four tokens of two rows, eight apart. */
fn store(rows: u32, t: u32, tile: u32, lane: u32, c: u32, a: vec4f, b: vec4f) {
  let low = sum(a, c);
  let high = sum(b, c);
  if (t + c < rows) { put(t + c, tile, lane, low, high); }
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let c = local % 4;
  let tile = group.x;
  let lane = local / 4 * 4;  // the first of four of the tile's eight pairs of rows
  let first = select(0u, chunk.first_row, LAST);
  let rows = chunk.tokens - first;
  let t = group.y * 8;
  // Tokens past the end repeat the last one: cheaper than a branch in the loop, and what they make is not stored.
  let x0 = (first + t) * IN + c;
  let x1 = (first + min(t + 1, rows - 1)) * IN + c;
  let x2 = (first + min(t + 2, rows - 1)) * IN + c;
  let x3 = (first + min(t + 3, rows - 1)) * IN + c;
  let x4 = (first + min(t + 4, rows - 1)) * IN + c;
  let x5 = (first + min(t + 5, rows - 1)) * IN + c;
  let x6 = (first + min(t + 6, rows - 1)) * IN + c;
  let x7 = (first + min(t + 7, rows - 1)) * IN + c;
  // Of the two rows of a pair, for tokens 0 … 3 and for 4 … 7.
  var a0 = vec4f(); var b0 = vec4f(); var d0 = vec4f(); var e0 = vec4f();
  var a1 = vec4f(); var b1 = vec4f(); var d1 = vec4f(); var e1 = vec4f();
  var a2 = vec4f(); var b2 = vec4f(); var d2 = vec4f(); var e2 = vec4f();
  var a3 = vec4f(); var b3 = vec4f(); var d3 = vec4f(); var e3 = vec4f();
  var at = ((TILE0 + tile) * SIZE + lane) * 4 + c;
  for (var k = 0u; k < IN; k += 4) {
    let p = vec4f(x[x0 + k], x[x1 + k], x[x2 + k], x[x3 + k]);
    let q = vec4f(x[x4 + k], x[x5 + k], x[x6 + k], x[x7 + k]);
    { let w = weight[at]; a0 += w * p; d0 += w * q; }
    { let w = weight[at + 32]; b0 += w * p; e0 += w * q; }
    { let w = weight[at + 4]; a1 += w * p; d1 += w * q; }
    { let w = weight[at + 36]; b1 += w * p; e1 += w * q; }
    { let w = weight[at + 8]; a2 += w * p; d2 += w * q; }
    { let w = weight[at + 40]; b2 += w * p; e2 += w * q; }
    { let w = weight[at + 12]; a3 += w * p; d3 += w * q; }
    { let w = weight[at + 44]; b3 += w * p; e3 += w * q; }
    at += 2 * 4 * LANES;
  }
  store(rows, t, tile, lane, c, a0, b0);
  store(rows, t + 4, tile, lane, c, d0, e0);
  store(rows, t, tile, lane + 1, c, a1, b1);
  store(rows, t + 4, tile, lane + 1, c, d1, e1);
  store(rows, t, tile, lane + 2, c, a2, b2);
  store(rows, t + 4, tile, lane + 2, c, d2, e2);
  store(rows, t, tile, lane + 3, c, a3, b3);
  store(rows, t + 4, tile, lane + 3, c, d3, e3);
}
