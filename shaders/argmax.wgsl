// Greedy sampling, first step: every workgroup finds the largest logit in its share of a row, of the last rows as many as the grid is high.
// argmax_last.wgsl ends it.
// A share with NaN or ±∞ has no largest: its place is NONE. That is told by the bits, because compilers fold x != x away.

override WG: u32 = 64;  // a power of two: the search ends as a tree
override N: u32;                                                   // V

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<u32>;            // [T − first_row,N], bits of f32
@group(0) @binding(2) var<storage, read_write> places: array<u32>; // [rows,workgroups]

const NONE: u32 = 0xffffffffu;
const EXPONENT: u32 = 0x7f800000u;                                 // all ones: no number

var<workgroup> value: array<f32, WG>;
var<workgroup> place: array<u32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = (chunk.tokens - chunk.first_row - groups.y + group.y) * N;
  let share = (N + groups.x - 1) / groups.x;
  let first = min(group.x * share, N - 1);
  let end = min(first + share, N);
  var at = first;
  var top = bitcast<f32>(x[row + first]);
  var broken = false;
  for (var i = first + lane; i < end; i += WG) {
    let bits = x[row + i];
    let v = bitcast<f32>(bits);
    broken |= (bits & EXPONENT) == EXPONENT;
    if (v > top) { top = v; at = i; }
  }
  value[lane] = top;
  place[lane] = select(at, NONE, broken);
  workgroupBarrier();
  for (var half = WG / 2; half > 0; half /= 2) {
    if (lane < half) {
      let v = value[lane + half];
      let p = place[lane + half];
      if (p == NONE || place[lane] == NONE) { place[lane] = NONE; }
      else if (v > value[lane] || (v == value[lane] && p < place[lane])) { value[lane] = v; place[lane] = p; }
    }
    workgroupBarrier();
  }
  if (lane == 0) { places[group.y * groups.x + group.x] = place[0]; }
}
