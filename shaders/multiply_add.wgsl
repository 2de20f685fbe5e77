// A yardstick: how fast an adapter multiplies and adds. A lane has eight sums that wait for nothing but themselves, in registers, and does 128
// multiplications and additions of f32 a turn.

override WG: u32 = 8;
override TURNS: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;  // a factor below one, and what is added
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;  // a value a lane

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let m = vec4f(x[0]);
  let c = vec4f(x[1]);
  var a = vec4f(f32(at.x), 1, 2, 3);
  var b = vec4f(4, 5, 6, 7);
  for (var i = 0u; i < TURNS; i++) {
    a = fma(a, m, c); b = fma(b, m, c);
    a = fma(a, m, c); b = fma(b, m, c);
    a = fma(a, m, c); b = fma(b, m, c);
    a = fma(a, m, c); b = fma(b, m, c);
    a = fma(a, m, c); b = fma(b, m, c);
    a = fma(a, m, c); b = fma(b, m, c);
    a = fma(a, m, c); b = fma(b, m, c);
    a = fma(a, m, c); b = fma(b, m, c);
  }
  y[at.x] = a + b;
}
