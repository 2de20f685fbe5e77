// The largest logits, second step: the k-th largest of what top_maxima.wgsl found, bit by bit from the highest. At least k logits reach it.
// One workgroup a row.

override WG: u32 = 64;
override LANES: u32;

struct Wanted {
  many: u32,         // k
  temperature: f32,
}

struct State {
  count: u32,        // logits that reach the threshold: top_collect.wgsl counts them
  threshold: u32,
  largest: u32,
}

@group(0) @binding(0) var<uniform> wanted: Wanted;
@group(0) @binding(1) var<storage, read> maxima: array<u32>;       // [rows,LANES], as ordered() has them
@group(0) @binding(2) var<storage, read_write> state: array<State>; // [rows]

var<workgroup> reached: array<atomic<u32>, 32>;                    // by bit
var<workgroup> largest: atomic<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = group.y * LANES;
  var threshold = 0u;
  for (var bit = 0u; bit < 32; bit++) {
    let next = threshold | (0x80000000u >> bit);
    var many = 0u;
    var top = 0u;
    for (var i = lane; i < LANES; i += WG) {
      many += select(0u, 1u, maxima[first + i] >= next);
      top = max(top, maxima[first + i]);
    }
    atomicAdd(&reached[bit], many);
    if (bit == 0) { atomicMax(&largest, top); }
    workgroupBarrier();
    if (atomicLoad(&reached[bit]) >= wanted.many) { threshold = next; }
  }
  if (lane == 0) {
    state[group.y] = State(0, threshold, atomicLoad(&largest));
  }
}
