// linear [T,OUT] = x [T,IN] · weightᵀ [OUT,IN] on software adapters without subgroups of eight: eight lanes a tile of 16 rows, a lane two rows and
// four tokens, so that weights are unpacked once for four; no barriers. IN % 4 = 0.
// Assembled with a format (formats/), a store (stores/) and a place for its results (results/). With LAST only rows first_row … T−1 of x are used (logits).

const LANES: u32 = 8;
override WG: u32 = 64;
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

/** Four inputs of the row of x that begins at `row`; none past its end. */
fn input(row: u32, i: u32) -> vec4f {
  if (IN % 128 == 0) { return x[row + i]; }
  return select(vec4f(), x[row + min(i, IN / 4 - 1)], vec4<bool>(i < IN / 4));
}

fn store(rows: u32, t: u32, tile: u32, lane: u32, a: vec4f, b: vec4f) {
  if (t < rows) { put(t, tile, lane, dot(a, vec4f(1)), dot(b, vec4f(1))); }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let tile = at.x / LANES;
  let lane = at.x % LANES;
  if (tile * 2 * LANES >= OUT) { return; }
  let first = select(0u, chunk.first_row, LAST);
  let rows = chunk.tokens - first;
  let t = at.y * 4;
  // Tokens past the end repeat the last one: cheaper than a branch in the loop, and what they make is not stored.
  let x0 = (first + t) * (IN / 4);
  let x1 = (first + min(t + 1, rows - 1)) * (IN / 4);
  let x2 = (first + min(t + 2, rows - 1)) * (IN / 4);
  let x3 = (first + min(t + 3, rows - 1)) * (IN / 4);
  var a0 = vec4f(); var a1 = vec4f(); var a2 = vec4f(); var a3 = vec4f();
  var b0 = vec4f(); var b1 = vec4f(); var b2 = vec4f(); var b3 = vec4f();
  for (var k = 0u; k < IN; k += 32) {
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
  store(rows, t, tile, lane, a0, b0);
  store(rows, t + 1, tile, lane, a1, b1);
  store(rows, t + 2, tile, lane, a2, b2);
  store(rows, t + 3, tile, lane, a3, b3);
}
