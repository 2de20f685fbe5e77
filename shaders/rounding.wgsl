// A yardstick: what this adapter makes of one operation of f32, a lane a case. Inputs come from a buffer, so that no compiler computes them beforehand.

override WG: u32 = 64;
override OP: u32;  // a place in the list of engine/accuracy.ts

@group(0) @binding(0) var<storage, read> x: array<vec4f>;        // a, b, c and nothing
@group(0) @binding(1) var<storage, read_write> y: array<f32>;    // a value a case

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= arrayLength(&y)) { return; }
  let q = x[at.x];
  var r = 0.0;
  switch OP {
    case 0 { r = q.x + q.y; }
    case 1 { r = q.x * q.y; }
    case 2 { r = fma(q.x, q.y, q.z); }
    case 3 { r = q.x / q.y; }
    case 4 { r = sqrt(q.x); }
    case 5 { r = inverseSqrt(q.x); }
    case 6 { r = exp(q.x); }
    default { r = tanh(q.x); }
  }
  y[at.x] = r;
}
