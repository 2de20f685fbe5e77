// Greedy sampling: the index of the largest of N logits in the last row, the lowest index among equals. One workgroup.
override WG: u32 = 64;  // a power of two: the search ends as a tree
override N: u32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<f32>;            // [rows,N]
@group(0) @binding(2) var<storage, read_write> best: array<u32>;   // [1]

var<workgroup> value: array<f32, WG>;
var<workgroup> place: array<u32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
  let row = (chunk.tokens - chunk.first_row - 1) * N;
  var top = x[row];
  var at = 0u;
  for (var i = lane; i < N; i += WG) {
    let v = x[row + i];
    if (v > top) { top = v; at = i; }
  }
  value[lane] = top;
  place[lane] = at;
  workgroupBarrier();
  for (var half = WG / 2; half > 0; half /= 2) {
    if (lane < half) {
      let v = value[lane + half];
      let p = place[lane + half];
      if (v > value[lane] || (v == value[lane] && p < place[lane])) { value[lane] = v; place[lane] = p; }
    }
    workgroupBarrier();
  }
  if (lane == 0) { best[0] = place[0]; }
}
