// linear for one token: y [OUT] = weight [OUT,IN] · x [IN]. A workgroup is one subgroup (WG must be the adapter's subgroup size,
// the same for all shaders) and makes ROWS rows, so that each x is loaded once for them and no barrier is needed. IN % 4 = 0.
// Rows beyond the grid's first dimension continue in its second.
// With LAST the token is first_row (logits). A split weight writes to columns COL0 … .
enable subgroups;

const ROWS: u32 = 4;
override WG: u32 = 32;
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
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let o = (group.y * groups.x + group.x) * ROWS;
  let n = IN / 4;
  let row = select(0u, chunk.first_row, LAST) * n;
  // Rows past the end repeat the last one and are not stored.
  let w0 = min(o, OUT - 1) * n;
  let w1 = min(o + 1, OUT - 1) * n;
  let w2 = min(o + 2, OUT - 1) * n;
  let w3 = min(o + 3, OUT - 1) * n;
  var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
  for (var i = lane; i < n; i += WG) {
    let v = x[row + i];
    s0 = fma(weight[w0 + i], v, s0);
    s1 = fma(weight[w1 + i], v, s1);
    s2 = fma(weight[w2 + i], v, s2);
    s3 = fma(weight[w3 + i], v, s3);
  }
  let one = vec4f(1.0);
  let sum = subgroupAdd(vec4f(dot(s0, one), dot(s1, one), dot(s2, one), dot(s3, one)));
  if (lane == 0) {
    for (var r = 0u; r < ROWS; r++) {
      if (o + r < OUT) { y[COL0 + o + r] = sum[r]; }
    }
  }
}
