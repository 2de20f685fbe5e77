// linear [T,OUT] = x [T,IN] · weightᵀ [OUT,IN] for software adapters: a lane owns one weight row and TOKENS tokens, so that
// each weight is loaded once for all of them and nothing waits at a barrier (barriers are what costs there). IN % 4 = 0.
// With LAST only rows first_row … T−1 of x are used (logits). The weight may be split: this binding has OUT rows, which
// go to columns COL0 … of a result COLS wide.

const TOKENS: u32 = 4;
override WG: u32 = 64;
override IN: u32;
override OUT: u32;
override COL0: u32 = 0;
override COLS: u32;
override LAST: bool = false;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;          // [T,IN]
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;     // [OUT,IN]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;      // [T,COLS]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let o = at.x;
  if (o >= OUT) { return; }
  let first = select(0u, chunk.first_row, LAST);
  let rows = chunk.tokens - first;
  let t = at.y * TOKENS;
  // Tokens past the end repeat the last one: cheaper than a branch in the loop, and their results are not stored.
  let n = IN / 4;
  let x0 = (first + t) * n;
  let x1 = (first + min(t + 1, rows - 1)) * n;
  let x2 = (first + min(t + 2, rows - 1)) * n;
  let x3 = (first + min(t + 3, rows - 1)) * n;
  let w = o * n;
  var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
  for (var i = 0u; i < n; i++) {
    let v = weight[w + i];
    s0 = fma(v, x[x0 + i], s0);
    s1 = fma(v, x[x1 + i], s1);
    s2 = fma(v, x[x2 + i], s2);
    s3 = fma(v, x[x3 + i], s3);
  }
  let at0 = t * COLS + COL0 + o;
  let one = vec4f(1.0);
  y[at0] = dot(s0, one);
  if (t + 1 < rows) { y[at0 + COLS] = dot(s1, one); }
  if (t + 2 < rows) { y[at0 + 2 * COLS] = dot(s2, one); }
  if (t + 3 < rows) { y[at0 + 3 * COLS] = dot(s3, one); }
}
