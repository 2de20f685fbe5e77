// linear a token at a time, on software adapters without subgroups of eight: y [T,OUT] = x [T,IN] · weightᵀ [OUT,IN], each token as if it were
// alone. Eight lanes a tile of 16 rows, a lane two of them; no barriers. IN % 4 = 0.
// Assembled with a format (formats/), a store (stores/) and a place for its results (results/). With LAST the first token is first_row (logits).

const LANES: u32 = 8;
override WG: u32 = 64;
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
@group(0) @binding(1) var<storage, read> x: array<vec4f>;          // [T,IN]

/** Four inputs of the row of x that begins at `row`; none past its end. */
fn input(row: u32, i: u32) -> vec4f {
  if (IN % 128 == 0) { return x[row + i]; }
  return select(vec4f(), x[row + min(i, IN / 4 - 1)], vec4<bool>(i < IN / 4));
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let tile = at.x / LANES;
  let lane = at.x % LANES;
  if (tile * 2 * LANES >= OUT) { return; }
  let t = select(0u, at.z, EACH);
  let row = (select(0u, chunk.first_row, LAST) + t) * (IN / 4);
  var a = vec4f();
  var b = vec4f();
  for (var k = 0u; k < IN; k += 32) {
    let s = block(tile, (k / 128 * TEXELS) * LANES + lane, (k / 32) % 4);
    let i = k / 4;
    { let q = input(row, i + 0); a = fma(low(s, 0), q, a); b = fma(high(s, 0), q, b); }
    { let q = input(row, i + 1); a = fma(low(s, 1), q, a); b = fma(high(s, 1), q, b); }
    { let q = input(row, i + 2); a = fma(low(s, 2), q, a); b = fma(high(s, 2), q, b); }
    { let q = input(row, i + 3); a = fma(low(s, 3), q, a); b = fma(high(s, 3), q, b); }
    { let q = input(row, i + 4); a = fma(low(s, 4), q, a); b = fma(high(s, 4), q, b); }
    { let q = input(row, i + 5); a = fma(low(s, 5), q, a); b = fma(high(s, 5), q, b); }
    { let q = input(row, i + 6); a = fma(low(s, 6), q, a); b = fma(high(s, 6), q, b); }
    { let q = input(row, i + 7); a = fma(low(s, 7), q, a); b = fma(high(s, 7), q, b); }
  }
  put(t, tile, lane, dot(a, vec4f(1)), dot(b, vec4f(1)));
}
