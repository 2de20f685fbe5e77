// RMSNorm over the last axis: y = x / √(mean(x²) + EPS) · gain. One workgroup a row, N values a row, PER rows a token
// (1 for the residual stream, A or K for q_norm and k_norm). `gain` has Gemma's 1 + w already in it.

override WG: u32 = 64;  // a power of two: the sum is a tree
override N: u32;
override PER: u32 = 1;
override EPS: f32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<f32>;            // [T,PER,N]
@group(0) @binding(2) var<storage, read> gain: array<f32>;         // [N]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;      // [T,PER,N]

var<workgroup> partial: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * PER + group.x) * N;
  var sum = 0.0;
  for (var i = lane; i < N; i += WG) {
    let v = x[row + i];
    sum += v * v;
  }
  partial[lane] = sum;
  workgroupBarrier();
  for (var half = WG / 2; half > 0; half /= 2) {
    if (lane < half) { partial[lane] += partial[lane + half]; }
    workgroupBarrier();
  }
  let scale = 1.0 / sqrt(partial[0] / f32(N) + EPS);
  for (var i = lane; i < N; i += WG) { y[row + i] = x[row + i] * scale * gain[i]; }
}
