// Fast plan: the residual stream and the norms around it. sum = a + norm(b), or a + b without POST; y = norm(sum). One workgroup a token, N values
// each; the norms are rms_norm.wgsl's. `post_gain` and `gain` have Gemma's 1 + w already in them.

override WG: u32 = 64;  // a power of two: sums are trees
override N: u32;
override POST: bool;
override POST_EPS: f32 = 0.0;
override EPS: f32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> a: array<f32>;            // [T,N]
@group(0) @binding(2) var<storage, read> b: array<f32>;            // [T,N]
@group(0) @binding(3) var<storage, read> post_gain: array<f32>;    // [N]
@group(0) @binding(4) var<storage, read> gain: array<f32>;         // [N]
@group(0) @binding(5) var<storage, read_write> sum: array<f32>;    // [T,N]
@group(0) @binding(6) var<storage, read_write> y: array<f32>;      // [T,N]

var<workgroup> partial: array<f32, WG>;

/** The sum of what every lane has. */
fn total(lane: u32, own: f32) -> f32 {
  workgroupBarrier();
  partial[lane] = own;
  workgroupBarrier();
  for (var half = WG / 2; half > 0; half /= 2) {
    if (lane < half) { partial[lane] += partial[lane + half]; }
    workgroupBarrier();
  }
  return partial[0];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * N;
  var scale = 1.0;
  if (POST) {
    var own = 0.0;
    for (var i = lane; i < N; i += WG) {
      let v = b[row + i];
      own += v * v;
    }
    scale = 1.0 / sqrt(total(lane, own) / f32(N) + POST_EPS);
  }
  var own = 0.0;
  for (var i = lane; i < N; i += WG) {
    var v = b[row + i];
    if (POST) { v = v * scale * post_gain[i]; }
    v += a[row + i];
    sum[row + i] = v;
    own += v * v;
  }
  scale = 1.0 / sqrt(total(lane, own) / f32(N) + EPS);
  for (var i = lane; i < N; i += WG) { y[row + i] = sum[row + i] * scale * gain[i]; }
}
