// linear for one token, on a software adapter: y [OUT] = weight [OUT,IN] · x [IN]. A lane a row, no barriers, two
// accumulators so that one addition need not wait for the other. IN % 4 = 0.
// With LAST the token is first_row (logits). A split weight writes to columns COL0 … .

override WG: u32 = 64;
override IN: u32;
override OUT: u32;
override COL0: u32 = 0;
override LAST: bool = false;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;          // [1,IN]
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;     // [OUT,IN]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;      // [1,COLS]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let o = at.x;
  if (o >= OUT) { return; }
  let n = IN / 4;
  let row = select(0u, chunk.first_row, LAST) * n;
  let w = o * n;
  var even = vec4f();
  var odd = vec4f();
  for (var i = 0u; i + 1 < n; i += 2) {
    even = fma(weight[w + i], x[row + i], even);
    odd = fma(weight[w + i + 1], x[row + i + 1], odd);
  }
  if ((n & 1) == 1) { even = fma(weight[w + n - 1], x[row + n - 1], even); }
  y[COL0 + o] = dot(even + odd, vec4f(1.0));
}
