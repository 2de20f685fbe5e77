// linear for one token, on a GPU: y [OUT] = weight [OUT,IN] · x [IN]. A workgroup a row, neighbouring lanes read
// neighbouring words, the sum is a tree. IN % 4 = 0. Rows beyond 65535 continue in the grid's second dimension.
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

var<workgroup> partial: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let o = group.y * groups.x + group.x;
  let n = IN / 4;
  let row = select(0u, chunk.first_row, LAST) * n;
  var sum = vec4f();
  if (o < OUT) {
    for (var i = lane; i < n; i += WG) { sum = fma(weight[o * n + i], x[row + i], sum); }
  }
  partial[lane] = dot(sum, vec4f(1.0));
  workgroupBarrier();
  for (var half = WG / 2; half > 0; half /= 2) {
    if (lane < half) { partial[lane] += partial[lane + half]; }
    workgroupBarrier();
  }
  if (lane == 0 && o < OUT) { y[COL0 + o] = partial[0]; }
}
