// linear for a few tokens, on a GPU: y [T,OUT] = x [T,IN] · weightᵀ [OUT,IN]. As matvec.wgsl, a workgroup a tile of 16 rows whose columns are shared by
// its lanes, but four tokens at once: with so few, rows and tokens alone would not keep a GPU busy (linear.wgsl). IN % 4 = 0.
// Assembled with a format (formats/), a store (stores/) and a place for its results (results/). With LAST only rows first_row … T−1 of x are used (logits).

const LANES: u32 = 8;
const TOKENS: u32 = 4;
override WG: u32 = 128;  // a power of two from 8
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

var<workgroup> partial: array<vec2f, TOKENS * WG>;

/** Four inputs of the row of x that begins at `row`; none past its end. */
fn input(row: u32, i: u32) -> vec4f {
  if (IN % 128 == 0) { return x[row + i]; }
  return select(vec4f(), x[row + min(i, IN / 4 - 1)], vec4<bool>(i < IN / 4));
}

fn both(a: vec4f, b: vec4f) -> vec2f { return vec2f(dot(a, vec4f(1)), dot(b, vec4f(1))); }

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = group.y * groups.x + group.x;
  let lane = local % LANES;
  let first = select(0u, chunk.first_row, LAST);
  let rows = chunk.tokens - first;
  let t = group.z * TOKENS;
  // Tokens past the end repeat the last one, and what they make is not stored.
  let x0 = (first + t) * (IN / 4);
  let x1 = (first + min(t + 1, rows - 1)) * (IN / 4);
  let x2 = (first + min(t + 2, rows - 1)) * (IN / 4);
  let x3 = (first + min(t + 3, rows - 1)) * (IN / 4);
  var a0 = vec4f(); var a1 = vec4f(); var a2 = vec4f(); var a3 = vec4f();
  var b0 = vec4f(); var b1 = vec4f(); var b2 = vec4f(); var b3 = vec4f();
  for (var k = local / LANES * 32; k < IN; k += WG / LANES * 32) {
    let s = block(tile, (k / 128 * TEXELS) * LANES + lane, (k / 32) % 4);
    for (var j = 0u; j < 8; j++) {
      let v = low(s, j);
      let w = high(s, j);
      let i = k / 4 + j;
      { let q = input(x0, i); a0 = fma(v, q, a0); b0 = fma(w, q, b0); }
      { let q = input(x1, i); a1 = fma(v, q, a1); b1 = fma(w, q, b1); }
      { let q = input(x2, i); a2 = fma(v, q, a2); b2 = fma(w, q, b2); }
      { let q = input(x3, i); a3 = fma(v, q, a3); b3 = fma(w, q, b3); }
    }
  }
  partial[local] = both(a0, b0);
  partial[WG + local] = both(a1, b1);
  partial[2 * WG + local] = both(a2, b2);
  partial[3 * WG + local] = both(a3, b3);
  for (var half = WG / 2; half >= LANES; half /= 2) {
    workgroupBarrier();
    for (var at = local; at < TOKENS * half; at += WG) {
      let to = at / half * WG + at % half;
      partial[to] += partial[to + half];
    }
  }
  workgroupBarrier();
  for (var at = local; at < TOKENS * LANES; at += WG) {
    let sums = partial[at / LANES * WG + at % LANES];
    if (t + at / LANES < rows) { put(t + at / LANES, tile, at % LANES, sums.x, sums.y); }
  }
}
