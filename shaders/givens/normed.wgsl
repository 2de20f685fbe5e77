// What a product with one vector is given: the residual stream and the norms around it, as add_norm.wgsl has them. Every workgroup makes them for itself,
// which costs a GPU less than another dispatch does; the first leaves them to who reads them later. IN % 4 = 0.

override POST: bool;
override POST_EPS: f32 = 0.0;
override EPS: f32;

@group(0) @binding(1) var<storage, read> a: array<vec4f>;                // [IN]
@group(0) @binding(5) var<storage, read> b: array<vec4f>;                // [IN]
@group(0) @binding(6) var<storage, read> post_gain: array<vec4f>;        // [IN]
@group(0) @binding(7) var<storage, read> gain: array<vec4f>;             // [IN]
@group(0) @binding(9) var<storage, read_write> sum: array<vec4f>;        // [IN]
@group(0) @binding(11) var<storage, read_write> normed: array<vec4f>;    // [IN]

var<workgroup> given: array<vec4f, IN / 4>;
var<workgroup> squares: array<f32, WG>;

/** The sum of what every lane has. */
fn total(local: u32, own: f32) -> f32 {
  workgroupBarrier();
  squares[local] = own;
  workgroupBarrier();
  for (var half = WG / 2; half > 0; half /= 2) {
    if (local < half) { squares[local] += squares[local + half]; }
    workgroupBarrier();
  }
  return squares[0];
}

/** Makes the inputs. @param first whether this workgroup is the one that leaves them to others */
fn prepare(first: bool, local: u32) {
  var scale = 1.0;
  if (POST) {
    var own = 0.0;
    for (var i = local; i < IN / 4; i += WG) { own += dot(b[i], b[i]); }
    scale = 1.0 / sqrt(total(local, own) / f32(IN) + POST_EPS);
  }
  var own = 0.0;
  for (var i = local; i < IN / 4; i += WG) {
    var v = b[i];
    if (POST) { v = v * scale * post_gain[i]; }
    v += a[i];
    given[i] = v;
    own += dot(v, v);
    if (first) { sum[i] = v; }
  }
  scale = 1.0 / sqrt(total(local, own) / f32(IN) + EPS);
  for (var i = local; i < IN / 4; i += WG) {
    let v = given[i] * scale * gain[i];
    given[i] = v;
    if (first) { normed[i] = v; }
  }
  workgroupBarrier();
}

/** Four inputs; none past the end. */
fn input(row: u32, i: u32) -> vec4f {
  if (IN % 128 == 0) { return given[i]; }
  return select(vec4f(), given[min(i, IN / 4 - 1)], vec4<bool>(i < IN / 4));
}
